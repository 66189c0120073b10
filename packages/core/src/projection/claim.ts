// Unique keys: which rows hold theirs where several claim one. A pure function of the shadow, so the order in which rows
// arrived never matters: who took its keys first keeps them, as in one database.
import { canonicalize, compareBytes } from "../canonical";
import type { Json, TableModel } from "../model";
import { isAlive, type Row, registerOf } from "../row";
import { compareStamps, type Stamp } from "../stamp";

/** What one row claims. */
export interface Claim {
  /** Canonical text of the primary key. */
  readonly id: string;
  /** The stamp at which the row took its present keys: the latest of the columns in them. */
  readonly taken: Stamp;
  /** One text for each unique key, equal for equal values; null where a NULL makes it claim nothing. */
  readonly keys: readonly (string | null)[];
  /** A deleted row that may have to be shown: it ranks after all living ones. */
  readonly deleted?: true;
}

/** The claim of a row with these values (canonical, key columns included, by column name). */
export function claimOf(model: TableModel, id: string, row: Row, values: Readonly<Record<string, Json>>): Claim {
  let taken: Stamp = { hlc: row.hlc, node: row.node };
  // A register may be older than the life: of two concurrent inserts the later one stamps the life.
  let first = true;
  const keys = model.uniques.map((columns, n) => {
    const claimed: Json[] = [];
    for (const name of columns) {
      const value = values[name];
      if (value === undefined || value === null) return null;
      claimed.push(value);
      if (model.key.some((column) => column.name === name)) continue;
      const register = registerOf(row, name);
      if (first || compareStamps(register, taken) > 0) taken = register;
      first = false;
    }
    return `${n} ${canonicalize(claimed)}`;
  });
  return { id, taken: { hlc: taken.hlc, node: taken.node }, keys, ...(!isAlive(row) && { deleted: true }) };
}

const byAge = (a: Claim, b: Claim): number =>
  Number(a.deleted ?? false) - Number(b.deleted ?? false) ||
  compareStamps(a.taken, b.taken) ||
  compareBytes(a.id, b.id);

/**
 * The ids of the claims that hold: oldest first, a row holds its keys if no earlier holder has one of them. The
 * claims must include every living row that shares a key with one of them, and so on.
 *
 * @returns holder by id of each claim that does not hold, and the ids that do
 */
export function decideHolders(claims: readonly Claim[]): {
  readonly holds: ReadonlySet<string>;
  readonly losesTo: ReadonlyMap<string, string>;
} {
  const holderOf = new Map<string, string>();
  const holds = new Set<string>();
  const losesTo = new Map<string, string>();
  for (const { id, keys } of [...claims].sort(byAge)) {
    const taken = keys.find((key) => key !== null && holderOf.has(key));
    if (taken != null) {
      losesTo.set(id, holderOf.get(taken) as string);
      continue;
    }
    holds.add(id);
    for (const key of keys) if (key !== null) holderOf.set(key, id);
  }
  return { holds, losesTo };
}
