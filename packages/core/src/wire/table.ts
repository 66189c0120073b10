// Schemas of one table's states and changes, for those who take them in by themselves: as strict as the table's model.
import { z } from "zod";
import { isMeasurable, isTooDeep } from "../canonical";
import type { ChangeRecord, RowChange, WireCounter, WireDocument, WireElement, WireItem } from "../change";
import { MAX_ENDS } from "../ends";
import type { ColumnModel, FieldModel, Json, TableModel } from "../model";
import { MAX_CAUSAL_LENGTH } from "../row";
import { NODE_ID } from "../stamp";
import { isCounter, isDocument, isElement, isItem } from "./check";

const hlc = z.int().min(0);
const node = z.union([z.literal(""), z.string().regex(NODE_ID)]);
const json = z.custom<Json>(
  (value) => value !== undefined && !isTooDeep(value) && isMeasurable(value),
  "no JSON that every node can hold",
);
/** A value that has no canonical form of its column's kind; see docs/protocol.md. */
const tagged = z.strictObject({ $grove: z.string(), value: json });

/** The values of a column on the wire. */
function wireValue({ kind, storage, notNull }: ColumnModel): z.ZodType {
  const whole = z.union([z.int(), z.string().regex(/^-?\d+$/)]);
  const real = storage === "native" ? z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]) : z.number();
  const plain =
    kind === "json"
      ? json
      : kind === "boolean"
        ? z.boolean()
        : kind === "integer"
          ? whole
          : kind === "real"
            ? real
            : z.string();
  const value = kind === "json" ? plain : z.union([plain, tagged]);
  return notNull || kind === "json" ? value : value.nullable();
}

const counter = z.custom<WireCounter>(isCounter, "no counter");
const elements = z.array(z.custom<WireElement>(isElement, "no element of a set"));
const items = z.array(z.custom<WireItem>(isItem, "no position of a list"));
const paths = z.custom<WireDocument>(isDocument, "no document");

/** A field as it travels in its row. */
const partOf = (field: FieldModel): z.ZodType => {
  switch (field.type) {
    case "lww":
      return z.union([z.tuple([wireValue(field)]), z.tuple([wireValue(field), hlc, node])]);
    case "counter":
      return counter;
    case "set":
      return elements;
    case "list":
      return items;
    case "document":
      return paths;
  }
};

const keyOf = ({ key }: TableModel): z.ZodType =>
  z.tuple(key.map((column) => wireValue({ ...column, notNull: true })) as unknown as [z.ZodType]);
const ends = z.array(hlc.nullable()).min(1).max(MAX_ENDS).optional();
const cl = z.int().min(1).max(MAX_CAUSAL_LENGTH);

/**
 * A whole state of one row, or a part of it, as it travels and as `node.inspect` gives it. Strict: a column that the table
 * does not have is refused, where a node would keep it for later.
 */
export function stateSchema(model: TableModel): z.ZodType<RowChange> {
  const parts: Record<string, z.ZodType> = {};
  for (const type of ["lww", "counter", "set", "list", "document"] as const) {
    const fields = model.fields.filter((field) => field.type === type);
    if (fields.length > 0)
      parts[type] = z
        .strictObject(Object.fromEntries(fields.map((field) => [field.name, partOf(field).optional()])))
        .optional();
  }
  const row = { table: z.literal(model.name), pk: keyOf(model), cl, life: z.tuple([hlc, node]), ends };
  return z.strictObject({ ...row, ...parts }) as unknown as z.ZodType<RowChange>;
}

/** One field's change of the table, as hooks see it, told apart by `field`. */
export function changeSchema(model: TableModel): z.ZodType<ChangeRecord> {
  const row = { table: z.literal(model.name), pk: keyOf(model), cl, hlc, nodeId: node };
  const fields = model.fields.map((field) =>
    z.strictObject({
      ...row,
      field: z.literal(field.name),
      type: z.literal(field.type),
      ...(field.type === "lww" ? { value: wireValue(field) } : { [field.type]: partOf(field) }),
    }),
  );
  const own = z.strictObject({
    ...row,
    field: z.literal(""),
    type: z.literal("row"),
    tombstone: z.literal(true).optional(),
  });
  return z.union([own, ...fields]) as unknown as z.ZodType<ChangeRecord>;
}
