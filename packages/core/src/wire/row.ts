// The schema of one row's changes on the wire, and the check against a table's model.
import { z } from "zod";
import { isIllFormed, isMeasurable, isTooDeep } from "../canonical";
import { FIELD_PARTS, type RowChange, type WireDocument, type WireItem } from "../change";
import { MAX_ENDS } from "../ends";
import { GroveError } from "../errors";
import type { Json, TableModel } from "../model";
import { fieldNamed, MAX_CAUSAL_LENGTH } from "../row";
import { NODE_ID } from "../stamp";
import { isDocument, isItem, isRowChange } from "./check";

/** Longest name of a table or column, in UTF-16 units. */
const name = z
  .string()
  .min(1)
  .max(256)
  // Postgres stores no text with NUL in it.
  .refine((text) => !isIllFormed(text) && !text.includes("\0"), "not well-formed");
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
const json = z.custom<Json>(
  (value) => value !== undefined && isMeasurable(value),
  "a value is missing, or has a number that is none",
);

const register = z.union([z.tuple([json]), z.tuple([json, hlc, node])]);
const counter = z.strictObject({
  birth: z.tuple([decimal, hlc, node]).optional(),
  totals: z.array(z.tuple([z.string().regex(/^[a-z0-9]{1,32}$/), node, total, total, hlc])).optional(),
});
const element = z.union([z.tuple([json, hlc, node]), z.tuple([json, hlc, node, hlc])]);

export const rowChangeSchema = z.strictObject({
  table: name,
  pk: z.array(json).min(1).max(32),
  cl: z.int().min(1).max(MAX_CAUSAL_LENGTH),
  life: z.tuple([hlc, node]),
  ends: z.array(hlc.nullable()).min(1).max(MAX_ENDS).optional(),
  lww: z.record(name, register).optional(),
  counter: z.record(name, counter).optional(),
  set: z.record(name, z.array(element)).optional(),
  list: z.record(name, z.array(z.custom<WireItem>(isItem, "no position of a list"))).optional(),
  document: z.record(name, z.custom<WireDocument>(isDocument, "no part of a document")).optional(),
});

/** A row as it came, or why it is none. Never throws, however deep or odd the value. */
export function parseRowChange(value: unknown): { readonly change: RowChange } | { readonly problem: string } {
  // Whatever is done with a value later on is recursive.
  if (isTooDeep(value)) return { problem: "row: nested too deeply" };
  // The schema costs as much as the rest of a merge's decisions; it is asked only where it might refuse, and says why.
  if (isRowChange(value)) return { change: value };
  const parsed = rowChangeSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { problem: `${issue?.path.join(".") || "row"}: ${issue?.message ?? "malformed"}` };
  }
  // zod leaves out this one name in silence.
  const row = value as Record<string, object | undefined>;
  const unnameable = FIELD_PARTS.find((type) => Object.hasOwn(row[type] ?? {}, "__proto__"));
  return unnameable === undefined
    ? { change: parsed.data as RowChange }
    : { problem: `${unnameable}.__proto__: no column can have this name` };
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
  if (change.pk.includes(null)) throw bad(change, undefined, "a key value is null");
  for (const type of FIELD_PARTS) {
    for (const field in change[type]) {
      const known = fieldNamed(model, field);
      if (known?.type === type) continue;
      if (known) throw bad(change, field, `is a ${known.type}, not a ${type}`);
      if (FIELD_PARTS.some((other) => other !== type && Object.hasOwn(change[other] ?? {}, field)))
        throw bad(change, field, "comes under two types");
      if (model.key.some((column) => column.name === field)) throw bad(change, field, "is a key column");
    }
  }
}
