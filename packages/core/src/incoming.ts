// A row change from the wire as entries: the inverse of serve.ts.
import { canonicalize } from "./canonical";
import type { RowChange, WireCounter, WireElement, WireRegister } from "./change";
import { type Entry, UNNUMBERED } from "./entry";
import { type FieldState, NO_FIELDS, NO_SHAPE } from "./row";
import { NOT_REMOVED } from "./types/set";

/**
 * The change's entries by field, under the number that they get here and the peer that sent them.
 *
 * @param shape registers to leave out where they were written with the row's life: a row's shape tells of them
 */
export function incomingFields(
  change: RowChange,
  seq = UNNUMBERED,
  via: string | null = null,
  shape: readonly string[] = NO_SHAPE,
): ReadonlyMap<string, FieldState> {
  const { life, lww, counter, set } = change;
  let fields: Map<string, FieldState> | null = null;
  if (lww) {
    for (const field in lww) {
      const [state, hlc = life[0], node = life[1]] = lww[field] as WireRegister;
      if (hlc === life[0] && node === life[1] && shape.includes(field)) continue;
      fields ??= new Map();
      fields.set(field, { type: "lww", entries: [{ key: "", hlc, node, state, seq, via }] });
    }
  }
  if (counter) {
    fields ??= new Map();
    for (const field of Object.keys(counter)) {
      const { birth, totals = [] } = counter[field] as WireCounter;
      const entries: Entry[] = birth ? [{ key: "", hlc: birth[1], node: birth[2], state: birth[0], seq, via }] : [];
      for (const [key, node, up, down, hlc] of totals) entries.push({ key, hlc, node, state: [up, down], seq, via });
      fields.set(field, { type: "counter", entries });
    }
  }
  if (set) {
    fields ??= new Map();
    for (const field of Object.keys(set)) {
      const entries: Entry[] = [];
      for (const [element, hlc, node, state = NOT_REMOVED] of set[field] as readonly WireElement[]) {
        entries.push({ key: canonicalize(element), hlc, node, state, seq, via });
      }
      fields.set(field, { type: "set", entries });
    }
  }
  // Most rows were written once, and their shape tells it all.
  return fields ?? NO_FIELDS;
}

/** The greatest clock reading anywhere in the change, in microseconds since 1970. */
export function latestStamp(change: RowChange): number {
  const { life, lww, counter, set } = change;
  let latest = life[0];
  for (const field in lww) {
    const hlc = lww[field]?.[1];
    if (hlc !== undefined && hlc > latest) latest = hlc;
  }
  if (counter) {
    for (const { birth, totals = [] } of Object.values(counter)) {
      if (birth && birth[1] > latest) latest = birth[1];
      for (const total of totals) if (total[4] > latest) latest = total[4];
    }
  }
  if (set) {
    for (const elements of Object.values(set)) {
      for (const [, hlc, , removed = 0] of elements) latest = Math.max(latest, hlc, removed);
    }
  }
  return latest;
}
