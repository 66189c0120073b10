// Outcomes of rows that hooks had a part in: what the store made of them, together with what hooks refused or changed.
import type { Outcome, RowChange } from "@grove-crdt/core";

export const rejected = (code: string, message: string): Outcome => ({ outcome: "rejected", code, message });

/**
 * Whether values that hooks changed may follow. Of a row that somebody held it is decided later whether the sender may write it
 * at all, where that is a question.
 */
export const isTaken = ({ outcome, code, fields }: Outcome, isScoped: boolean): boolean =>
  outcome === "rejected" ? fields !== undefined : outcome !== "refused" && !(isScoped && code === "busy");

/** A row's outcome with that of the values which hooks changed in it. */
export function withOwn(before: Outcome, own: Outcome, { lww = {} }: RowChange): Outcome {
  if (own.outcome === "refused") return own;
  if (own.outcome === "rejected") {
    const message = "A hook of the peer gave a value that the column cannot hold.";
    return { ...rejected("hook_failed", message), fields: [...(before.fields ?? []), ...Object.keys(lww)] };
  }
  if (before.outcome === "rejected") return before;
  return own.outcome === "superseded" ? before : own;
}

/** A row of which hooks took a part, and what became of the rest. */
export function combine(merged: Outcome, refusal: Outcome | null): Outcome {
  if (!refusal) return merged;
  if (merged.outcome === "refused") return merged;
  if (merged.outcome !== "rejected") return refusal;
  return merged.fields && refusal.fields ? { ...merged, fields: [...merged.fields, ...refusal.fields] } : merged;
}
