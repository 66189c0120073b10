// How a node stands, in the units in which people and monitors are told: rows and milliseconds.
import type { RowCount, StatusOptions, StoredStatus, Waiting } from "@grove-crdt/store";
import { type CollectionStatus, statusOf } from "./collection-status";

/** Something that waits: how much, and how long the oldest of it has; 0 when nothing waits or nobody knows. */
export interface Lag {
  readonly rows: number;
  readonly milliseconds: number;
}

/** A node that this one has exchanged with, by whichever process. */
export interface KnownPeer {
  /** Its node id. */
  readonly peer: string;
  /** Where it was reached last; null where it only ever called. */
  readonly url: string | null;
  /**
   * What it has not acknowledged yet, and since when the oldest of it was written. Null where nothing was ever pushed to it: it
   * asks for itself, and knows itself how far it is.
   */
  readonly lag: Lag | null;
  /** When an exchange with it last moved something, milliseconds since 1970. */
  readonly lastSuccess: number | null;
  /** Code and message of the last failure; null once something has gone well since. */
  readonly lastError: string | null;
}

/** How a node's database stands. See {@link GroveNode.status}. */
export interface NodeStatus {
  /** The node id; null while the database has none. */
  readonly id: string | null;
  /** The opening of the database under which it numbers now; null before its first write. */
  readonly incarnation: string | null;
  readonly tables: readonly string[];
  /** The last sequence number. */
  readonly seq: number;
  /** Captured writes that were not folded yet. Grows only while nobody syncs. */
  readonly log: Lag;
  readonly peers: readonly KnownPeer[];
  /** `node.parked()` lists them. */
  readonly parked: number;
  /** Changes rejected by peers, and peers' changes rejected here: `node.rejected()` lists them. */
  readonly rejected: { readonly sent: number; readonly received: number };
  /** How far the greatest stamp known lies ahead of this process's clock, in milliseconds; 0 when it does not. */
  readonly clockAhead: number;
  readonly collection: CollectionStatus;
  /** By table, if it was asked for. */
  readonly counts: Readonly<Record<string, RowCount>> | null;
}

export type { RowCount, StatusOptions };

/** @param now microseconds since 1970 */
export function toStatus(stored: StoredStatus, tables: readonly string[], now: number): NodeStatus {
  const toLag = ({ rows, since }: Waiting): Lag => ({
    rows,
    milliseconds: since === null ? 0 : Math.max(0, Math.round((now - since) / 1000)),
  });
  const { node, incarnation, seq, log, peers, parked, rejected, clock, collection, counts } = stored;
  return {
    id: node,
    incarnation,
    tables,
    seq,
    log: toLag(log),
    peers: peers.map(({ peer, url, waiting, lastSuccess, lastError }) => ({
      peer,
      url,
      lag: waiting && toLag(waiting),
      lastSuccess: lastSuccess === null ? null : Math.floor(lastSuccess / 1000),
      lastError,
    })),
    parked,
    rejected,
    clockAhead: Math.max(0, Math.round((clock - now) / 1000)),
    collection: statusOf(collection),
    counts,
  };
}
