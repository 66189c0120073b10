// Projection on Postgres: after a fold or a merge, the base table shows what core decides from the shadow alone. Here rows
// are looked up for that decision, and its moves are made; both for many rows at once.
import {
  adoptedRow,
  type Json,
  type Move,
  type Placed,
  Projection,
  type Query,
  type Refusal,
  rowName,
  rowValues,
  type Standing,
  type Touched,
} from "@grove-crdt/core";
import { keyText } from "../key";
import { linksOf } from "../tables";
import { anyHidden, readHidden, saveHidden } from "./hidden-keys";
import { makeMoves, saveRows } from "./moves";
import { anyParked, park, readRetried, unpark } from "./parking";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { ident, toParams } from "./sql";
import type { Table } from "./table";

export type Tables = ReadonlyMap<string, Table>;

/** What stands for values; null where one does not fit this database's columns, so that no row can have it. */
function bound<T>(params: () => T): T | null {
  try {
    return params();
  } catch {
    return null;
  }
}

/** Rows by the canonical text of their keys. */
async function load(
  session: Session,
  table: Table,
  pks: Iterable<readonly Json[]>,
): Promise<ReadonlyMap<string, Placed>> {
  const asked = new Map<string, { pk: readonly Json[]; key: string[] }>();
  for (const pk of pks) {
    const key = bound(() => table.keyParams(pk));
    if (key) asked.set(keyText(pk), { pk, key });
  }
  const list = [...asked.values()];
  const keys = list.map(({ key }) => key);
  const rows = await readRows(session, table, keys);
  const bases = await readBase(
    session,
    table,
    keys,
    rows.flatMap(({ present }, n) => (present ? [n] : [])),
  );
  const placed = new Map<string, Placed>();
  rows.forEach(({ row: stored, present }, n) => {
    // A row that is there and was never captured counts as adopted.
    const row = stored ?? (present ? adoptedRow(0) : null);
    if (!row) return;
    const { pk } = list[n] as { pk: readonly Json[] };
    const key = Object.fromEntries(table.model.key.map(({ name }, place) => [name, pk[place] as Json]));
    const base = bases.get(n);
    placed.set(keyText(pk), {
      table: table.model.name,
      pk,
      row,
      values: { ...key, ...rowValues(table.model, row, base ?? {}) },
      shown: base ? { ...key, ...base } : null,
    });
  });
  return placed;
}

type Key = { readonly table: Table; readonly pk: readonly Json[] };

/** The keys that answer each query, in a few statements for all of them. */
async function findKeys(session: Session, tables: Tables, queries: readonly Query[]): Promise<Key[][]> {
  const found: Key[][] = queries.map(() => []);
  const named = new Map<string, number[]>();
  const shown = new Map<
    string,
    { table: Table; columns: readonly string[]; places: number[]; rows: (string | null)[][] }
  >();
  for (const [n, query] of queries.entries()) {
    if (query.ask === "named") {
      named.set(query.name, [...(named.get(query.name) ?? []), n]);
      continue;
    }
    const table = tables.get(query.table) as Table;
    if (query.ask === "rows") {
      found[n] = query.pks.map((pk) => ({ table, pk }));
      continue;
    }
    const { columns, values, limit } = query;
    const params = bound(() => table.columnParams(columns, values));
    if (!params) continue;
    if (limit !== undefined) {
      const living = await session.rows(table.findShownBy(columns, 1), [...params, String(limit)]);
      const deleted = await session.rows(table.findShownBy(columns, 0), params);
      found[n] = [...living, ...deleted].map((raw) => ({ table, pk: table.pk(raw, 1) }));
      continue;
    }
    const label = JSON.stringify([query.table, columns]);
    const group = shown.get(label) ?? { table, columns, places: [], rows: [] };
    shown.set(label, group);
    group.places.push(n);
    group.rows.push(params);
  }
  for (const { table, columns, places, rows } of shown.values()) {
    for (const raw of await session.rows(table.findShown(columns), toParams(columns.length, rows)))
      found[places[Number(raw[0]) - 1] as number]?.push({ table, pk: table.pk(raw, 1) });
  }
  if (named.size > 0) {
    for (const [name, rows] of await readHidden(session, [...named.keys()])) {
      const keys = rows.flatMap(({ table: of, pk }): Key[] => {
        const table = tables.get(of);
        return table ? [{ table, pk }] : [];
      });
      for (const n of named.get(name) ?? []) found[n]?.push(...keys);
    }
  }
  return found;
}

async function answer(session: Session, tables: Tables, queries: readonly Query[]): Promise<Placed[][]> {
  const found = await findKeys(session, tables, queries);
  const wanted = new Map<Table, (readonly Json[])[]>();
  for (const { table, pk } of found.flat()) {
    const pks = wanted.get(table) ?? [];
    wanted.set(table, pks);
    pks.push(pk);
  }
  const loaded = new Map<Table, ReadonlyMap<string, Placed>>();
  for (const [table, pks] of wanted) loaded.set(table, await load(session, table, pks));
  return found.map((keys) => keys.flatMap(({ table, pk }) => loaded.get(table)?.get(keyText(pk)) ?? []));
}

/** Moves that one statement makes: neighbours of one kind and table of which none waits for another. */
function inRuns(moves: readonly Move[]): { readonly first: number; readonly moves: readonly Move[] }[] {
  const runs: { first: number; moves: Move[]; label: string }[] = [];
  for (const [n, move] of moves.entries()) {
    const label = JSON.stringify([move.kind, (JSON.parse(move.id) as [string])[0]]);
    const last = runs.at(-1);
    const fits =
      last?.label === label &&
      move.after.every((place) => place < last.first) &&
      last.moves.every(({ id }) => id !== move.id);
    if (last && fits) last.moves.push(move);
    else runs.push({ first: n, moves: [move], label });
  }
  return runs;
}

/** Moves what only the base table has of the rows that go to the shadow; returns their `local` columns by id. */
async function saveLeaving(session: Session, tables: Tables, moves: readonly Move[]): Promise<Map<string, string>> {
  const leaving = new Map<Table, { readonly ids: string[]; readonly keys: string[][] }>();
  for (const { kind, id } of moves) {
    if (kind !== "out") continue;
    const [name, , ...pk] = JSON.parse(id) as [string, number, ...Json[]];
    const table = tables.get(name) as Table;
    const group = leaving.get(table) ?? { ids: [], keys: [] };
    leaving.set(table, group);
    group.ids.push(id);
    group.keys.push(table.keyParams(pk));
  }
  const locals = new Map<string, string>();
  for (const [table, { ids, keys }] of leaving) {
    for (const [place, local] of await saveRows(session, table, keys)) locals.set(ids[place] as string, local);
  }
  return locals;
}

/** Shows and hides rows until the base tables are what the shadow says. */
export async function project(session: Session, tables: Tables): Promise<void> {
  const retried = (await readRetried(session)).filter(({ table }) => tables.has(table));
  const touched: Touched[] = [...session.takeTouched(), ...retried];
  if (touched.length === 0) return;
  const links = linksOf(tables);
  const stale = new Map(touched.map(({ table, pk, stale = [] }) => [rowName(table, pk), stale]));
  const refused = { rows: new Map<string, Refusal>(), stuck: new Map<string, Refusal>() };
  const locals = new Map<string, string>();
  for (;;) {
    const hidden = await anyHidden(session);
    const projection = new Projection(links, touched, refused, hidden);
    for (let asked = projection.next(); asked.length > 0; asked = projection.next())
      projection.answer(await answer(session, tables, asked));
    const { moves, standings } = projection.plan();
    const failed = new Set<number>();
    // All at first: where no order avoids it, a foreign key's own action takes a row along.
    for (const [id, local] of await saveLeaving(session, tables, moves)) locals.set(id, local);
    for (const run of inRuns(moves)) {
      const [kind, id] = [run.moves[0]?.kind as Move["kind"], run.moves[0]?.id as string];
      const table = tables.get((JSON.parse(id) as [string])[0]) as Table;
      const made = run.moves.flatMap((move, n) => {
        const place = run.first + n;
        if (move.after.some((other) => failed.has(other))) {
          failed.add(place);
          return [];
        }
        const [, , ...pk] = JSON.parse(move.id) as [string, number, ...Json[]];
        const columns = new Set([...(links.get(table.model.name)?.structural ?? []), ...(stale.get(move.id) ?? [])]);
        return [{ place, id: move.id, pk, values: move.values, columns, local: locals.get(move.id) }];
      });
      const refusals = await makeMoves(session, table, kind, made);
      for (const [{ place, id }, refusal] of refusals) {
        failed.add(place);
        (kind === "out" ? refused.stuck : refused.rows).set(id, refusal);
      }
    }
    if (failed.size > 0) continue;
    await settle(session, tables, standings, locals, hidden);
    return;
  }
}

async function settle(
  session: Session,
  tables: Tables,
  standings: readonly Standing[],
  locals: ReadonlyMap<string, string>,
  hidden: boolean,
): Promise<void> {
  await saveHidden(
    session,
    standings.filter(({ hiddenKeys }) => hidden || hiddenKeys.length > 0),
  );
  const parked = await anyParked(session);
  for (const table of tables.values()) {
    const own = standings.filter((standing) => standing.table === table.model.name);
    await park(
      session,
      table,
      own.flatMap(({ id, pk, refusal }) => (refusal ? [{ pk, ...refusal, local: locals.get(id) }] : [])),
    );
    if (!parked) continue;
    await unpark(
      session,
      table,
      own.filter(({ refusal }) => !refusal).map(({ pk }) => pk),
    );
  }
}

/** Rows that refer to a key which is not there any more: after a local write that nobody checked. */
export async function touchDangling(session: Session, tables: Tables, parent: Table): Promise<void> {
  for (const { child, columns, reference, place } of linksOf(tables).get(parent.model.name)?.in ?? []) {
    if (place < 0) continue;
    const table = tables.get(child.name) as Table;
    const named = parent.model.uniques[place] as readonly string[];
    const same = columns.map((name, n) => `p.${ident(named[n] as string)} = b.${ident(name)}`).join(" AND ");
    const whole = reference.columns.map((name) => `b.${ident(name)} IS NOT NULL`).join(" AND ");
    const sql = table.findWhere(`${whole} AND NOT EXISTS (SELECT 1 FROM ${parent.name} p WHERE ${same})`);
    for (const raw of await session.rows(sql)) session.touch({ table: child.name, pk: table.pk(raw, 1) });
  }
}
