// Rows of tables that this database does not have (core's elsewhere.ts), the same in every dialect: how they are found, and what
// becomes of those of a page.
import {
  type Access,
  canonicalize,
  decideElsewhere,
  digest,
  GroveError,
  type Json,
  latestStamp,
  MAX_TABLES_ELSEWHERE,
  type Outcome,
  type RowChange,
  type RowElsewhere,
  type RowKey,
} from "@grove-crdt/core";
import { drift } from "./page";
import type { MergeResult } from "./store";

/** Rows that are put into a table at a time, once it is there. */
export const ROWS_PER_ARRIVAL = 500;

/** The id under which a row is kept. */
export const elsewhereId = (table: string, pk: readonly Json[]): string => digest(canonicalize([table, pk]));

/** Rows kept, by id. */
export type Known = ReadonlyMap<string, RowElsewhere>;

export interface Elsewhere {
  /** Names of the tables of which rows are kept. */
  readonly tables: ReadonlySet<string>;
  readonly known: Known;
  readonly from: string;
  readonly access?: Access;
  readonly now: number;
  /** Greatest stamp that is welcome, microseconds since 1970. */
  readonly horizon: number;
  /** The number that the next row gets. */
  readonly next: number;
}

export interface Kept {
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** What is to be stored, by id, numbered from `next` on in this order. */
  readonly rows: ReadonlyMap<string, RowElsewhere>;
  /** The greatest clock reading of what was taken. */
  readonly latest: number;
}

/** What becomes of rows of tables that are not here. @param rows by their place in the page */
export function keepRows(rows: ReadonlyMap<number, RowChange>, elsewhere: Elsewhere): Kept {
  const { from, access, horizon, now, next } = elsewhere;
  const outcomes = new Map<number, Outcome>();
  const kept = new Map<string, RowElsewhere>();
  const tables = new Set(elsewhere.tables);
  let [seq, latest] = [next, 0];
  for (const [place, change] of rows) {
    const stamp = latestStamp(change);
    if (stamp > horizon) outcomes.set(place, drift(stamp - now));
    // Tables are named in objects on their way.
    else if (change.table === "__proto__") outcomes.set(place, unfit("bad_change", "No table is named __proto__."));
    else if (change.pk.includes(null)) outcomes.set(place, unfit("bad_value", "A key holds no null."));
    else if (!tables.has(change.table) && tables.size >= MAX_TABLES_ELSEWHERE)
      outcomes.set(
        place,
        unfit("unknown_table", `This node keeps rows of ${tables.size} tables that it does not have.`),
      );
    else {
      const id = elsewhereId(change.table, change.pk);
      const known = kept.get(id) ?? elsewhere.known.get(id) ?? null;
      const decided = decideElsewhere(known, change, { seq, from }, access);
      outcomes.set(place, decided.outcome);
      if (decided.outcome.outcome === "rejected") continue;
      latest = Math.max(latest, stamp);
      if (!decided.kept) continue;
      tables.add(change.table);
      kept.delete(id);
      kept.set(id, decided.kept);
      seq++;
    }
  }
  // Of a row that came twice the second one's number counts.
  return { outcomes, rows: new Map([...kept].map(([id, row], n) => [id, { ...row, seq: next + n }])), latest };
}

const unfit = (code: string, message: string): Outcome => ({ outcome: "rejected", code, message });

/** The names of the tables that rows are kept of: one look at the index for each. */
export const keptTables = (elsewhere: string): string =>
  `WITH RECURSIVE t(name) AS (
  SELECT min(tbl) FROM ${elsewhere} UNION ALL
  SELECT (SELECT min(e.tbl) FROM ${elsewhere} e WHERE e.tbl > t.name) FROM t WHERE t.name IS NOT NULL
)
SELECT name FROM t WHERE name IS NOT NULL`;

/** Rows by their place in a page. */
type Placed = ReadonlyMap<number, RowChange>;
export const NO_ROWS: Placed = new Map();

/** Those of a page's rows that are of these tables. */
export const otherRows = (rows: readonly RowChange[], tables: readonly string[]): Placed =>
  tables.length === 0
    ? NO_ROWS
    : new Map(rows.flatMap((row, n): [number, RowChange][] => (tables.includes(row.table) ? [[n, row]] : [])));

/** What became of a page, those of its rows included that were kept. */
export const withKept = (
  { outcomes, changed }: MergeResult,
  kept: { readonly outcomes: Kept["outcomes"]; readonly changed: boolean },
): MergeResult => ({
  outcomes: outcomes.map((outcome, n) => kept.outcomes.get(n) ?? outcome),
  changed: changed || kept.changed,
});

/** States in the order of the keys, those of tables that are not here included. */
export function withOthers(
  states: readonly (RowChange | null)[],
  keys: readonly RowKey[],
  tables: readonly string[],
  read: (keys: readonly RowKey[]) => readonly (RowChange | null)[],
): (RowChange | null)[] {
  const places = keys.flatMap(([name], n) => (tables.includes(name) ? [n] : []));
  const found = read(places.map((n) => keys[n] as RowKey));
  const all = [...states];
  for (const [at, n] of places.entries()) all[n] = found[at] ?? null;
  return all;
}

interface Arrival {
  readonly id: string;
  readonly seq: number;
  readonly state: RowChange;
}

/** What the dialects do for it. */
export interface Arrivals {
  read(table: string, after: string): Promise<readonly Arrival[]>;
  merge(rows: readonly RowChange[]): Promise<readonly Outcome[]>;
  forget(rows: readonly Arrival[]): Promise<void>;
}

/**
 * Merges what was kept of these tables into them. A row is merged before it is forgotten: what is interrupted begins anew, and counts
 * nothing twice.
 *
 * @throws GroveError `clock_drift` while this node's clock is behind what it was told
 */
export async function takeArrivals(tables: readonly string[], { read, merge, forget }: Arrivals): Promise<number> {
  let count = 0;
  for (const table of tables) {
    for (let after = ""; ; ) {
      const rows = await read(table, after);
      if (rows.length === 0) break;
      const outcomes = await merge(rows.map(({ state }) => state));
      const refused = outcomes.find(({ outcome }) => outcome === "refused");
      if (refused) {
        const message = `${refused.message} What was kept for ${table} is merged when it is.`;
        throw new GroveError("clock_drift", message, { details: { table } });
      }
      const taken = rows.filter((_, n) => outcomes[n]?.outcome !== "rejected");
      await forget(taken);
      count += taken.length;
      after = (rows.at(-1) as Arrival).id;
    }
  }
  return count;
}
