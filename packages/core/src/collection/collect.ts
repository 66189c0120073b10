// What a collection makes of a row: what every member of the round knows to be dead is forgotten, and nothing else is changed.
// Merging collected states gives what collecting the merged state gives, as long as all know what is stamped up to the round's stamp.
import { type ChangeSet, NO_BASE_WRITE } from "../changeset";
import { type Ends, endsOf, type Mortal } from "../ends";
import { type Entry, UNNUMBERED } from "../entry";
import type { FieldModel, TableModel } from "../model";
import type { FieldState, Row } from "../row";
import { RESERVED_NODE } from "../stamp";
import type { Round, Verdict } from "./round";

/** The incarnation under which totals stand together that nobody adds to any more. */
export const CLOSED = "closed";

/**
 * The columns of which something can be collected; null = nothing of the table, since its deleted rows may have to be shown again.
 *
 * Counters alone: the removal of a set's element says which adds were seen, and not when, so nobody can tell that all have heard of
 * it; a list's deleted positions hold the places of others; and what a document's deletion hides would show again without it.
 */
export function collectable({ keepsDeleted, fields }: TableModel): readonly string[] | null {
  return keepsDeleted ? null : fields.flatMap(({ name, type }) => (type === "counter" ? [name] : []));
}

/**
 * What is left of a row's lives once those that ended up to a stamp are forgotten.
 *
 * @returns null when it is to be forgotten whole; the row itself when nothing changes
 */
export function collectLives<Row extends Mortal>(row: Row, upTo: number): Pick<Mortal, "cl" | "ends"> | null {
  const ends = endsOf(row);
  const old = ends.findLastIndex((end) => end !== null && end <= upTo);
  if (old < 0) return row;
  const rest: Ends = ends.slice(old + 1);
  const cl = 2 * rest.length + (row.cl % 2);
  if (cl === 0) return null;
  const isPlain = rest.every((end) => end === null) || (cl === 2 && rest[0] === row.hlc);
  return isPlain ? { cl } : { cl, ends: rest };
}

/**
 * Whether nobody will ever add to these totals again, and everybody has all of them: those of a member from before it closed. Of a
 * node that was struck off nobody knows whether there is more.
 */
function isClosed({ key, node, hlc }: Entry, closings: Verdict["closings"]): boolean {
  if (key === "") return false;
  if (node === RESERVED_NODE) return key === CLOSED;
  const closing = closings.find(([member]) => member === node);
  return closing !== undefined && key !== closing[1] && hlc <= closing[2];
}

function collectTotals(entries: readonly Entry[], closings: Verdict["closings"]): readonly Entry[] {
  const closed = entries.filter((entry) => isClosed(entry, closings));
  if (closed.length === 0 || (closed.length === 1 && closed[0]?.node === RESERVED_NODE)) return entries;
  let [up, down] = [0n, 0n];
  for (const { state } of closed) {
    const [more, less] = state as [string, string];
    up += BigInt(more);
    down += BigInt(less);
  }
  const sum: Entry = {
    key: CLOSED,
    node: RESERVED_NODE,
    hlc: Math.max(...closed.map(({ hlc }) => hlc)),
    state: [String(up), String(down)],
    seq: Math.max(UNNUMBERED, ...closed.map(({ seq }) => seq)),
    via: null,
    cell: closed.find(({ node }) => node === RESERVED_NODE)?.cell,
  };
  return [...entries.filter((entry) => !closed.includes(entry)), sum];
}

/** The entries that are left of a field; the very same array when all are. */
export function collectField(
  type: FieldModel["type"],
  entries: readonly Entry[],
  { verdict }: Pick<Round, "verdict">,
): readonly Entry[] {
  return type === "counter" ? collectTotals(entries, verdict?.closings ?? []) : entries;
}

/**
 * What becomes of a row in a collection. Its numbers stay: every member does the same, so it is no news to anybody.
 *
 * @returns null when nothing does; `forgotten` when nothing is left of it
 */
export function collectRow(model: TableModel, row: Row, round: Round): ChangeSet | "forgotten" | null {
  const collected = round.verdict?.tables.find(([table]) => table === model.name)?.[1];
  if (!collected) return null;
  const lives = collectLives(row, round.upTo);
  if (!lives) return "forgotten";
  const cells: ChangeSet["cells"][number][] = [];
  const deletes: number[] = [];
  const fields = new Map<string, FieldState>(row.fields);
  for (const [field, { type, entries }] of row.fields) {
    const left = collected.includes(field) ? collectField(type, entries, round) : entries;
    if (left === entries) continue;
    fields.set(field, { type, entries: left });
    const kept = new Set(left.map(({ cell }) => cell));
    for (const { cell } of entries) if (cell !== undefined && !kept.has(cell)) deletes.push(cell);
    for (const entry of left) if (!entries.includes(entry)) cells.push({ field, type, entry });
  }
  if (lives === row && cells.length === 0) return null;
  const { ends: _, ...rest } = row;
  const after: Row = { ...rest, cl: lives.cl, ...(lives.ends && { ends: lives.ends }), fields };
  return { row: after, clearCells: false, cells, deletes, base: NO_BASE_WRITE };
}
