// Restamping: what was written while the node's clock was ahead gets stamps of the time at which that is noticed. No peer has taken
// such a stamp, so to them these writes are made now; among themselves they keep their order. Where others wrote ahead of this
// clock as well, or took what was, it may be this clock that is behind now: then nothing is touched.
import type { CellWrite, ChangeSet } from "./changeset";
import { NO_BASE_WRITE } from "./changeset";
import { decodeCursor } from "./cursor";
import { sameEnds } from "./ends";
import type { ClockReading, Entry } from "./entry";
import type { FieldState, Row } from "./row";
import { crdtTypes } from "./types/index";

/**
 * The row with other clock readings wherever it has one, numbered anew where one changes; values stay as they are.
 *
 * @returns null when none changes
 */
export function restampRow(row: Row, read: ClockReading, seq: number): ChangeSet | null {
  const fields = new Map<string, FieldState>();
  const cells: CellWrite[] = [];
  const deletes: number[] = [];
  const hlc = read(row.hlc, row.node);
  const movesLife = hlc !== row.hlc;
  // They were written in the name of whoever deleted the row, which is not kept: a false stamp was none but one's own.
  const ends = row.ends?.map((end) => (end === null ? null : read(end, row.node)));
  const endsMove = !sameEnds(ends, row.ends);
  let moves = movesLife || endsMove;
  for (const [field, { type, entries }] of row.fields) {
    const after = entries.map((entry): Entry => {
      const restamped = crdtTypes[type].restamp(entry, read);
      if (restamped === entry) return entry;
      moves = true;
      const renamed = restamped.key !== entry.key && entry.cell !== undefined;
      if (renamed) deletes.push(entry.cell as number);
      const own = { ...restamped, seq, via: null, ...(renamed && { cell: undefined }) };
      // A register whose value stands in the base table has its clock in the row.
      if (type !== "lww" || own.cell !== undefined) cells.push({ field, type, entry: own });
      return own;
    });
    fields.set(field, { type, entries: after });
  }
  if (!moves) return null;
  const life = movesLife || endsMove ? { hlc, ...(ends && { ends }), born: seq, via: null } : {};
  return { row: { ...row, ...life, seq, fields }, clearCells: false, cells, deletes, base: NO_BASE_WRITE };
}

export interface Suspicion {
  /** Greatest stamp that is no false one, microseconds since 1970. */
  readonly horizon: number;
  /** Physical time. */
  readonly now: number;
  /** The node's own id, and those that it had. */
  readonly own: ReadonlySet<string>;
  /** Some peer has taken what is numbered at most this. */
  readonly acknowledged: number;
}

/** Stamps beyond a bound, and those that come in their place: later than every other stamp, in the same order. */
export class FalseStamps {
  readonly #found = new Set<number>();
  #latest: number;
  #shared = false;
  constructor(private readonly suspicion: Suspicion) {
    this.#latest = suspicion.now;
  }

  /** Looks at all that a row has. */
  note(row: Row): void {
    const { horizon, own, acknowledged } = this.suspicion;
    const note: ClockReading = (hlc, node) => {
      if (hlc > horizon) {
        this.#found.add(hlc);
        this.#shared ||= !own.has(node) || row.seq <= acknowledged;
      } else if (hlc > this.#latest) this.#latest = hlc;
      return hlc;
    };
    restampRow(row, note, 0);
  }

  /** What to read for each stamp, and the greatest one that is read then; null where others know of such stamps. */
  mend(): { readonly read: ClockReading; readonly latest: number } | null {
    if (this.#shared) return null;
    const first = this.#latest + 1;
    const sorted = [...this.#found].sort((a, b) => a - b);
    const places = new Map(sorted.map((hlc, n) => [hlc, first + n]));
    return { read: (hlc) => places.get(hlc) ?? hlc, latest: this.#latest + sorted.length };
  }
}

/** The number up to which some peer has acknowledged a node's rows, by the node's cursors for what it pushes. */
export const acknowledgedUpTo = (pushCursors: readonly string[]): number =>
  Math.max(0, ...pushCursors.map((cursor) => decodeCursor(cursor).position));
