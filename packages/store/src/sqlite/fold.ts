// Fold on SQLite: read the oldest log rows with what base table and shadow have now, decide, write, drain.
import { decideFold, type FoldClock, isAlive, type Json, type Touch } from "@grove-crdt/core";
import { applyBase, applyShadow } from "./apply";
import type { RawRow, Statements } from "./driver";
import { isParked, unpark } from "./parking";
import { project } from "./projection";
import { readCells } from "./read";
import type { Session } from "./session";
import { keyText, parseSet, type Table } from "./table";

/** Log rows that one pass folds: bounds memory and how long the event loop is held. */
export const LOG_ROWS_PER_PASS = 5_000;

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

function collect(session: Session, table: Table): { rows: Map<string, Touched>; drained: boolean; last: number } {
  const at = table.logAt;
  const raws = session.statements.rows(table.readLog, LOG_ROWS_PER_PASS);
  const rows = new Map<string, Touched>();
  for (const raw of raws) {
    const pk = table.pk(raw, at.key);
    const key = keyText(pk);
    let touched = rows.get(key);
    if (!touched) {
      touched = {
        touch: { at: 0, inserted: false, deleted: false, masks: table.masks.map(() => 0), before: null },
        raw,
        pk,
      };
      rows.set(key, touched);
    }
    const { touch } = touched;
    const op = raw[2] as string;
    touch.at = Math.max(touch.at, raw[1] as number);
    if (op === "I") touch.inserted = true;
    else if (op === "D") {
      touch.deleted = true;
      // What a field was before belongs to the life that has ended.
      touch.before = null;
    }
    // A row that a REPLACE may have removed: gone means deleted, still there means nothing happened.
    else if (op === "R") touch.deleted ||= raw[at.present] === 0;
    for (let n = 0; n < touch.masks.length; n++) {
      const mask = raw[at.mask + n];
      if (mask !== null) touch.masks[n] = union(touch.masks[n] as number, mask as number);
    }
    const before = raw[at.before];
    // The first captured write of a field tells what it was before.
    if (before !== null) touch.before = { ...(JSON.parse(before as string) as Record<string, Json>), ...touch.before };
  }
  const last = raws.length > 0 ? (raws[raws.length - 1]![0] as number) : 0;
  return { rows, drained: raws.length < LOG_ROWS_PER_PASS, last };
}

/** Bitwise or of masks of up to 52 bits: the operator alone has 32. */
const HIGH = 2 ** 26;
const union = (a: number, b: number): number =>
  a === b ? a : (Math.floor(a / HIGH) | Math.floor(b / HIGH)) * HIGH + ((a % HIGH) | (b % HIGH));

/** Folds one pass of one table. Returns how many rows said something new, and whether the log is empty now. */
export function foldTable(session: Session, table: Table): { folded: number; drained: boolean } {
  const { rows, drained, last } = collect(session, table);
  const at = table.logAt;
  const ids: number[] = [];
  for (const { raw } of rows.values()) if (raw[at.shadow] !== null) ids.push(raw[at.shadow] as number);
  const cells = readCells(session.statements, table, ids);
  const clock: FoldClock = {
    node: session.node,
    incarnation: session.incarnation,
    now: session.now,
    clock: session.clock,
  };
  let folded = 0;

  for (const { touch, raw, pk } of rows.values()) {
    const stored = table.stored(raw, at.shadow);
    const row = stored && table.decode(stored, cells.get(stored.id), session.names);
    let base: { values: Record<string, Json>; texts?: Record<string, string> } | null = null;
    if (raw[at.present] === 1) {
      base = { values: {} };
      for (let n = 0; n < table.multi.length; n++) {
        const { name, type } = table.multi[n]!;
        const value = raw[at.multi + n];
        if (type === "set") {
          base.values[name] = parseSet(value);
          base.texts ??= {};
          base.texts[name] = value as string;
        } else base.values[name] = value as Json;
      }
    }
    const living = row !== null && isAlive(row);
    const hidden = living && (base ? touch.inserted && isParked(session, table, pk) : !touch.deleted);
    const changes = decideFold(table.model, row, touch, base, hidden, clock, session.next);
    if (!changes) continue;
    const key = raw.slice(at.key, at.key + table.model.key.length);
    applyBase(session, table, key, changes.base);
    if (changes.row.seq === session.next) {
      session.take();
      applyShadow(session, table, key, changes);
      folded++;
    }
    if (hidden) unpark(session, table, pk);
  }
  session.clock = clock.clock;
  if (drained) session.statements.run(`DELETE FROM ${table.log}`);
  else session.statements.run(`DELETE FROM ${table.log} WHERE seq <= ?`, last);
  // What was written here may have made room for a parked row, or taken a key that one claims.
  if (folded > 0) project(session, table);
  return { folded, drained };
}
