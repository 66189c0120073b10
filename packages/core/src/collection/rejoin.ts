// Rejoining: a node that was struck off begins anew from a peer's rows. What it wrote and nobody ever acknowledged is set aside
// before, and put back where it still belongs: rows that are new, and columns of rows that have lived on. What belongs to a row that
// is gone, or that may be another one by the same key, stays on record.
import type { RowChange, WireTotal } from "../change";
import type { FieldState, Row } from "../row";
import { isAlive } from "../row";
import { CLOSED } from "./collect";

/** How far some peer has acknowledged a node's rows: whole rows up to `position`, of later ones the entries up to `floor`. */
export interface Acknowledged {
  readonly position: number;
  readonly floor: number;
}

/** What of a row this node wrote and nobody has acknowledged: the row with nothing else; null = there is nothing. */
export function unsentPart(row: Row, { floor }: Acknowledged): { readonly row: Row; readonly isWhole: boolean } | null {
  const fields = new Map<string, FieldState>();
  for (const [name, { type, entries }] of row.fields) {
    const own = entries.filter(({ seq, via }) => via === null && seq > floor);
    if (own.length > 0) fields.set(name, { type, entries: own });
  }
  const isWhole = row.via === null && row.born > floor;
  if (!isWhole && fields.size === 0) return null;
  // Without its life, a row has no more than these entries.
  return { row: { ...row, fields, born: isWhole ? row.born : floor, ...(!isWhole && { shape: [] }) }, isWhole };
}

export type Rejoined =
  /** Belongs to the row as it is now. `isPart`: not all of it, and the record stays. */
  | { readonly kind: "merge"; readonly change: RowChange; readonly isPart: boolean }
  /** The row says so already. */
  | { readonly kind: "known" }
  /** Stays on record: what it was written to is gone. */
  | { readonly kind: "kept" };

/** The change in the row's present life, without totals that may be among those that stand together there. */
function asOf({ ends: _, ...unsent }: RowChange, cl: number, now: RowChange | null = null): Rejoined {
  const isCounted = ([incarnation, node]: WireTotal, known: readonly WireTotal[]) =>
    known.some((other) => other[0] === incarnation && other[1] === node) || !known.some(([other]) => other === CLOSED);
  const counters = Object.entries(unsent.counter ?? {}).filter(([name, { totals = [] }]) => {
    const known = (Object.hasOwn(now?.counter ?? {}, name) && now?.counter?.[name]?.totals) || [];
    return totals.every((total) => isCounted(total, known));
  });
  const isPart = counters.length < Object.keys(unsent.counter ?? {}).length;
  const change = { ...unsent, cl, ...(unsent.counter && { counter: Object.fromEntries(counters) }) };
  return { kind: "merge", change, isPart };
}

/**
 * @param unsent what was set aside
 * @param isWhole the row's insert or delete is part of it
 * @param now the row's whole state at the peer; null = it has none
 */
export function decideRejoin(unsent: RowChange, isWhole: boolean, now: RowChange | null): Rejoined {
  if (!isAlive(unsent)) {
    if (!now || !isAlive(now)) return { kind: "known" };
    // The life that was deleted, if it is the one that the peer has.
    return now.life[0] < unsent.life[0] && now.cl === unsent.cl - 1 ? asOf(unsent, unsent.cl) : { kind: "kept" };
  }
  if (!now) return isWhole ? asOf(unsent, 1) : { kind: "kept" };
  if (isAlive(now)) {
    const isSame = now.life[0] === unsent.life[0] && now.life[1] === unsent.life[1];
    return isWhole || isSame ? asOf(unsent, now.cl, now) : { kind: "kept" };
  }
  if (!isWhole) return { kind: "known" };
  return unsent.life[0] > now.life[0] ? asOf(unsent, now.cl + 1) : { kind: "kept" };
}
