// One row as it stands on SQLite, for people who look: nothing is folded, so nothing is written.
import type { Json } from "@grove-crdt/core";
import type { SeenRow } from "../store";
import type { Connection } from "./session";
import { ident, keyColumn } from "./sql";
import { readStates } from "./states";
import type { Table } from "./table";

export function lookAt({ statements, names }: Connection, table: Table, pk: readonly Json[]): SeenRow {
  const { model } = table;
  const key = table.keyParams(pk);
  const where = model.key.map(({ name }) => `${ident(keyColumn(name))} = ?`).join(" AND ");
  const [state = null] = readStates({ statements, names }, new Map([[model.name, table]]), [[model.name, pk]]);
  const [unfolded] = statements.row(`SELECT count(*) FROM ${table.log} WHERE ${where}`, ...key) as [number];
  const parked = statements.row(
    "SELECT code, message FROM _grove_parked WHERE tbl = ? AND pk = ? AND peer IS NULL",
    model.name,
    JSON.stringify(table.canonicalKey(key)),
  );
  return { state, unfolded, parked: parked ? { code: parked[0] as string, message: parked[1] as string } : null };
}
