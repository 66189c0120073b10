// Comparing base tables with their shadows, and mending what no trigger saw: a log row is written as the trigger would
// have written it, and the fold does the rest.
import { compareFields, type Discrepancy, type Json, masksOf, type TableModel } from "@grove-crdt/core";
import { keyText } from "../key";
import { readAllParked } from "./parking";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { keyColumn, list, placeholders } from "./sql";
import type { Table } from "./table";

const ROWS_PER_READ = 500;

/** Rows of a table that differ from its shadow. The log must be empty. What is to be mended stands in the log afterwards. */
export function compareTable(session: Session, table: Table): Discrepancy[] {
  const { model } = table;
  const found: Discrepancy[] = [];
  const parked = new Set(readAllParked(session).flatMap((row) => (row.table === model.name ? [keyText(row.pk)] : [])));
  const keys = (sql: string): Json[][] => session.statements.rows(sql).map((raw) => table.pk(raw, 0));

  for (const pk of keys(table.findUnknown)) {
    // A deleted row may show for the sake of others; then it is named there.
    if (isKept(session, model, pk)) continue;
    found.push({ table: model.name, pk, problem: "unknown_row", action: "insert" });
    log(session, table, "I", pk);
  }
  for (const pk of keys(table.findMissing)) {
    if (parked.has(keyText(pk))) continue;
    found.push({ table: model.name, pk, problem: "missing_row", action: "delete" });
    log(session, table, "D", pk);
  }
  for (let after = 0; ; ) {
    const raws = session.statements.rows(table.findCells, after, ROWS_PER_READ);
    if (raws.length === 0) return found;
    after = raws[raws.length - 1]![0] as number;
    const pks = raws.map((raw) => table.pk(raw, 1));
    const params = pks.map((pk) => table.keyParams(pk));
    const bases = readBase(session, table, params, [...params.keys()]);
    readRows(session, table, params).forEach(({ row }, n) => {
      const base = bases.get(n);
      const pk = pks[n] as Json[];
      if (!row || !base) return;
      const differing = compareFields(model, pk, row, base);
      found.push(...differing);
      const missed = differing.flatMap(({ field, action }) =>
        action === "update" && field !== undefined ? [field] : [],
      );
      if (missed.length > 0) log(session, table, "U", pk, missed);
    });
  }
}

const isKept = (session: Session, { name, keepsDeleted }: TableModel, pk: readonly Json[]): boolean =>
  keepsDeleted === true &&
  session.statements.row(
    "SELECT 1 FROM _grove_hidden_keys WHERE tbl = ? AND pk = ? AND name LIKE '>%' LIMIT 1",
    name,
    JSON.stringify(pk),
  ) !== undefined;

function log(session: Session, table: Table, op: string, pk: readonly Json[], fields: readonly string[] = []): void {
  const masks = op === "U" ? masksOf(table.model, fields) : table.masks.map(() => null);
  const columns = ["at", "op", ...table.model.key.map(({ name }) => keyColumn(name)), ...table.masks];
  session.statements.run(
    `INSERT INTO ${table.log} (${list(columns)}) VALUES (${placeholders(columns.length)})`,
    session.now,
    op,
    ...table.keyParams(pk),
    ...masks,
  );
}
