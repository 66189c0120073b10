// What must hold in the end: all nodes hold the same, the tables show what the shadow says, and every acknowledged write is
// there or was overruled.
import { canonicalize, crdtTypes, type Json, mergeStates, type RowChange, type RowKey } from "@grove-crdt/core";
import type { Machine } from "./machine";
import { KEPT_NOTE } from "./note-writes";
import type { Oracle } from "./oracle";
import { TAKEN_BACK } from "./row-writes";
import { type Expected, expectShown } from "./shown";
import type { World } from "./world";
import { keptIds, stockKeys } from "./writing";

export type States = Map<string, RowChange>;

/** The keys of all rows that a shadow knows, dead ones included. */
export const keysOf = ({ database, registry }: Machine): RowKey[] =>
  registry.tables.flatMap(({ name, key }) => {
    const columns = key.map((column) => `"pk_${column.name}"`).join(", ");
    const keys = database.prepare(`SELECT ${columns} FROM "_${name}_crdt"`).raw().all() as Json[][];
    return keys.map((pk): RowKey => [name, pk]);
  });

async function readStates(machine: Machine): Promise<States> {
  const { node } = machine;
  await node.fold();
  const keys = keysOf(machine);
  const states = await node.store.states(keys);
  return new Map(keys.map(([table, pk], n) => [`${table} ${canonicalize(pk)}`, states[n] as RowChange]));
}

/** One state in one normal form. */
function normal({ registry }: Machine, state: RowChange | undefined): string {
  if (!state) return "null";
  const model = registry.tables.find(({ name }) => name === state.table)!;
  return JSON.stringify(mergeStates(model, state, state));
}

function difference(one: Machine, left: States, other: Machine, right: States): string | null {
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    if (JSON.stringify(left.get(key)) === JSON.stringify(right.get(key))) continue;
    const [a, b] = [normal(one, left.get(key)), normal(other, right.get(key))];
    if (a !== b) return `${key} differs:\n  ${one.label}: ${a}\n  ${other.label}: ${b}`;
  }
  return null;
}

/** A value as the table has it. */
function stored(kind: string, value: Json): unknown {
  if (kind === "json") return JSON.stringify(value);
  return kind === "timestamp" ? Date.parse(value as string) : value;
}

function baseProblem({ database, label, registry }: Machine, states: States, expected: Expected): string | null {
  for (const model of registry.tables) {
    const list = [...model.key, ...model.fields]
      .map((column) =>
        "type" in column && column.type === "counter" ? `CAST("${column.name}" AS TEXT)` : `"${column.name}"`,
      )
      .join(", ");
    const shown = new Map<string, readonly unknown[]>();
    for (const row of database.prepare(`SELECT ${list} FROM "${model.name}"`).raw().all() as unknown[][])
      shown.set(`${model.name} ${canonicalize(row.slice(0, model.key.length) as Json[])}`, row.slice(model.key.length));
    for (const [key, state] of states) {
      if (state.table !== model.name) continue;
      const values = expected.shown.get(key);
      const row = shown.get(key);
      shown.delete(key);
      if (!values !== !row)
        return `${label}: ${key} ${values ? "must show and is not in the table" : "must not show and is in the table"}`;
      if (!values || !row) continue;
      for (const [n, field] of model.fields.entries()) {
        // A deleted row that shows keeps no entries of what was empty from the start.
        const value = values[field.name] ?? (field.type === "lww" ? null : (field.default ?? null));
        const wanted = stored(field.kind, value);
        if (row[n] !== wanted)
          return `${label}: ${key}.${field.name} is ${JSON.stringify(row[n])} in the table and ${JSON.stringify(wanted)} by the shadow`;
      }
    }
    for (const key of shown.keys()) return `${label}: ${key} is in the table and unknown to the shadow`;
  }
  const parked = database.prepare("SELECT tbl || ' ' || pk FROM _grove_parked WHERE peer IS NULL").pluck().all();
  if (canonicalize(parked.sort() as Json) !== canonicalize([...expected.parked].sort()))
    return `${label}: parked are ${parked.join(", ")} and must be ${expected.parked.join(", ")}`;
  const broken = database.pragma("foreign_key_check") as object[];
  return broken.length > 0 ? `${label}: broken references ${JSON.stringify(broken)}` : null;
}

function oracleProblem(oracle: Oracle, states: States, rows: number): string | null {
  const find = (table: string, ...pk: string[]) => states.get(`${table} ${canonicalize(pk)}`);
  const counted = (row: string, state: RowChange | undefined, field: string): string | null => {
    const expected = String(oracle.counted.get(row) ?? 0);
    const value = state && sum(state, field);
    return value === expected ? null : `${row}: counted ${value}, acknowledged ${expected}`;
  };
  for (const [store, sku] of stockKeys(rows)) {
    const problem = counted(`inventory ${store} ${sku}`, find("inventory", store, sku), "quantity");
    if (problem) return problem;
  }
  const note = counted(`notes ${KEPT_NOTE}`, find("notes", KEPT_NOTE), "likes");
  if (note) return note;
  for (const id of keptIds(rows)) {
    const row = `documents ${id}`;
    const state = find("documents", id);
    if (!state) return `${row} is lost`;
    const problem = counted(row, state, "view_count");
    if (problem) return problem;
    const written = oracle.value(row);
    const title = state.lww?.title?.[0];
    if (written && title !== written.value)
      return `${row}.title is ${JSON.stringify(title)}; the latest write was ${JSON.stringify(written.value)}`;
    const present = new Set<string>();
    for (const [element, hlc, , removed] of state.set?.tags ?? [])
      if (removed === undefined || removed < hlc) present.add(JSON.stringify(element));
    const tags = [...present].sort();
    const wanted = oracle.elements(row);
    if (canonicalize(tags) !== canonicalize(wanted))
      return `${row}.tags are ${tags.join()}; by the adds and removals they must be ${wanted.join()}`;
    const plan = planProblem(oracle, `plans ${id}`, find("plans", id));
    if (plan) return `plans ${id}: ${plan}`;
  }
  return null;
}

function planProblem(oracle: Oracle, row: string, state: RowChange | undefined): string | null {
  if (!state) return "is lost";
  const value = (type: "list" | "document", column: string) =>
    crdtTypes[type].materialize(crdtTypes[type].decode((state[type]?.[column] ?? (type === "list" ? [] : {})) as Json));
  const cards = oracle.cardsProblem(row, value("list", "cards") as unknown as { id: string }[]);
  if (cards) return `cards ${cards}`;
  const { views } = (value("document", "data") as { stats: { views: number } }).stats;
  const expected = oracle.counted.get(row) ?? 0;
  if (views !== expected) return `data.stats.views is ${views}, acknowledged ${expected}`;
  return oracle.listsProblem(row, state);
}

function sum(state: RowChange, field: string): string {
  const fallback = field === "likes" ? 10 : 0;
  const { birth, totals = [] } = state.counter?.[field] ?? {};
  return String(
    totals.reduce((value, [, , up, down]) => value + BigInt(up) - BigInt(down), BigInt(birth?.[0] ?? fallback)),
  );
}

/** What is wrong in the end; null when nothing is. */
export async function judge(world: World): Promise<string | null> {
  const machines = world.present;
  const [first] = machines as [Machine];
  const all = await Promise.all(machines.map(readStates));
  const [states] = all as [States];
  // Rows that are equal everywhere show alike.
  const expected = expectShown(first.registry, states.values());
  for (const [n, machine] of machines.entries()) {
    const own = all[n] as States;
    const problem = difference(first, states, machine, own) ?? baseProblem(machine, own, expected);
    if (problem) return problem;
    const found = await machine.node.verify();
    if (found.length > 0) return `${machine.label}: verify() finds ${JSON.stringify(found)}`;
  }
  for (const [row, state] of states)
    if (JSON.stringify(state).includes(TAKEN_BACK)) return `${row} has what was never committed`;
  return (
    oracleProblem(world.oracle, states, world.plan.rows) ??
    world.oracle.passing.problem(states) ??
    (await replayProblem(world, states))
  );
}

/** Pages that come again, in any order, change nothing; and two nodes that hold the same say so. */
async function replayProblem(world: World, states: States): Promise<string | null> {
  const { random, present } = world;
  const [from, to] = [random.pick(present), random.pick(present)];
  const rows = [...states.values()];
  for (let n = rows.length - 1; n > 0; n--) {
    const other = random.below(n + 1);
    [rows[n], rows[other]] = [rows[other] as RowChange, rows[n] as RowChange];
  }
  const before = await to.node.store.position();
  const { outcomes } = await to.node.merge(from === to ? "stranger" : from.id, [...rows, ...rows.slice(0, 5)]);
  const odd = outcomes.findIndex(({ outcome }) => outcome !== "superseded" && outcome !== "parked");
  if (odd >= 0)
    return `${to.label}: ${JSON.stringify(rows[odd % rows.length])} comes again and is ${outcomes[odd]?.outcome}`;
  const after = await to.node.store.position();
  if (after.seq !== before.seq) return `${to.label} numbers rows that it knew: ${before.seq}, then ${after.seq}`;
  const caller = present.find(({ syncers }) => syncers.length > 0);
  for (const report of (await caller?.syncers[0]?.verify()) ?? []) {
    if (report.error) return `${caller?.label} cannot compare: ${report.error.code}, ${report.error.message}`;
    if (report.differing.length > 0)
      return `${caller?.label} finds a difference: ${JSON.stringify(report.differing[0])}`;
  }
  return null;
}
