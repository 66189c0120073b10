// The edge's SQLite schema as the Postgres schema implies it: which builder stands for each column, so that the app reads
// and inserts the same types and nothing is lost, and the model that a reader of the emitted file would find.
import type { ColumnModel, FieldModel, Json, TableModel } from "@grove-crdt/core";
import { getTableColumns, is } from "drizzle-orm";
import { getTableConfig, IndexedColumn, type PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Annotation } from "../annotations";
import { type Diagnostic, type Report, schemaError } from "../diagnostics";
import { annotationOf } from "../mark";
import type { SchemaModule } from "../schema";
import type { TableOptions } from "../source";
import { openSource } from "../source";
import { declaredType, elementOf } from "../versions";
import { defaultClause, readDefault } from "./default";
import { draws } from "./field";
import { readType } from "./kinds";

/** What the printed column is built with. */
export type EdgeBuilder =
  | { readonly call: "text" | "integer" | "real" | "blob" | "numeric"; readonly mode?: string }
  /** Through the Postgres column's own mapping, or, of digits, through BigInt. */
  | { readonly call: "customType"; readonly sqlType: "text" | "blob"; readonly map: "column" | "bigint" };

export interface EdgeColumn {
  readonly name: string;
  readonly property: string;
  readonly builder: EdgeBuilder;
  /** Absent on a key column. */
  readonly annotation?: Annotation;
  /** What `list` and the shape of `document` are told besides, as in the model. */
  readonly options?: Pick<FieldModel, "itemKey" | "paths">;
  readonly notNull: boolean;
  /** An SQL constant, or for a local column an expression. */
  readonly default?: string;
  /** The Postgres column has one, which is called at run time; or what stands for a default that only Postgres computes. */
  readonly defaultFn: boolean | "uuid" | "now";
  readonly onUpdateFn: boolean;
}

export interface EdgeTable {
  readonly model: TableModel;
  readonly columns: readonly EdgeColumn[];
  /** Indexes besides unique keys, over whole columns. */
  readonly indexes: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

type Storage = Pick<ColumnModel, "kind" | "storage" | "sqlType">;
type Plan = { readonly builder: EdgeBuilder; readonly type: Storage };

const plan = (builder: EdgeBuilder, kind: Storage["kind"], storage: Storage["storage"], sqlType: string): Plan => ({
  builder,
  type: { kind, storage, sqlType },
});
const text = plan({ call: "text" }, "text", "text", "text");
const json = plan({ call: "text", mode: "json" }, "json", "text", "text");
const moment = plan({ call: "integer", mode: "timestamp_ms" }, "timestamp", "milliseconds", "integer");
const whole = plan({ call: "integer" }, "integer", "integer", "integer");
const real = plan({ call: "real" }, "real", "real", "real");
const mapped = plan({ call: "customType", sqlType: "text", map: "column" }, "text", "text", "text");

/** By Drizzle's `columnType`, where the app reads what the builder gives. */
const plans: Readonly<Record<string, Plan>> = {
  ...Object.fromEntries(
    [
      ...["PgText", "PgVarchar", "PgChar", "PgUUID", "PgEnumColumn", "PgEnumObjectColumn", "PgInet", "PgCidr"],
      ...["PgMacaddr", "PgMacaddr8", "PgInterval", "PgTime", "PgTimestampString", "PgDateString", "PgBinaryVector"],
    ].map((name) => [name, text]),
  ),
  PgNumeric: text,
  PgNumericNumber: plan({ call: "numeric", mode: "number" }, "numeric", "numeric", "numeric"),
  PgNumericBigInt: plan({ call: "customType", sqlType: "text", map: "bigint" }, "text", "text", "text"),
  PgSmallInt: whole,
  PgInteger: whole,
  PgBigInt53: whole,
  PgBigInt64: plan({ call: "blob", mode: "bigint" }, "integer", "blob", "blob"),
  PgBytea: plan({ call: "blob", mode: "buffer" }, "bytes", "blob", "blob"),
  PgReal: real,
  PgDoublePrecision: real,
  PgBoolean: plan({ call: "integer", mode: "boolean" }, "boolean", "integer", "integer"),
  PgTimestamp: moment,
  PgDate: moment,
  PgJson: json,
  PgJsonb: json,
  PgPointTuple: mapped,
  PgPointObject: mapped,
  PgLine: mapped,
  PgLineABC: mapped,
  PgVector: mapped,
  PgHalfVector: mapped,
  PgSparseVector: text,
};

/** Elements that the app reads as they stand in JSON. */
const elements = new Set([
  ...["PgText", "PgVarchar", "PgChar", "PgUUID", "PgEnumColumn", "PgEnumObjectColumn", "PgInet", "PgCidr"],
  ...["PgMacaddr", "PgMacaddr8", "PgInterval", "PgTime", "PgTimestampString", "PgDateString", "PgNumeric"],
  ...["PgSmallInt", "PgInteger", "PgBigInt53", "PgReal", "PgDoublePrecision", "PgBoolean", "PgJson", "PgJsonb"],
]);

function planOf(column: PgColumn): Plan | undefined {
  const { element, dimensions } = elementOf(column);
  if (dimensions > 0) return elements.has(element.columnType) ? json : undefined;
  if (column.columnType !== "PgCustomColumn") return plans[column.columnType];
  const kind = readType(column)?.kind;
  if (kind === "bytes") return plan({ call: "customType", sqlType: "blob", map: "column" }, "bytes", "blob", "blob");
  return kind === "text" ? mapped : undefined;
}

/**
 * @param tables the models that the schema gave
 * @throws GroveError `schema_invalid` with every column that SQLite cannot hold alike
 */
export function readEdge(
  modules: readonly SchemaModule[],
  options: TableOptions,
  tables: readonly TableModel[],
): EdgeTable[] {
  const diagnostics: Diagnostic[] = [];
  const drizzleTables = new Map(
    modules
      .flatMap(({ exports }) => Object.values(exports))
      .flatMap((value): [string, PgTable][] => (is(value, PgTable) ? [[getTableConfig(value).name, value]] : [])),
  );
  const read = tables.map((model) => {
    const report: Report = (found) => diagnostics.push({ table: model.name, ...found });
    return readTable(model, drizzleTables.get(model.name) as PgTable, options, report);
  });
  if (diagnostics.length > 0) throw schemaError(diagnostics);
  return read;
}

function readTable(model: TableModel, table: PgTable, options: TableOptions, report: Report): EdgeTable {
  const config = getTableConfig(table);
  const source = openSource(table, model.exportName, getTableColumns(table), config, options, report);
  const models = new Map<string, ColumnModel>([...model.key, ...model.fields].map((column) => [column.name, column]));
  const planned = new Map<string, Storage>();
  const columns = source.columns.flatMap((read): EdgeColumn[] => {
    const { column, name, property } = read;
    const known = models.get(name);
    const field = known && "type" in known ? (known as FieldModel) : undefined;
    const isLocal = known === undefined;
    const found = problemOf(column, field);
    const made = planOf(column);
    if (found !== undefined || made === undefined) {
      report({ column: name, code: "edge_type", ...(found ?? noType(column)) });
      return [];
    }
    const type = readType(column);
    // A key's default, and that of a local column, is in no model.
    const computed = field ? undefined : computedBy(column, options, made);
    const value = field ? field.default : computed ? undefined : type && readDefault(source, read, type);
    // Rows from other nodes come without local columns, so there the database itself must have a default.
    const drawn = isLocal && column.notNull && computed ? expressions[computed] : undefined;
    const literal = value === undefined ? drawn : printDefault(value, made.type);
    if (literal === null) {
      report({ column: name, code: "edge_type", ...fine });
      return [];
    }
    planned.set(name, made.type);
    return [
      {
        name,
        property,
        builder: made.builder,
        ...((field || isLocal) && { annotation: field ? annotationOf(field) : "local" }),
        ...(field && optionsOf(field)),
        notNull: column.notNull || column.primary,
        ...(literal !== undefined && { default: literal }),
        defaultFn: drawn === undefined && (computed ?? column.defaultFn !== undefined),
        onUpdateFn: column.onUpdateFn !== undefined,
      },
    ];
  });
  const toEdge = <Column extends ColumnModel>({ element: _, ...column }: Column) => ({
    ...column,
    ...planned.get(column.name),
  });
  return {
    model: { ...model, key: model.key.map(toEdge) as ColumnModel[], fields: model.fields.map(toEdge) as FieldModel[] },
    columns,
    indexes: config.indexes.flatMap(({ config: index }) => {
      const names = index.columns.flatMap((part) =>
        is(part, IndexedColumn) ? (source.columns.find(({ column }) => column.name === part.name)?.name ?? []) : [],
      );
      const whole =
        names.length === index.columns.length && index.where === undefined && (index.method ?? "btree") === "btree";
      return whole && !index.unique && index.name !== undefined ? [{ name: index.name, columns: names }] : [];
    }),
  };
}

const optionsOf = ({ itemKey, paths }: FieldModel): Pick<EdgeColumn, "options"> =>
  itemKey === undefined && paths === undefined
    ? {}
    : { options: { ...(itemKey !== undefined && { itemKey }), ...(paths && { paths }) } };

/** What the app can draw as well as Postgres does. */
function computedBy(column: PgColumn, { casing }: TableOptions, { type }: Plan): "uuid" | "now" | undefined {
  const clause = (defaultClause(column, casing) ?? "").replace(/^\((.*)\)$/s, "$1");
  if (/^(gen_random_uuid|uuid_generate_v4)\(\)$/i.test(clause)) return "uuid";
  return /^(now\(\)|current_timestamp)$/i.test(clause) && type.kind === "timestamp" ? "now" : undefined;
}

/** The same as SQL of SQLite. */
const expressions = {
  now: "(cast((julianday('now') - 2440587.5) * 86400000 as integer))",
  uuid: `(${[
    "lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2)))",
    "'-4' || substr(lower(hex(randomblob(2))), 2)",
    "'-8' || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6)))",
  ].join(" || ")})`,
} as const;

type Problem = Pick<Diagnostic, "problem" | "cure">;

const byHand =
  "or write the edge's schema by hand and name it in `edge: { schema }`, which is then checked against this one";

/** What stands in the way although the type has a builder. */
function problemOf(column: PgColumn, field: FieldModel | undefined): Problem | undefined {
  if (column.generated !== undefined || column.generatedIdentity !== undefined || draws(column)) {
    return {
      problem: "Postgres makes its values, in a way that SQLite does not know",
      cure: `Let the app supply them, ${byHand}.`,
    };
  }
  if (field?.type === "counter" && column.columnType === "PgBigInt64") {
    return {
      problem: "it is a counter in mode bigint, and SQLite's drivers round such numbers when the app reads them",
      cure: `Use \`bigint("…", { mode: "number" })\`, ${byHand}.`,
    };
  }
  return undefined;
}

const noType = (column: PgColumn): Problem => ({
  problem: `no column of SQLite gives the app what ${declaredType(column)} (${column.columnType}) does without loss`,
  cure: `Use another type, ${byHand}.`,
});

const fine: Problem = {
  problem: "its default has microseconds, which the edge's column of milliseconds does not hold",
  cure: `Use a default of whole milliseconds, ${byHand}.`,
};

/** A canonical value as SQLite's constant for a column; null for what it would alter. */
function printDefault(value: Json, { kind, storage }: Storage): string | null {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  if (kind === "json") return quoted(JSON.stringify(value));
  if (storage === "blob") {
    const bytes = kind === "bytes" ? Buffer.from(value as string, "base64") : Buffer.from(String(value));
    return `X'${bytes.toString("hex")}'`;
  }
  if (kind === "timestamp") {
    const time = Date.parse(value as string);
    return Number.isNaN(time) || !(value as string).endsWith("000Z") ? null : String(time);
  }
  if (kind === "boolean") return value === true ? "1" : "0";
  if (kind === "integer" || (kind === "numeric" && value !== "NaN" && !String(value).includes("Infinity")))
    return String(value);
  if (kind === "real" && typeof value === "number") return String(value);
  return quoted(String(value));
}
