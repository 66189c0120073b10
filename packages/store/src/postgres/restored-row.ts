// A row as it was, written again on Postgres: by a statement like an application's, so that capture sees it.
import type { Json } from "@grove-crdt/core";
import { valuesToWrite } from "../history";
import { fieldParam } from "./base-writes";
import type { PostgresTransaction } from "./driver";
import { ident, list } from "./sql";
import type { Table } from "./table";

/** These columns of the row are written; where it is not there it is inserted with them. Capture must be on. */
export async function restore(
  tx: PostgresTransaction,
  table: Table,
  pk: readonly Json[],
  values: Readonly<Record<string, Json>>,
): Promise<void> {
  const { model, name } = table;
  const written = valuesToWrite(model, pk, values);
  const params = [...table.keyParams(pk), ...written.map(([field, value]) => fieldParam(field, value))];
  const types = [...model.key, ...written.map(([field]) => field)].map(({ sqlType }) => sqlType);
  const param = (n: number) => `$${n + 1}::text::${types[n]}`;
  const keys = model.key.map((column) => column.name);
  const where = keys.map((key, n) => `${ident(key)} = ${param(n)}`).join(" AND ");
  const sets = written.map(([field], n) => `${ident(field.name)} = ${param(keys.length + n)}`).join(", ");
  const found = sets
    ? await tx.rows(`UPDATE ${name} SET ${sets} WHERE ${where} RETURNING 1`, params)
    : await tx.rows(`SELECT 1 FROM ${name} WHERE ${where}`, params);
  if (found.length > 0) return;
  const columns = list([...keys, ...written.map(([field]) => field.name)]);
  await tx.rows(`INSERT INTO ${name} (${columns}) VALUES (${types.map((_, n) => param(n)).join(", ")})`, params);
}
