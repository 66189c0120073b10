// INSERT OR REPLACE and UPDATE OR REPLACE remove rows that hold a unique key of the new row, and fire no delete trigger
// for them. So every such row is logged beforehand as perhaps replaced; the fold looks whether it is still there.
import { type ColumnModel, logTable, type TableModel } from "@grove-crdt/core";
import { comment, ident, lines, list, type Sql, sql } from "../../sql";
import { oldRow } from "./old-row";
import { all, any, changed, isRowid, logKey, NEW, now, OLD, trigger } from "./parts";

const about = comment("OR REPLACE may remove these rows without a delete trigger: the fold looks.");

/** Logs the other rows that hold the unique key; NULLs never conflict. */
function logHolders(table: TableModel, unique: readonly ColumnModel[], conditions: readonly Sql[]): Sql {
  const held = ({ name }: ColumnModel): Sql => sql`held.${ident(name)}`;
  const before = oldRow(table, held);
  const holds = unique.map((column) => sql`held.${ident(column.name)} = ${NEW(column)}`);
  return sql`
    INSERT INTO ${ident(logTable(table.name))} (${list([logKey(table), ...(before ? [ident("before")] : [])])})
    SELECT ${list([now, sql`'R'`, ...table.key.map(held), ...(before ? [before] : [])])}
    FROM ${ident(table.name)} AS held
    WHERE ${all([...holds, ...conditions])};
  `;
}

const notTheRow = (table: TableModel, side: (column: ColumnModel) => Sql): Sql =>
  sql`NOT (${all(table.key.map((column) => sql`held.${ident(column.name)} IS ${side(column)}`))})`;

const uniqueColumns = (table: TableModel): ColumnModel[][] => {
  const columns = new Map([...table.key, ...table.fields].map((column) => [column.name, column]));
  return table.uniques.map((names) => names.flatMap((name) => columns.get(name) ?? []));
};

export function emitReplaceInsert(table: TableModel): Sql | null {
  const uniques = uniqueColumns(table);
  if (uniques.length === 0) return null;
  // Before an insert, a rowid that the database is going to choose reads as -1: no row can be told apart by it.
  const conditions = isRowid(table) ? [] : [notTheRow(table, NEW)];
  return trigger({
    name: `_${table.name}_replace_insert`,
    about,
    event: sql`BEFORE INSERT`,
    table,
    when: [],
    body: [lines(...uniques.map((unique) => logHolders(table, unique, conditions)))],
  });
}

export function emitReplaceUpdate(table: TableModel): Sql | null {
  const uniques = uniqueColumns(table);
  if (uniques.length === 0) return null;
  const watched = [...new Set(uniques.flat())];
  const named = sql`BEFORE UPDATE OF ${list(watched.map(({ name }) => ident(name)))}`;
  const hidden = isRowid(table) && watched.some((column) => table.key.includes(column));
  return trigger({
    name: `_${table.name}_replace_update`,
    about,
    event: hidden ? sql`BEFORE UPDATE` : named,
    table,
    when: [any(watched.map(changed))],
    body: [lines(...uniques.map((unique) => logHolders(table, unique, [notTheRow(table, OLD)])))],
  });
}
