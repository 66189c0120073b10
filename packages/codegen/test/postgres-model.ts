// Models of Postgres tables, as short as a test needs them.
import type { ColumnModel, FieldModel, Storage, TableModel, ValueKind } from "@grove-crdt/core";

interface Typed {
  readonly kind: ValueKind;
  readonly storage: Storage;
}

const kinds: Readonly<Record<string, Typed>> = {
  bigint: { kind: "integer", storage: "native" },
  jsonb: { kind: "json", storage: "jsonb" },
  json: { kind: "json", storage: "json" },
};

/** A column from `name sqlType`. */
function column(text: string): ColumnModel {
  const [, name = text, sqlType = "text"] = /^(.*?): (.*)$/s.exec(text) ?? [];
  const isArray = sqlType.endsWith("[]");
  const typed: Typed = isArray
    ? { kind: "json", storage: "array" }
    : (kinds[sqlType] ?? { kind: "text", storage: "native" });
  const element = { kind: "text", storage: "native", sqlType: sqlType.replace(/\[\]$/, "") } as const;
  return { name, property: name, ...typed, sqlType, notNull: true, ...(isArray && { element }) };
}

/** A model as short as a test needs it. Columns are `name` or `name: sql type`, with the type in front unless `lww`. */
export function model(
  name: string,
  key: readonly string[],
  fields: readonly string[],
  more: Partial<TableModel> = {},
): TableModel {
  const field = (text: string): FieldModel => {
    const [, word = "lww", rest = text] = /^(counter|set|fixed) (.*)$/s.exec(text) ?? [];
    const sqlType = /: /.test(rest) ? "" : { counter: ": bigint", set: ": jsonb", lww: "", fixed: "" }[word];
    if (word === "fixed") return { ...column(rest), type: "lww", fixed: true };
    return { ...column(`${rest}${sqlType}`), type: word as FieldModel["type"] };
  };
  return {
    name,
    exportName: "t",
    key: key.map(column),
    fields: fields.map(field),
    local: [],
    uniques: [],
    ...more,
  };
}
