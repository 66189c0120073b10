// A row change from the wire as entries: the inverse of serve.ts.
import { ENTRY_PARTS, type RowChange, type WireRegister } from "./change";
import { latestHlc, UNNUMBERED } from "./entry";
import type { Json } from "./model";
import { type FieldState, NO_FIELDS, NO_SHAPE } from "./row";
import { crdtTypes } from "./types/index";

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
  const { life, lww } = change;
  let fields: Map<string, FieldState> | null = null;
  if (lww) {
    for (const field in lww) {
      const [state, hlc = life[0], node = life[1]] = lww[field] as WireRegister;
      if (hlc === life[0] && node === life[1] && shape.includes(field)) continue;
      fields ??= new Map();
      fields.set(field, { type: "lww", entries: [{ key: "", hlc, node, state, seq, via }] });
    }
  }
  for (const type of ENTRY_PARTS) {
    const part = change[type];
    if (!part) continue;
    fields ??= new Map();
    for (const field of Object.keys(part)) {
      const entries = crdtTypes[type].decode((part as Readonly<Record<string, Json>>)[field] as Json);
      for (const entry of entries) Object.assign(entry, { seq, via });
      fields.set(field, { type, entries });
    }
  }
  // Most rows were written once, and their shape tells it all.
  return fields ?? NO_FIELDS;
}

/** The greatest clock reading anywhere in the change, in microseconds since 1970. */
export function latestStamp(change: RowChange): number {
  const { life, ends, lww, counter, set } = change;
  let [latest] = life;
  for (const end of ends ?? []) if (end !== null && end > latest) latest = end;
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
  for (const type of ["list", "document"] as const)
    for (const part of Object.values(change[type] ?? {}))
      latest = Math.max(latest, latestHlc(crdtTypes[type], crdtTypes[type].decode(part as unknown as Json)));
  return latest;
}
