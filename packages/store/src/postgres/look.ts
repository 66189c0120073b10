// One row as it stands on Postgres, for people who look: nothing is folded, so nothing is written.
import type { Json } from "@grove-crdt/core";
import type { SeenRow } from "../store";
import type { StateReader } from "./read";
import { ident, keyColumn } from "./sql";
import { readStates } from "./states";
import type { Table } from "./table";

export async function lookAt(reader: StateReader, table: Table, pk: readonly Json[]): Promise<SeenRow> {
  const { model } = table;
  const key = table.keyParams(pk);
  const where = model.key.map(({ name, sqlType }, n) => `${ident(keyColumn(name))} = $${n + 1}::text::${sqlType}`);
  const [state = null] = await readStates(reader, new Map([[model.name, table]]), [[model.name, pk]]);
  const [log] = await reader.rows(`SELECT count(*) FROM ${table.log} WHERE ${where.join(" AND ")}`, key);
  const [parked] = await reader.rows(
    "SELECT code, message FROM public._grove_parked WHERE tbl = $1::text AND pk = $2::text AND (peer IS NULL OR code = 'busy')",
    [model.name, JSON.stringify(table.canonicalKey(key))],
  );
  return {
    state,
    unfolded: Number(log?.[0]),
    parked: parked ? { code: parked[0] as string, message: parked[1] as string } : null,
  };
}
