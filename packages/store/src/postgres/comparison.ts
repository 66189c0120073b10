// Comparing base tables with their shadows, and mending what no trigger saw: a log row is written as the trigger would
// have written it, and the fold does the rest. In one snapshot, so that what is written meanwhile is no difference.
import { compareFields, type Discrepancy, type Json, masksOf, type TableModel } from "@grove-crdt/core";
import { keyText } from "../key";
import { readAllParked } from "./parking";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { keyColumn, list } from "./sql";
import type { Table } from "./table";

const ROWS_PER_READ = 1_000;

/** Rows of a table that differ from its shadow. The log must be empty. What is to be mended stands in the log afterwards. */
export async function compareTable(session: Session, table: Table): Promise<Discrepancy[]> {
  const { model } = table;
  const found: Discrepancy[] = [];
  const waiting = (await readAllParked(session)).filter((row) => row.table === model.name);
  const parked = new Set(waiting.map(({ pk }) => keyText(pk)));
  const kept = model.keepsDeleted ? await readKept(session, model) : new Set<string>();

  for (const raw of await session.rows(table.findUnknown)) {
    const pk = table.pk(raw, 0);
    // A deleted row may show for the sake of others; then it is named there.
    if (kept.has(keyText(pk))) continue;
    found.push({ table: model.name, pk, problem: "unknown_row", action: "insert" });
    await log(session, table, "I", pk);
  }
  for (const raw of await session.rows(table.findMissing)) {
    const pk = table.pk(raw, 0);
    if (parked.has(keyText(pk))) continue;
    found.push({ table: model.name, pk, problem: "missing_row", action: "delete" });
    await log(session, table, "D", pk);
  }
  for (let after: readonly string[] | null = null; ; ) {
    const raws = await session.rows(table.findCells(after !== null), [String(ROWS_PER_READ), ...(after ?? [])]);
    if (raws.length === 0) return found;
    const keys = raws as readonly (readonly string[])[];
    after = keys[keys.length - 1] as readonly string[];
    const bases = await readBase(session, table, keys, [...keys.keys()]);
    for (const [n, { row }] of (await readRows(session, table, keys)).entries()) {
      const base = bases.get(n);
      const pk = table.pk(keys[n] as readonly string[], 0);
      if (!row || !base) continue;
      const differing = compareFields(model, pk, row, base);
      found.push(...differing);
      const missed = differing.flatMap(({ field, action }) =>
        action === "update" && field !== undefined ? [field] : [],
      );
      if (missed.length > 0) await log(session, table, "U", pk, missed);
    }
  }
}

/** Keys of deleted rows that show while others refer to them. */
async function readKept(session: Session, { name }: TableModel): Promise<ReadonlySet<string>> {
  const rows = await session.rows(
    "SELECT DISTINCT pk FROM public._grove_hidden_keys WHERE tbl = $1::text AND name LIKE '>%'",
    [name],
  );
  return new Set(rows.map(([pk]) => keyText(JSON.parse(pk as string) as Json[])));
}

async function log(
  session: Session,
  table: Table,
  op: "I" | "U" | "D",
  pk: readonly Json[],
  fields: readonly string[] = [],
): Promise<void> {
  const masks = op === "U" ? masksOf(table.model, fields) : table.masks.map(() => null);
  const { key } = table.model;
  const columns = ["at", "op", ...key.map(({ name }) => keyColumn(name)), ...table.masks];
  const values = [
    "$1::text::bigint",
    "$2::text",
    ...key.map(({ sqlType }, n) => `$${n + 3}::text::${sqlType}`),
    ...table.masks.map((_, n) => `$${key.length + n + 3}::text::bigint`),
  ];
  await session.rows(`INSERT INTO ${table.log} (${list(columns)}) VALUES (${values.join(", ")})`, [
    String(session.now),
    op,
    ...table.keyParams(pk),
    ...masks.map((mask) => (mask === null ? null : String(mask))),
  ]);
}
