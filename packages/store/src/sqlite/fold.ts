// Fold on SQLite: read the oldest log rows with what base table and shadow have now, decide, write, drain.
import {
  addLogRow,
  decideFold,
  decideTouched,
  existedBefore,
  type FoldClock,
  isLinked,
  isNested,
  type Json,
  leavesKey,
  nestedValue,
  noTouch,
  parseSound,
  type Touch,
  wasHidden,
} from "@grove-crdt/core";
import { keyText } from "../key";
import { neighboursOf } from "../tables";
import { type TouchedShadow, touchedCells } from "../touched-cells";
import { mayHaveUnadopted } from "./adoption";
import { applyBase, applyShadow } from "./apply";
import { type RawRow, type Statements, toSafe } from "./driver";
import { isParked, unpark } from "./parking";
import { type Tables, touchDangling } from "./projection";
import { readTouchedCells } from "./read";
import type { Session } from "./session";
import { parseNested, type Table } from "./table";
import { toJson } from "./values";

/** Log rows that one pass folds: bounds memory and how long the event loop is held. */
export const LOG_ROWS_PER_PASS = 1_000;

interface Touched {
  readonly touch: Touch;
  readonly raw: RawRow;
  readonly pk: Json[];
}

/** Tables of the list with a captured write waiting. Microseconds, however many tables. */
export function pendingTables(statements: Statements, tables: readonly Table[], probe: string): Table[] {
  const flags = statements.row(probe) ?? [];
  return tables.filter((_, n) => flags[n] === 1);
}

export const pendingProbe = (tables: readonly Table[]): string =>
  `SELECT ${tables.map((table) => `EXISTS (SELECT 1 FROM ${table.log})`).join(", ")}`;

/** Whether any of that waits, and the last number: some microseconds. */
export const activityProbe = (tables: readonly Table[]): string =>
  `SELECT ${tables.map((table) => `EXISTS (SELECT 1 FROM ${table.log})`).join(" OR ")}, seq FROM _grove_node WHERE id = 1`;

function collect(session: Session, table: Table): { rows: Map<string, Touched>; drained: boolean; last: number } {
  const at = table.logAt;
  const raws = session.statements.rows(table.readLog, LOG_ROWS_PER_PASS);
  const rows = new Map<string, Touched>();
  for (const raw of raws) {
    const pk = table.pk(raw, at.key);
    const key = keyText(pk);
    const touched = rows.get(key) ?? { touch: noTouch(table.masks.length), raw, pk };
    rows.set(key, touched);
    const [, time, op] = raw as [number, number, string];
    const masks = raw.slice(at.mask, at.mask + table.masks.length) as (number | null)[];
    const before = readBefore(table, op, raw[at.before] as string | null);
    addLogRow(touched.touch, { op, at: time, masks, before }, raw[at.present] === 1);
  }
  const last = raws.length > 0 ? (raws[raws.length - 1]![0] as number) : 0;
  return { rows, drained: raws.length < LOG_ROWS_PER_PASS, last };
}

/** Canonical values of what a trigger logged: an update's have their canonical form already. */
function readBefore(table: Table, op: string, text: string | null): Record<string, Json> | null {
  if (text === null) return null;
  const logged = parseSound(text) as Record<string, Json>;
  const values: Record<string, Json> = {};
  for (const [name, old] of Object.entries(logged)) {
    const field = table.field(name);
    if (!field) continue;
    if (op === "U") {
      values[name] = isNested(field.type) ? nestedValue(field.type, old) : old;
      continue;
    }
    const value = fromLogged(old as string);
    if (field.type === "counter") values[name] = String(value);
    else values[name] = isNested(field.type) ? parseNested(field.type, value) : toJson(field, value);
  }
  return values;
}

/** A value as the delete trigger writes it: `t` and hexadecimal text, `b` and hexadecimal bytes, or a number. */
function fromLogged(text: string): unknown {
  if (text === "NULL") return null;
  const bytes = () => Buffer.from(text.slice(1), "hex");
  if (text.startsWith("t")) return bytes().toString("utf8");
  if (text.startsWith("b")) return bytes();
  return /^-?\d+$/.test(text) ? toSafe(BigInt(text)) : Number(text);
}

/**
 * Folds one pass of one table. Returns how many rows said something new, and whether the log is empty now. What it leaves
 * to the projection must be projected in the same transaction, once the logs of all tables are empty: until then a child
 * may be folded and its parent not.
 */
export function foldTable(session: Session, tables: Tables, table: Table): { folded: number; drained: boolean } {
  const { rows, drained, last } = collect(session, table);
  const at = table.logAt;
  const known: TouchedShadow[] = [];
  for (const { touch, raw } of rows.values()) {
    const stored = table.stored(raw, at.shadow);
    if (stored) known.push({ touch, present: raw[at.present] === 1, id: stored.id, cl: stored.cl });
  }
  const cells = readTouchedCells(session.statements, table, touchedCells(table.model, table.multi, known));
  let oldest = Number.POSITIVE_INFINITY;
  for (const { touch } of rows.values()) oldest = Math.min(oldest, touch.at);
  const former = session.former(oldest);
  const clock: FoldClock = {
    node: session.node,
    incarnation: session.incarnation,
    ...(former && { former }),
    now: session.now,
    clock: session.clock,
  };
  let folded = 0;
  const around = neighboursOf(tables, table);
  const linked = isLinked(around);
  let moved = false;

  const unadopted = known.length < rows.size && mayHaveUnadopted(session.statements, table);
  for (const { touch, raw, pk } of rows.values()) {
    const stored = table.stored(raw, at.shadow);
    const row = stored && table.decode(stored, cells.get(stored.id), session.names);
    if (unadopted && !row) touch.existed = existedBefore(touch.ops, raw[at.present] === 1);
    let base: { values: Record<string, Json>; texts?: Record<string, string> } | null = null;
    if (raw[at.present] === 1) {
      base = { values: {} };
      for (let n = 0; n < table.multi.length; n++) {
        const { name, type } = table.multi[n]!;
        const value = raw[at.multi + n];
        if (isNested(type)) {
          base.values[name] = parseNested(type, value);
          base.texts ??= {};
          base.texts[name] = value as string;
        } else base.values[name] = value as Json;
      }
    }
    if (linked) {
      const touched = decideTouched(around, pk, touch);
      if (touched) session.touch(touched);
      moved ||= leavesKey(around, touch, row !== null);
    }
    const hidden = wasHidden(row, touch, base !== null, () => isParked(session, table, pk));
    const changes = decideFold(table.model, row, touch, base, hidden, clock, session.next);
    if (!changes) continue;
    const key = raw.slice(at.key, at.key + table.model.key.length);
    applyBase(session, table, key, changes.base);
    const news = changes.row.seq === session.next;
    if (news) session.history?.wrote(session.next, touch.at);
    if (news) session.take();
    if (news) folded++;
    if (news || changes.cells.length > 0) applyShadow(session, table, key, changes);
    if (hidden) unpark(session, table, pk);
  }
  session.clock = clock.clock;
  if (drained) session.statements.run(`DELETE FROM ${table.log}`);
  else session.statements.run(`DELETE FROM ${table.log} WHERE seq <= ?`, last);
  if (moved) touchDangling(session, tables, table);
  return { folded, drained };
}
