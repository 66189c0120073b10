// Measures a case: its two sides turn by turn in the same process, on databases of their own in a temporary folder.
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, type GroveNode } from "@grove-crdt/sync";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import type { BenchTable } from "./tables";

/** What one round measured, in the case's unit. */
export interface Round {
  readonly ours: number;
  readonly floor: number;
}

export interface Case {
  /** What is measured, and the dialect: `capture-insert.sqlite`. */
  readonly id: string;
  /** What the ratio should reach; null where there is no goal. */
  readonly goal: number | null;
  /** Which way the ratio is better. */
  readonly better: "lower" | "higher";
  /** Unit of both sides. */
  readonly unit: "µs/row" | "rows/s" | "ms" | "merges/s" | "bytes/row" | "bytes/entry" | "MiB" | "KiB" | "times";
  /** Ours and its floor, in one line. */
  readonly about: string;
  run(bench: Bench): Promise<Round[]>;
}

/** Measures one side once. Databases that it opens are closed for it. */
export type Side = () => Promise<number>;

export interface OpenNode {
  readonly database: Database.Database;
  readonly node: GroveNode;
}

export interface BenchOptions {
  readonly rounds: number;
  readonly quick: boolean;
  /** Sizes that take many minutes, where a case has them. */
  readonly whole?: boolean;
}

export class Bench {
  readonly #folder = mkdtempSync(join(tmpdir(), "grove-bench-"));
  readonly #open: Database.Database[] = [];
  #files = 0;
  constructor(readonly options: BenchOptions) {}

  /** A size of the full run, of the quick one, or of the one that takes its time. */
  size(full: number, quick: number, whole = full): number {
    return this.options.quick ? quick : this.options.whole ? whole : full;
  }

  /** A new database file with the table and nothing of ours. */
  plain(table: BenchTable): Database.Database {
    const database = new Database(join(this.#folder, `${this.#files++}.db`));
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = NORMAL");
    database.exec(table.create);
    this.#open.push(database);
    return database;
  }

  /** A new database file with all that another one holds. */
  copy(of: Database.Database): Database.Database {
    of.pragma("wal_checkpoint(TRUNCATE)");
    const name = join(this.#folder, `${this.#files++}.db`);
    copyFileSync(of.name, name);
    const database = new Database(name);
    database.pragma("synchronous = NORMAL");
    this.#open.push(database);
    return database;
  }

  /** A new database file with the table, captured by a node. */
  async node(table: BenchTable, nodeId = "ours"): Promise<OpenNode> {
    const database = this.plain(table);
    const node = createNode({
      db: drizzle({ client: database }),
      registry: table.registry,
      tables: [table.name],
      nodeId,
    });
    await node.ensureShadowTables();
    return { database, node };
  }

  /** Both sides in turn, every second round in the other order; the first round warms up and does not count. */
  async interleave(ours: Side, floor: Side, rounds = this.options.rounds): Promise<Round[]> {
    const results: Round[] = [];
    for (let round = 0; round <= rounds; round++) {
      const result = { ours: 0, floor: 0 };
      for (const side of round % 2 ? (["ours", "floor"] as const) : (["floor", "ours"] as const)) {
        const kept = this.#open.length;
        result[side] = await (side === "ours" ? ours : floor)();
        this.#close(kept);
      }
      if (round > 0) results.push(result);
    }
    return results;
  }

  #close(kept: number): void {
    for (const database of this.#open.splice(kept)) {
      const { name } = database;
      database.close();
      rmSync(name);
    }
  }

  dispose(): void {
    this.#close(0);
    rmSync(this.#folder, { recursive: true });
  }
}

/** Milliseconds that `work` takes on a database with an empty WAL. */
export async function timed(database: Database.Database, work: () => unknown): Promise<number> {
  database.pragma("wal_checkpoint(TRUNCATE)");
  return stopwatch(work);
}

/**
 * Milliseconds that `work` takes, begun after a collection of what is young. A full one would take the compiled code along whose
 * objects nobody holds between two rounds, and the round would measure the compiler.
 */
export async function stopwatch(work: () => unknown): Promise<number> {
  globalThis.gc?.({ type: "minor" });
  const start = performance.now();
  await work();
  return performance.now() - start;
}
