// Fold on Postgres: drain the oldest log rows with what base table and shadow have now, decide, write.
import {
  addLogRow,
  type BaseRow,
  decideFold,
  decideTouched,
  existedBefore,
  type FoldClock,
  isLinked,
  isNested,
  isSound,
  type Json,
  leavesKey,
  noTouch,
  type Touch,
  wasHidden,
} from "@grove-crdt/core";
import { keyText } from "../key";
import { neighboursOf } from "../tables";
import { type TouchedShadow, touchedCells } from "../touched-cells";
import { mayHaveUnadopted } from "./adoption";
import { fieldParam } from "./base-writes";
import type { PostgresTransaction } from "./driver";
import { anyParked, readRefusals, unpark } from "./parking";
import { type Tables, touchDangling } from "./projection";
import { readTouchedCells } from "./read";
import type { Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import { inSlices } from "./slices";
import type { Table } from "./table";
import { fieldToJson } from "./values";

/** Log rows that one pass folds: bounds memory and how long the lock is held. */
export const LOG_ROWS_PER_PASS = 2_000;
/** Rows of a pass that are decided at a time, while the database writes those before them. */
const SLICE = 1_000;

interface Touched {
  readonly touch: Touch;
  readonly raw: readonly unknown[];
  readonly pk: Json[];
}

export const pendingProbe = (tables: readonly Table[]): string =>
  `SELECT ${tables.map((table) => `(EXISTS (SELECT 1 FROM ${table.log}))::int`).join(", ")}, (EXISTS (SELECT 1 FROM public._grove_parked WHERE code = 'busy' AND peer IS NOT NULL))::int`;

/** Whether anything of that waits, and the last number. */
export const activityProbe = (tables: readonly Table[]): string =>
  `SELECT (${tables.map((table) => `EXISTS (SELECT 1 FROM ${table.log})`).join(" OR ")})::int, seq FROM public._grove_node WHERE id = 1`;

/** Tables of the list with a captured write waiting, and whether changes wait for rows that somebody held. */
export async function readPending(
  tx: Pick<PostgresTransaction, "rows">,
  tables: readonly Table[],
  probe: string,
): Promise<{ readonly tables: Table[]; readonly busy: boolean }> {
  const [flags = []] = await tx.rows(probe);
  return { tables: tables.filter((_, n) => Number(flags[n]) === 1), busy: Number(flags[tables.length]) === 1 };
}

/**
 * Dates back before the server's start what was captured in another database: before this one was made as its copy, or before the
 * table had its triggers, by rows of a dump. The age of a row is that of its transaction.
 */
const dateBack = ({ log }: Table): string => `UPDATE ${log} SET at = $1::text::bigint - 1
  WHERE at >= $1::text::bigint AND age(xmin) > least(
    (SELECT age(xmin) FROM pg_database WHERE datname = current_database()),
    (SELECT max(age(xmin)) FROM pg_trigger WHERE tgrelid = $2::text::regclass))`;

async function collect(session: Session, table: Table): Promise<{ rows: Map<string, Touched>; drained: boolean }> {
  const at = table.logAt;
  const raws = await session.rows(table.drainLog, [String(LOG_ROWS_PER_PASS)]);
  const rows = new Map<string, Touched>();
  for (const raw of raws) {
    const pk = table.pk(raw, at.key);
    const key = keyText(pk);
    const touched = rows.get(key) ?? { touch: noTouch(table.masks.length), raw, pk };
    rows.set(key, touched);
    const [time, op] = raw as [string, string];
    const before = raw[at.before] as string | null;
    const masks = raw.slice(at.mask, at.mask + table.masks.length).map((mask) => (mask === null ? null : Number(mask)));
    const values = before === null ? null : readBefore(table, before);
    addLogRow(touched.touch, { op, at: Number(time), masks, before: values }, Number(raw[at.present]) === 1);
  }
  return { rows, drained: raws.length < LOG_ROWS_PER_PASS };
}

/** Canonical values of what the trigger logged: each column's text form. */
function readBefore(table: Table, text: string): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string | null>)) {
    const field = table.field(name);
    if (field) values[name] = fieldToJson(field, value);
  }
  return values;
}

/** The row as the base table has it. */
function readBaseRow(table: Table, raw: readonly unknown[]): BaseRow {
  const values: Record<string, Json> = {};
  const texts: Record<string, string> = {};
  table.multi.forEach((field, n) => {
    const text = raw[table.logAt.multi + n] as string | null;
    values[field.name] = fieldToJson(field, text);
    // A column that says what its entries cannot is given what they say.
    if (text !== null && isNested(field.type) && field.storage !== "array" && !isSound(text)) texts[field.name] = text;
  });
  return { values, texts };
}

/**
 * Folds one pass of one table. Returns how many rows said something new, and whether the log is empty now. What it leaves
 * to the projection must be projected in the same transaction, once the logs of all tables are empty: until then a child
 * may be folded and its parent not.
 */
export async function foldTable(
  session: Session,
  tables: Tables,
  table: Table,
): Promise<{ folded: number; drained: boolean }> {
  if (session.isFirst) await session.rows(dateBack(table), [String(session.since), table.name]);
  const { rows, drained } = await collect(session, table);
  if (rows.size === 0) return { folded: 0, drained };
  session.folded = true;
  const at = table.logAt;
  const known: TouchedShadow[] = [];
  for (const { touch, raw } of rows.values()) {
    const stored = table.stored(raw, at.shadow);
    if (stored) known.push({ touch, present: Number(raw[at.present]) === 1, id: stored.id, cl: stored.cl });
  }
  const cells = await readTouchedCells(session.tx, table, touchedCells(table.model, table.multi, known));
  const inserted = [...rows.values()].filter(({ touch }) => touch.inserted).map(({ pk }) => pk);
  const parked = (await anyParked(session)) ? await readRefusals(session, table, inserted) : new Map<string, unknown>();
  let oldest = Number.POSITIVE_INFINITY;
  for (const { touch } of rows.values()) oldest = Math.min(oldest, touch.at);
  const former = await session.former(oldest);
  const clock: FoldClock = {
    node: session.node,
    incarnation: session.incarnation,
    ...(former && { former }),
    now: session.now,
    clock: session.clock,
  };
  const rewrites: {
    readonly key: readonly string[];
    readonly raw: readonly unknown[];
    readonly values: Record<string, Json>;
  }[] = [];
  const shown: Json[][] = [];
  let folded = 0;
  const around = neighboursOf(tables, table);
  const linked = isLinked(around);
  let moved = false;

  const unadopted = known.length < rows.size && (await mayHaveUnadopted(session, table));
  const fold = ({ touch, raw, pk }: Touched, writes: ShadowWrites) => {
    const stored = table.stored(raw, at.shadow);
    const row = stored && table.decode(stored, cells.get(stored.id), session.names);
    if (unadopted && !row) touch.existed = existedBefore(touch.ops, Number(raw[at.present]) === 1);
    const base = Number(raw[at.present]) === 1 ? readBaseRow(table, raw) : null;
    if (linked) {
      const touched = decideTouched(around, pk, touch);
      if (touched) session.touch(touched);
      moved ||= leavesKey(around, touch, row !== null);
    }
    const hidden = wasHidden(row, touch, base !== null, () => parked.has(keyText(pk)));
    const changes = decideFold(table.model, row, touch, base, hidden, clock, session.next);
    if (!changes) return;
    const key = raw.slice(at.key, at.key + table.model.key.length) as string[];
    if (changes.base.op === "update") rewrites.push({ key, raw, values: changes.base.values as Record<string, Json> });
    const news = changes.row.seq === session.next;
    if (news) {
      session.history?.wrote(session.next, touch.at);
      session.take();
      folded++;
    }
    if (news || changes.cells.length > 0) writes.add(key, changes);
    if (hidden) shown.push(pk);
  };
  const decide = (slice: readonly Touched[]) => {
    const writes = new ShadowWrites(session, table);
    for (const touched of slice) fold(touched, writes);
    return writes;
  };
  await inSlices([...rows.values()], SLICE, decide, (writes) => writes.flush());
  session.clock = clock.clock;
  for (const { key, raw, values } of rewrites) await rewrite(session, table, key, raw, values);
  await unpark(session, table, shown);
  if (moved) await touchDangling(session, tables, table);
  return { folded, drained };
}

/**
 * Gives set columns the order that their entries have. Only where they still hold what was read and nobody holds the row:
 * a fold never waits for the application and never overwrites what it has not seen.
 */
async function rewrite(
  session: Session,
  table: Table,
  key: readonly string[],
  raw: readonly unknown[],
  values: Readonly<Record<string, Json>>,
): Promise<void> {
  const fields = table.multi.filter(({ name }) => Object.hasOwn(values, name));
  const params = fields.flatMap((field) => [
    fieldParam(field, values[field.name] as Json),
    raw[table.logAt.multi + table.multi.indexOf(field)] as string,
  ]);
  await session.rows(table.rewriteBase(fields), [...key, ...params]);
}
