// Writes decided rows to the user's own table. Only rows that are locked are updated or deleted; others are inserted unless
// somebody was faster. What the database refuses is told by row.
import { type BaseWrite, type FieldModel, isGroveError, type Json, type Refusal } from "@grove-crdt/core";
import { BUSY } from "./busy";
import { isLockTimeout, isRefusal } from "./driver";
import { keyList } from "./read";
import { RowAppeared, type Session } from "./session";
import { type Item, toParams } from "./sql";
import type { Table } from "./table";
import { fromJson, UnfitValue } from "./values";

/** One row's write to the user's table. */
export interface RowWrite {
  readonly key: readonly string[];
  readonly write: BaseWrite;
  /** What stands for the values, by the place of the field, as far as it is known already: see {@link printValues}. */
  readonly printed?: Printed;
  /** Of an insert: key and shadow row, which are to be inserted with it. Not while refusals are set apart. */
  readonly fresh?: readonly Item[];
}

export type Printed = readonly (string | null | undefined)[];

interface Prepared<T> {
  readonly item: T;
  readonly params: Item[];
}
/** Writes of one kind that one statement makes. */
interface Group<T> {
  readonly columns: readonly FieldModel[];
  readonly fresh: boolean;
  readonly rows: Prepared<T>[];
}

/**
 * Writes to the user's table, deletes before updates before inserts. Nothing is captured: the transaction has capture off.
 *
 * @returns why the database refused, for each row that it refused
 * @throws GroveError `bad_value` for a value that is not of its column's kind
 * @throws RowAppeared
 */
export async function applyBase<T extends RowWrite>(
  session: Session,
  table: Table,
  writes: readonly T[],
): Promise<Map<T, Refusal>> {
  const refusals = new Map<T, Refusal>();
  const { giveWay } = session.manner;
  const isRefused = (error: unknown) =>
    isRefusal(error) || (giveWay && (isLockTimeout(error) || error instanceof RowAppeared));
  const refused = (item: T, error: Error) => refusals.set(item, toRefusal(error));

  const deletes = writes.filter(({ write }) => write.op === "delete");
  await session.inHalves(
    deletes,
    (some) =>
      session.rows(
        table.deleteBase,
        keyList(
          table,
          some.map(({ key }) => key),
        ),
      ),
    () => {},
    refused,
    isRefused,
  );
  for (const op of ["update", "insert"] as const) {
    for (const { columns, fresh, rows } of grouped(table, writes, op, refusals)) {
      const text =
        op === "update" ? table.updateBase(columns) : fresh ? table.insertBoth(columns) : table.insertBase(columns);
      await session.inHalves(
        rows,
        async (some) => {
          const done = await session.rows(
            text,
            toParams(
              rows[0]?.params.length as number,
              some.map(({ params }) => params),
            ),
          );
          if (op === "insert" && Number(done[0]?.[0]) < some.length) throw await whyNotInserted(session, table, some);
        },
        () => {},
        ({ item }, error) => refused(item, error),
        isRefused,
      );
    }
  }
  return refusals;
}

/** A user's trigger may have suppressed the insert; otherwise somebody else's row is there. */
async function whyNotInserted(session: Session, table: Table, rows: readonly Prepared<RowWrite>[]): Promise<Error> {
  const [only] = rows;
  if (rows.length > 1 || !only) return new RowAppeared();
  const there = await session.rows(table.readBase, keyList(table, [only.item.key]));
  return there.length > 0
    ? new RowAppeared()
    : Object.assign(new Error(`A trigger of ${table.model.name} did not let the row in.`), { code: "P0001" });
}

/** Writes of one kind by the columns that they write, with their parameters. */
function grouped<T extends RowWrite>(
  table: Table,
  writes: readonly T[],
  op: "update" | "insert",
  refusals: Map<T, Refusal>,
): Iterable<Group<T>> {
  const { fields } = table.model;
  const groups = new Map<string, Group<T>>();
  let last: Group<T> | undefined;
  for (const item of writes) {
    const { key, write, printed, fresh } = item;
    if (write.op !== op) continue;
    const columns: FieldModel[] = [];
    const params: Item[] = fresh ? [...fresh] : [...key];
    try {
      for (let n = 0; n < fields.length; n++) {
        const field = fields[n] as FieldModel;
        const value = write.values[field.name];
        if (value === undefined) continue;
        columns.push(field);
        params.push(printed?.[n] ?? fieldParam(field, value));
      }
    } catch (error) {
      if (!isGroveError(error)) throw error;
      refusals.set(item, { code: error.code, message: `${table.model.name}.${error.message}` });
      continue;
    }
    if (columns.length === 0 && op === "update") continue;
    const same = last && last.fresh === (fresh !== undefined) && last.columns.length === columns.length;
    if (!same || !columns.every((column, n) => column === last?.columns[n])) {
      const label = `${fresh !== undefined} ${columns.map(({ name }) => name).join("\n")}`;
      last = groups.get(label) ?? { columns, fresh: fresh !== undefined, rows: [] };
      groups.set(label, last);
    }
    last?.rows.push({ item, params });
  }
  return groups.values();
}

/**
 * What stands for the values of a write, as far as their columns can hold them.
 *
 * @throws GroveError `bad_value` for a value that is not of its column's kind
 */
export function printValues(table: Table, write: BaseWrite): Printed | undefined {
  if (write.op !== "insert" && write.op !== "update") return undefined;
  return table.model.fields.map((field) => {
    const value = write.values[field.name];
    if (value === undefined) return undefined;
    try {
      return fieldParam(field, value);
    } catch (error) {
      if (error instanceof UnfitValue) return undefined;
      throw error;
    }
  });
}

/** What stands for a field's value; a counter is text whatever its size. @throws GroveError `bad_value`, UnfitValue */
export const fieldParam = (field: FieldModel, value: Json): string | null =>
  field.type === "counter" && typeof value === "string" && /^-?\d+$/.test(value) ? value : fromJson(field, value);

const toRefusal = (error: Error): Refusal =>
  isLockTimeout(error) || error instanceof RowAppeared ? BUSY : { code: "constraint", message: error.message };
