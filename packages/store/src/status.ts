// How a database stands, told from one snapshot and without writing anything: what waits, for whom and since when. The same in
// every dialect but for the SQL that counts.
import { type Collection, decodeCursor, type Incarnation, resume } from "@grove-crdt/core";

/** Something that waits. */
export interface Waiting {
  readonly rows: number;
  /** When the oldest of it was written, microseconds since 1970; null when nothing waits, or nobody knows. */
  readonly since: number | null;
}

export interface PeerStanding {
  /** The peer's node id. */
  readonly peer: string;
  readonly url: string | null;
  /** Whose node it is, where callers are told apart. */
  readonly principal: string | null;
  /** What it has not acknowledged of this node's tables; null = nothing was ever pushed to it: it asks for itself. */
  readonly waiting: Waiting | null;
  /** When an exchange with it last moved something, microseconds since 1970. */
  readonly lastSuccess: number | null;
  readonly lastError: string | null;
}

/** How many rows a table has, by what they are. */
export interface RowCount {
  /** Rows that live, those that a constraint keeps out of the table included. */
  readonly rows: number;
  /** Deleted rows of which the key is kept. */
  readonly tombstones: number;
}

export interface StoredStatus {
  /** The node id; null while the database has none. */
  readonly node: string | null;
  /** Under which it numbers now; null before its first number. */
  readonly incarnation: string | null;
  /** The last number given. */
  readonly seq: number;
  /** The greatest stamp that it made or took, microseconds since 1970. */
  readonly clock: number;
  /** Captured writes that no fold has looked at yet. */
  readonly log: Waiting;
  readonly peers: readonly PeerStanding[];
  /** Rows that a constraint keeps out of their table, and changes that wait for a row that is held. */
  readonly parked: number;
  /** Changes that were rejected and not settled since: this node's by peers, and peers' by this node. */
  readonly rejected: { readonly sent: number; readonly received: number };
  readonly collection: Collection;
  /** By table; null where it was not asked for. */
  readonly counts: Readonly<Record<string, RowCount>> | null;
}

/** What `node.status()` shall find out beside what costs nothing. */
export interface StatusOptions {
  /** Counts rows and tombstones too, for which every shadow is read: not for each scrape of a monitor (default false). */
  readonly counts?: boolean;
}

/** Which rows a peer may lack: those of `tables` numbered after `position`, for what they carry above `floor`. */
export interface Backlog {
  readonly tables: readonly string[];
  readonly floor: number;
  readonly position: number;
  /** Also what came from the peer itself goes to it. */
  readonly full: boolean;
}

/**
 * Where the next push to a peer begins, given its push cursor.
 *
 * @param tables names of this node's tables: those that the peer never had pushed are none of its business
 */
export function backlogOf(
  pushCursor: string,
  tables: readonly string[],
  incarnations: readonly Incarnation[],
  last: number,
): Backlog[] {
  const cursor = decodeCursor(pushCursor);
  const shared = cursor.tables.length > 0 ? tables.filter((table) => cursor.tables.includes(table)) : tables;
  const place = resume(cursor, shared, incarnations, last, cursor.views);
  const { floor, position, full, waiting } = place;
  const late = { tables: place.tables, floor, position, full };
  if (!waiting) return [late];
  return [late, { tables: shared.filter((table) => !place.tables.includes(table)), ...waiting, full }];
}

/** Several backlogs as one. */
export function addWaiting(parts: readonly Waiting[]): Waiting {
  const known = parts.flatMap(({ since }) => since ?? []);
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    since: known.length > 0 ? Math.min(...known) : null,
  };
}
