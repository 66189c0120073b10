// Restamping: what was written while the node's clock was ahead gets stamps of the time at which that is noticed. No peer whose clock
// is right has taken such a stamp, so to them these writes are made now; among themselves they keep their order.
import type { CellWrite, ChangeSet } from "./changeset";
import { NO_BASE_WRITE } from "./changeset";
import type { Entry } from "./entry";
import type { FieldState, Row } from "./row";
import { crdtTypes } from "./types/index";

/**
 * The row with other clock readings wherever it has one, numbered anew where one changes; values stay as they are.
 *
 * @returns null when none changes
 */
export function restampRow(row: Row, read: (hlc: number) => number, seq: number): ChangeSet | null {
  const fields = new Map<string, FieldState>();
  const cells: CellWrite[] = [];
  const deletes: number[] = [];
  const hlc = read(row.hlc);
  const movesLife = hlc !== row.hlc;
  let moves = movesLife;
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
  const life = movesLife ? { hlc, born: seq, via: null } : {};
  return { row: { ...row, ...life, seq, fields }, clearCells: false, cells, deletes, base: NO_BASE_WRITE };
}

/** Stamps beyond a bound, and those that come in their place: later than every other stamp, in the same order. */
export class FalseStamps {
  readonly #found = new Set<number>();
  #latest: number;
  /**
   * @param horizon greatest stamp that is no false one, microseconds since 1970
   * @param now physical time
   */
  constructor(
    private readonly horizon: number,
    now: number,
  ) {
    this.#latest = now;
  }

  /** Looks at all that a row has. */
  note(row: Row): void {
    restampRow(row, this.#note, 0);
  }
  #note = (hlc: number): number => {
    if (hlc > this.horizon) this.#found.add(hlc);
    else if (hlc > this.#latest) this.#latest = hlc;
    return hlc;
  };

  /** What to read for each stamp, and the greatest one that is read then. */
  mend(): { readonly read: (hlc: number) => number; readonly latest: number } {
    const first = this.#latest + 1;
    const sorted = [...this.#found].sort((a, b) => a - b);
    const places = new Map(sorted.map((hlc, n) => [hlc, first + n]));
    return { read: (hlc) => places.get(hlc) ?? hlc, latest: this.#latest + sorted.length };
  }
}
