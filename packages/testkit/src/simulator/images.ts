// Databases of nodes that have just been set up: a run gets one that is open already, instead of running all statements anew.
import { createNode } from "@grove-crdt/sync";
import Database from "better-sqlite3";
import { createRandom } from "../random";
import type { Version } from "./registries";
import { run } from "./writing";

/** Microseconds since 1970 at which every run begins. */
export const START_TIME = 1_767_225_600_000_000;

/** A database of a node that has just been set up, open for many runs one after the other. */
interface Pool {
  readonly image: Buffer;
  /** Rows of each table that holds some. */
  readonly rows: readonly (readonly [table: string, rows: readonly (readonly unknown[])[]])[];
  readonly tables: readonly string[];
  readonly free: Database.Database[];
}

const pools = new Map<string, Promise<Pool>>();

export interface ImageOptions {
  readonly id: string;
  /** Which of the versions it has. */
  readonly isOld: boolean;
  /** Rows from before capture; `what` tells them apart from others. */
  readonly before: { readonly what: string; fill(database: Database.Database): void } | null;
}

/** A new node's database, and how to give it back. The same options give the same rows. */
export async function openNew(
  versions: readonly [Version, Version],
  options: ImageOptions,
): Promise<{ readonly database: Database.Database; release(): void }> {
  const { id, isOld, before } = options;
  const name = `${id} ${isOld} ${before?.what ?? ""}`;
  const known = pools.get(name) ?? build(versions, options).then(makePool);
  pools.set(name, known);
  const pool = await known;
  const database = pool.free.pop() ?? new Database(pool.image);
  return {
    database,
    release: () => {
      empty(database, pool);
      pool.free.push(database);
    },
  };
}

const quoted = (name: string) => `"${name}"`;

const last = (table: string) => (table === "sqlite_sequence" ? 1 : 0);

function makePool(image: Buffer): Pool {
  const database = new Database(image);
  const sql =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name NOT LIKE 'sqlite_%' OR name = 'sqlite_sequence')";
  const tables = (database.prepare(sql).pluck().all() as string[]).sort((a, b) => last(a) - last(b));
  const rows = tables.map(
    (table) =>
      [
        table,
        database
          .prepare(`SELECT * FROM ${quoted(table)}`)
          .raw()
          .all(),
      ] as const,
  );
  return { image, tables, rows: rows.filter(([, some]) => some.length > 0) as Pool["rows"], free: [database] };
}

/** Puts the rows back that were there at the start. Its statements stay prepared, which is what takes longest with a new one. */
function empty(database: Database.Database, { tables, rows }: Pool): void {
  database.exec("BEGIN; PRAGMA defer_foreign_keys = ON");
  run(database, "UPDATE _grove_node SET capture = 0");
  // The application's first, as long as our switch is off; the counters of keys at the very end.
  const isOurs = (table: string) => table.startsWith("_") || table === "sqlite_sequence";
  for (const ours of [false, true]) {
    for (const table of tables) if (isOurs(table) === ours) run(database, `DELETE FROM ${quoted(table)}`);
    for (const [table, some] of rows) {
      if (isOurs(table) !== ours) continue;
      for (const row of some)
        run(database, `INSERT INTO ${quoted(table)} VALUES (${row.map(() => "?").join(", ")})`, ...row);
    }
  }
  database.exec("COMMIT");
}

async function build(
  [old, current]: readonly [Version, Version],
  { id, isOld, before }: ImageOptions,
): Promise<Buffer> {
  const database = new Database(":memory:");
  setClock(database, () => START_TIME);
  for (const sql of isOld ? old.migration : [...old.migration, ...current.migration]) database.exec(sql);
  before?.fill(database);
  const random = createRandom(1);
  const { registry } = isOld ? old : current;
  const node = createNode({
    db: { $client: database },
    registry,
    nodeId: id,
    now: () => START_TIME,
    random: () => random.next(),
  });
  await node.ensureShadowTables();
  const image = database.serialize();
  database.close();
  return image;
}

const clocks = new WeakMap<Database.Database, { now: () => number }>();

/** The machine's clock as triggers see it. */
export function setClock(database: Database.Database, now: () => number): void {
  const known = clocks.get(database);
  if (known) {
    known.now = now;
    return;
  }
  const clock = { now };
  clocks.set(database, clock);
  database.function("unixepoch", { varargs: true, deterministic: false }, () => clock.now() / 1e6);
}
