// A peer's row of `_grove_peers`, the same in every dialect.
import type { PeerState, PeerUpdate } from "./store";

export const PEER_COLUMNS =
  "url, pull_cursor, push_cursor, seen_incarnation, seen_seq, displaced_incarnation, displaced_seq, last_success, last_error";

/** A row of {@link PEER_COLUMNS}; a driver may give integers as text. */
export function rowToPeer(row: readonly unknown[]): PeerState {
  const [url, pullCursor, pushCursor, incarnation, seq, former, formerSeq, lastSuccess, lastError] = row.map(
    (value) => value ?? null,
  ) as [
    string | null,
    string | null,
    string | null,
    string | null,
    number | string | null,
    string | null,
    number | string | null,
    number | string | null,
    string | null,
  ];
  return {
    url,
    pullCursor,
    pushCursor,
    seen: incarnation === null ? null : { incarnation, seq: Number(seq) },
    displaced: former === null ? null : { incarnation: former, seq: Number(formerSeq) },
    lastSuccess: lastSuccess === null ? null : Number(lastSuccess),
    lastError,
  };
}

/** The columns that an update writes; those that it does not mention stay. */
export const peerColumns = (update: PeerUpdate): Readonly<Record<string, string | number | null>> => ({
  ...(update.url !== undefined && { url: update.url }),
  ...(update.pullCursor !== undefined && { pull_cursor: update.pullCursor }),
  ...(update.pushCursor !== undefined && { push_cursor: update.pushCursor }),
  ...(update.seen !== undefined && {
    seen_incarnation: update.seen?.incarnation ?? null,
    seen_seq: update.seen?.seq ?? null,
  }),
  ...(update.displaced !== undefined && {
    displaced_incarnation: update.displaced?.incarnation ?? null,
    displaced_seq: update.displaced?.seq ?? null,
  }),
  ...(update.lastSuccess !== undefined && { last_success: update.lastSuccess }),
  ...(update.lastError !== undefined && { last_error: update.lastError }),
});
