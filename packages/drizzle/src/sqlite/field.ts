// The columns beside the key: annotated ones become fields, local ones stay on their node.
import type { CrdtTypeName, FieldModel, Json } from "@grove-crdt/core";
import { readDefault } from "./default";
import { type Kind, readKind } from "./kinds";
import { describe, type ReadColumn, type TableSource } from "./table";

export function readFields(source: TableSource, key: readonly ReadColumn[]): { fields: FieldModel[]; local: string[] } {
  const fields: FieldModel[] = [];
  const local: string[] = [];
  for (const read of source.columns) {
    if (key.includes(read)) continue;
    const annotation = annotationOf(source, read);
    if (annotation === "local") {
      checkLocal(source, read);
      local.push(read.name);
    } else if (annotation !== undefined) {
      const field = readField(source, read, annotation);
      if (field) fields.push(field);
    }
  }
  return { fields, local };
}

/** A generated column follows from the others on every node, so without annotation it is local. */
function annotationOf(
  { options, report }: TableSource,
  { name, mark, column }: ReadColumn,
): CrdtTypeName | "local" | undefined {
  if (mark.annotation !== undefined) return mark.annotation;
  if (mark.conflicting !== undefined) {
    const words = mark.conflicting.split(" ");
    report({
      column: name,
      code: "annotated_twice",
      problem: `it is annotated ${words.map((word) => `${word}()`).join(" and ")}`,
      cure: "Keep one annotation.",
    });
  } else if (mark.lost) {
    report({
      column: name,
      code: "mark_lost",
      problem: "the annotation sits on the array's element and is lost: lww(text()).array()",
      cure: "Put the annotation around the whole: lww(text().array()).",
    });
  } else if (column.generated !== undefined) {
    return "local";
  } else if (options.unmarked !== undefined) {
    return options.unmarked;
  } else {
    report({
      column: name,
      code: "unmarked",
      problem: "it is neither annotated nor local, so nodes would differ in it silently",
      cure: 'Wrap it in lww(), counter(), set() or local(), or say `groveCrdt({ unmarked: "lww" })` for all of them.',
    });
  }
  return undefined;
}

function checkLocal({ report }: TableSource, { name, column }: ReadColumn): void {
  if (!column.notNull || column.default !== undefined || column.generated !== undefined) return;
  report({
    column: name,
    code: "local_required",
    problem: "it is local and NOT NULL without a default, so rows from other nodes could not be inserted",
    cure: "Add `.default(…)` (not `$defaultFn`, which the database does not know), or drop `.notNull()`.",
  });
}

function readField(source: TableSource, read: ReadColumn, type: CrdtTypeName): FieldModel | null {
  const { report, options } = source;
  const { name, column } = read;
  if (column.generated !== undefined) {
    report({
      column: name,
      code: "generated_annotated",
      problem: "it is a generated column, which cannot be written",
      cure: "Take the annotation off: the database makes its value on every node.",
    });
    return null;
  }
  const kind = readKind(column);
  if (kind === undefined) {
    report({
      column: name,
      code: "kind_unsupported",
      problem: `its column type ${column.columnType} is unknown`,
      cure: "Mark it local(), or use one of the types of drizzle-orm/sqlite-core.",
    });
    return null;
  }
  checkType(source, read, type, kind);
  const value = readDefault(column, name, kind, options.casing, report);
  return { ...describe(read, kind), type, ...defaultOf(source, read, type, value) };
}

/** A counter's default is text whatever its size, a set's is an array. */
function defaultOf(
  { report }: TableSource,
  { name }: ReadColumn,
  type: CrdtTypeName,
  value: Json | undefined,
): { default?: Json } {
  if (value === undefined) return {};
  if (type === "counter") return { default: String(value) };
  if (type === "set" && !Array.isArray(value)) {
    report({
      column: name,
      code: "default_invalid",
      problem: `its default ${JSON.stringify(value)} is no JSON array`,
      cure: "Use `.default([])`, or another array.",
    });
    return {};
  }
  return { default: value };
}

function checkType({ report }: TableSource, { name, column }: ReadColumn, type: CrdtTypeName, kind: Kind): void {
  if (type === "counter" && kind.kind !== "integer") {
    report({
      column: name,
      code: "counter_kind",
      problem: `it is a counter stored as ${kind.kind}`,
      cure: 'Use `integer("…")` without a mode.',
    });
  }
  if (type === "set" && (kind.kind !== "json" || kind.storage !== "text")) {
    report({
      column: name,
      code: "set_kind",
      problem: `it is a set stored as ${kind.kind === "json" ? "a JSON blob" : kind.kind}`,
      cure: 'Use `text("…", { mode: "json" }).$type<T[]>()`.',
    });
  }
  if (type !== "lww" && !column.notNull) {
    report({
      column: name,
      code: type === "counter" ? "counter_nullable" : "set_nullable",
      problem: `it is a ${type} and may be NULL`,
      cure: `Add \`.notNull().default(${type === "counter" ? "0" : "[]"})\`.`,
    });
  }
}
