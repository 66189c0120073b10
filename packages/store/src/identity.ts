// A database's name as a node, the same in every dialect: the stored one, else the configured one, else a drawn one.
import { GroveError, NODE_ID } from "@grove-crdt/core";

/** So many letters and digits, drawn. */
export const drawName = (random: () => number, length: number): string =>
  Array.from({ length }, () => Math.floor(random() * 36).toString(36)).join("");

/** @throws GroveError `node_id_invalid` */
function checkId(id: string): void {
  if (NODE_ID.test(id)) return;
  const message = `The node id ${JSON.stringify(id)} is not valid: it must match [a-z0-9][a-z0-9._-]{0,62}.`;
  throw new GroveError("node_id_invalid", message);
}

const drawId = (random: () => number): string => `n-${drawName(random, 10)}`;

/** A new name for a database that has one. @throws GroveError `node_id_invalid` */
export function decideFork(stored: string, wanted: string | undefined, random: () => number): string {
  const id = wanted ?? drawId(random);
  checkId(id);
  if (id !== stored) return id;
  throw new GroveError("node_id_invalid", `The database is node ${JSON.stringify(id)} already. Name another id.`);
}

/** What is kept of a peer when this database gets another name: who it is, and no cursor. */
export const FORGET_CURSORS =
  "pull_cursor = NULL, push_cursor = NULL, seen_incarnation = NULL, seen_seq = NULL, displaced_incarnation = NULL, displaced_seq = NULL";

/** @throws GroveError `node_id_invalid`, `node_id_mismatch` */
export function decideIdentity(stored: string | null, configured: string | undefined, random: () => number): string {
  if (configured !== undefined) checkId(configured);
  if (stored !== null && configured !== undefined && stored !== configured) {
    throw new GroveError(
      "node_id_mismatch",
      `This database is node ${JSON.stringify(stored)}, not ${JSON.stringify(configured)}. Leave nodeId out, or open the right database.`,
      { details: { stored, configured } },
    );
  }
  return stored ?? configured ?? drawId(random);
}
