// What rejoining keeps, the same in every dialect.
import { fieldsOf, type Outcome, type RowChange, type UnsentPart } from "@grove-crdt/core";
import type { RejectedChange } from "./rejection";

/** What was never acknowledged stands on record as rejected, until it is put back. */
const SET_ASIDE: Outcome = {
  outcome: "rejected",
  code: "struck_off",
  message:
    "The row that this was written to was deleted, or is another one by the same key; the other nodes have forgotten which.",
};

/** What is known of rows is forgotten but for their keys: a row that never lived takes whatever the peer says of it. */
export const FORGET_LIVES = "cl = 0, hlc = 0, node = 0, born = 0, via = NULL, shape = NULL, clocks = NULL";

/** How a row's unsent part is recorded: one that others may have had is put back into nothing but the row that it belongs to. */
export const recordOf = ({ isWhole, mayBeKnown }: UnsentPart, change: RowChange): Outcome =>
  isWhole && !mayBeKnown ? SET_ASIDE : { ...SET_ASIDE, fields: fieldsOf(change) };

/** Of what was set aside before, the rows that somebody may have deleted by now, and forgotten. */
export const outdatedRecords = (
  rejections: readonly RejectedChange[],
  node: string,
  collected: number,
): readonly RejectedChange[] =>
  rejections.filter(
    ({ peer, code, fields, change }) =>
      peer === node && code === SET_ASIDE.code && fields === null && change.life[0] <= collected,
  );

/** Such a record from now on, as it is stored. */
export const outdatedText = ({ change }: RejectedChange): string =>
  JSON.stringify({ fields: fieldsOf(change), change });
