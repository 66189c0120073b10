// Puts capture into drizzle-kit's migrations: into the one that it has just written, or into one of its own where only
// triggers changed. Migrations that drizzle-kit wrote by itself since are made safe in place.
import { GroveError, logTable, type Registry } from "@grove-crdt/core";
import type { DrizzleConfig } from "../drizzle-config";
import { dialects } from "./dialects";
import { disturbs } from "./disturbance";
import { addMigration } from "./drizzle-kit";
import { type Migration, readMigrations, writeMigration } from "./folder";
import { History } from "./history";
import { shieldMigration } from "./shield";
import { printStatements, readStatements } from "./statement";

export interface WrittenMigration {
  readonly path: string;
  readonly state: "shielded" | "completed" | "new";
}

export interface CaptureMigrations {
  readonly config: DrizzleConfig;
  readonly cwd: string;
  readonly registry: Registry;
  /** The folder, absolute. */
  readonly folder: string;
  /** Migrations that were there before drizzle-kit ran: those are not completed, since they may have been applied. */
  readonly before: number;
}

/** What the migrations leave to be done, without doing it; undefined when there are no migrations. */
export function checkCapture({
  folder,
  registry,
}: Pick<CaptureMigrations, "folder" | "registry">): string[] | undefined {
  const migrations = readMigrations(folder);
  if (!migrations) return undefined;
  const { dialect } = registry;
  const history = new History();
  const problems: string[] = [];
  for (const migration of migrations) {
    const statements = readStatements(migration.text);
    if (disturbs(statements, history, dialects[dialect], migration)) {
      problems.push(`${migration.tag} takes capture away or would delete captured rows`);
    }
    for (const statement of statements) history.apply(statement);
  }
  const stale = history.stale(registry);
  if (stale.length > 0) problems.push(`no migration installs ${some(stale)} as generated`);
  return problems;
}

const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

export async function writeCapture(task: CaptureMigrations): Promise<WrittenMigration[]> {
  const { folder, registry, config, cwd, before } = task;
  const migrations = readMigrations(folder) ?? [];
  const written: WrittenMigration[] = [];
  const history = new History();
  migrations.slice(0, before).forEach((migration) => {
    const statements = readStatements(migration.text);
    if (!disturbs(statements, history, dialects[registry.dialect], migration)) {
      for (const statement of statements) history.apply(statement);
      return;
    }
    if (shieldInto(migration, history, null)) written.push({ path: migration.path, state: "shielded" });
  });
  const fresh = migrations.slice(before);
  if (fresh.length > 0) {
    fresh.forEach((migration, n) => {
      const changed = shieldInto(migration, history, n === fresh.length - 1 ? registry : null);
      if (changed) written.push({ path: migration.path, state: "completed" });
    });
    return written;
  }
  if (history.stale(registry).length === 0) return written;
  await addMigration(config, cwd, "grove_capture");
  const own = readMigrations(folder)?.at(-1) as Migration;
  shieldInto({ ...own, text: "" }, history, registry);
  return [...written, { path: own.path, state: "new" }];

  function shieldInto(migration: Migration, history: History, registry: Registry | null): boolean {
    const statements = readStatements(migration.text);
    const dialect = dialects[task.registry.dialect];
    if (registry) refuseUnlisted(task, migration);
    const texts = shieldMigration({ ...migration, statements, history, registry, dialect });
    const text = printStatements(texts);
    for (const statement of readStatements(text)) history.apply(statement);
    const isSame = texts.length === statements.length && statements.every(({ text }, n) => text === texts[n]);
    if (!isSame) writeMigration(migration, text);
    return !isSame;
  }
}

/** Triggers that write into tables which no migration makes would stop every write of the application. */
function refuseUnlisted({ registry, config }: CaptureMigrations, { after }: Migration): void {
  if (!after) return;
  const dialect = dialects[registry.dialect];
  const absent = registry.tables.filter(({ name }) => !after.tables[dialect.snapshotName(logTable(name))]);
  if (absent.length === 0) return;
  throw new GroveError(
    "migrations_invalid",
    `drizzle-kit does not know the shadow tables of ${some(absent.map(({ name }) => name))}. List "${config.out}/${registry.dialect}/shadow.ts" under \`schema\` in the Drizzle config and run \`npx grove-crdt generate\` again.`,
  );
}
