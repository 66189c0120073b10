// Verifying: whether two nodes hold the same rows, told by hashes. What seems to differ is exchanged once more and then compared
// whole: somebody may have written meanwhile.
import {
  type DigestResponse,
  GroveError,
  type Json,
  LEAF_DEPTH,
  type RowChange,
  type RowKey,
  stateSum,
  unequalPaths,
  type View,
  viewOf,
} from "@grove-crdt/core";
import { type Digests, type Tree, withFields } from "./digests";
import type { ExchangeOptions, Link } from "./link";

/** A row in which two nodes differ. */
export interface DifferingRow {
  readonly table: string;
  readonly pk: readonly Json[];
  /** What this node knows of it, and what the peer does; null = nothing. */
  readonly here: RowChange | null;
  readonly there: RowChange | null;
}

/** What a comparison with one peer found. */
export interface VerifyReport {
  readonly url: string;
  /** The peer's node id; null while it was never reached. */
  readonly peer: string | null;
  /** Rows of this node that were compared, deleted ones included. */
  readonly rows: number;
  /** Rows in which the two differ after an exchange; empty = they hold the same. */
  readonly differing: readonly DifferingRow[];
  /** Why nothing was found out; null = all was compared. */
  readonly error: GroveError | null;
}

/** Rows that are fetched whole at a time. */
const ROWS_PER_FETCH = 100;

/** How two nodes are compared. */
export interface VerifyOptions {
  /**
   * Both sides read all of their rows, whatever they keep: so also what was changed behind capture, or by a failing disk, is found
   * (default false).
   */
  readonly recount?: boolean;
  readonly signal?: AbortSignal;
}

interface Comparison {
  readonly tables: readonly string[];
  readonly view: View;
  readonly trees: ReadonlyMap<string, Tree>;
}

/** The rows whose sums differ. */
export async function findDiffering(
  link: Link,
  digests: Digests,
  { tables, only = {}, signal, recount = false }: ExchangeOptions & VerifyOptions,
): Promise<{ readonly keys: readonly RowKey[]; readonly rows: number; readonly comparison: Comparison }> {
  const shared = link.shared(tables);
  const narrowed = Object.fromEntries(Object.entries(only).filter(([table]) => shared.includes(table)));
  const ask = async (below?: Record<string, string[]>): Promise<DigestResponse> => {
    const { transport } = link;
    if (!transport.digest) throw new GroveError("transport", `The transport to ${link.url} cannot ask for digests.`);
    const request = {
      ...link.self,
      tables: shared,
      ...(only && { only: narrowed }),
      ...(below && { below }),
      ...(recount && { recount }),
    };
    const answer = await transport.digest(request, { signal });
    await link.check(answer);
    return answer;
  };
  const first = await ask();
  const view = withFields(viewOf(narrowed), first.fields ?? {});
  const trees = await digests.trees(shared, view, { recount, signal });
  let unequal = await compare(trees, first, Object.fromEntries(shared.map((table) => [table, [""]])));
  for (let depth = 1; depth < LEAF_DEPTH && unequal.size > 0; depth++) {
    const below = Object.fromEntries(unequal);
    unequal = await compare(trees, await ask(below), below);
  }
  const keys: RowKey[] = [];
  if (unequal.size > 0) {
    const leaves = new Map([...unequal].map(([table, paths]) => [table, new Set(paths)]));
    const ours = await digests.rows(leaves, view, { recount, signal });
    const theirs = (await ask(Object.fromEntries(unequal))).rows;
    for (const table of leaves.keys()) keys.push(...unequalRows(table, ours.get(table) ?? [], theirs[table] ?? []));
  }
  const rows = [...trees.values()].reduce((sum, tree) => sum + tree.rows, 0);
  return { keys, rows, comparison: { tables: shared, view, trees } };
}

/** By table, the paths below these at which the sums differ. */
async function compare(
  trees: ReadonlyMap<string, Tree>,
  { sums }: DigestResponse,
  below: Readonly<Record<string, readonly string[]>>,
): Promise<Map<string, string[]>> {
  const unequal = new Map<string, string[]>();
  for (const [table, paths] of Object.entries(below)) {
    const found = unequalPaths((await trees.get(table)?.below(paths)) ?? {}, sums[table] ?? {});
    if (found.length > 0) unequal.set(table, found);
  }
  return unequal;
}

type Sums = readonly (readonly [pk: readonly Json[], sum: string])[];

function unequalRows(table: string, ours: Sums, theirs: Sums): RowKey[] {
  const keyed = (sums: Sums) => Object.fromEntries(sums.map(([pk, sum]) => [JSON.stringify(pk), sum]));
  return unequalPaths(keyed(ours), keyed(theirs)).map((pk): RowKey => [table, JSON.parse(pk) as Json[]]);
}

/** Of these rows the ones that differ still, whole. */
export async function compareWhole(
  link: Link,
  keys: readonly RowKey[],
  view: View,
  signal?: AbortSignal,
): Promise<DifferingRow[]> {
  const differing: DifferingRow[] = [];
  for (let start = 0; start < keys.length; start += ROWS_PER_FETCH) {
    const some = keys.slice(start, start + ROWS_PER_FETCH);
    const theirs = await link.fetchAll(some, signal);
    const ours = await link.node.store.states(some, view);
    some.forEach(([table, pk], n) => {
      const here = ours[n] ?? null;
      const there = theirs.get(JSON.stringify([table, pk])) ?? null;
      if (here === there || (here && there && stateSum(here) === stateSum(there))) return;
      differing.push({ table, pk, here, there });
    });
  }
  return differing;
}
