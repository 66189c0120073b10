// Rejoining: a node that was struck off begins anew from a peer's rows. What it wrote, or was sent by nodes that had no say in what was
// forgotten, and what nobody who had one ever acknowledged, is set aside before, and put back where it still belongs: rows that
// certainly nobody else had, and columns of rows that have lived on. What belongs to a row that is gone, or that may be another one by
// the same key, stays on record.
import { FIELD_PARTS, type RowChange, type WireTotal } from "../change";
import { type Cursor, decodeCursor, START } from "../cursor";
import { type FieldState, isAlive, type Row } from "../row";
import { CLOSED } from "./collect";
import type { Round } from "./round";

/** Whom a node rejoins at. */
export interface RejoinPeer {
  readonly peer: string;
  /** How far it knows this node's numbers; null = further than this database ever was. */
  readonly seen: number | null;
}

export interface RejoinFacts {
  readonly self: string;
  /** Deletions stamped up to this are forgotten at the peer. */
  readonly collected: number;
  /** The one by which they were, if the peer knows it. */
  readonly rounds: readonly Round[];
  /** Everybody whom this node ever exchanged anything with, each with the cursor of what it was pushed. */
  readonly peers: readonly (readonly [peer: string, pushCursor: string | null])[];
  readonly at: RejoinPeer | null;
}

/** What of a node's rows others have. */
export interface Acknowledged {
  /** Whole rows up to this, of later ones the entries up to `floor`. */
  readonly position: number;
  readonly floor: number;
  /** Those whose own writes, and whose word, are known to who collected. */
  readonly members: ReadonlySet<string>;
  /** A row of this node's own that began after this number has certainly reached nobody. */
  readonly known: number;
  readonly self: string;
  readonly collected: number;
}

/** How far a table's rows were pushed: where a part of it was left out, not at all. */
function pushedOf(
  { floor, position, tables, views = {}, behind }: Cursor,
  table: string,
): Pick<Cursor, "floor" | "position"> {
  if (!tables.includes(table) || Object.hasOwn(views, table)) return START;
  return behind?.tables.includes(table) ? { floor: START.floor, position: behind.position } : { floor, position };
}

/** How far a table's rows are acknowledged: who was struck off as well may have lost what it took. */
export function acknowledgedBy({ self, collected, rounds, peers, at }: RejoinFacts, table: string): Acknowledged {
  const closings = rounds.flatMap(({ verdict }) => verdict?.closings ?? []);
  const members = new Set(closings.map(([node]) => node));
  if (at) members.add(at.peer);
  let [position, floor, known] = [0, 0, at?.seen ?? Number.POSITIVE_INFINITY];
  for (const [peer, pushCursor] of peers) {
    // Anybody who asked may have got anything.
    if (peer !== at?.peer) known = Number.POSITIVE_INFINITY;
    if (pushCursor === null) continue;
    const cursor = decodeCursor(pushCursor);
    known = Math.max(known, cursor.position);
    if (!members.has(peer)) continue;
    // A peer that was put back to a time before has less than it acknowledged.
    const most = peer === at?.peer && at.seen !== null ? at.seen : Number.POSITIVE_INFINITY;
    const pushed = pushedOf(cursor, table);
    position = Math.max(position, Math.min(pushed.position, most));
    floor = Math.max(floor, Math.min(pushed.floor, most));
  }
  return { position, floor, members, known, self, collected };
}

export interface UnsentPart {
  /** The row with nothing else. */
  readonly row: Row;
  /** The row's insert or delete is part of it. */
  readonly isWhole: boolean;
  /** Somebody may have had the row, deleted it, and forgotten that. A life that began later is forgotten by nobody. */
  readonly mayBeKnown: boolean;
}

/** What of a row nobody has acknowledged who had a say; null = there is nothing. */
export function unsentPart(row: Row, acknowledged: Acknowledged): UnsentPart | null {
  const { floor, members, known, self, collected } = acknowledged;
  const isUnsent = (seq: number, via: string | null) => seq > floor && (via === null || !members.has(via));
  const isWhole = isUnsent(row.born, row.via);
  const fields = new Map<string, FieldState>();
  for (const [name, { type, entries }] of row.fields) {
    const own = entries.filter(({ seq, via }) => isUnsent(seq, via));
    // Of a whole row a column without entries would stand for what the others have made of it.
    if (own.length > 0 || (isWhole && type !== "lww")) fields.set(name, { type, entries: own });
  }
  if (!isWhole && fields.size === 0) return null;
  const isOwn = row.via === null && row.node === self;
  const mayBeKnown = row.hlc <= collected && (!isOwn || row.born <= known);
  // Without its life, a row has no more than these entries.
  const shape = isWhole ? row.shape.filter((name) => !row.fields.has(name)) : [];
  return { row: { ...row, fields, born: isWhole ? row.born : floor, shape }, isWhole, mayBeKnown };
}

/** The columns of which a change says something. */
export const fieldsOf = (change: RowChange): readonly string[] =>
  FIELD_PARTS.flatMap((type) => Object.keys(change[type] ?? {}));

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
 * @param isWhole the row's insert or delete is part of it, and nobody else can have had it
 * @param now the row's whole state at the peer; null = it has none
 */
export function decideRejoin(unsent: RowChange, isWhole: boolean, now: RowChange | null): Rejoined {
  if (!isAlive(unsent)) {
    // Who was struck off as well may have the row yet.
    if (!now && isWhole) return asOf(unsent, 2);
    if (!now || !isAlive(now)) return { kind: "known" };
    // The life that was deleted, if it is the one that the peer has.
    return now.life[0] < unsent.life[0] && now.cl === unsent.cl - 1 ? asOf(unsent, unsent.cl) : { kind: "kept" };
  }
  if (!now) return isWhole ? asOf(unsent, 1) : { kind: "kept" };
  if (isAlive(now)) {
    const isSame = now.life[0] === unsent.life[0] && now.life[1] === unsent.life[1];
    return isWhole || isSame ? asOf(unsent, now.cl, now) : { kind: "kept" };
  }
  // A write to the life that has ended, or to one that was deleted before; else to a later one, of which the peer knows nothing.
  if (!isWhole) return { kind: unsent.life[0] > now.life[0] ? "kept" : "known" };
  return unsent.life[0] > now.life[0] ? asOf(unsent, now.cl + 1) : { kind: "kept" };
}
