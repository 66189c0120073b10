// Writes the decided rows of a page: what may stand in the user's table goes there, the rest waits in the shadow.
import { type ChangeSet, decidePlacement, decideSettlement, type Json, type Neighbours } from "@grove-crdt/core";
import { applyBase, type Printed } from "./base-writes";
import { BUSY } from "./busy";
import { unpark, writeLocal } from "./parking";
import { writeSettled } from "./received";
import type { Session } from "./session";
import { isFresh, ShadowWrites } from "./shadow-writes";
import type { Table } from "./table";

type Values = Readonly<Record<string, Json>>;

/** A decided row on its way into the database. */
export interface MergedRow {
  readonly pk: readonly Json[];
  readonly key: readonly string[];
  readonly changes: ChangeSet;
  /** The base table has the row. */
  readonly present: boolean;
  readonly printed?: Printed;
}

/**
 * Writes merged rows. What may show or hide other rows, or meet them, waits in the shadow for the projection; the rest
 * goes to the base table at once.
 *
 * @returns the rows that somebody else holds, of which nothing was written
 */
export async function applyMerged<T extends MergedRow>(
  session: Session,
  table: Table,
  around: Neighbours,
  rows: readonly T[],
): Promise<T[]> {
  const shadow = new ShadowWrites(session, table);
  const writes = rows.map((item) => {
    const { key, changes, printed } = item;
    const placement = decidePlacement(around, changes);
    const { write } = placement;
    // Rows that nobody here knows go into both tables at once. What is refused goes into the shadow alone.
    const both = write.op === "insert" && isFresh(changes) && !session.manner.careful;
    return { item, key, placement, write, printed, fresh: both ? shadow.fresh(key, changes) : undefined };
  });
  const refusals = await applyBase(session, table, writes);
  const busy: T[] = [];
  const shown: { readonly pk: readonly Json[]; readonly key: readonly string[]; readonly values: Values }[] = [];
  const gone: (readonly Json[])[] = [];
  for (const write of writes) {
    const { item, key, placement, fresh } = write;
    const { changes, pk, present } = item;
    const refusal = refusals.get(write);
    if (refusal?.code === BUSY.code) {
      busy.push(item);
      continue;
    }
    const settlement = decideSettlement(around, pk, changes, placement, present, refusal !== undefined);
    if (fresh && refusal === undefined) shadow.addCells(settlement.kept);
    else shadow.add(key, settlement.kept);
    if (settlement.touched) session.touch(settlement.touched);
    if (settlement.shown) shown.push({ pk, key, values: settlement.shown });
    if (settlement.gone) gone.push(pk);
  }
  await shadow.flush();
  if (shown.length > 0) {
    await writeLocal(session, table, shown);
    await writeSettled(
      session,
      table,
      shown.map(({ key, values }) => ({ key, shadow: values, written: values })),
    );
  }
  await unpark(session, table, [...shown.map(({ pk }) => pk), ...gone]);
  return busy;
}
