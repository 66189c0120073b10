// Adopting on SQLite: rows from before capture get a shadow, and what a column held that was added later is looked at, in
// chunks with a transaction each. What is left to do stands in `_grove_capture`, so that a killed adoption goes on.
import { decideAdded, type FieldModel, shapeOf } from "@grove-crdt/core";
import { type AdoptedChunk, unfit } from "../adoption";
import { applyShadow } from "./apply";
import type { RawRow, Statements } from "./driver";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { ident, keyColumn, list, placeholders } from "./sql";
import type { Table } from "./table";

/** What is left to adopt of one table. */
export interface Unadopted {
  readonly table: Table;
  /** Rows from before capture may have no shadow. */
  readonly rows: boolean;
  /** Columns that were added since and of which not every row was looked at; null = none. */
  readonly added: readonly FieldModel[] | null;
}

/** Tables with something left to adopt. */
export function readUnadopted(statements: Statements, tables: readonly Table[]): Unadopted[] {
  const left = new Map(
    statements
      .rows("SELECT tbl, adopted, added FROM _grove_capture WHERE adopted = 0 OR added IS NOT NULL")
      .map(
        ([name, adopted, added]) =>
          [name, { adopted, added: JSON.parse((added as string | null) ?? "null") as string[] | null }] as const,
      ),
  );
  return tables.flatMap((table) => {
    const known = left.get(table.model.name);
    if (!known) return [];
    // A column that is gone again has nothing to be looked at.
    const added = known.added && table.model.fields.filter(({ name }) => known.added?.includes(name));
    return [{ table, rows: known.adopted === 0, added }];
  });
}

/** Whether the table may have rows without a shadow. */
export const mayHaveUnadopted = (statements: Statements, table: Table): boolean =>
  statements.row("SELECT 1 FROM _grove_capture WHERE tbl = ? AND adopted = 1", table.model.name) === undefined;

/** Refuses rows that a guard trigger would not have let in. */
export function refuseUnfit(statements: Statements, table: Table): void {
  const key = table.model.key.map(({ name }) => ident(name)).join(" || ', ' || ");
  for (const field of table.multi) {
    const column = ident(field.name);
    const isUnfit =
      field.type === "counter"
        ? `typeof(${column}) <> 'integer'`
        : `iif(typeof(${column}) = 'text' AND json_valid(${column}), json_type(${column}), '') <> '${shapeOf(field.type)}'`;
    const sql = `SELECT count(*), min(${key}) FROM ${table.name} WHERE ${isUnfit}`;
    const [count, example] = statements.row(sql) as [number, unknown];
    if (count > 0) throw unfit(table.model, field, count, example);
  }
}

/** A run of rows in the order of their keys, as a condition on the base table `b`. */
interface Chunk {
  readonly where: string;
  readonly params: readonly unknown[];
  /** The key at its end; null at the end of the table. */
  readonly last: RawRow | null;
}

function readChunk(session: Session, table: Table, after: RawRow | null, limit: number): Chunk {
  const names = table.model.key.map(({ name }) => name);
  const key = list(names, "b.");
  const bound = (order: string) => `(${key}) ${order} (${placeholders(names.length)})`;
  const from = after ? bound(">") : "true";
  const last = session.statements.row(
    `SELECT ${key} FROM ${table.name} b WHERE ${from} ORDER BY ${key} LIMIT 1 OFFSET ?`,
    ...(after ?? []),
    limit - 1,
  );
  const to = last ? bound("<=") : "true";
  return { where: `${from} AND ${to}`, params: [...(after ?? []), ...(last ?? [])], last: last ?? null };
}

const countRows = (session: Session, table: Table, { where, params }: Chunk): number =>
  session.statements.row(`SELECT count(*) FROM ${table.name} b WHERE ${where}`, ...params)?.[0] as number;

export type Adopted = AdoptedChunk<RawRow>;

/**
 * Gives a shadow to those of the next `limit` rows that have none: they count as the oldest possible writes. The log must be
 * empty, or an insert that waits in it would be taken for a second life.
 */
export function adoptRows(session: Session, table: Table, after: RawRow | null, limit: number): Adopted {
  const { key, name } = table.model;
  const chunk = readChunk(session, table, after, limit);
  const keys = key.map((column) => keyColumn(column.name));
  const columns = list(
    key.map((column) => column.name),
    "b.",
  );
  const before = session.next - 1;
  const adopted = session.statements.run(
    `INSERT INTO ${table.shadow} (${list(keys)}, id, cl, hlc, node, born, seq)
SELECT ${columns}, ? + row_number() OVER (), 1, 0, 0, ? + row_number() OVER (), ? + row_number() OVER ()
FROM ${table.name} b WHERE ${chunk.where} ON CONFLICT (${list(keys)}) DO NOTHING`,
    before,
    before,
    before,
    ...chunk.params,
  );
  const rows = chunk.last ? limit : countRows(session, table, chunk);
  // Those that had a shadow leave a gap in the numbers.
  if (adopted > 0) session.take(rows);
  if (!chunk.last) session.statements.run("UPDATE _grove_capture SET adopted = 1 WHERE tbl = ?", name);
  return { rows, last: chunk.last };
}

/** Looks at added columns in the next `limit` rows: what differs from the default becomes entries. The log must be empty. */
export function adoptColumns(
  session: Session,
  table: Table,
  added: readonly FieldModel[],
  after: RawRow | null,
  limit: number,
): Adopted {
  const { key, name } = table.model;
  const chunk = readChunk(session, table, after, limit);
  const differs = added.map((field) => `b.${ident(field.name)} IS NOT ?`).join(" OR ");
  const defaults = added.map((field) => table.param(field, field.default ?? null));
  const columns = list(
    key.map((column) => column.name),
    "b.",
  );
  const keys =
    added.length === 0
      ? []
      : session.statements.rows(
          `SELECT ${columns} FROM ${table.name} b WHERE ${chunk.where} AND (${differs})`,
          ...chunk.params,
          ...defaults,
        );
  const bases = readBase(session, table, keys, [...keys.keys()]);
  readRows(session, table, keys).forEach(({ row }, n) => {
    const changes = row && decideAdded(row, added, bases.get(n) ?? {}, session.next);
    if (!changes) return;
    applyShadow(session, table, keys[n] as RawRow, changes);
    session.take();
  });
  if (!chunk.last) session.statements.run("UPDATE _grove_capture SET added = NULL WHERE tbl = ?", name);
  return { rows: chunk.last ? limit : countRows(session, table, chunk), last: chunk.last };
}
