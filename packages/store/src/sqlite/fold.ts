// Fold on SQLite: read the oldest log rows with what base table and shadow have now, decide, write, drain.
import {
  decideFold,
  existedBefore,
  type FoldClock,
  isAlive,
  type Json,
  type Touch,
  touchedFields,
} from "@grove-crdt/core";
import { mayHaveUnadopted } from "./adoption";
import { applyBase, applyShadow } from "./apply";
import type { RawRow, Statements } from "./driver";
import { isParked, unpark } from "./parking";
import { isLinked, linksOf, type Tables, touchDangling } from "./projection";
import { readCells } from "./read";
import type { Session } from "./session";
import { keyText, parseSet, type Table } from "./table";

/** Log rows that one pass folds: bounds memory and how long the event loop is held. */
export const LOG_ROWS_PER_PASS = 5_000;

interface Touched {
  readonly touch: Touch;
  readonly raw: RawRow;
  readonly pk: Json[];
  /** The log's ops, oldest first. */
  ops: string;
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
        ops: "",
      };
      rows.set(key, touched);
    }
    const { touch } = touched;
    const op = raw[2] as string;
    touched.ops += op;
    touch.at = Math.max(touch.at, raw[1] as number);
    const before = raw[at.before] as string | null;
    if (op === "I") touch.inserted = true;
    // A row that a REPLACE may have removed: gone means deleted, still there means nothing happened.
    else if (op === "D" || (op === "R" && raw[at.present] === 0)) {
      touch.deleted = true;
      if (before !== null) touch.old = { values: table.oldValues(before), before: touch.before };
      // What a field was before belongs to the life that has ended.
      touch.before = null;
    }
    for (let n = 0; n < touch.masks.length; n++) {
      const mask = raw[at.mask + n];
      if (mask !== null) touch.masks[n] = union(touch.masks[n] as number, mask as number);
    }
    // The first captured write of a field tells what it was before.
    if (op === "U" && before !== null)
      touch.before = { ...(JSON.parse(before) as Record<string, Json>), ...touch.before };
  }
  const last = raws.length > 0 ? (raws[raws.length - 1]![0] as number) : 0;
  return { rows, drained: raws.length < LOG_ROWS_PER_PASS, last };
}

/** Bitwise or of masks of up to 52 bits: the operator alone has 32. */
const HIGH = 2 ** 26;
const union = (a: number, b: number): number =>
  a === b ? a : (Math.floor(a / HIGH) | Math.floor(b / HIGH)) * HIGH + ((a % HIGH) | (b % HIGH));

/** What is known of a row that went: at least its key, under which others may refer to it. */
function beforeDelete(table: Table, pk: readonly Json[], { deleted, old }: Touch): Record<string, Json> | undefined {
  if (!deleted) return undefined;
  const key = table.model.key.map(({ name }, n): [string, Json] => [name, pk[n] as Json]);
  return { ...Object.fromEntries(key), ...old?.values };
}

/**
 * Folds one pass of one table. Returns how many rows said something new, and whether the log is empty now. What it leaves
 * to the projection must be projected in the same transaction, once the logs of all tables are empty: until then a child
 * may be folded and its parent not.
 */
export function foldTable(session: Session, tables: Tables, table: Table): { folded: number; drained: boolean } {
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
  const linked = isLinked(tables, table);
  const around = linksOf(tables).get(table.model.name);
  const referenced = new Set(around?.referenced.flatMap((place) => table.model.uniques[place] ?? []));
  let moved = false;

  const unadopted = ids.length < rows.size && mayHaveUnadopted(session.statements, table);
  for (const { touch, raw, pk, ops } of rows.values()) {
    const stored = table.stored(raw, at.shadow);
    const row = stored && table.decode(stored, cells.get(stored.id), session.names);
    if (unadopted && !row) touch.existed = existedBefore(ops, raw[at.present] === 1);
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
    if (linked) {
      const changed = (names: ReadonlySet<string>) =>
        touch.inserted || touch.deleted || touchedFields(table.model, touch).some(({ name }) => names.has(name));
      if (changed(around?.structural ?? referenced))
        session.touch({ table: table.model.name, pk, before: beforeDelete(table, pk, touch) });
      moved ||= referenced.size > 0 && !(touch.inserted && !row) && changed(referenced);
    }
    const living = row !== null && isAlive(row);
    const hidden = living && (base ? touch.inserted && isParked(session, table, pk) : !touch.deleted);
    const changes = decideFold(table.model, row, touch, base, hidden, clock, session.next);
    if (!changes) continue;
    const key = raw.slice(at.key, at.key + table.model.key.length);
    applyBase(session, table, key, changes.base);
    const news = changes.row.seq === session.next;
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
