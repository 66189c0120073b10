// Audit: what a batch of one principal's requests changed, and what it was shown, held against what it may.
import type { RowChange, WireCounter, WireDocument, WireElement, WireItem } from "@grove-crdt/core";
import { fail } from "./answer-check";
import { everything, stateText } from "./comparison";
import type { TestNode } from "./node";
import { ELSEWHERE, TABLES, type Who } from "./request-maker";

/** Columns of `notes` beside the key, as properties and by name. */
const NOTES = {
  tenantId: "tenant_id",
  title: "title",
  body: "body",
  data: "data",
  stars: "stars",
  tags: "tags",
  steps: "steps",
  meta: "meta",
};

export interface Snapshot {
  readonly rows: readonly RowChange[];
  /** Table and key to the row. */
  readonly byKey: ReadonlyMap<string, RowChange>;
  /** Lines of the tables themselves, by table. */
  readonly shown: ReadonlyMap<string, readonly string[]>;
}

const keyOf = (table: string, pk: unknown): string => JSON.stringify([table, pk]);
const ownerOf = ({ table, pk, lww = {} }: RowChange): unknown => (table === "stock" ? pk[0] : lww.tenant_id?.[0]);

export async function takeSnapshot(hub: TestNode): Promise<Snapshot> {
  const rows = await everything(hub);
  const shown = new Map<string, readonly string[]>();
  for (const model of hub.registry.tables) shown.set(model.name, await hub.database.contents(model));
  return { rows, byKey: new Map(rows.map((row) => [keyOf(row.table, row.pk), row])), shown };
}

const sees = ({ tables = TABLES, tenant }: Who, table: string): boolean =>
  (tables as readonly string[]).includes(table) && (table === "odd" || tenant !== undefined);
const isOwn = (who: Who, row: RowChange): boolean =>
  sees(who, row.table) && (row.table === "odd" || who.tenant === "*" || ownerOf(row) === who.tenant);

/** Rows that are none of the principal's, as sorted texts. */
const others = (who: Who, { rows }: Snapshot): string[] =>
  rows
    .filter((row) => !isOwn(who, row))
    .map(stateText)
    .sort();

/** Lines of the tables that are none of the principal's; the owner stands in the first or second place. */
const otherLines = (who: Who, { shown }: Snapshot): string[] =>
  [...shown].flatMap(([table, lines]) => {
    if (!sees(who, table)) return lines;
    if (table === "odd" || who.tenant === "*") return [];
    return lines.filter((line) => (JSON.parse(line) as unknown[])[table === "stock" ? 0 : 1] !== who.tenant);
  });

type Add = (...what: unknown[]) => void;
const addCounter = (add: Add, { birth, totals = [] }: WireCounter): void => {
  if (birth?.[2] === ELSEWHERE) add(birth);
  for (const total of totals) if (total[1] === ELSEWHERE) add(total);
};
const addSet = (add: Add, elements: readonly WireElement[]): void => {
  for (const [value, hlc, node] of elements) if (node === ELSEWHERE) add(value, hlc);
};
const addList = (add: Add, items: readonly WireItem[]): void => {
  for (const [id, parent, side, value, ...more] of items) {
    const isTheirs = id.endsWith(`.${ELSEWHERE}`);
    if (isTheirs) add("position", id);
    if (value === undefined) continue;
    if (isTheirs) add("place", id, parent, side, ...(more.length === 1 ? more : []));
    if (more.length === 2 ? more[1] === ELSEWHERE : isTheirs) add("value", id, value, ...more);
  }
};
const addDocument = (add: Add, { values = [], counter = [], set = [], list = [] }: WireDocument): void => {
  for (const [path, hlc, node, ...value] of values) if (node === ELSEWHERE) add(path, hlc, ...value);
  const at = (path: readonly string[]): Add => add.bind(null, path);
  for (const [path, part] of counter) addCounter(at(path), part);
  for (const [path, part] of set) addSet(at(path), part);
  for (const [path, part] of list) addList(at(path), part);
};

/** What of the rows another node wrote: field, value and stamp. Removals of elements and items are anybody's. */
const writtenElsewhere = ({ rows }: Snapshot): Set<string> => {
  const found = new Set<string>();
  for (const { table, pk, life, cl, lww = {}, counter = {}, set = {}, list = {}, document = {} } of rows) {
    const add = (...what: unknown[]) => found.add(JSON.stringify([table, pk, ...what]));
    if (life[1] === ELSEWHERE) add("life", cl, life);
    for (const [field, [value, hlc = life[0], node = life[1]]] of Object.entries(lww))
      if (node === ELSEWHERE) add(field, value, hlc);
    const of = (field: string): Add => add.bind(null, field);
    for (const [field, part] of Object.entries(counter)) addCounter(of(field), part);
    for (const [field, part] of Object.entries(set)) addSet(of(field), part);
    for (const [field, part] of Object.entries(list)) addList(of(field), part);
    for (const [field, part] of Object.entries(document)) addDocument(of(field), part);
  }
  return found;
};

/** A column's default, which nobody has written: a row that has waited gets its defaults when it is shown. */
const DEFAULT = /^(\[(""|null),0,""\]|\{"birth":\["0",0,""\],"totals":\[\]\}|\[\]|\{\})$/;
const textOf = ({ lww, counter, set, list, document }: RowChange, name: string): string | undefined =>
  JSON.stringify(lww?.[name] ?? counter?.[name] ?? set?.[name] ?? list?.[name] ?? document?.[name]);

/** Columns that the principal may not write and that have changed, of rows in the life that they had before. */
function forbiddenColumns(who: Who, before: Snapshot, { byKey }: Snapshot): string[] {
  const hidden = Object.entries(NOTES).flatMap(([property, name]) => (who.fields?.includes(property) ? [] : [name]));
  return before.rows.flatMap((row) => {
    const now = byKey.get(keyOf(row.table, row.pk));
    if (row.table !== "notes" || !now || now.cl !== row.cl || now.life.join() !== row.life.join()) return [];
    const [was, is] = [row, now].map((one) => JSON.parse(stateText(one)) as RowChange) as [RowChange, RowChange];
    return hidden.flatMap((name) => {
      const [one, other] = [textOf(was, name), textOf(is, name)];
      if (one === other || (one === undefined && DEFAULT.test(other ?? ""))) return [];
      return [`${name} of ${row.pk} from ${one} to ${other}`];
    });
  });
}

/** Nothing has changed but what the principal may write. */
export function checkChanges(who: Who, before: Snapshot, after: Snapshot): void {
  const same = (a: readonly string[], b: readonly string[]) => {
    if (a.length !== b.length || a.some((text, n) => text !== b[n]))
      fail(
        `what is not ${who.id}'s has changed:\n${a.filter((text) => !b.includes(text)).join("\n")}\nto\n${b.filter((text) => !a.includes(text)).join("\n")}`,
      );
  };
  same(others(who, before), others(who, after));
  same(otherLines(who, before), otherLines(who, after));
  if (who.fields) {
    const changed = forbiddenColumns(who, before, after);
    if (changed.length > 0) fail(`${who.id} changed ${changed.join(", ")}`);
  }
  if (!who.relays) {
    const known = writtenElsewhere(before);
    for (const entry of writtenElsewhere(after)) if (!known.has(entry)) fail(`${who.id} relayed ${entry}`);
  }
}

/** Whom a push makes the owner of rows: for a moment perhaps, so that no snapshot shows it. */
export function ownersIn(text: string): [tenant: unknown, key: string][] {
  try {
    const { rows } = JSON.parse(text) as { rows: readonly RowChange[] };
    // Others of the page may be no rows at all.
    return rows
      .filter((row) => row?.pk)
      .map((row) => [row.lww === null ? null : ownerOf(row), keyOf(row.table, row.pk)]);
  } catch {
    return [];
  }
}

/**
 * What was given away is the principal's: it says so itself, or was at one of these moments.
 *
 * @param told keys of rows that have said so before
 */
export function checkGiven(
  who: Who,
  rows: readonly RowChange[],
  keys: readonly (readonly [table: string, pk: unknown])[],
  snapshots: readonly Snapshot[],
  told: Set<string>,
): void {
  const check = (table: string, pk: unknown) => {
    const key = keyOf(table, pk);
    const isKnown =
      told.has(key) || snapshots.some(({ byKey }) => byKey.has(key) && isOwn(who, byKey.get(key) as RowChange));
    if (!sees(who, table) || !(isKnown || table === "odd" || who.tenant === "*"))
      fail(`${who.id} was shown ${table} ${JSON.stringify(pk)}`);
  };
  for (const row of rows) {
    const { table, pk } = row;
    if (isOwn(who, row)) told.add(keyOf(table, pk));
    check(table, pk);
  }
  for (const [table, pk] of keys) check(table, pk);
  const { fields } = who;
  if (!fields) return;
  const names = Object.entries(NOTES).flatMap(([property, name]) => (fields.includes(property) ? [name] : []));
  for (const { table, pk, lww = {}, counter = {}, set = {}, list = {}, document = {} } of rows) {
    if (table !== "notes") continue;
    for (const name of [lww, counter, set, list, document].flatMap((some) => Object.keys(some)))
      if (!names.includes(name)) fail(`${who.id} was shown ${name} of ${pk}`);
  }
}
