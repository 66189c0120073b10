// Ends: when the earlier lives of a row ended, and the one that a deleted row had. A collection forgets deletions up to a stamp; of a
// row that was inserted again since, or deleted by two nodes at once, it must know which of its deletions that are.
// Two nodes may end one life without knowing of each other: the earlier of the two stamps counts, so that all agree on what is old.

/** Most ends that a row keeps: the latest ones. */
export const MAX_ENDS = 32;

/** Clock readings, the oldest first, the last that of the latest end; null = not known. */
export type Ends = readonly (number | null)[];

/** What has lives: a row of the shadow, or a change. */
export interface Mortal {
  readonly cl: number;
  /** Clock reading of the present life's or death's stamp. */
  readonly hlc: number;
  readonly ends?: Ends;
}

const NONE: Ends = [];

/** All ends that are known; a deleted row's own is among them. */
export function endsOf({ cl, hlc, ends = NONE }: Mortal): Ends {
  if (cl % 2 === 1) return ends;
  const own = ends.at(-1) ?? hlc;
  return ends.length <= 1 && own >= hlc ? [hlc] : [...ends.slice(0, -1), Math.min(own, hlc)];
}

/** As they are kept and travel: nothing where they say nothing that causal length and stamp do not say. */
function keep(ends: Ends, { cl, hlc }: Mortal): Ends | undefined {
  const first = Math.max(
    ends.findIndex((end) => end !== null),
    ends.length - MAX_ENDS,
  );
  const known = ends.slice(first);
  const isPlain = cl % 2 === 0 && known.length === 1 && known[0] === hlc;
  return known.every((end) => end === null) || isPlain ? undefined : known;
}

/** After a delete, or after an insert of a row that was there before. `previous` is the row as it was. */
export function endsAfter(previous: Mortal | null, next: Mortal): Ends | undefined {
  if (!previous) return undefined;
  const missing = Math.floor(next.cl / 2) - Math.floor(previous.cl / 2);
  return keep([...endsOf(previous), ...Array<number>(missing).fill(next.hlc)], next);
}

/** What two states of a row know together, of which `result` has come. */
export function joinEnds(a: Mortal, b: Mortal, result: Mortal): Ends | undefined {
  const last = Math.floor(result.cl / 2);
  if (last === 0) return undefined;
  const joined = Array<number | null>(Math.min(last, MAX_ENDS)).fill(null);
  for (const one of [a, b]) {
    const ends = endsOf(one);
    const place = Math.floor(one.cl / 2) - ends.length - (last - joined.length);
    ends.forEach((end, n) => {
      const known = joined[place + n];
      if (end !== null && known !== undefined) joined[place + n] = known === null ? end : Math.min(known, end);
    });
  }
  return keep(joined, result);
}

export const sameEnds = (a: Ends | undefined, b: Ends | undefined): boolean =>
  a === b || (a !== undefined && a.length === b?.length && a.every((end, n) => end === b[n]));
