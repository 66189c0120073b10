// Serve: what of a row a peer has not seen. A row carries each entry numbered above the floor, the life and the
// implicit entries by the number of the life; nothing that the peer itself sent and that still says the same.
import type { RowChange, WireCounter, WireElement, WireRegister } from "./change";
import type { Entry } from "./entry";
import type { Json, TableModel } from "./model";
import { fieldNamed, isAlive, type Row, registerOf, valueAt } from "./row";
import { crdtTypes } from "./types/index";
import { NOT_REMOVED } from "./types/set";

export interface ServeOptions {
  /** Entries numbered at most this are known to the peer. */
  readonly floor: number;
  /** Leave out what came from this peer; null = leave out nothing (a reset, or a state to keep). */
  readonly exclude: string | null;
  /** Names of the columns that the peer may see; absent = all. */
  readonly fields?: ReadonlySet<string>;
}

const isDue = (entry: Entry, { floor, exclude }: ServeOptions): boolean =>
  entry.seq > floor && (exclude === null || entry.via !== exclude);

function dueEntries(entries: readonly Entry[], options: ServeOptions): readonly Entry[] {
  const due: Entry[] = [];
  for (const entry of entries) if (isDue(entry, options)) due.push(entry);
  return due;
}

/** The peers that sent something of a row, numbered above the floor, that still says the same. */
function sendersOf(row: Row, floor: number): Set<string> {
  const senders = new Set<string>();
  if (row.born > floor && row.via !== null) senders.add(row.via);
  for (const { entries } of row.fields.values())
    for (const { seq, via } of entries) if (seq > floor && via !== null) senders.add(via);
  return senders;
}

const wireRegister = (row: Row, { hlc, node, state }: Entry): WireRegister =>
  hlc === row.hlc && node === row.node ? [state as Json] : [state as Json, hlc, node];

const wireElement = (entry: Entry): WireElement => {
  const element = JSON.parse(entry.key) as Json;
  return entry.state === NOT_REMOVED
    ? [element, entry.hlc, entry.node]
    : [element, entry.hlc, entry.node, entry.state as number];
};

function wireCounter(entries: readonly Entry[]): WireCounter {
  const birth = entries.find((entry) => entry.key === "");
  const totals = entries.filter((entry) => entry.key !== "");
  return {
    ...(birth && { birth: [birth.state as string, birth.hlc, birth.node] }),
    ...(totals.length > 0 && {
      totals: totals.map((entry) => {
        const [up, down] = entry.state as unknown as [string, string];
        return [entry.key, entry.node, up, down, entry.hlc] as const;
      }),
    }),
  };
}

/**
 * @param values canonical values of the base row by column name; a value in a cell goes before it
 * @returns null when the peer knows all of the row
 */
export function rowToChange(
  model: TableModel,
  pk: readonly Json[],
  row: Row,
  values: Readonly<Record<string, Json>>,
  options: ServeOptions,
): RowChange | null {
  const { floor, exclude, fields } = options;
  const withLife = row.born > floor && (exclude === null || row.via !== exclude);
  const life = [row.hlc, row.node] as const;
  // A deleted row has nothing but the entries that it kept.
  const lives = isAlive(row);

  let lww: Record<string, WireRegister> | undefined;
  let counter: Record<string, WireCounter> | undefined;
  let set: Record<string, readonly WireElement[]> | undefined;

  for (const field of model.fields) {
    if (fields && !fields.has(field.name)) continue;
    const stored = row.fields.get(field.name);
    if (field.type === "lww") {
      if (!stored && !(withLife && lives)) continue;
      const entry = registerOf(row, field.name, valueAt(values, field.name));
      // A partial state has no value for a field that it does not carry.
      if (entry.state === undefined || !isDue(entry, options)) continue;
      lww ??= {};
      lww[field.name] = wireRegister(row, entry);
      continue;
    }
    let entries: readonly Entry[];
    if (stored) {
      entries = dueEntries(stored.entries, options);
      if (entries.length === 0 && !(withLife && lives && field.type === "set")) continue;
    } else {
      const value = valueAt(values, field.name);
      if (!withLife || !lives || value === undefined) continue;
      entries = crdtTypes[field.type].implicit(value);
    }
    if (field.type === "counter") {
      counter ??= {};
      counter[field.name] = wireCounter(entries);
    } else {
      set ??= {};
      set[field.name] = entries.map(wireElement);
    }
  }
  for (const [name, state] of row.fields) {
    if (fieldNamed(model, name) || (fields && !fields.has(name))) continue;
    const entries = dueEntries(state.entries, options);
    if (entries.length === 0) continue;
    if (state.type === "lww") {
      if (entries[0]?.state === undefined) continue;
      lww ??= {};
      lww[name] = wireRegister(row, entries[0]);
    } else if (state.type === "counter") {
      counter ??= {};
      counter[name] = wireCounter(entries);
    } else {
      set ??= {};
      set[name] = entries.map(wireElement);
    }
  }
  if (!withLife && !lww && !counter && !set) return null;
  const change: { -readonly [Part in keyof RowChange]: RowChange[Part] } = { table: model.name, pk, cl: row.cl, life };
  if (lww) change.lww = lww;
  if (counter) change.counter = counter;
  if (set) change.set = set;
  return change;
}

/** Of a page that many read: what of a row goes to each peer that sent a part of it. */
export function changesForSenders(
  model: TableModel,
  pk: readonly Json[],
  row: Row,
  values: Readonly<Record<string, Json>>,
  { floor, fields }: Omit<ServeOptions, "exclude">,
): ReadonlyMap<string, RowChange | null> {
  const senders = new Map<string, RowChange | null>();
  for (const exclude of sendersOf(row, floor))
    senders.set(exclude, rowToChange(model, pk, row, values, { floor, exclude, fields }));
  return senders;
}
