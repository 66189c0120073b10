// Placement: what of a merged row goes to the base table at once, and what waits in the shadow for the projection, since it
// may show or hide rows, itself or others, or meet their keys. Decided twice: before the base table is written, and after.
import { type BaseWrite, type ChangeSet, NO_BASE_WRITE } from "./changeset";
import { defer, hide } from "./hidden";
import type { Json } from "./model";
import { isLinked, type Neighbours } from "./projection/link";
import type { Touched } from "./projection/query";
import { isAlive } from "./row";

export interface Placement {
  /** What the base table is to take at once. */
  readonly write: BaseWrite;
  /** The change set with the columns that wait in the shadow. */
  readonly rest: ChangeSet;
}

export interface Settlement {
  /** What the shadow keeps. */
  readonly kept: ChangeSet;
  /** What the projection must look at; null = nothing. */
  readonly touched: Touched | null;
  /** A row that was hidden is in the base table again, with these values. */
  readonly shown: Readonly<Record<string, Json>> | null;
  /** The row is deleted, and nothing of it waits any more. */
  readonly gone: boolean;
}

export function decidePlacement(around: Neighbours, changes: ChangeSet): Placement {
  const { base, row } = changes;
  if (base.op === "update") {
    const rest = defer(around.model, changes, around.structural);
    return { write: rest.base, rest };
  }
  const waits =
    (base.op === "insert" && isLinked(around) && row.id !== 0) || (base.op === "delete" && around.in.length > 0);
  return { write: waits ? NO_BASE_WRITE : base, rest: changes };
}

/**
 * @param present the base table had the row before the merge
 * @param refused it did not take what {@link decidePlacement} wanted written
 */
export function decideSettlement(
  around: Neighbours,
  pk: readonly Json[],
  changes: ChangeSet,
  { write, rest }: Placement,
  present: boolean,
  refused: boolean,
): Settlement {
  const { model } = around;
  const { base, row } = changes;
  const linked = isLinked(around);
  // A row's standing among others depends on the stamp of its life, too.
  const moved = linked && row.born === row.seq;
  const touch = (stale?: readonly string[]): Touched => ({ table: model.name, pk, stale });
  if (base.op === "insert") {
    const taken = write.op === "insert" && !refused;
    const known = row.id !== 0;
    return {
      kept: taken && !known ? changes : hide(model, changes, base.values),
      touched: !taken || linked ? touch() : null,
      shown: taken && known ? base.values : null,
      gone: false,
    };
  }
  if (base.op === "update") {
    const all = Object.keys(base.values);
    return {
      kept: refused ? defer(model, rest, new Set(all)) : rest,
      touched: refused ? touch(all) : moved || rest !== changes ? touch() : null,
      shown: null,
      gone: false,
    };
  }
  const ended = !isAlive(row);
  // A deleted row that shows all the same may have been written to before its end.
  const stale = ended && model.keepsDeleted ? model.fields.map(({ name }) => name) : undefined;
  return {
    kept: changes,
    touched: refused || moved || (ended && linked) ? touch(stale) : null,
    shown: null,
    gone: ended && !linked && (!present || base.op === "delete"),
  };
}
