// cr-sqlite's WebAssembly build as the cases need it: in memory, since it stores in browsers alone. Statements go to the build
// directly, below the wrapper of its package, which would add to both sides.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { itemsTable, type Values } from "./tables";

/** The slice of wa-sqlite's interface that is used here. */
interface Api {
  open_v2(name: string): Promise<number>;
  exec(db: number, sql: string, each?: (row: unknown[]) => void): Promise<number>;
  statements(db: number, sql: string): AsyncIterable<number>;
  bind(statement: number, at: number, value: unknown): number;
  step(statement: number): Promise<number>;
  reset(statement: number): Promise<number>;
  close(db: number): Promise<number>;
}

async function load(): Promise<Api> {
  const require = createRequire(import.meta.url);
  const entry = createRequire(require.resolve("@vlcn.io/crsqlite-wasm"));
  const file = (name: string) => new URL(name, pathToFileURL(require.resolve("@vlcn.io/crsqlite-wasm")));
  const { default: create } = await import(file("./crsqlite.mjs").href);
  const { Factory } = await import(pathToFileURL(entry.resolve("@vlcn.io/wa-sqlite")).href);
  return Factory(await create({ wasmBinary: readFileSync(file("./crsqlite.wasm")) }));
}

let loaded: Promise<Api> | undefined;
const { columns, create } = itemsTable;
// It wants a default for each column that is NOT NULL.
const CREATE = create.replaceAll(/(text|integer) NOT NULL(?=[,\s])/g, "$1");
const places = (count: number) => Array.from({ length: count }, () => "?").join(", ");
const INSERT = `INSERT INTO items (${columns.join(", ")}) VALUES (${places(columns.length)})`;
const UPSERT = `${INSERT} ON CONFLICT (id) DO UPDATE SET ${columns
  .slice(1)
  .map((name) => `${name} = excluded.${name}`)
  .join(", ")}`;
const CHANGE = '"table", pk, cid, val, col_version, db_version, site_id, cl, seq';

/** A database with the items, replicated or plain. */
export class CrSqlite {
  private constructor(
    private readonly api: Api,
    private readonly db: number,
  ) {}

  static async open(replicated: boolean): Promise<CrSqlite> {
    loaded ??= load();
    const api = await loaded;
    const db = await api.open_v2(":memory:");
    await api.exec(db, CREATE);
    if (replicated) await api.exec(db, "SELECT crsql_as_crr('items')");
    return new CrSqlite(api, db);
  }

  /** One statement for each list of parameters, in one transaction. */
  async #runAll(sql: string, rows: readonly (readonly unknown[])[]): Promise<void> {
    const { api, db } = this;
    await api.exec(db, "BEGIN");
    for await (const statement of api.statements(db, sql)) {
      for (const row of rows) {
        for (const [n, value] of row.entries()) api.bind(statement, n + 1, value);
        await api.step(statement);
        await api.reset(statement);
      }
    }
    await api.exec(db, "COMMIT");
  }

  insert(rows: readonly Values[]): Promise<void> {
    return this.#runAll(INSERT, rows);
  }
  upsert(rows: readonly Values[]): Promise<void> {
    return this.#runAll(UPSERT, rows);
  }

  /** All that it would send. */
  async changes(): Promise<unknown[][]> {
    const found: unknown[][] = [];
    // What a callback gets of bytes is gone with the next row.
    await this.api.exec(this.db, `SELECT ${CHANGE} FROM crsql_changes`, (row) => {
      found.push(row.map((value) => (value instanceof Uint8Array ? value.slice() : value)));
    });
    return found;
  }
  merge(changes: readonly unknown[][]): Promise<void> {
    return this.#runAll(`INSERT INTO crsql_changes (${CHANGE}) VALUES (${places(9)})`, changes);
  }

  async count(): Promise<number> {
    let count = 0;
    await this.api.exec(this.db, "SELECT count(*) FROM items", ([n]) => {
      count = n as number;
    });
    return count;
  }
  async close(): Promise<void> {
    // It holds statements of its own open.
    await this.api.exec(this.db, "SELECT crsql_finalize()");
    await this.api.close(this.db);
  }
}
