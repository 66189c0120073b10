// A row as it was, written again on SQLite: by a statement like an application's, so that capture sees it.
import type { Json } from "@grove-crdt/core";
import { valuesToWrite } from "../history";
import type { Statements } from "./driver";
import { list, placeholders } from "./sql";
import type { Table } from "./table";

/** These columns of the row are written; where it is not there it is inserted with them. */
export function restore(
  statements: Statements,
  table: Table,
  pk: readonly Json[],
  values: Readonly<Record<string, Json>>,
): void {
  const { model, name } = table;
  const written = valuesToWrite(model, pk, values);
  const columns = written.map(([field]) => field.name);
  const key = table.keyParams(pk);
  const params = written.map(([field, value]) => table.param(field, value));
  const isThere =
    columns.length > 0
      ? statements.run(table.updateBase(columns), ...params, ...key) > 0
      : statements.row(`SELECT 1 FROM ${name} WHERE ${table.where}`, ...key) !== undefined;
  if (isThere) return;
  const all = [...model.key.map((column) => column.name), ...columns];
  statements.run(`INSERT INTO ${name} (${list(all)}) VALUES (${placeholders(all.length)})`, ...key, ...params);
}
