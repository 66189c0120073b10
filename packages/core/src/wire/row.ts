// The schema of one row's changes on the wire, and the check against a table's model.
import { z } from "zod";
import type { RowChange } from "../change";
import { GroveError } from "../errors";
import type { Json, TableModel } from "../model";
import { fieldNamed } from "../row";
import { NODE_ID } from "../stamp";

/** Longest name of a table or column, in UTF-16 units. */
const name = z.string().min(1).max(256);
const hlc = z.int().min(0);
const node = z.union([z.literal(""), z.string().regex(NODE_ID)]);
const decimal = z
  .string()
  .max(64)
  .regex(/^-?(0|[1-9]\d*)$/);
const total = z
  .string()
  .max(64)
  .regex(/^(0|[1-9]\d*)$/);
// Rows come out of JSON.parse, so any value that is there is JSON.
const json = z.custom<Json>((value) => value !== undefined, "a value is missing");

const register = z.union([z.tuple([json]), z.tuple([json, hlc, node])]);
const counter = z.strictObject({
  birth: z.tuple([decimal, hlc, node]).optional(),
  totals: z.array(z.tuple([z.string().regex(/^[a-z0-9]{1,32}$/), node, total, total, hlc])).optional(),
});
const element = z.union([z.tuple([json, hlc, node]), z.tuple([json, hlc, node, hlc])]);

export const rowChangeSchema = z.strictObject({
  table: name,
  pk: z.array(json).min(1).max(32),
  cl: z.int().min(1),
  life: z.tuple([hlc, node]),
  lww: z.record(name, register).optional(),
  counter: z.record(name, counter).optional(),
  set: z.record(name, z.array(element)).optional(),
});

/** A row as it came, or why it is none. Never throws, however deep or odd the value. */
export function parseRowChange(value: unknown): { readonly change: RowChange } | { readonly problem: string } {
  try {
    const parsed = rowChangeSchema.safeParse(value);
    if (parsed.success) return { change: parsed.data as RowChange };
    const [issue] = parsed.error.issues;
    return { problem: `${issue?.path.join(".") || "row"}: ${issue?.message ?? "malformed"}` };
  } catch {
    return { problem: "row: nested too deeply" };
  }
}

const bad = (change: RowChange, field: string | undefined, problem: string) =>
  new GroveError("bad_change", `${change.table}${field === undefined ? "" : `.${field}`}: ${problem}`, {
    details: { table: change.table, pk: change.pk, ...(field !== undefined && { field }) },
  });

/**
 * Checks a change against the table that it names: the key has the table's length, and every field that the table
 * knows comes under its own type. Fields that the table does not know are welcome: a newer peer has them.
 *
 * @throws GroveError `bad_change`
 */
export function checkChange(model: TableModel, change: RowChange): void {
  if (change.pk.length !== model.key.length) {
    throw bad(
      change,
      undefined,
      `the key has ${change.pk.length} values where the table has ${model.key.length} key columns`,
    );
  }
  if (change.pk.some((value) => value === null)) throw bad(change, undefined, "a key value is null");
  const seen = new Set<string>();
  for (const type of ["lww", "counter", "set"] as const) {
    for (const field of Object.keys(change[type] ?? {})) {
      const known = fieldNamed(model, field);
      if (known && known.type !== type) throw bad(change, field, `is a ${known.type}, not a ${type}`);
      if (seen.has(field)) throw bad(change, field, "comes under two types");
      seen.add(field);
      if (model.key.some((column) => column.name === field)) throw bad(change, field, "is a key column");
    }
  }
}
