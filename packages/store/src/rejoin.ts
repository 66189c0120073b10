// What rejoining keeps, the same in every dialect.
import { type Acknowledged, decodeCursor, type Outcome } from "@grove-crdt/core";

/** How far some peer has acknowledged this node's rows, by its cursors for what it pushes. */
export function acknowledgedBy(pushCursors: readonly string[]): Acknowledged {
  const cursors = pushCursors.map(decodeCursor);
  return {
    position: Math.max(0, ...cursors.map(({ position }) => position)),
    floor: Math.max(0, ...cursors.map(({ floor }) => floor)),
  };
}

/** What was never acknowledged stands on record as rejected, until it is put back. */
export const SET_ASIDE: Outcome = {
  outcome: "rejected",
  code: "struck_off",
  message:
    "The row that this was written to was deleted, or is another one by the same key; the other nodes have forgotten which.",
};

/** What is known of rows is forgotten but for their keys: a row that never lived takes whatever the peer says of it. */
export const FORGET_LIVES = "cl = 0, hlc = 0, node = 0, born = 0, via = NULL, shape = NULL, clocks = NULL";
