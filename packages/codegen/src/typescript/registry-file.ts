// registry.ts: what the schema says, as plain data for the runtime.
import type { ColumnModel, Dialect, FieldModel, TableModel } from "@grove-crdt/core";
import { byCodeUnit, type Names } from "../names";
import { Code, docText, header, print } from "./text";

export function emitRegistryFile(
  dialect: Dialect,
  tables: readonly TableModel[],
  names: ReadonlyMap<string, Names>,
): string {
  const models = tables.map((table) => {
    const { model } = names.get(table.name) as Names;
    return `/** ${docText(table.name)} */\nexport const ${model} = ${print(plain(table))} as const satisfies TableModel;\n`;
  });
  const all = print({
    dialect,
    tables: tables.map((table) => new Code((names.get(table.name) as Names).model)),
    capture: { hash: new Code("hash"), system: new Code("system"), tables: new Code("tables") },
  });
  return `${header("What the schema says, for `createNode({ db, registry })`.")}
import type { Registry, TableModel } from "grove-crdt";
import { hash, system, tables } from "./capture.js";

${models.join("\n")}
/** Everything that is replicated, and the SQL that captures it. */
export const registry = ${all} as const satisfies Registry;
`;
}

/** The model with its properties in a fixed order. */
const plain = (table: TableModel) => ({
  name: table.name,
  exportName: table.exportName,
  key: table.key.map(plainColumn),
  fields: table.fields.map(plainField),
  local: table.local,
  uniques: table.uniques,
  references: table.references?.map(({ columns, table, parent, onDelete, onUpdate }) => ({
    columns,
    table,
    parent,
    onDelete,
    onUpdate,
  })),
  keepsDeleted: table.keepsDeleted,
  history: table.history && { days: table.history.days, depth: table.history.depth },
});

const plainColumn = ({ element, ...column }: ColumnModel) => ({
  name: column.name,
  property: column.property,
  kind: column.kind,
  storage: column.storage,
  sqlType: column.sqlType,
  notNull: column.notNull,
  element: element && { kind: element.kind, storage: element.storage, sqlType: element.sqlType },
});

const plainField = (field: FieldModel) => ({
  ...plainColumn(field),
  type: field.type,
  fixed: field.fixed,
  itemKey: field.itemKey,
  paths: field.paths?.map(({ path, type, itemKey }) => ({ path, type, itemKey })),
  default: sortKeys(field.default),
});

/** Keys of objects by code unit, as canonical JSON has them. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => byCodeUnit(a, b));
  return Object.fromEntries(entries.map(([name, item]) => [name, sortKeys(item)]));
}
