// Projection on SQLite: after a fold or a merge, the base table shows what core decides from the shadow alone. Here rows
// are looked up for that decision, and its moves are made.
import {
  adoptedRow,
  type Json,
  type Placed,
  Projection,
  type Query,
  type Refusal,
  rowName,
  rowValues,
  type Standing,
  type Touched,
} from "@grove-crdt/core";
import { linksOf } from "../tables";
import { makeMove, saveRow } from "./apply";
import { anyHidden, readHidden, saveHidden } from "./hidden-keys";
import { anyParked, park, readRetried, unpark } from "./parking";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { ident } from "./sql";
import type { Table } from "./table";

export type Tables = ReadonlyMap<string, Table>;

/** Rows that were loaded since the last move: many queries lead to the same ones. */
type Loaded = Map<string, Placed[]>;

function load(session: Session, loaded: Loaded, table: Table, pks: readonly (readonly Json[])[]): Placed[] {
  const fresh = new Map(pks.map((pk) => [rowName(table.model.name, pk), pk]));
  for (const id of fresh.keys()) if (loaded.has(id)) fresh.delete(id);
  for (const id of fresh.keys()) loaded.set(id, []);
  for (const placed of read(session, table, [...fresh.values()]))
    loaded.set(rowName(table.model.name, placed.pk), [placed]);
  return pks.flatMap((pk) => loaded.get(rowName(table.model.name, pk)) ?? []);
}

function read(session: Session, table: Table, pks: readonly (readonly Json[])[]): Placed[] {
  if (pks.length === 0) return [];
  const keys: (readonly unknown[])[] = [];
  const asked: (readonly Json[])[] = [];
  for (const pk of pks) {
    const key = bound(() => table.keyParams(pk));
    if (!key) continue;
    keys.push(key);
    asked.push(pk);
  }
  const rows = readRows(session, table, keys);
  const places = rows.flatMap(({ present }, n) => (present ? [n] : []));
  const bases = places.length > 0 ? readBase(session, table, keys, places) : new Map<number, Record<string, Json>>();
  return rows.flatMap(({ row: stored, present }, n) => {
    // A row that is there and was never captured counts as adopted.
    const row = stored ?? (present ? adoptedRow(0) : null);
    if (!row) return [];
    const pk = asked[n] as readonly Json[];
    const key = Object.fromEntries(table.model.key.map(({ name }, place) => [name, pk[place] as Json]));
    const base = bases.get(n);
    return [
      {
        table: table.model.name,
        pk,
        row,
        values: { ...key, ...rowValues(table.model, row, base ?? {}) },
        shown: base ? { ...key, ...base } : null,
      },
    ];
  });
}

/** What binds; null where a value does not fit this database's columns, so that no row can have it. */
function bound<T>(params: () => T): T | null {
  try {
    return params();
  } catch {
    return null;
  }
}

function findShown(session: Session, loaded: Loaded, table: Table, query: Query & { readonly ask: "shown" }): Placed[] {
  const { columns, values, limit } = query;
  const params = bound(() => table.columnParams(columns, values));
  if (!params) return [];
  const find = (sql: string, ...more: unknown[]) =>
    session.statements.rows(sql, ...params, ...more).map((raw) => table.pk(raw, 0));
  const where = columns.map((name) => `b.${ident(name)} = ?`).join(" AND ");
  if (limit === undefined) return load(session, loaded, table, find(table.findShown(where)));
  const living = find(`${table.findShown(where, 1)} LIMIT ?`, limit);
  const deleted = find(table.findShown(where, 0));
  return load(session, loaded, table, [...living, ...deleted]);
}

function answer(session: Session, loaded: Loaded, tables: Tables, query: Query): Placed[] {
  if (query.ask === "named") {
    const byTable = new Map<Table, (readonly Json[])[]>();
    for (const { table: name, pk } of readHidden(session, query.name)) {
      const table = tables.get(name);
      if (table) byTable.set(table, [...(byTable.get(table) ?? []), pk]);
    }
    return [...byTable].flatMap(([table, pks]) => load(session, loaded, table, pks));
  }
  const table = tables.get(query.table) as Table;
  return query.ask === "rows" ? load(session, loaded, table, query.pks) : findShown(session, loaded, table, query);
}

/** Shows and hides rows until the base tables are what the shadow says. */
export function project(session: Session, tables: Tables): void {
  const retried = readRetried(session).filter(({ table }) => tables.has(table));
  const touched: Touched[] = [...session.takeTouched(), ...retried];
  if (touched.length === 0) return;
  const links = linksOf(tables);
  const stale = new Map(touched.map(({ table, pk, stale = [] }) => [rowName(table, pk), stale]));
  const refused = { rows: new Map<string, Refusal>(), stuck: new Map<string, Refusal>() };
  const locals = new Map<string, string>();
  for (;;) {
    const hidden = anyHidden(session);
    const loaded: Loaded = new Map();
    const projection = new Projection(links, touched, refused, hidden);
    for (let asked = projection.next(); asked.length > 0; asked = projection.next())
      projection.answer(asked.map((query) => answer(session, loaded, tables, query)));
    const { moves, standings } = projection.plan();
    const rows = new Map(standings.map((standing) => [standing.id, standing]));
    const failed = new Set<number>();
    const place = (id: string): [table: Table, pk: Json[]] => {
      const [name, , ...pk] = JSON.parse(id) as [string, number, ...Json[]];
      return [tables.get(name) as Table, pk];
    };
    // All at first: where no order avoids it, a foreign key's own action takes a row along.
    for (const { kind, id } of moves) {
      const local = kind === "out" ? saveRow(session, ...place(id)) : undefined;
      if (local !== undefined) locals.set(id, local);
    }
    moves.forEach(({ kind, id, values, after }, n) => {
      if (after.some((place) => failed.has(place))) {
        failed.add(n);
        return;
      }
      const [table, pk] = place(id);
      const columns = new Set([...(links.get(table.model.name)?.structural ?? []), ...(stale.get(id) ?? [])]);
      const move = { kind, values, columns, local: locals.get(id) };
      const refusal = makeMove(session, table, pk, move);
      if (!refusal) return;
      failed.add(n);
      (kind === "out" ? refused.stuck : refused.rows).set(id, refusal);
    });
    if (failed.size > 0) continue;
    const parked = anyParked(session);
    for (const standing of rows.values())
      settle(session, tables.get(standing.table) as Table, standing, locals.get(standing.id), { hidden, parked });
    return;
  }
}

/** @param before whether any row was hidden, and any parked, until now */
function settle(
  session: Session,
  table: Table,
  standing: Standing,
  local: string | undefined,
  before: { readonly hidden: boolean; readonly parked: boolean },
): void {
  const { pk, refusal, hiddenKeys } = standing;
  if (before.hidden || hiddenKeys.length > 0) saveHidden(session, standing, hiddenKeys);
  if (refusal) park(session, table, pk, refusal, local);
  else if (before.parked) unpark(session, table, pk);
}

/** Rows that refer to a key which is not there any more: after a local write that nobody checked. */
export function touchDangling(session: Session, tables: Tables, parent: Table): void {
  for (const { child, columns, reference, place } of linksOf(tables).get(parent.model.name)?.in ?? []) {
    if (place < 0) continue;
    const table = tables.get(child.name) as Table;
    const named = parent.model.uniques[place] as readonly string[];
    const same = columns.map((name, n) => `p.${ident(named[n] as string)} = b.${ident(name)}`).join(" AND ");
    const whole = reference.columns.map((name) => `b.${ident(name)} IS NOT NULL`).join(" AND ");
    const sql = table.findShown(`${whole} AND NOT EXISTS (SELECT 1 FROM ${parent.name} p WHERE ${same})`);
    for (const raw of session.statements.rows(sql)) session.touch({ table: child.name, pk: table.pk(raw, 0) });
  }
}
