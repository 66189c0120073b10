// Projection on SQLite: after a fold or a merge, the rows that the base table shows are those that core decides from
// the shadow alone. Without a parked row every living row is shown, no key is disputed, and there is nothing to do.
import {
  type Claim,
  claimOf,
  decideHolders,
  isAlive,
  type Json,
  NO_BASE_WRITE,
  type Row,
  rowValues,
} from "@grove-crdt/core";
import { takeOut, tryShow } from "./apply";
import { type Parked, park, readParked } from "./parking";
import { readBase, readRows } from "./read";
import type { Session } from "./session";
import { ident } from "./sql";
import { keyText, type Table } from "./table";

interface Contender {
  readonly pk: readonly Json[];
  readonly row: Row;
  readonly present: boolean;
  readonly values: Readonly<Record<string, Json>>;
  readonly claim: Claim;
}

function load(session: Session, table: Table, pks: readonly (readonly Json[])[]): Contender[] {
  const { model } = table;
  const keys = pks.map((pk) => table.keyParams(pk));
  const rows = readRows(session, table, keys);
  const bases = readBase(
    session,
    table,
    keys,
    rows.flatMap(({ present }, n) => (present ? [n] : [])),
  );
  return rows.flatMap(({ row, present }, n) => {
    if (!row || !isAlive(row)) return [];
    const pk = pks[n] as readonly Json[];
    const key = Object.fromEntries(model.key.map(({ name }, place) => [name, pk[place] as Json]));
    const values = { ...key, ...rowValues(model, row, bases.get(n) ?? {}) };
    return [{ pk, row, present, values, claim: claimOf(model, keyText(pk), row, values) }];
  });
}

/** Keys of the rows that the base table shows under one of the contender's unique keys. */
function rivals(session: Session, table: Table, { values, claim }: Contender): Json[][] {
  const { model } = table;
  const columns = model.key.map(({ name }) => ident(name)).join(", ");
  return model.uniques.flatMap((unique, n) => {
    if (claim.keys[n] === null) return [];
    const params = unique.map((name) => {
      const place = model.key.findIndex((column) => column.name === name);
      return place >= 0
        ? table.keyParams(model.key.map((key) => values[key.name] as Json))[place]
        : table.param(table.field(name), values[name] as Json);
    });
    const where = unique.map((name) => `${ident(name)} = ?`).join(" AND ");
    return session.statements
      .rows(`SELECT ${columns} FROM ${table.name} WHERE ${where}`, ...params)
      .map((raw) => table.pk(raw, 0));
  });
}

/** Every living row that shares a unique key with a parked one, directly or through others. */
function contenders(session: Session, table: Table, parked: ReadonlyMap<string, Parked>): Map<string, Contender> {
  const found = new Map<string, Contender>();
  for (let next: (readonly Json[])[] = [...parked.values()].map(({ pk }) => pk); next.length > 0; ) {
    const fresh = load(session, table, next);
    for (const contender of fresh) found.set(contender.claim.id, contender);
    const reached = new Map<string, Json[]>();
    for (const contender of fresh) for (const pk of rivals(session, table, contender)) reached.set(keyText(pk), pk);
    next = [...reached].filter(([id]) => !found.has(id)).map(([, pk]) => pk);
  }
  return found;
}

/**
 * Shows and hides rows of a table until the base table is what the shadow says.
 *
 * @returns the rows that are parked afterwards, by the canonical text of their keys
 */
export function project(session: Session, table: Table): ReadonlyMap<string, Parked> {
  const parked = readParked(session, table);
  if (parked.size === 0) return parked;
  const all = contenders(session, table, parked);
  const { holds, losesTo } = decideHolders([...all.values()].map(({ claim }) => claim));
  // Out first, then in: so no row meets another one that is about to go.
  for (const { pk, row, present, values, claim } of all.values()) {
    const holder = losesTo.get(claim.id);
    if (holder === undefined) continue;
    const refusal = {
      code: "unique",
      message: `Another row took a unique key first: ${JSON.stringify(all.get(holder)?.pk)} (UNIQUE constraint of ${table.model.name}).`,
    };
    if (present)
      takeOut(
        session,
        table,
        pk,
        table.keyParams(pk),
        { row, clearCells: false, cells: [], deletes: [], base: NO_BASE_WRITE },
        values,
        refusal,
      );
    else park(session, table, pk, refusal);
  }
  for (const { pk, row, present, claim } of all.values()) {
    if (!present && holds.has(claim.id)) tryShow(session, table, pk, row);
  }
  return readParked(session, table);
}
