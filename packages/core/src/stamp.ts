// Stamps order writes: a hybrid logical clock reading and the node that wrote.
// Source: Kulkarni et al. 2014, "Logical Physical Clocks". Physical and logical part share one integer, in
// microseconds since 1970: it stays below 2^53 until the year 2255, so it is exact in JavaScript and in JSON.

export interface Stamp {
  readonly hlc: number;
  readonly node: string;
}

/** The node of stamps that no write made: adopted rows and columns that were added later. Sorts before all ids. */
export const RESERVED_NODE = "";

/** Node ids are lower case ASCII, so every collation and every language sorts them alike. */
export const NODE_ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Negative, zero or positive, like a comparator: first by clock, then by node id by byte. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.hlc - b.hlc || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0);
}
