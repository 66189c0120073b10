// The folder of drizzle-kit's migrations, as drizzle-kit 0.31 keeps it: a journal, a snapshot and a file for each one.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GroveError } from "@grove-crdt/core";

interface ForeignKey {
  readonly tableTo: string;
}
/** What a snapshot says of a table. */
export interface SnapshotTable {
  readonly name: string;
  readonly columns: Readonly<Record<string, SnapshotColumn>>;
  readonly indexes: Readonly<Record<string, { readonly name: string }>>;
  readonly foreignKeys: Readonly<Record<string, ForeignKey>>;
}
export interface SnapshotColumn {
  readonly name: string;
  /** SQL text, or the constant itself. */
  readonly default?: unknown;
  readonly generated?: unknown;
}
export interface Snapshot {
  readonly id: string;
  readonly prevId: string;
  readonly tables: Readonly<Record<string, SnapshotTable>>;
}

export interface Migration {
  /** Absolute. */
  readonly path: string;
  readonly tag: string;
  readonly text: string;
  /** The schema before and after it; undefined where the folder does not tell. */
  readonly before: Snapshot | undefined;
  readonly after: Snapshot | undefined;
}

const read = (path: string) => readFileSync(path, "utf8");

/** The snapshots from the first to the last: each names the one before it. */
function readChain(folder: string): Snapshot[] {
  const snapshots = readdirSync(folder)
    .filter((name) => name.endsWith("snapshot.json"))
    .map((name) => JSON.parse(read(join(folder, name))) as Snapshot);
  const next = new Map(snapshots.map((snapshot) => [snapshot.prevId, snapshot]));
  const known = new Set(snapshots.map(({ id }) => id));
  const chain: Snapshot[] = [];
  let current = snapshots.find(({ prevId }) => !known.has(prevId));
  while (current && chain.length < snapshots.length) {
    chain.push(current);
    current = next.get(current.id);
  }
  return chain;
}

/** All migrations in their order; undefined when the folder has no journal. */
export function readMigrations(folder: string): Migration[] | undefined {
  const journal = join(folder, "meta/_journal.json");
  if (!existsSync(journal)) return undefined;
  try {
    const { entries } = JSON.parse(read(journal)) as { entries: { tag: string }[] };
    const chain = readChain(join(folder, "meta"));
    // A snapshot that was lost breaks the chain; what comes after it cannot be told.
    const at = (n: number) => (chain.length === entries.length ? chain[n] : undefined);
    return entries.map(({ tag }, n) => {
      const path = join(folder, `${tag}.sql`);
      return { path, tag, text: read(path), before: at(n - 1), after: at(n) };
    });
  } catch (cause) {
    throw new GroveError("migrations_invalid", `The migrations in ${folder} cannot be read: ${String(cause)}`, {
      cause,
    });
  }
}

export const writeMigration = (migration: Migration, text: string): void => writeFileSync(migration.path, text);
