// Access: from what the router was told about principals to what one of them may see and write.
import {
  type Access,
  type ColumnModel,
  GroveError,
  type Json,
  type Registry,
  type TableModel,
  type TableName,
  type TableView,
} from "@grove-crdt/core";
import type { GroveNode } from "@grove-crdt/sync";

type TableOf<R extends Registry, Name extends string> = Extract<R["tables"][number], { readonly name: Name }>;
/** A column's property in the Drizzle table. */
type KeyOf<T extends TableModel> = T["key"][number]["property"];
type FieldOf<T extends TableModel> = T["fields"][number]["property"];

/** What a row must have, all of it: by property of the Drizzle table, key columns and fixed ones. */
export type Scope<Property extends string = string> = Readonly<
  Partial<Record<Property, string | number | bigint | boolean>>
>;

/** What a principal may see and write. */
export interface AccessOptions<Principal, R extends Registry> {
  /** Names of the tables that exist for the principal; omitted = all of the node's. */
  readonly tables?: (principal: Principal) => readonly TableName<R>[];
  /** By table: the columns that the principal may see and write, as properties of the Drizzle table; null = all. */
  readonly fields?: {
    readonly [Name in TableName<R>]?: (principal: Principal) => readonly FieldOf<TableOf<R, Name>>[] | null;
  };
  /**
   * By table: which rows the principal may see and write. Null = no row, the table does not exist for it. A table that is not
   * named here is open to everybody who may see it.
   */
  readonly scope?: {
    readonly [Name in TableName<R>]?: (
      principal: Principal,
    ) => Scope<KeyOf<TableOf<R, Name>> | FieldOf<TableOf<R, Name>>> | null;
  };
  /** Whether it may push what other nodes wrote (default: no). A hub or a mesh node does; an edge only brings its own. */
  readonly mayRelay?: (principal: Principal) => boolean;
}

const misconfigured = (message: string) => new GroveError("bad_request", `syncRouter: ${message}`);

/** Kinds of column whose values are told apart by `=`, in SQL as here. */
const COMPARABLE = new Set(["text", "integer", "boolean"]);

/**
 * What a principal may see and do.
 *
 * @throws GroveError `bad_request` for a table that the node does not sync; the returned function throws an Error for what a scope
 *   cannot compare, since no caller is to blame for that
 */
export function accessOf<Principal, R extends Registry>(
  node: GroveNode<R>,
  { tables, fields, scope, mayRelay }: AccessOptions<Principal, R>,
): (principal: Principal) => Access {
  const models = new Map(node.registry.tables.map((model) => [model.name, model]));
  for (const [option, named] of Object.entries({ fields, scope })) {
    const unknown = Object.keys(named ?? {}).find((name) => !node.tables.includes(name));
    if (unknown !== undefined)
      throw misconfigured(
        `${option} names the table ${JSON.stringify(unknown)}. The node syncs: ${node.tables.join(", ")}.`,
      );
  }
  type ByTable<Result> = Readonly<Record<string, ((principal: Principal) => Result) | undefined>>;
  // Tables may bear the names of what every object has.
  const own = <Result>(by: object | undefined) => new Map(Object.entries((by ?? {}) as ByTable<Result>));
  const scopes = own<Scope | null>(scope);
  const allowed = own<readonly string[] | null>(fields);
  return (principal) => {
    const names = new Set(tables ? node.tables.filter((name) => tables(principal).includes(name)) : node.tables);
    const view = new Map<string, TableView>();
    for (const name of [...names]) {
      const model = models.get(name) as TableModel;
      const rows = scopes.get(name)?.(principal);
      const columns = allowed.get(name)?.(principal);
      // Undefined is a scope that forgot to return.
      if (scopes.has(name) && !rows) names.delete(name);
      else if (rows || columns)
        view.set(name, {
          ...(columns && { fields: new Set(columns.map((property) => columnNamed(model, property).name)) }),
          ...(rows && { where: conditions(model, rows) }),
        });
    }
    const elsewhere = !tables && !fields && !scope;
    return { tables: names, view, mayRelay: mayRelay?.(principal) === true, elsewhere };
  };
}

function columnNamed(model: TableModel, property: string): ColumnModel & { readonly fixed?: boolean } {
  const columns: readonly ColumnModel[] = [...model.key, ...model.fields];
  const column = columns.find((one) => one.property === property);
  if (column) return column;
  throw new Error(
    `syncRouter: ${model.name} has no synced column ${JSON.stringify(property)}. It has: ${columns.map((one) => one.property).join(", ")}.`,
  );
}

function conditions(model: TableModel, scope: Scope): Readonly<Record<string, Json>> {
  const entries = Object.entries(scope).map(([property, value]): [string, Json] => {
    const column = columnNamed(model, property);
    const at = `${model.name}.${property}`;
    if (!model.key.includes(column) && column.fixed !== true)
      throw new Error(
        `syncRouter: the scope of ${at} could change under its readers. Annotate the column with fixed(), or use one of the key.`,
      );
    if (!COMPARABLE.has(column.kind))
      throw new Error(`syncRouter: the scope of ${at} compares a ${column.kind}. Use text, integers or booleans.`);
    // Undefined, or what is no such value, would show every row or none.
    const isFit =
      column.kind === "boolean"
        ? typeof value === "boolean"
        : column.kind === "text"
          ? typeof value === "string"
          : isWhole(value);
    if (!isFit) throw new Error(`syncRouter: the scope of ${at} is no ${column.kind}: ${typeof value}.`);
    return [column.name, toCanonical(value as string | number | bigint | boolean)];
  });
  if (entries.length === 0)
    throw new Error(`syncRouter: the scope of ${model.name} says nothing. Return null for no row.`);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isWhole = (value: unknown): boolean => typeof value === "bigint" || Number.isSafeInteger(value);
/** Whole numbers beyond 2^53 are text on the wire. */
const toCanonical = (value: string | number | bigint | boolean): Json =>
  typeof value !== "bigint" ? value : Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
