// Messages of history. docs/history.md says the same in prose.
//
//   GET /history        what was this row at a time?
//   GET /field-history  what was written to this field, and what became of it?
import { z } from "zod";
import type { RowChange } from "../change";
import type { FieldWrite } from "../field-history";
import type { Json } from "../model";

/** Writes of a field that one answer tells at most, and unless it is asked for fewer: the latest. */
export const MAX_FIELD_WRITES = 1_000;

const table = z.string().min(1).max(256);
const pk = z
  .array(z.union([z.string(), z.number(), z.boolean()]))
  .min(1)
  .max(32)
  .readonly();

/** The row's key is JSON; `at` is microseconds since 1970, or a time as ISO 8601 has it. */
export const historyRequestSchema = z.strictObject({ table, pk, at: z.int().min(0) });
export type HistoryRequest = z.infer<typeof historyRequestSchema>;

export const fieldHistoryRequestSchema = z.strictObject({
  table,
  pk,
  field: z.string().min(1).max(256),
  limit: z.int().min(1).max(MAX_FIELD_WRITES).optional(),
});
export type FieldHistoryRequest = z.infer<typeof fieldHistoryRequestSchema>;

/** A row as it was. */
export interface StateAt {
  /** Canonical values by column name, the key's among them; null = it was deleted. */
  readonly values: Readonly<Record<string, Json>> | null;
  /** Since when it was so, as far as what is kept tells: microseconds since 1970, by the clock of the node that kept it. */
  readonly since: number;
  /** The peer that brought its last change; null = that was made at the node itself. */
  readonly from: string | null;
  /** All that was known of it, stamps included. */
  readonly state: RowChange;
}

/** The answer to `GET /history`. */
export interface HistoryResponse {
  readonly node: string;
  /** Null where the node knew nothing of the row then. */
  readonly row: StateAt | null;
}

/** The answer to `GET /field-history`. */
export interface FieldHistoryResponse {
  readonly node: string;
  /** The oldest first. */
  readonly writes: readonly FieldWrite[];
  /** There are older ones, which are not told. */
  readonly more: boolean;
}
