// History on its way into the database, the same in every dialect: what a transaction has to tell, the records that it makes of
// that, and which of a row's records go once its bounds are passed.
import {
  type BoundedHistory,
  boundHistory,
  canonicalize,
  crdtTypes,
  digest,
  type FieldModel,
  GroveError,
  HISTORY_KINDS,
  type HistoryKind,
  type HistoryRecord,
  incomingFields,
  isAlive,
  type Json,
  overruledPart,
  partOf,
  RESERVED_NODE,
  type Row,
  type RowChange,
  rowToChange,
  sameValue,
  type TableModel,
} from "@grove-crdt/core";

/** Under which a row's records are found. */
export const historyRow = (table: string, pk: readonly Json[]): string => digest(canonicalize([table, pk]));

/** A record as it is stored: without the names that its columns have. */
export interface NewRecord {
  readonly table: string;
  readonly row: string;
  readonly at: number;
  readonly from: string | null;
  readonly kind: HistoryKind;
  readonly change: RowChange;
  /** The row is known since before the transaction: its first record must tell all of it. */
  readonly needsFirst: boolean;
}

interface Overruled {
  readonly change: RowChange;
  readonly from: string | null;
}

/** What a transaction has to tell to history. */
export class Witness {
  /** Rows numbered up to this have been told. */
  floor: number;
  /** By number, when the rows were written that a fold has numbered since. */
  readonly times = new Map<number, number>();
  #overruled: Overruled[] = [];

  constructor(seq: number) {
    this.floor = seq;
  }

  /** A fold gave this number to a row that was written then. */
  wrote(seq: number, at: number): void {
    this.times.set(seq, at);
  }

  /** A change met a row, as it was before. */
  met(model: TableModel, row: Row | null, change: RowChange, from: string | null): void {
    const lost = model.history && overruledPart(model, row, change);
    if (lost) this.#overruled.push({ change: lost, from });
  }

  get isSilent(): boolean {
    return this.#overruled.length === 0;
  }
  takeOverruled(): readonly Overruled[] {
    const overruled = this.#overruled;
    this.#overruled = [];
    return overruled;
  }
}

/** A row as it stands after the transaction, with all that was numbered in it at least. */
export interface WrittenRow {
  readonly pk: readonly Json[];
  readonly row: Row;
  readonly values: Readonly<Record<string, Json>>;
}

const isNew = (row: Row, floor: number): boolean =>
  row.born > floor && [...row.fields.values()].every(({ entries }) => entries.every(({ seq }) => seq > floor));

/**
 * The record of a row that the transaction wrote; null where it says nothing.
 *
 * @param monotone it was folded or merged; else entries may have gone or been stamped anew, and the record tells all of the row
 */
export function recordOf(
  model: TableModel,
  { pk, row, values }: WrittenRow,
  {
    floor,
    at,
    from,
    monotone,
  }: { readonly floor: number; readonly at: number; from: string | null; monotone: boolean },
): NewRecord | null {
  const whole = !monotone || isNew(row, floor);
  const change = rowToChange(model, pk, row, values, { floor: whole ? 0 : floor, exclude: null });
  if (!change) return null;
  const wasHere = row.id <= floor || (row.hlc === 0 && row.node === RESERVED_NODE);
  const kind = !whole ? "part" : wasHere || !monotone ? "whole" : "new";
  const needsFirst = kind === "part";
  return { table: model.name, row: historyRow(model.name, pk), at, from, kind, change, needsFirst };
}

export const recordWhole = (change: RowChange, at: number, from: string | null = null): NewRecord => ({
  table: change.table,
  row: historyRow(change.table, change.pk),
  at,
  from,
  kind: "whole",
  change,
  needsFirst: false,
});

export const recordGone = (table: string, pk: readonly Json[], at: number): NewRecord => ({
  ...recordWhole({ table, pk, cl: 0, life: [0, RESERVED_NODE] }, at),
  kind: "gone",
});

/** What was overruled, but for what some record says already: whoever is behind sends again what lost long ago. */
export function overruledRecords(
  overruled: readonly Overruled[],
  known: ReadonlyMap<string, readonly HistoryRecord[]>,
  at: number,
): NewRecord[] {
  return overruled.flatMap(({ change, from }) => {
    const row = historyRow(change.table, change.pk);
    const seen = new Set((known.get(row) ?? []).flatMap((record) => entryTexts(record.change)));
    const types = new Map([...incomingFields(change)].map(([name, { type }]) => [name, type]));
    const fields = new Map(
      [...incomingFields(change)].flatMap(([name, { type, entries }]) => {
        const news = entries.filter((entry) => !seen.has(textOf(name, type, entry)));
        return news.length > 0 ? [[name, news] as const] : [];
      }),
    );
    const news = partOf(change, types, fields);
    return news ? [{ ...recordWhole(news, at, from), kind: "overruled" as const }] : [];
  });
}

type Fields = ReturnType<typeof incomingFields>;
type Field = Fields extends ReadonlyMap<string, infer State> ? State : never;
const textOf = (name: string, type: Field["type"], entry: Field["entries"][number]): string =>
  canonicalize([name, crdtTypes[type].identity(entry), entry.hlc, entry.node]);
const entryTexts = (change: RowChange): string[] =>
  [...incomingFields(change)].flatMap(([name, { type, entries }]) => entries.map((entry) => textOf(name, type, entry)));

/** A record as its columns have it. */
export interface StoredRecord {
  readonly id: number;
  readonly at: number;
  readonly via: number | null;
  readonly kind: number;
  readonly change: string;
}

export const kindNumber = (kind: HistoryKind): number => HISTORY_KINDS.indexOf(kind);
/** The table is told by its own column. */
export const changeText = ({ table: _, ...change }: RowChange): string => JSON.stringify(change);

export function toRecord(table: string, stored: StoredRecord, nameOf: (id: number) => string): HistoryRecord {
  const { id, at, via, kind, change } = stored;
  return {
    id,
    at,
    kind: HISTORY_KINDS[kind] as HistoryKind,
    from: via === null ? null : nameOf(via),
    change: { table, ...(JSON.parse(change) as Omit<RowChange, "table">) },
  };
}

/** Whether the record may go once its days have passed, though no other followed. The last state of a living row stays. */
export const mayEnd = ({ change, kind }: NewRecord): boolean => kind === "overruled" || !isAlive(change);

const DAY = 86_400_000_000;

/** Microseconds since 1970: what was heard up to it lies before the table's bounds. */
export const boundOf = ({ history }: TableModel, now: number): number =>
  history?.days === undefined ? Number.NEGATIVE_INFINITY : now - history.days * DAY;

/** Records that a row may have before its oldest are joined: some more than are asked for, so that it is not done at each write. */
export const mostRecords = ({ history }: TableModel): number | null =>
  history?.depth === undefined ? null : history.depth + 4 + (history.depth >> 2);

/** Rows whose passed days a transaction looks at, after so many records of its own. */
export const rowsToBound = (records: number): number => 50 + 2 * records;

export const boundRow = (model: TableModel, records: readonly HistoryRecord[], now: number) =>
  boundHistory(model, records, boundOf(model, now), model.history?.depth);

/** When a joined record has a follower: its days are counted from there. */
export const endedOf = ({ records }: BoundedHistory): number | null => records[1]?.at ?? null;

/** How far the rows from before history were read once all were. */
export const WALKED = Number.MAX_SAFE_INTEGER;

/** Rows from before history that are read at a time, to give each its first record. */
export const ROWS_PER_WALK = 500;

/** @throws GroveError `no_history` */
export function checkHistory<Table extends { readonly model: TableModel }>(table: Table): Table {
  if (table.model.history) return table;
  const { name } = table.model;
  throw new GroveError(
    "no_history",
    `No history is kept of the table ${JSON.stringify(name)}. Ask for it in drizzle.config.ts, groveCrdt({ history: { ${name}: true } }), and run \`npx grove-crdt generate\`.`,
    { details: { table: name } },
  );
}

/** The history of a row that nobody wrote since it is kept: what it is now, and no more; of one that is deleted, nothing. */
export const presentAlone = (state: RowChange | null, now: number): readonly HistoryRecord[] =>
  state && isAlive(state) ? [{ id: 0, at: now, kind: "whole", from: null, change: state }] : [];

/** The values to write, by column in the table's order. @throws GroveError `bad_request` */
export function valuesToWrite(
  model: TableModel,
  pk: readonly Json[],
  values: Readonly<Record<string, Json>>,
): readonly (readonly [field: FieldModel, value: Json])[] {
  for (const [name, value] of Object.entries(values)) {
    const place = model.key.findIndex((column) => column.name === name);
    if (place >= 0 ? sameValue(pk[place] as Json, value) : model.fields.some((field) => field.name === name)) continue;
    throw new GroveError(
      "bad_request",
      `${model.name} has no annotated column ${JSON.stringify(name)} that could be written to the row ${JSON.stringify(pk)}. Leave it out.`,
      { details: { table: model.name, column: name } },
    );
  }
  return model.fields.flatMap((field) =>
    Object.hasOwn(values, field.name) ? [[field, values[field.name] as Json] as const] : [],
  );
}
