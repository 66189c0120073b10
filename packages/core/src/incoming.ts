// A row change from the wire as entries: the inverse of serve.ts.
import { canonicalize } from "./canonical";
import type { RowChange } from "./change";
import { type Entry, UNNUMBERED } from "./entry";
import type { Json } from "./model";
import type { FieldState } from "./row";
import { NOT_REMOVED } from "./types/set";

const entry = (key: string, hlc: number, node: string, state: Json): Entry => ({
  key,
  hlc,
  node,
  state,
  seq: UNNUMBERED,
  via: null,
});

/** The change's entries by field, not yet numbered. */
export function incomingFields(change: RowChange): Map<string, FieldState> {
  const fields = new Map<string, FieldState>();
  const [lifeHlc, lifeNode] = change.life;
  for (const [field, [value, hlc = lifeHlc, node = lifeNode]] of Object.entries(change.lww ?? {})) {
    fields.set(field, { type: "lww", entries: [entry("", hlc, node, value)] });
  }
  for (const [field, { birth, totals }] of Object.entries(change.counter ?? {})) {
    const entries: Entry[] = birth ? [entry("", birth[1], birth[2], birth[0])] : [];
    for (const [incarnation, node, up, down, hlc] of totals ?? [])
      entries.push(entry(incarnation, hlc, node, [up, down]));
    fields.set(field, { type: "counter", entries });
  }
  for (const [field, elements] of Object.entries(change.set ?? {})) {
    const entries = elements.map(([element, hlc, node, removed]) =>
      entry(canonicalize(element), hlc, node, removed ?? NOT_REMOVED),
    );
    fields.set(field, { type: "set", entries });
  }
  return fields;
}

/** The greatest clock reading anywhere in the change, in microseconds since 1970. */
export function latestStamp(change: RowChange): number {
  let latest = change.life[0];
  for (const [, hlc] of Object.values(change.lww ?? {})) if (hlc !== undefined && hlc > latest) latest = hlc;
  for (const { birth, totals } of Object.values(change.counter ?? {})) {
    if (birth && birth[1] > latest) latest = birth[1];
    for (const total of totals ?? []) if (total[4] > latest) latest = total[4];
  }
  for (const elements of Object.values(change.set ?? {})) {
    for (const [, hlc, , removed] of elements) latest = Math.max(latest, hlc, removed ?? 0);
  }
  return latest;
}
