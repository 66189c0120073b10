// A database's name as a node, the same in every dialect: the stored one, else the configured one, else a drawn one.
import { GroveError, NODE_ID } from "@grove-crdt/core";

/** So many letters and digits, drawn. */
export const drawName = (random: () => number, length: number): string =>
  Array.from({ length }, () => Math.floor(random() * 36).toString(36)).join("");

/** @throws GroveError `node_id_invalid`, `node_id_mismatch` */
export function decideIdentity(stored: string | null, configured: string | undefined, random: () => number): string {
  if (configured !== undefined && !NODE_ID.test(configured)) {
    throw new GroveError(
      "node_id_invalid",
      `The node id ${JSON.stringify(configured)} is not valid: it must match [a-z0-9][a-z0-9._-]{0,62}.`,
    );
  }
  if (stored !== null && configured !== undefined && stored !== configured) {
    throw new GroveError(
      "node_id_mismatch",
      `This database is node ${JSON.stringify(stored)}, not ${JSON.stringify(configured)}. Leave nodeId out, or open the right database.`,
      { details: { stored, configured } },
    );
  }
  return stored ?? configured ?? `n-${drawName(random, 10)}`;
}
