// Digests: the hash trees of a node's tables, as one reader may see them, and the rows in a leaf. What is seen whole is answered from
// trees that the database keeps; of what is seen in part every row is read once, and the further questions of a comparison are
// answered from the same trees.
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
import type { Paths, Store } from "@grove-crdt/store";

/** Trees that are kept: few compare at a time. */
const MOST_KEPT = 8;

const ROWS_PER_PAGE = 1_000;
const BYTES_PER_PAGE = 1024 * 1024;

/** A table's tree of hashes. */
export interface Tree {
  /** Rows that are in it, deleted ones included. */
  readonly rows: number;
  /** The sums below these paths, by path. */
  below(paths: Paths): Promise<Readonly<Record<string, string>>>;
}

/** By table, each row's key and the sum of its state. */
type RowSums = ReadonlyMap<string, readonly (readonly [pk: readonly Json[], sum: string])[]>;

/** By table, the leaves whose rows are asked for. */
type Leaves = ReadonlyMap<string, ReadonlySet<string>>;

interface Kept {
  readonly at: Position;
  readonly trees: ReadonlyMap<string, HashTree>;
}

export interface DigestsOptions {
  /** Trees will do that were made before, if nothing has been written since. */
  readonly kept?: boolean;
  /** Every row is read, whatever the database keeps. */
  readonly recount?: boolean;
  readonly signal?: AbortSignal;
}

/** Lets others have their turn: every row of a table may take seconds. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

const counted = (tree: HashTree): Tree => ({
  rows: tree.rows,
  below: async (paths) => Object.assign({}, ...paths.map((path) => tree.below(path))) as Record<string, string>,
});

export class Digests {
  readonly #kept = new Map<string, Kept>();
  /** Whoever asks waits for those before: one after the other, they read many rows. */
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

  /** The trees of the tables as they are now, or as they were when they were asked for with the same view. */
  trees(tables: readonly string[], view: View, options: DigestsOptions = {}): Promise<ReadonlyMap<string, Tree>> {
    return this.#inTurn(async () => {
      const isKept = (table: string) => !options.recount && !view.has(table);
      const stored = await this.#storedTrees(tables.filter(isKept), options);
      const rest = tables.filter((table) => !isKept(table));
      const read = rest.length > 0 ? await this.#countedTrees(rest, view, options) : new Map<string, HashTree>();
      return new Map([...stored, ...[...read].map(([table, tree]) => [table, counted(tree)] as const)]);
    });
  }

  async #storedTrees(tables: readonly string[], { signal }: DigestsOptions): Promise<Map<string, Tree>> {
    const trees = new Map<string, Tree>();
    const found = await this.store.digest(new Map(tables.map((table) => [table, [""]])), { signal });
    for (const [table, { rows, sums }] of found) {
      const below = async (paths: Paths) => {
        const inner = paths.filter((path) => path !== "");
        const rest = inner.length > 0 ? await this.store.digest(new Map([[table, inner]]), { signal }) : undefined;
        return { ...(paths.includes("") && sums), ...rest?.get(table)?.sums };
      };
      trees.set(table, { rows, below });
    }
    return trees;
  }

  async #countedTrees(
    tables: readonly string[],
    view: View,
    { kept: mayBeKept = false, recount = false, signal }: DigestsOptions,
  ): Promise<ReadonlyMap<string, HashTree>> {
    await this.store.fold();
    const at = await this.store.position();
    const key = JSON.stringify([[...tables].sort(), fingerprints(view, [...tables].sort()), recount]);
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
  rows(leaves: Leaves, view: View, { recount = false, signal }: DigestsOptions = {}): Promise<RowSums> {
    return this.#inTurn(async () => {
      const isKept = (table: string) => !recount && !view.has(table);
      const some = (wanted: boolean) => new Map([...leaves].filter(([table]) => isKept(table) === wanted));
      const asked = new Map([...some(true)].map(([table, paths]) => [table, [...paths]]));
      const stored = await this.store.digest(asked, { signal });
      const read = await this.#countedRows(some(false), view, signal);
      return new Map([...[...stored].map(([table, { found }]) => [table, found] as const), ...read]);
    });
  }
  async #countedRows(leaves: Leaves, view: View, signal?: AbortSignal): Promise<RowSums> {
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
