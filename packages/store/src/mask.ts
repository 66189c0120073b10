// Masks of log rows that older triggers wrote, as SQL that both databases read alike.
import { FIELDS_PER_MASK, maskColumns } from "@grove-crdt/core";

/** Assignments that move each field's bit to where the field is now; none where every bit stays in its place. */
export function moveMasks(before: readonly string[], after: readonly string[]): string[] {
  if (before.every((name, n) => after[n] === name)) return [];
  const place = (index: number) => ({
    mask: `"${maskColumns(index + 1).at(-1) as string}"`,
    bit: index % FIELDS_PER_MASK,
  });
  const parts = new Map<string, string[]>();
  after.forEach((name, to) => {
    const from = before.indexOf(name);
    if (from < 0) return;
    const source = place(from);
    const target = place(to);
    const moved = `(((coalesce(${source.mask}, 0) >> ${source.bit}) & 1) << ${target.bit})`;
    parts.set(target.mask, [...(parts.get(target.mask) ?? []), moved]);
  });
  return [...parts].map(([mask, moved]) => `${mask} = ${moved.join(" | ")}`);
}
