// What the tests of this folder share: a real SQLite database with a table's capture installed, and what it logged.
import { logTable, type TableModel } from "@grove-crdt/core";
import Database from "better-sqlite3";
import { createRegistry } from "../src/index";

export type Log = { op: string; key: unknown[]; mask: number | null; before: unknown }[];

export class Captured {
  readonly db = new Database(":memory:");
  readonly #table: TableModel;

  constructor(create: string, table: TableModel) {
    this.#table = table;
    this.db.exec(create);
    const { capture } = createRegistry("sqlite", [table]);
    const own = capture.tables[table.name];
    for (const statement of [...capture.system, ...(own?.tables ?? []), ...Object.values(own?.triggers ?? {})]) {
      this.db.exec(statement);
    }
  }

  /** What the statements log, in the order of the writes. */
  log(...statements: string[]): Log {
    const table = `"${logTable(this.#table.name).replaceAll('"', '""')}"`;
    this.db.exec(`DELETE FROM ${table}`);
    for (const statement of statements) this.db.exec(statement);
    const rows = this.db.prepare(`SELECT * FROM ${table} ORDER BY seq`).all() as Record<string, unknown>[];
    return rows.map((row) => ({
      op: row.op as string,
      key: this.#table.key.map((column) => row[`pk_${column.name}`]),
      mask: row.mask as number | null,
      before: typeof row.before === "string" ? JSON.parse(row.before) : row.before,
    }));
  }

  /** The log, shortened to `op key`. */
  ops(...statements: string[]): string[] {
    return this.log(...statements).map(({ op, key }) => `${op} ${key.join("/")}`);
  }
}

const column = { kind: "text", storage: "text", sqlType: "text", notNull: true } as const;

/** A model as short as a test needs it. Columns are `name`, with the type in front where it is not `lww`. */
export function model(
  name: string,
  key: readonly string[],
  fields: readonly string[],
  uniques: readonly string[][] = [],
  keyType = "text",
): TableModel {
  return {
    name,
    exportName: "t",
    key: key.map((name) => ({ ...column, name, property: name, sqlType: keyType })),
    fields: fields.map((field) => {
      const [, word = "lww", name = field] = /^(counter|set|fixed) (.*)$/s.exec(field) ?? [];
      if (word === "fixed") return { ...column, name, property: name, type: "lww", fixed: true };
      return { ...column, name, property: name, type: word as "lww" };
    }),
    local: [],
    uniques,
  };
}
