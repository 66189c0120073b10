// Layout to SQL: what drizzle-kit would create from shadow.ts, statement for statement.

import type { LayoutColumn, LayoutIndex, LayoutTable } from "../layout";
import { comment, declaredType, empty, ident, lines, list, literal, type Sql, sql } from "../sql";

/** `CREATE TABLE IF NOT EXISTS` and the table's indexes, one statement each. */
export function emitTable(table: LayoutTable): Sql[] {
  const uniques = table.columns
    .filter((column) => column.unique)
    .map((column) => ({ name: `${table.name}_${column.name}_unique`, columns: [column.name], unique: true }));
  return [emitCreate(table), ...[...uniques, ...table.indexes].map((index) => emitIndex(table, index))];
}

function emitCreate(table: LayoutTable): Sql {
  const last = table.columns.length - 1;
  const columns = table.columns.map((column, n) => {
    const separator = n === last ? empty : sql`,`;
    const about = column.about === undefined ? empty : sql` ${comment(column.about)}`;
    return sql`${emitColumn(column)}${separator}${about}`;
  });
  return sql`
    ${comment(table.about)}
    CREATE TABLE IF NOT EXISTS ${ident(table.name)} (
      ${lines(...columns)}
    )
  `;
}

function emitColumn(column: LayoutColumn): Sql {
  const fallback = column.default === undefined ? empty : sql` DEFAULT ${literal(column.default)}`;
  const primary = column.primaryKey ? sql` PRIMARY KEY` : empty;
  const required = column.notNull ? sql` NOT NULL` : empty;
  return sql`${ident(column.name)} ${declaredType(column.sqlType)}${primary}${fallback}${required}`;
}

function emitIndex(table: LayoutTable, index: LayoutIndex): Sql {
  const kind = index.unique ? sql`UNIQUE INDEX` : sql`INDEX`;
  const columns = list(index.columns.map(ident));
  return sql`CREATE ${kind} IF NOT EXISTS ${ident(index.name)} ON ${ident(table.name)} (${columns})`;
}
