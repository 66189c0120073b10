// Makes the moves of a projection: rows that go out of the user's table, come into it, or show other values. What the table
// alone has of a row that goes is saved in the shadow first.
import { type BaseWrite, decideLeaving, fieldValues, type Json, type Refusal, rowValues } from "@grove-crdt/core";
import { applyBase } from "./base-writes";
import { isLockTimeout } from "./driver";
import { readLocal, writeLocal } from "./parking";
import { keyList, readBase, readRows } from "./read";
import { writeSettled } from "./received";
import { RowAppeared, type Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import type { Table } from "./table";

type Values = Readonly<Record<string, Json>>;

/** One move of a projection. */
export interface BaseMove {
  readonly pk: readonly Json[];
  readonly values: Values;
  /** Of `set`: the columns to write. */
  readonly columns: ReadonlySet<string>;
  /** Of `in`: what the row had in `local` columns when it went out before. */
  readonly local?: string;
}

/**
 * Moves what the base table alone has of rows to cells, before they go. Returns their `local` columns by place.
 *
 * @throws RowAppeared when the application wrote one of the rows since the last fold
 */
export async function saveRows(
  session: Session,
  table: Table,
  keys: readonly (readonly string[])[],
): Promise<Map<number, string>> {
  await holdStill(session, table, keys);
  const rows = await readRows(session, table, keys);
  const bases = await readBase(session, table, keys, [...keys.keys()]);
  const writes = new ShadowWrites(session, table);
  rows.forEach(({ row }, n) => {
    const base = bases.get(n);
    const leaving = base ? decideLeaving(table.model, row, base) : null;
    if (leaving) writes.add(keys[n] as readonly string[], leaving);
  });
  await writes.flush();
  return readLocal(session, table, keys);
}

/**
 * Makes moves of one kind: what the base table shows of a row stands there, the rest in cells. Rows that go have been
 * saved before, lest another one's foreign key takes them along.
 *
 * @returns why the database refused, for each row that it refused
 * @throws RowAppeared when the application wrote one of the rows since the last fold
 */
export async function makeMoves<T extends BaseMove>(
  session: Session,
  table: Table,
  kind: "out" | "in" | "set",
  moves: readonly T[],
): Promise<Map<T, Refusal>> {
  const refusals = new Map<T, Refusal>();
  if (moves.length === 0) return refusals;
  const items = moves.map((move) => ({ move, key: table.keyParams(move.pk) }));
  const keys = items.map(({ key }) => key);
  if (kind === "out") await saveRows(session, table, keys);
  else if (kind === "set") await holdStill(session, table, keys);
  const rows = await readRows(session, table, keys);
  const bases = kind === "set" ? await readBase(session, table, keys, [...keys.keys()]) : new Map<number, Values>();
  const writes = items.map(({ move, key }, n) => {
    const written = fieldValues(table.model, move.values, kind === "set" ? move.columns : undefined);
    const write: BaseWrite =
      kind === "out" ? { op: "delete" } : { op: kind === "in" ? "insert" : "update", values: written };
    const row = rows[n]?.row ?? null;
    const base = bases.get(n) ?? {};
    return { move, key, write, base, written, shadow: row ? rowValues(table.model, row, base) : base };
  });
  const refused = await applyBase(session, table, writes);
  const done = writes.filter((write) => {
    const refusal = refused.get(write);
    if (refusal) refusals.set(write.move, refusal);
    return !refusal;
  });
  if (kind === "out") return refusals;
  if (kind === "in")
    await writeLocal(
      session,
      table,
      done.map(({ move }) => move),
    );
  await writeSettled(
    session,
    table,
    done.map(({ key, shadow, base, written }) => ({ key, shadow, written: { ...base, ...written } })),
  );
  return refusals;
}

/** Locks rows, and begins anew where the application has written to them since they were folded. */
async function holdStill(session: Session, table: Table, keys: readonly (readonly string[])[]): Promise<void> {
  const { giveWay } = session.manner;
  await session.inHalves(
    keys,
    (some) => session.rows(table.lockBase(true, false), keyList(table, some)),
    () => {},
    () => {},
    // A row that stays locked is refused when it is written.
    (error) => giveWay && isLockTimeout(error),
  );
  const written = await session.rows(table.pendingKeys, keyList(table, keys));
  if (written.length > 0) throw new RowAppeared();
}
