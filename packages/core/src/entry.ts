// An entry is the smallest thing that merges: a register's value, one incarnation's totals, one node's add of an
// element. A field is a list of entries; every CRDT type says how two entries of one identity join.
import type { CrdtTypeName, FieldModel, Json } from "./model";
import type { Stamp } from "./stamp";

export interface Entry extends Stamp {
  /** Which entry of the field: empty for a register, the incarnation for totals, the canonical element for a set. */
  readonly key: string;
  /** The type's own payload. `undefined` for a register whose value lives in the base table. */
  readonly state: Json | undefined;
  /** The local sequence number under which this node serves the entry. */
  readonly seq: number;
  /** The peer that sent this very entry, while it still equals what that peer sent; else null. */
  readonly via: string | null;
  /** Row id of the stored cell; absent while the entry is not stored in one. */
  readonly cell?: number;
}

/** The clock reading to put in the place of a stamp's. */
export type ClockReading = (hlc: number, node: string) => number;

/** What a fold hands to a type: who writes, and one stamp after the other, each later than all that the field knows. */
export interface WriteContext {
  readonly node: string;
  readonly incarnation: string;
  /** A new stamp's clock reading, in microseconds; grows with each call. */
  tick(): number;
}

/** An entry that was just made or joined and has not been numbered yet. */
export const UNNUMBERED = 0;

/** What the schema says of a column besides its type. */
export type TypeOptions = Pick<FieldModel, "itemKey" | "paths">;

/** The rules of one CRDT type. All functions are pure, and all merge rules of the type are here and nowhere else. */
export interface CrdtType {
  readonly name: CrdtTypeName;
  /** Entries with one identity join; entries with different ones stand side by side. */
  identity(entry: Entry): string;
  /**
   * The least upper bound of two entries of one identity. Returns `a` or `b` itself when that one covers the other,
   * else a new entry: so the caller sees by identity of reference who won.
   */
  join(a: Entry, b: Entry): Entry;
  /** The greatest clock reading in the entry, removals included. */
  latest(entry: Entry): number;
  /** The entry with other clock readings wherever it has one; itself where none is another. */
  restamp(entry: Entry, read: ClockReading): Entry;
  /** In whose names something was written if `before` (if there was any) became `after`; nobody's if anybody may have. */
  writers(before: Entry | undefined, after: Entry): readonly string[];
  /** The entries that a field without entries stands for: those of the reserved node, made of its value. */
  implicit(value: Json, options: TypeOptions): Entry[];
  /** Like {@link implicit}, where `constant`, the column's default, may stand implicitly on other nodes. */
  without(constant: Json, value: Json, options: TypeOptions): Entry[];
  /** Whether {@link implicit} may have made the entry, and nobody has said anything since. */
  isFirst(entry: Entry): boolean;
  /** The entries of a field that is born with its row. */
  create(value: Json, context: WriteContext, options: TypeOptions): Entry[];
  /** The entries that change when a field with `entries` now reads `value`. Law: materialize(after) equals value. */
  fold(entries: readonly Entry[], value: Json, context: WriteContext, options: TypeOptions): Entry[];
  /** The value that the entries stand for. */
  materialize(entries: readonly Entry[]): Json;
  /** As they travel; see the Wire types in change.ts. */
  encode(entries: readonly Entry[]): Json;
  /** The inverse, of what has the right shape. */
  decode(wire: Json): Entry[];
}

/** The greatest clock reading anywhere in the entries, removals included. */
export function latestHlc({ latest }: Pick<CrdtType, "latest">, entries: readonly Entry[]): number {
  let found = 0;
  for (const entry of entries) found = Math.max(found, latest(entry));
  return found;
}
