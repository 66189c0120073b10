// Writes decided change sets: shadow rows, cells, the user's own rows, each in one statement for many rows.
import {
  type BaseWrite,
  type ChangeSet,
  encodeCell,
  encodeRow,
  type FieldModel,
  type Json,
  type StoredCell,
} from "@grove-crdt/core";
import { isLockTimeout, isRefusal } from "./driver";
import { BUSY, type Refusal } from "./parking";
import { keyList } from "./read";
import type { Session } from "./session";
import { numbers, toParams } from "./sql";
import type { Table } from "./table";
import { fromJson, UnfitValue } from "./values";

type Cell = Omit<StoredCell, "id">;

/** The shadow's part of many change sets, at most one for each row; written by {@link flush}. */
export class ShadowWrites {
  readonly #rows: (string | number | null)[][] = [];
  readonly #clears: number[] = [];
  readonly #deletes: number[] = [];
  readonly #updates: (string | number | null)[][] = [];
  readonly #inserts: Cell[] = [];
  constructor(
    private readonly session: Session,
    private readonly table: Table,
  ) {}

  add(key: readonly string[], { row, clearCells, cells, deletes }: ChangeSet): void {
    const { names } = this.session;
    const { cl, hlc, node, born, via, shape, clocks, seq } = encodeRow(row, names);
    const id = row.id === 0 ? row.seq : row.id;
    this.#rows.push([...key, id, cl, hlc, node, born, via, shape, clocks, seq]);
    if (clearCells) this.#clears.push(id);
    this.#deletes.push(...deletes);
    for (const { field, type, entry } of cells) {
      const cell = encodeCell(this.table.model, id, field, type, entry, names);
      if (entry.cell === undefined || clearCells) this.#inserts.push(cell);
      else this.#updates.push([entry.cell, cell.node, cell.hlc, cell.state, cell.seq, cell.via]);
    }
  }

  async flush(): Promise<void> {
    const { session, table } = this;
    if (this.#clears.length > 0) await session.rows(table.clearCells, [numbers(this.#clears)]);
    if (this.#deletes.length > 0) await session.rows(table.deleteCells, [numbers(this.#deletes)]);
    if (this.#updates.length > 0) await session.rows(table.updateCells, toParams(6, this.#updates));
    if (this.#inserts.length > 0) {
      const rows = this.#inserts.map((c) => [c.row, c.field, c.key, c.node, c.hlc, c.state, c.seq, c.via]);
      await session.rows(table.insertCells, toParams(8, rows));
    }
    if (this.#rows.length > 0)
      await session.rows(table.upsertShadow, toParams(this.table.model.key.length + 9, this.#rows));
  }
}

/** One row's write to the user's table. */
export interface RowWrite {
  readonly key: readonly string[];
  readonly write: BaseWrite;
}

/** What one {@link applyBase} may meet that is nobody's fault. */
export interface Contention {
  /** Rows that somebody holds or has just inserted are refused as busy; otherwise the merge begins anew. */
  readonly giveWay: boolean;
}

/** Somebody inserted a row of the page after the page's rows were locked: the merge begins anew. */
export class RowAppeared extends Error {}

interface Prepared<T> {
  readonly item: T;
  readonly params: (string | null)[];
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
  { giveWay }: Contention,
): Promise<Map<T, Refusal>> {
  const refusals = new Map<T, Refusal>();
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
    for (const [columns, rows] of grouped(table, writes, op, refusals)) {
      const width = table.model.key.length + columns.length;
      const text = op === "update" ? table.updateBase(columns) : table.insertBase(columns);
      await session.inHalves(
        rows,
        async (some) => {
          const done = await session.rows(
            text,
            toParams(
              width,
              some.map(({ params }) => params),
            ),
          );
          if (op === "insert" && done.length < some.length) throw await whyNotInserted(session, table, some);
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
): Map<readonly FieldModel[], Prepared<T>[]> {
  const groups = new Map<string, [FieldModel[], Prepared<T>[]]>();
  for (const item of writes) {
    if (item.write.op !== op) continue;
    const { values } = item.write;
    const names = table.model.fields.filter(({ name }) => Object.hasOwn(values, name));
    try {
      const params = [...item.key, ...names.map((field) => fieldParam(field, values[field.name] as Json))];
      const label = names.map(({ name }) => name).join("\n");
      const group = groups.get(label) ?? [names, []];
      groups.set(label, group);
      group[1].push({ item, params });
    } catch (error) {
      if (!(error instanceof UnfitValue)) throw error;
      refusals.set(item, { code: "bad_value", message: `${table.model.name}.${error.message}` });
    }
  }
  return new Map([...groups.values()].filter(([names]) => names.length > 0 || op === "insert"));
}

/** What stands for a field's value. @throws GroveError `bad_value`, UnfitValue */
export const fieldParam = (field: FieldModel, value: Json): string | null => fromJson(field, value);

const toRefusal = (error: Error): Refusal =>
  isLockTimeout(error) || error instanceof RowAppeared ? BUSY : { code: "constraint", message: error.message };
