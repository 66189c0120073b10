// What a migration renames, and what of ours has to follow: drizzle-kit asks about our tables and columns as well, and
// where it was not told that they were renamed, it would make them anew and empty.
import { GroveError, logTable, shadowTable } from "@grove-crdt/core";
import type { Context, MigrationDialect } from "./dialect";
import { isCopy, ownerOf, replicatedBefore } from "./disturbance";
import { type History, keyColumn, tablesBeside } from "./history";
import type { Statement } from "./statement";

export interface RenameTask extends Context {
  readonly tag: string;
  readonly statements: readonly Statement[];
  readonly history: History;
  readonly dialect: MigrationDialect;
}

export class Renames {
  /** Tables that were replicated before. */
  readonly replicated: ReadonlySet<string>;
  /** Of those, the ones that get a new name, by the old one. */
  readonly tables: ReadonlyMap<string, string>;

  constructor(private readonly task: RenameTask) {
    this.replicated = replicatedBefore(task.history, task);
    const renames = task.statements.filter(({ kind, table }) => kind === "rename table" && !isCopy(table));
    const own = renames.filter(({ table }) => this.replicated.has(table));
    this.tables = new Map(own.map(({ table, to }) => [table, to]));
  }

  /** Tables beside a renamed one, old and new name, that drizzle-kit does not rename itself. */
  tablesLeft(from: string, to: string): [string, string][] {
    const targets = tablesBeside(to);
    return tablesBeside(from).flatMap((ours, n) => {
      const target = targets[n] as string;
      const isThere = this.task.before?.tables[this.task.dialect.snapshotName(ours)] !== undefined;
      return isThere && !this.#hasRename("rename table", ours, target) ? [[ours, target] as [string, string]] : [];
    });
  }

  /** Our tables in which drizzle-kit does not rename the key column itself. */
  keysLeft(table: string, from: string, to: string): string[] {
    return [logTable(table), shadowTable(table)].filter(
      (ours) => !this.#hasRename("rename column", ours, keyColumn(to), keyColumn(from)),
    );
  }

  #hasRename(kind: Statement["kind"], table: string, to: string, name = ""): boolean {
    const { statements } = this.task;
    return statements.some(
      (other) => other.kind === kind && other.table === table && other.name === name && other.to === to,
    );
  }

  /** Whether the column was a key column before the migration. */
  isKey(table: string, column: string): boolean {
    const former = [...this.tables].find(([, to]) => to === table)?.[0] ?? table;
    const log = this.task.before?.tables[this.task.dialect.snapshotName(logTable(former))];
    return log?.columns[keyColumn(column)] !== undefined;
  }

  /**
   * Names of ours that follow by themselves, so that what drizzle-kit does to them is left out: tables by name, columns by
   * table and name.
   */
  followers(): Set<string> {
    const names = [...this.tables].flatMap(([from, to]) => this.tablesLeft(from, to).flat());
    for (const { kind, table, name, to } of this.task.statements) {
      if (kind !== "rename column" || !this.isKey(table, name)) continue;
      for (const ours of this.keysLeft(table, name, to))
        names.push(`${ours}.${keyColumn(name)}`, `${ours}.${keyColumn(to)}`);
    }
    return new Set(names);
  }

  /**
   * Answers about our tables must agree with those about the user's.
   * @param all replicated tables, before and after
   * @throws GroveError `migrations_invalid`
   */
  check(all: readonly string[]): void {
    for (const { kind, table, to } of this.task.statements) {
      if (kind !== "rename table" || isCopy(table)) continue;
      const owner = ownerOf(table, this.replicated);
      const renamed = this.tables.get(owner ?? "");
      const isFine =
        owner === undefined
          ? ownerOf(to, all) === undefined
          : renamed !== undefined && tablesBeside(renamed)[tablesBeside(owner).indexOf(table)] === to;
      if (isFine) continue;
      throw new GroveError(
        "migrations_invalid",
        `${this.task.tag} renames ${table} to ${to}, which does not go with what it does to ${owner ?? ownerOf(to, all)}. Take it back (\`npx drizzle-kit drop\`), run \`npx grove-crdt generate\` again, and answer "create" for tables that begin with an underscore.`,
      );
    }
  }
}
