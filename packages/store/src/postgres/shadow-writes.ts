// Writes decided rows to the shadow: shadow rows and cells, each kind by one statement for many rows.
import { type ChangeSet, encodeCell, encodeRow, type StoredCell } from "@grove-crdt/core";
import type { Session } from "./session";
import { type Item, numbers, toParams } from "./sql";
import type { Table } from "./table";

type Cell = Omit<StoredCell, "id">;

/** Whether the shadow has nothing of the row; it is then numbered once. */
export const isFresh = ({ row }: ChangeSet): boolean => row.id === 0 && row.born === row.seq;

/** The shadow's part of many change sets, at most one for each row; written by {@link flush}. */
export class ShadowWrites {
  readonly #rows: Item[][] = [];
  /** Rows that the shadow does not have. */
  readonly #fresh: Item[][] = [];
  readonly #clears: number[] = [];
  readonly #deletes: number[] = [];
  readonly #updates: Item[][] = [];
  readonly #inserts: Cell[] = [];
  constructor(
    private readonly session: Session,
    private readonly table: Table,
  ) {}

  add(key: readonly string[], changes: ChangeSet): void {
    const { row } = changes;
    if (isFresh(changes)) this.#fresh.push(this.fresh(key, changes));
    else {
      const { cl, hlc, node, born, via, shape, clocks, seq } = encodeRow(row, this.session.names);
      const id = row.id === 0 ? row.seq : row.id;
      this.#rows.push([...key, id, cl, hlc, node, born, via, shape, clocks, seq]);
    }
    this.addCells(changes);
  }

  /** Parameters of a row that the shadow does not have, for who writes it together with the user's. */
  fresh(key: readonly string[], { row }: ChangeSet): Item[] {
    const { cl, hlc, node, via, shape, clocks } = encodeRow(row, this.session.names);
    return [...key, row.seq, cl, hlc, node, via, shape, clocks];
  }

  addCells({ row, clearCells, cells, deletes }: ChangeSet): void {
    if (!clearCells && cells.length + deletes.length === 0) return;
    const { names } = this.session;
    const id = row.id === 0 ? row.seq : row.id;
    if (clearCells) this.#clears.push(id);
    this.#deletes.push(...deletes);
    for (const { field, type, entry } of cells) {
      const cell = encodeCell(this.table.model, id, field, type, entry, names);
      if (entry.cell === undefined || clearCells) this.#inserts.push(cell);
      else this.#updates.push([entry.cell, cell.node, cell.hlc, cell.state, cell.seq, cell.via]);
    }
  }

  /** In one go where the driver sends statements ahead of the answers; the database runs them in order. */
  async flush(): Promise<void> {
    const { session, table } = this;
    const running: Promise<unknown>[] = [];
    const run = (text: string, params: readonly string[]) => running.push(session.rows(text, params));
    if (this.#clears.length > 0) run(table.clearCells, [numbers(this.#clears)]);
    if (this.#deletes.length > 0) run(table.deleteCells, [numbers(this.#deletes)]);
    if (this.#updates.length > 0) run(table.updateCells, toParams(6, this.#updates));
    if (this.#inserts.length > 0) {
      const rows = this.#inserts.map((c) => [c.row, c.field, c.key, c.node, c.hlc, c.state, c.seq, c.via]);
      run(table.insertCells, toParams(8, rows));
    }
    if (this.#fresh.length > 0) run(table.insertShadow, toParams(table.model.key.length + 7, this.#fresh));
    if (this.#rows.length > 0) run(table.upsertShadow, toParams(table.model.key.length + 9, this.#rows));
    await Promise.all(running);
  }
}
