// Writes decided change sets: shadow rows, cells, the user's own rows, each in one statement for many rows.
import {
  type BaseWrite,
  type CellWrite,
  type ChangeSet,
  defer,
  encodeCell,
  encodeRow,
  type FieldModel,
  hide,
  isAlive,
  isGroveError,
  type Json,
  type Neighbours,
  NO_BASE_WRITE,
  type Refusal,
  type Row,
  registerOf,
  rowValues,
  type StoredCell,
  sameValue,
} from "@grove-crdt/core";
import { isLockTimeout, isRefusal } from "./driver";
import { BUSY, readLocal, unpark, writeLocal } from "./parking";
import { keyList, readBase, readRows } from "./read";
import { mayDiffer } from "./received";
import { RowAppeared, type Session } from "./session";
import { numbers, toParams } from "./sql";
import type { Table } from "./table";
import { fromJson } from "./values";

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

  /** In one go where the driver sends statements ahead of the answers; the database runs them in order. */
  async flush(): Promise<void> {
    const { session, table } = this;
    const running: Promise<unknown>[] = [];
    const run = (text: string, params: readonly string[]) => running.push(session.rows(text, params));
    if (this.#clears.length > 0) run(table.clearCells, [numbers(this.#clears)]);
    if (this.#deletes.length > 0) run(table.deleteCells, [numbers(this.#deletes)]);
    if (this.#updates.length > 0) run(table.updateCells, toParams(6, this.#updates));
    if (this.#inserts.length > 0) {
      const rows = this.#inserts.map((c) => [c.row, c.field, c.key, c.node, c.hlc, c.state, c.seq, c.via]);
      run(table.insertCells, toParams(8, rows));
    }
    if (this.#rows.length > 0) run(table.upsertShadow, toParams(table.model.key.length + 9, this.#rows));
    await Promise.all(running);
  }
}

/** One row's write to the user's table. */
export interface RowWrite {
  readonly key: readonly string[];
  readonly write: BaseWrite;
}

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
      if (!isGroveError(error)) throw error;
      refusals.set(item, { code: error.code, message: `${table.model.name}.${error.message}` });
    }
  }
  return new Map([...groups.values()].filter(([names]) => names.length > 0 || op === "insert"));
}

/** What stands for a field's value; a counter is text whatever its size. @throws GroveError `bad_value`, UnfitValue */
export const fieldParam = (field: FieldModel, value: Json): string | null =>
  field.type === "counter" && typeof value === "string" && /^-?\d+$/.test(value) ? value : fromJson(field, value);

const toRefusal = (error: Error): Refusal =>
  isLockTimeout(error) || error instanceof RowAppeared ? BUSY : { code: "constraint", message: error.message };

/** A decided row on its way into the database. */
export interface MergedRow {
  readonly pk: readonly Json[];
  readonly key: readonly string[];
  readonly changes: ChangeSet;
  /** The base table has the row. */
  readonly present: boolean;
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
  const { model } = table;
  const linked = around.structural.size > 0 || around.in.length > 0;
  const writes = rows.map((item) => {
    const { key, changes } = item;
    const { base, row } = changes;
    const known = row.id !== 0;
    const waiting = base.op === "update" ? defer(model, changes, around.structural) : changes;
    const later = (base.op === "insert" && linked && known) || (base.op === "delete" && around.in.length > 0);
    return { item, key, known, waiting, write: later ? NO_BASE_WRITE : waiting.base, later };
  });
  const refusals = await applyBase(session, table, writes);
  const shadow = new ShadowWrites(session, table);
  const busy: T[] = [];
  const shown: { readonly pk: readonly Json[]; readonly key: readonly string[]; readonly values: Values }[] = [];
  const gone: (readonly Json[])[] = [];
  for (const write of writes) {
    const { item, key, known, waiting, later } = write;
    const { changes, pk, present } = item;
    const { base, row } = changes;
    const refusal = refusals.get(write);
    if (refusal?.code === BUSY.code) {
      busy.push(item);
      continue;
    }
    const touch = (stale?: readonly string[]) => session.touch({ table: model.name, pk, stale });
    if (base.op === "insert") {
      shadow.add(key, refusal || known ? hide(model, changes, base.values) : changes);
      if (!refusal && known && !later) shown.push({ pk, key, values: base.values });
      if (refusal || linked) touch();
    } else if (base.op === "update") {
      const all = new Set(Object.keys(base.values));
      shadow.add(key, refusal ? defer(model, waiting, all) : waiting);
      if (refusal) touch([...all]);
      else if (waiting.base !== base) touch();
    } else {
      shadow.add(key, changes);
      if (refusal) touch();
      if (isAlive(row)) continue;
      if (linked) touch();
      else if (!present || base.op === "delete") gone.push(pk);
    }
  }
  await shadow.flush();
  if (shown.length > 0) {
    await writeLocal(session, table, shown);
    await settleCells(
      session,
      table,
      shown.map(({ key, values }) => ({ key, shadow: values, written: values })),
    );
  }
  await unpark(session, table, [...shown.map(({ pk }) => pk), ...gone]);
  return busy;
}

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

/** The columns of a base write, all or only those in a list, but for the key's. */
const columnsOf = (table: Table, values: Values, wanted?: ReadonlySet<string>): Values =>
  Object.fromEntries(
    table.model.fields.flatMap(({ name }) => {
      const value = values[name];
      return value !== undefined && (wanted?.has(name) ?? true) ? [[name, value]] : [];
    }),
  );

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
    const kept = row !== null && (isAlive(row) || (table.model.keepsDeleted && row.fields.size > 0));
    if (base && kept && row.id !== 0)
      writes.add(keys[n] as readonly string[], hide(table.model, unchanged(row), rowValues(table.model, row, base)));
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
    const written = columnsOf(table, move.values, kind === "set" ? move.columns : undefined);
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
  await settleCells(
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

const unchanged = (row: Row): ChangeSet => ({ row, clearCells: false, cells: [], deletes: [], base: NO_BASE_WRITE });

/** A value that the base table shows needs no cell; one that it shows otherwise, or not at all, has one. */
async function settleCells(
  session: Session,
  table: Table,
  items: readonly { readonly key: readonly string[]; readonly shadow: Values; readonly written: Values }[],
): Promise<void> {
  const keys = items.map(({ key }) => key);
  const rows = await readRows(session, table, keys);
  const shown = (await mayDiffer(session, table))
    ? await readBase(session, table, keys, [...keys.keys()])
    : new Map<number, Values>();
  const writes = new ShadowWrites(session, table);
  items.forEach(({ key, shadow, written }, n) => {
    const row = rows[n]?.row;
    if (!row || row.id === 0) return;
    const base = shown.get(n) ?? written;
    const cells: CellWrite[] = [];
    const deletes: number[] = [];
    for (const { name, type } of table.model.fields) {
      const value = shadow[name];
      if (type !== "lww" || value === undefined) continue;
      const entry = registerOf(row, name);
      const equal = base[name] !== undefined && sameValue(base[name] as Json, value);
      if (equal && entry.cell !== undefined) deletes.push(entry.cell);
      else if (!equal && entry.cell === undefined) cells.push({ field: name, type, entry: { ...entry, state: value } });
    }
    if (cells.length + deletes.length > 0) writes.add(key, { ...unchanged(row), cells, deletes });
  });
  await writes.flush();
}
