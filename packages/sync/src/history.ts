// History: whether a database is still the one that a peer has seen. One that was restored from a backup has lost a piece of
// its history, and a full exchange mends it. One that has a piece which the peer took for lost is not alone by its name.
import { GroveError, type Position } from "@grove-crdt/core";
import type { Store } from "@grove-crdt/store";

/** Where a peer has seen this database. */
export interface Sighting {
  /** Last. */
  readonly seen?: Position | null;
  /** Before that, in a history that this database then turned out not to hold. */
  readonly displaced?: Position;
}

/**
 * @param peer who says so, as a message names it
 * @throws GroveError `forked` when a copy of this database syncs under the same node id
 */
export async function isRestored(
  store: Store,
  id: string,
  peer: string,
  { seen, displaced }: Sighting,
): Promise<boolean> {
  if (seen == null || (await store.knows(seen))) return false;
  if (displaced === undefined || displaced.incarnation === "" || !(await store.knows(displaced))) return true;
  throw new GroveError(
    "forked",
    `Another database syncs as node ${JSON.stringify(id)} with ${peer}: one is a copy of the other. Give the copy an id of its own (\`npx grove-crdt fork\` or node.fork()), then both go on and nothing is lost.`,
    { details: { node: id } },
  );
}
