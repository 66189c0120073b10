// A page on its way into a merge, the same in every dialect: sorted by table, with what is not welcome answered at once,
// and cut into waves in which no key comes twice.
import {
  adoptedRow,
  checkChange,
  isGroveError,
  type Json,
  latestStamp,
  needsBase,
  type Outcome,
  type Row,
  type RowChange,
  scopeColumns,
  type TableModel,
  type TableView,
} from "@grove-crdt/core";
import { keyText } from "./key";
import { tableNamed } from "./tables";

interface PageTable {
  readonly model: TableModel;
  /** What binds to the key columns. @throws GroveError `bad_value` */
  keyParams(pk: readonly Json[]): readonly unknown[];
  /** The key as this node itself would send it. */
  canonicalKey(params: readonly unknown[]): Json[];
}

export interface PageRow<Key> {
  /** Its place in the page. */
  readonly index: number;
  /** With the canonical key. */
  readonly change: RowChange;
  readonly key: Key;
  /** The greatest clock reading in the change. */
  readonly latest: number;
}

/** What becomes of a change that may not be merged. Any other error is thrown on. */
export function refuse(error: unknown): Outcome {
  if (!isGroveError(error)) throw error;
  return { outcome: "rejected", code: error.code, message: error.message };
}

export const drift = (ahead: number): Outcome => ({
  outcome: "refused",
  code: "clock_drift",
  message: `A stamp lies ${(ahead / 1e6).toFixed(1)} s ahead of this node's clock. Correct the clock of the node that wrote it.`,
});

/**
 * The page by table; what is not welcome gets its outcome at once.
 *
 * @param horizon greatest stamp that is welcome, microseconds since 1970
 * @param now this node's physical time
 */
export function sortPage<Table extends PageTable>(
  tables: ReadonlyMap<string, Table>,
  rows: readonly RowChange[],
  horizon: number,
  now: number,
  outcomes: Outcome[],
): Map<Table, PageRow<ReturnType<Table["keyParams"]>>[]> {
  const sorted = new Map<Table, PageRow<ReturnType<Table["keyParams"]>>[]>();
  rows.forEach((sent, index) => {
    try {
      const table = tableNamed(tables, sent.table);
      checkChange(table.model, sent);
      const key = table.keyParams(sent.pk) as ReturnType<Table["keyParams"]>;
      const pk = table.canonicalKey(key);
      const change = pk.every((value, n) => value === sent.pk[n]) ? sent : { ...sent, pk };
      const latest = latestStamp(change);
      if (latest > horizon) {
        outcomes[index] = drift(latest - now);
        return;
      }
      const list = sorted.get(table) ?? [];
      sorted.set(table, list);
      list.push({ index, change, key, latest });
    } catch (error) {
      outcomes[index] = refuse(error);
    }
  });
  return sorted;
}

/** Times that one row may come in a page. Once is enough for whoever means well; each costs a wave of statements. */
const MOST_WAVES = 16;

/** Waves in which no key comes twice, each in the page's order. */
export function wavesOf<T extends Pick<PageRow<unknown>, "change" | "index">>(
  rows: readonly T[],
  outcomes: Outcome[],
): T[][] {
  if (new Set(rows.map(({ change }) => keyText(change.pk))).size === rows.length) return [[...rows]];
  const waves: T[][] = [];
  const seen = new Map<string, number>();
  for (const row of rows) {
    const key = keyText(row.change.pk);
    const wave = seen.get(key) ?? 0;
    seen.set(key, wave + 1);
    if (wave >= MOST_WAVES) {
      const message = `The row comes more than ${MOST_WAVES} times in one page. Send it once, with all that it says.`;
      outcomes[row.index] = { outcome: "rejected", code: "bad_change", message };
      continue;
    }
    waves[wave] ??= [];
    waves[wave].push(row);
  }
  return waves;
}

/** What a wave meets: the rows to merge into, and in which places their base values must be known to decide. */
export function meet(
  model: TableModel,
  wave: readonly Pick<PageRow<unknown>, "change">[],
  known: readonly { readonly row: Row | null; readonly present: boolean }[],
  seq: number,
  view?: TableView,
): { readonly rows: readonly (Row | null)[]; readonly places: readonly number[] } {
  // A row that is there and was never captured counts as adopted: its values are the oldest, and none is lost unseen.
  const rows = known.map(({ row, present }) => row ?? (present ? adoptedRow(seq) : null));
  // Whose a row is may stand in its values.
  const scoped = scopeColumns(model, view).length > 0;
  const places: number[] = [];
  wave.forEach(({ change }, n) => {
    if (known[n]?.present && (scoped || needsBase(model, rows[n] ?? null, change))) places.push(n);
  });
  return { rows, places };
}

/** The changes in lists in which no row comes twice, in their order: what is done with one may change what the next finds. */
export function roundsOf<T extends { readonly change: RowChange }>(changes: readonly T[]): T[][] {
  const rounds: T[][] = [];
  const count = new Map<string, number>();
  for (const one of changes) {
    const key = keyText(one.change.pk);
    const round = count.get(key) ?? 0;
    count.set(key, round + 1);
    const known = rounds[round];
    if (known) known.push(one);
    else rounds.push([one]);
  }
  return rounds;
}
