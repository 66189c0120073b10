// Digests: the hash trees of a node's tables, as one reader may see them, and the rows in a leaf. Made by reading every row once; the
// further questions of a comparison are answered from the same trees.
import {
  fingerprints,
  HashTree,
  type Json,
  leafOf,
  narrow,
  type Position,
  type RowChange,
  START_FULL,
  stateSum,
  type TableView,
  type View,
} from "@grove-crdt/core";
import type { Store } from "@grove-crdt/store";

/** Trees that are kept: few compare at a time. */
const MOST_KEPT = 8;

const ROWS_PER_PAGE = 1_000;
const BYTES_PER_PAGE = 1024 * 1024;

/** By table, each row's key and the sum of its state. */
type RowSums = Map<string, [pk: readonly Json[], sum: string][]>;

interface Kept {
  readonly at: Position;
  readonly trees: ReadonlyMap<string, HashTree>;
}

/** Lets others have their turn: every row of a table may take seconds. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

export class Digests {
  readonly #kept = new Map<string, Kept>();
  /** Whoever asks waits for those before: one after the other, they read all rows. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param self the node's own id: nobody else's rows are left out for it */
  constructor(
    private readonly store: Store,
    private readonly self: () => string,
  ) {}

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Every row whole, in pages. */
  async *#states(tables: readonly string[], view: View, signal?: AbortSignal): AsyncGenerator<readonly RowChange[]> {
    let cursor = START_FULL;
    for (let more = tables.length > 0; more; ) {
      signal?.throwIfAborted();
      const query = { cursor, tables, view, peer: this.self(), rows: ROWS_PER_PAGE, bytes: BYTES_PER_PAGE };
      const page = await this.store.serve(query);
      yield page.rows;
      ({ cursor, more } = page);
      if (more) await turn();
    }
  }

  /** @param kept whether trees will do that were made before, if nothing has been written since */
  trees(
    tables: readonly string[],
    view: View,
    { kept = false, signal }: { readonly kept?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ReadonlyMap<string, HashTree>> {
    return this.#inTurn(() => this.#trees(tables, view, kept, signal));
  }
  async #trees(
    tables: readonly string[],
    view: View,
    mayBeKept: boolean,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, HashTree>> {
    await this.store.fold();
    const at = await this.store.position();
    const key = JSON.stringify([[...tables].sort(), fingerprints(view, [...tables].sort())]);
    const kept = mayBeKept ? this.#kept.get(key) : undefined;
    if (kept && kept.at.seq === at.seq && kept.at.incarnation === at.incarnation) return kept.trees;
    const trees = new Map(tables.map((table) => [table, new HashTree()]));
    for await (const rows of this.#states(tables, view, signal)) for (const row of rows) trees.get(row.table)?.add(row);
    this.#kept.delete(key);
    this.#kept.set(key, { at, trees });
    for (const oldest of this.#kept.keys()) if (this.#kept.size > MOST_KEPT) this.#kept.delete(oldest);
    return trees;
  }

  /** The rows in some leaves of each table, with the sums of their states. */
  rows(leaves: ReadonlyMap<string, ReadonlySet<string>>, view: View, signal?: AbortSignal): Promise<RowSums> {
    return this.#inTurn(() => this.#rows(leaves, view, signal));
  }
  async #rows(leaves: ReadonlyMap<string, ReadonlySet<string>>, view: View, signal?: AbortSignal): Promise<RowSums> {
    const found = new Map([...leaves.keys()].map((table) => [table, [] as [readonly Json[], string][]]));
    for await (const rows of this.#states([...leaves.keys()], view, signal))
      for (const row of rows)
        if (leaves.get(row.table)?.has(leafOf(row.pk))) found.get(row.table)?.push([row.pk, stateSum(row)]);
    return found;
  }
}

/** The columns that a reader sees of each table of which it does not see all. */
export const seenFields = (view: View, tables: readonly string[]): Record<string, string[]> =>
  Object.fromEntries(
    tables.flatMap((table) => {
      const fields = view.get(table)?.fields;
      return fields ? [[table, [...fields]]] : [];
    }),
  );

/** A view of one's own, with no more columns than the other side shows. */
export const withFields = (view: View, fields: Readonly<Record<string, readonly string[]>>): View =>
  narrow(
    view,
    new Map(Object.entries(fields).map(([table, names]): [string, TableView] => [table, { fields: new Set(names) }])),
  );
