// Adopting on Postgres: rows from before capture get a shadow, and what a column held that was added later is looked at, in
// chunks with a transaction each. What is left to do stands in `_grove_capture`, so that a killed adoption goes on.
import { decideAdded, type FieldModel, shapeOf } from "@grove-crdt/core";
import { type AdoptedChunk, unfit } from "../adoption";
import { fieldParam } from "./base-writes";
import type { PostgresTransaction, RawRow } from "./driver";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import { ident, keyColumn, list } from "./sql";
import type { Table } from "./table";

/** What is left to adopt of one table. */
export interface Unadopted {
  readonly table: Table;
  /** Rows from before capture may have no shadow. */
  readonly rows: boolean;
  /** Columns that were added since and of which not every row was looked at; null = none. */
  readonly added: readonly FieldModel[] | null;
}

type Reader = Pick<PostgresTransaction, "rows">;

/** Tables with something left to adopt. */
export async function readUnadopted(tx: Reader, tables: readonly Table[]): Promise<Unadopted[]> {
  const rows = await tx.rows(
    "SELECT tbl, adopted, added FROM public._grove_capture WHERE adopted = 0 OR added IS NOT NULL",
  );
  const left = new Map(
    rows.map(([name, adopted, added]) => {
      const names = JSON.parse((added as string | null) ?? "null") as string[] | null;
      return [name, { adopted: Number(adopted), names }] as const;
    }),
  );
  return tables.flatMap((table) => {
    const known = left.get(table.model.name);
    if (!known) return [];
    // A column that is gone again has nothing to be looked at.
    const added = known.names && table.model.fields.filter(({ name }) => known.names?.includes(name));
    return [{ table, rows: known.adopted === 0, added }];
  });
}

/** Whether the table may have rows without a shadow. */
export async function mayHaveUnadopted(tx: Reader, table: Table): Promise<boolean> {
  const sql = "SELECT 1 FROM public._grove_capture WHERE tbl = $1::text AND adopted = 1";
  return (await tx.rows(sql, [table.model.name])).length === 0;
}

function isUnfit({ name, type, storage }: FieldModel): string {
  const column = ident(name);
  const isNull = `${column} IS NULL`;
  if (storage === "array") return `${isNull} OR array_ndims(${column}) > 1 OR array_lower(${column}, 1) <> 1`;
  return storage === "native" ? isNull : `${isNull} OR ${storage}_typeof(${column}) <> '${shapeOf(type)}'`;
}

/** Refuses rows that a guard trigger would not have let in. */
export async function refuseUnfit(tx: Reader, table: Table): Promise<void> {
  const key = table.model.key.map((column) => `${ident(column.name)}::text`).join(" || ', ' || ");
  for (const field of table.multi) {
    const sql = `SELECT count(*), min(${key}) FROM ${table.name} WHERE ${isUnfit(field)}`;
    const [count, example] = (await tx.rows(sql))[0] as [unknown, string];
    if (Number(count) > 0) throw unfit(table.model, field, Number(count), example);
  }
}

/** About how many rows the table has; null while the server has never looked. */
export async function estimateRows(tx: Reader, table: Table): Promise<number | null> {
  const [row] = await tx.rows("SELECT reltuples::bigint FROM pg_class WHERE oid = $1::text::regclass", [table.name]);
  const count = Number(row?.[0] ?? -1);
  return count > 0 ? count : null;
}

type Key = readonly string[];
export type Adopted = AdoptedChunk<Key>;

/** The next rows `chunk` in the order of their keys. `$1` is their number, `$2` and the following the key before them. */
function chunkOf(table: Table, after: Key | null, columns: string): string {
  const { key } = table.model;
  const names = list(
    key.map(({ name }) => name),
    "b.",
  );
  const bound = key.map(({ sqlType }, n) => `$${n + 2}::text::${sqlType}`).join(", ");
  const from = after ? `WHERE (${names}) > (${bound})` : "";
  return `chunk AS (SELECT ${columns} FROM ${table.name} b ${from} ORDER BY ${names} LIMIT $1::text::bigint)`;
}

/** How many rows the chunk has, and its last key as text. */
function endOf(table: Table): string {
  const names = table.model.key.map(({ name }) => ident(name));
  const order = names.map((name) => `${name} DESC`).join(", ");
  return `(SELECT count(*) FROM chunk)${names.map((name) => `, (SELECT ${name}::text FROM chunk ORDER BY ${order} LIMIT 1)`).join("")}`;
}

const toAdopted = ([count, ...last]: RawRow, limit: number): Adopted => ({
  rows: Number(count),
  last: Number(count) < limit ? null : (last as string[]),
});

/**
 * Gives a shadow to those of the next `limit` rows that have none: they count as the oldest possible writes. In the snapshot
 * of the transaction the log must be empty, or an insert that waits in it would be taken for a second life.
 */
export async function adoptRows(session: Session, table: Table, after: Key | null, limit: number): Promise<Adopted> {
  const { key, name } = table.model;
  const keys = key.map((column) => keyColumn(column.name));
  const columns = list(
    key.map((column) => column.name),
    "b.",
  );
  const number = `$${(after?.length ?? 0) + 2}::text::bigint + row_number() OVER ()`;
  // Looked for by the insert itself: a join with a shadow that grows under it reads all of that for each chunk.
  const [row] = await session.rows(
    `WITH ${chunkOf(table, after, columns)},
adopted AS (
  INSERT INTO ${table.shadow} (${list(keys)}, id, cl, hlc, node, born, seq)
  SELECT ${columns}, ${number}, 1, 0, 0, ${number}, ${number}
  FROM chunk b
  ON CONFLICT (${list(keys)}) DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM adopted), ${endOf(table)}`,
    [String(limit), ...(after ?? []), String(session.next - 1)],
  );
  const [count, ...end] = row as RawRow;
  const adopted = toAdopted(end, limit);
  // Those that had a shadow leave a gap in the numbers.
  if (Number(count) > 0) session.take(adopted.rows);
  if (adopted.last === null)
    await session.rows("UPDATE public._grove_capture SET adopted = 1 WHERE tbl = $1::text", [name]);
  return adopted;
}

/**
 * Looks at added columns in the next `limit` rows: what differs from the default becomes entries. In the snapshot of the
 * transaction the log must be empty.
 */
export async function adoptColumns(
  session: Session,
  table: Table,
  added: readonly FieldModel[],
  after: Key | null,
  limit: number,
): Promise<Adopted> {
  const { key, name } = table.model;
  const names = key.map((column) => column.name);
  const defaults = added.map((field) => fieldParam(field, field.default ?? null));
  const first = (after?.length ?? 0) + 2;
  const differs = added.map(
    ({ name, sqlType }, n) => `b.${ident(name)}::text IS DISTINCT FROM ($${first + n}::text::${sqlType})::text`,
  );
  const params = [String(limit), ...(after ?? [])];
  const columns = list(names, "b.");
  const keys =
    added.length === 0
      ? []
      : await session.rows(
          `WITH ${chunkOf(table, after, "b.*")} SELECT ${names.map((name) => `b.${ident(name)}::text`).join(", ")} FROM chunk b WHERE ${differs.join(" OR ")}`,
          [...params, ...defaults],
        );
  const [end] = await session.rows(`WITH ${chunkOf(table, after, columns)} SELECT ${endOf(table)}`, params);
  const found = keys as readonly (readonly string[])[];
  const bases = await readBase(session, table, found, [...found.keys()]);
  const writes = new ShadowWrites(session, table);
  (await readRows(session, table, found)).forEach(({ row }, n) => {
    const changes = row && decideAdded(row, added, bases.get(n) ?? {}, session.next);
    if (!changes) return;
    writes.add(found[n] as readonly string[], changes);
    session.take();
  });
  await writes.flush();
  const adopted = toAdopted(end as RawRow, limit);
  if (adopted.last === null)
    await session.rows("UPDATE public._grove_capture SET added = NULL WHERE tbl = $1::text", [name]);
  return adopted;
}
