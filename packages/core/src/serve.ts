// Serve: what of a row a peer has not seen. A row carries each entry numbered above the floor, the life and the
// implicit entries by the number of the life; nothing that the peer itself sent and that still says the same.
import { FIELD_PARTS, type RowChange, type WireRegister } from "./change";
import type { Entry } from "./entry";
import type { CrdtTypeName, Json, TableModel } from "./model";
import { fieldNamed, isAlive, type Row, registerOf, valueAt } from "./row";
import { crdtTypes } from "./types/index";

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

type Parts = { [Type in CrdtTypeName]?: Record<string, unknown> };

function put(parts: Parts, type: CrdtTypeName, name: string, part: unknown): void {
  parts[type] ??= {};
  parts[type][name] = part;
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

  const parts: Parts = {};
  for (const field of model.fields) {
    const { name, type } = field;
    if (fields && !fields.has(name)) continue;
    const stored = row.fields.get(name);
    if (type === "lww") {
      if (!stored && !(withLife && lives)) continue;
      const value = valueAt(values, name);
      // Most rows were written once: then the register is the life's own.
      if (!stored && value !== undefined && row.shape.includes(name)) {
        put(parts, type, name, [value]);
        continue;
      }
      const entry = registerOf(row, name, value);
      // A partial state has no value for a field that it does not carry.
      if (entry.state !== undefined && isDue(entry, options)) put(parts, type, name, wireRegister(row, entry));
      continue;
    }
    let entries: readonly Entry[];
    if (stored) {
      entries = dueEntries(stored.entries, options);
      // Without entries it is empty, which a counter cannot be.
      const isTold = withLife && type !== "counter" && (lives || stored.entries.length === 0);
      if (entries.length === 0 && !isTold) continue;
    } else {
      const value = valueAt(values, name);
      if (!withLife || !lives || value === undefined) continue;
      entries = crdtTypes[type].implicit(value, field);
    }
    put(parts, type, name, crdtTypes[type].encode(entries));
  }
  for (const [name, { type, entries: all }] of row.fields) {
    if (fieldNamed(model, name) || (fields && !fields.has(name))) continue;
    const entries = dueEntries(all, options);
    if (entries.length === 0 && !(withLife && all.length === 0)) continue;
    if (type !== "lww") put(parts, type, name, crdtTypes[type].encode(entries));
    else if (entries[0]?.state !== undefined) put(parts, type, name, wireRegister(row, entries[0]));
  }
  const change: { -readonly [Part in keyof RowChange]: RowChange[Part] } = { table: model.name, pk, cl: row.cl, life };
  if (withLife && row.ends) change.ends = row.ends;
  let isEmpty = !withLife;
  for (const type of FIELD_PARTS) {
    const part = parts[type];
    if (!part) continue;
    isEmpty = false;
    change[type] = part as never;
  }
  return isEmpty ? null : change;
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
