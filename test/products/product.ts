// A product's database as its program sees it: its tables through Drizzle, on SQLite or Postgres, in rows of plain values.

import type Database from "better-sqlite3";
import {
  type AnyColumn,
  type Column,
  type TableConfig as Config,
  getTableColumns,
  getTableName,
  is,
  type SQL,
  sql,
  Table,
} from "drizzle-orm";
import { drizzle as onSqlite } from "drizzle-orm/better-sqlite3";
import { getTableConfig as configOfPostgres, PgTable } from "drizzle-orm/pg-core";
import { drizzle as onPostgres } from "drizzle-orm/postgres-js";
import { getTableConfig as configOfSqlite, type SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Sql } from "postgres";
import { markKey } from "../../packages/drizzle/src/annotations";

export type Casing = "snake_case" | undefined;
export type Values = Record<string, unknown>;

/** A foreign key, by the properties of the columns. */
export interface Reference {
  readonly columns: readonly string[];
  readonly table: string;
  readonly parent: readonly string[];
}

export interface ProductTable {
  readonly name: string;
  readonly table: Table;
  readonly columns: Readonly<Record<string, Column>>;
  readonly key: readonly string[];
  readonly references: readonly Reference[];
  /** Columns that each node has for itself. */
  readonly local: readonly string[];
  /** Columns that are written once. */
  readonly fixed: readonly string[];
}

type Configured = Pick<ReturnType<typeof configOfPostgres>, "foreignKeys" | "primaryKeys">;

/** The tables of a schema: parents before children, as far as they do not go in a circle. */
export function readProduct(exports: Readonly<Record<string, unknown>>): ProductTable[] {
  const tables = Object.values(exports).flatMap((value) => (is(value, Table) ? [readTable(value)] : []));
  const sorted: ProductTable[] = [];
  while (sorted.length < tables.length) {
    const left = tables.filter((table) => !sorted.includes(table));
    const free = left.find(({ references, columns, name }) =>
      references.every(
        (to) =>
          to.table === name ||
          sorted.some((parent) => parent.name === to.table) ||
          to.columns.some((property) => !columns[property]?.notNull),
      ),
    );
    sorted.push(free ?? (left[0] as ProductTable));
  }
  return sorted;
}

function readTable(table: Table): ProductTable {
  const columns = getTableColumns(table as Table<Config>) as Record<string, AnyColumn>;
  const { foreignKeys, primaryKeys }: Configured = is(table, PgTable)
    ? configOfPostgres(table)
    : (configOfSqlite(table as SQLiteTable) as unknown as Configured);
  const propertyOf = (of: Readonly<Record<string, unknown>>, column: Column): string =>
    Object.entries(of).find(([, value]) => value === column || (value as Column).name === column.name)?.[0] ?? "";
  const marked = (word: string) =>
    Object.entries(columns).flatMap(([property, column]) =>
      (column as unknown as { config: Record<symbol, unknown> }).config[markKey] === word ? [property] : [],
    );
  const composite = primaryKeys.flatMap((key) => key.columns.map((column) => propertyOf(columns, column)));
  const inline = Object.entries(columns).flatMap(([property, { primary }]) => (primary ? [property] : []));
  return {
    name: getTableName(table),
    table,
    columns,
    key: [...composite, ...inline],
    references: foreignKeys.map((key) => {
      const { columns: own, foreignTable, foreignColumns } = key.reference();
      const theirs = getTableColumns(foreignTable as Table<Config>);
      return {
        columns: own.map((column) => propertyOf(columns, column)),
        table: getTableName(foreignTable),
        parent: foreignColumns.map((column) => propertyOf(theirs, column)),
      };
    }),
    local: marked("local"),
    fixed: marked("fixed"),
  };
}

/** What both dialects' Drizzle can do; which table is meant is known at run time only, so no type says more. */
interface Writer {
  select(): { from(table: Table): PromiseLike<Values[]> };
  insert(table: Table): {
    values(rows: Values[]): PromiseLike<unknown> & { onConflictDoNothing(): PromiseLike<unknown> };
  };
  update(table: Table): { set(values: Values): { where(condition: SQL): PromiseLike<unknown> } };
  delete(table: Table): { where(condition: SQL): PromiseLike<unknown> };
}

export class ProductDatabase {
  constructor(
    readonly tables: readonly ProductTable[],
    private readonly db: Writer,
  ) {}

  static onSqlite(tables: readonly ProductTable[], client: Database.Database, casing: Casing): ProductDatabase {
    return new ProductDatabase(tables, onSqlite({ client, casing }) as unknown as Writer);
  }

  static onPostgres(tables: readonly ProductTable[], client: Sql, casing: Casing): ProductDatabase {
    return new ProductDatabase(tables, onPostgres({ client, casing }) as unknown as Writer);
  }

  table(name: string): ProductTable {
    const found = this.tables.find((table) => table.name === name);
    if (found === undefined) throw new Error(`there is no table ${name}`);
    return found;
  }

  async rows({ table }: ProductTable): Promise<Values[]> {
    return this.db.select().from(table);
  }

  /** Rows that a constraint forbids are left out. */
  async fill({ table }: ProductTable, rows: Values[]): Promise<void> {
    if (rows.length > 0) await this.db.insert(table).values(rows).onConflictDoNothing();
  }

  insert = ({ table }: ProductTable, row: Values) => refusable(() => this.db.insert(table).values([row]));
  update = (of: ProductTable, row: Values, values: Values) =>
    refusable(() => this.db.update(of.table).set(values).where(keyIs(of, row)));
  delete = (of: ProductTable, row: Values) => refusable(() => this.db.delete(of.table).where(keyIs(of, row)));

  /** What nodes must agree on: every table's rows without local columns, sorted. */
  async contents(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const table of this.tables) {
      const shared = Object.keys(table.columns).filter((property) => !table.local.includes(property));
      const texts = (await this.rows(table)).map((row) =>
        JSON.stringify(shared.map((property) => plain(row[property]))),
      );
      found[table.name] = texts.sort();
    }
    return found;
  }

  /** `table: columns` of every row whose parent is not there. */
  async orphans(): Promise<string[]> {
    const all = new Map<string, Values[]>();
    for (const table of this.tables) all.set(table.name, await this.rows(table));
    return this.tables.flatMap(({ name, references }) =>
      references.flatMap(({ columns, table, parent }) => {
        const text = (row: Values, of: readonly string[]) => JSON.stringify(of.map((property) => row[property]));
        const there = new Set((all.get(table) ?? []).map((row) => text(row, parent)));
        const referring = (all.get(name) ?? []).filter((row) => columns.every((property) => row[property] !== null));
        return referring.filter((row) => !there.has(text(row, columns))).map(() => `${name}: ${columns.join(", ")}`);
      }),
    );
  }
}

const keyIs = ({ columns, key }: ProductTable, row: Values): SQL =>
  sql.join(
    key.map((property) => sql`${columns[property]} = ${sql.param(row[property], columns[property])}`),
    sql` and `,
  );

/** False where one of the database's constraints refused the write. */
async function refusable(write: () => PromiseLike<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    const { cause = error } = error as { cause?: unknown };
    if (/^(SQLITE_CONSTRAINT|23)/.test(String((cause as { code?: unknown }).code))) return false;
    throw error;
  }
}

/** Objects of JSON with their names in order, since Postgres keeps none; bytes as text. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value instanceof Date || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, plain(inner)]));
}
