// The edge's schema: SQLite tables that the app reads and writes with the types of the Postgres ones. The types, and what
// cannot be printed (functions), are those of the Postgres columns themselves.
import type { DocumentPath, FieldModel, TableModel } from "@grove-crdt/core";
import { byCodeUnit, nameTables } from "../names";
import { docText, header, property, quote, template } from "../typescript/text";

export interface EdgeColumn {
  readonly name: string;
  readonly property: string;
  readonly builder:
    | { readonly call: "text" | "integer" | "real" | "blob" | "numeric"; readonly mode?: string }
    | { readonly call: "customType"; readonly sqlType: "text" | "blob"; readonly map: "column" | "bigint" };
  readonly annotation?: "lww" | "fixed" | "counter" | "set" | "list" | "document" | "local";
  /** What `list` and the shape of `document` are told besides, as in the model. */
  readonly options?: Pick<FieldModel, "itemKey" | "paths">;
  readonly notNull: boolean;
  /** An SQL constant, or for a local column an expression. */
  readonly default?: string;
  /** The Postgres column has one, which is called; or what stands for a default that only Postgres computes. */
  readonly defaultFn: boolean | "uuid" | "now";
  readonly onUpdateFn: boolean;
}

export interface EdgeTable {
  readonly model: TableModel;
  /** In the order of the Postgres table. */
  readonly columns: readonly EdgeColumn[];
  readonly indexes: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

interface Place {
  /** `cloud.documents` as a value. */
  readonly value: string;
  /** The same as a type. */
  readonly type: string;
}

/** @param sources the module with each Postgres table, as the emitted file imports it: by table name */
export function emitEdgeSchema(tables: readonly EdgeTable[], sources: ReadonlyMap<string, string>): string {
  const ordered = [...tables].sort((a, b) => byCodeUnit(a.model.name, b.model.name));
  const names = nameTables(ordered.map(({ model }) => model));
  const exportOf = (table: string): string => names.get(table)?.base ?? table;
  const columnIn = (table: string, name: string): string =>
    access(columnsOf(ordered, table).find((column) => column.name === name)?.property ?? name);
  const modules = [...new Set(sources.values())].sort(byCodeUnit);
  const alias = (source: string): string => (modules.length === 1 ? "cloud" : `cloud${modules.indexOf(source) + 1}`);
  const placeOf = ({ name, exportName }: TableModel): Place => {
    const base = alias(sources.get(name) ?? "");
    const plain = /^[A-Za-z_$][\w$]*$/.test(exportName);
    return {
      value: base + access(exportName),
      type: plain ? `typeof ${base}.${exportName}` : `(typeof ${base})[${quote(exportName)}]`,
    };
  };
  const circular = inCircles(ordered.map(({ model }) => model));
  const body = ordered
    .map((table) => emitTable(table, placeOf(table.model), exportOf, columnIn, circular.has(table.model.name)))
    .join("\n");
  const used = (list: readonly string[]) => list.filter((name) => new RegExp(`\\b${name}[(<]`).test(body));
  const builders = used([
    ...["blob", "customType", "foreignKey", "index", "integer", "numeric", "primaryKey", "real", "sqliteTable"],
    ...["text", "uniqueIndex"],
  ]);
  const imports = modules.map((source) => {
    const atRunTime = new RegExp(`=> ${alias(source)}\\b`).test(body);
    return `import ${atRunTime ? "" : "type "}* as ${alias(source)} from ${quote(source)};\n`;
  });
  return `${header("The edge's tables in SQLite, with the types of those in Postgres.")}
${/\bsql`/.test(body) ? 'import { sql } from "drizzle-orm";\n' : ""}import { ${[...builders, ...(circular.size > 0 ? [`type ${EXTRA}`] : [])].join(", ")} } from "drizzle-orm/sqlite-core";
import { ${used(["counter", "document", "fixed", "list", "local", "lww", "set"]).join(", ")} } from "grove-crdt/schema";
${imports.join("")}
/** What the app reads from a column of a Postgres table. */
type Of<
  Table extends { _: { columns: Record<string, { _: { data: unknown } }> } },
  Name extends keyof Table["_"]["columns"],
> = Table["_"]["columns"][Name]["_"]["data"];

${body}`;
}

/** Said where a table's references lead back to it: TypeScript finds no type for what is explained by itself. */
const EXTRA = "SQLiteTableExtraConfigValue";

/** Tables from which references through others lead back to them. */
function inCircles(models: readonly TableModel[]): ReadonlySet<string> {
  const parents = new Map(
    models.map(({ name, references = [] }) => [name, references.map(({ table }) => table).filter((to) => to !== name)]),
  );
  const reachable = (from: string, seen: Set<string>): Set<string> => {
    for (const to of parents.get(from) ?? []) {
      if (seen.has(to)) continue;
      seen.add(to);
      reachable(to, seen);
    }
    return seen;
  };
  return new Set(models.map(({ name }) => name).filter((name) => reachable(name, new Set()).has(name)));
}

const columnsOf = (tables: readonly EdgeTable[], name: string): readonly EdgeColumn[] =>
  tables.find(({ model }) => model.name === name)?.columns ?? [];

const access = (name: string): string => (property(name) === name ? `.${name}` : `[${quote(name)}]`);

/** Builders whose own \`primaryKey()\` would make the column optional for inserts, as no key of Postgres is. */
const drawsKeys = ({ builder }: EdgeColumn): boolean => builder.call === "integer";

function emitTable(
  { model, columns, indexes }: EdgeTable,
  place: Place,
  exportOf: (table: string) => string,
  columnIn: (table: string, name: string) => string,
  isCircular: boolean,
): string {
  const [only, ...more] = model.key;
  const single = columns.find(({ name }) => name === only?.name);
  const inline = more.length === 0 && single && !drawsKeys(single) ? single : undefined;
  const lines = columns.map(
    (column) => `  ${property(column.property)}: ${emitColumn(column, place, column === inline)},\n`,
  );
  const on = (names: readonly string[]) => names.map((name) => `t${columnIn(model.name, name)}`).join(", ");
  const extras = [
    ...(inline ? [] : [`primaryKey({ columns: [${on(model.key.map(({ name }) => name))}] })`]),
    ...model.uniques.map(
      (names) => `uniqueIndex(${quote([model.name, ...names, "unique"].join("_"))}).on(${on(names)})`,
    ),
    ...indexes.map(({ name, columns }) => `index(${quote(name)}).on(${on(columns)})`),
    ...(model.references ?? []).map(({ columns, table, parent, onDelete, onUpdate }) => {
      const target = table === model.name ? on(parent) : undefined;
      const foreign = target ?? parent.map((name) => `${exportOf(table)}${columnIn(table, name)}`).join(", ");
      const actions = [
        onDelete === "no action" ? "" : `.onDelete(${quote(onDelete)})`,
        onUpdate === "no action" ? "" : `.onUpdate(${quote(onUpdate)})`,
      ];
      return `foreignKey({ columns: [${on(columns)}], foreignColumns: [${foreign}] })${actions.join("")}`;
    }),
  ];
  const extra =
    extras.length === 0
      ? ""
      : `, (t)${isCircular ? `: ${EXTRA}[]` : ""} => [\n${extras.map((line) => `  ${line},\n`).join("")}]`;
  return `/** ${docText(model.name)} */
export const ${exportOf(model.name)} = sqliteTable(${quote(model.name)}, {
${lines.join("")}}${extra});
`;
}

const drawn: Readonly<Record<string, string>> = { uuid: "globalThis.crypto.randomUUID()", now: "new Date()" };

function emitColumn(column: EdgeColumn, { value, type }: Place, isKey: boolean): string {
  const own = `${value}${access(column.property)}`;
  const of = `Of<${type}, ${quote(column.property)}>`;
  const chain = [
    emitBuilder(column, own, of),
    column.builder.call === "customType" ? "" : `.$type<${of}>()`,
    isKey ? ".primaryKey()" : column.notNull ? ".notNull()" : "",
    column.default === undefined ? "" : `.default(sql${template(column.default)})`,
    column.defaultFn === false
      ? ""
      : `.$defaultFn(() => ${drawn[String(column.defaultFn)] ?? `${own}.defaultFn?.()`} as never)`,
    column.onUpdateFn ? `.$onUpdateFn(() => ${own}.onUpdateFn?.() as never)` : "",
  ].join("");
  return column.annotation === undefined ? chain : `${column.annotation}(${chain}${emitOptions(column)})`;
}

function emitOptions({ options: { itemKey, paths } = {} }: EdgeColumn): string {
  if (itemKey !== undefined) return `, ${keyOption(itemKey)}`;
  return paths ? `, ${emitShape(paths, 0)}` : "";
}

const keyOption = (itemKey: string): string => `{ key: ${quote(itemKey)} }`;

/** Paths as the nested object that they were written as. */
function emitShape(paths: readonly DocumentPath[], depth: number): string {
  const names = [...new Set(paths.map(({ path }) => path[depth] as string))];
  const parts = names.map((name) => {
    const below = paths.filter(({ path }) => path[depth] === name);
    const [only] = below;
    const isType = only !== undefined && only.path.length === depth + 1;
    const shape = isType
      ? `${only.type}(${only.itemKey === undefined ? "" : keyOption(only.itemKey)})`
      : emitShape(below, depth + 1);
    // Without brackets, this one name would set the prototype.
    return `${name === "__proto__" ? '["__proto__"]' : property(name)}: ${shape}`;
  });
  return `{ ${parts.join(", ")} }`;
}

function emitBuilder({ name, builder }: EdgeColumn, own: string, of: string): string {
  if (builder.call !== "customType") {
    const mode = builder.mode === undefined ? "" : `, { mode: ${quote(builder.mode)} }`;
    return `${builder.call}(${quote(name)}${mode})`;
  }
  const driver = builder.sqlType === "text" ? "string" : "Uint8Array";
  const [to, from] =
    builder.map === "bigint"
      ? ["String(value)", "BigInt(value) as never"]
      : [`${own}.mapToDriverValue(value as never) as never`, `${own}.mapFromDriverValue(value as never) as never`];
  const options = `{ dataType: () => ${quote(builder.sqlType)}, toDriver: (value) => ${to}, fromDriver: (value) => ${from} }`;
  return `customType<{ data: ${of}; driverData: ${driver} }>(${options})(${quote(name)})`;
}
