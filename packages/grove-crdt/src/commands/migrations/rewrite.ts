// The statements of drizzle-kit, so that the shadow follows: what it would make anew under another name is renamed with
// all that is in it, rows of other tables are kept through a rebuild, and tables are dropped when nothing refers to them.
import type { Sql } from "@grove-crdt/codegen";
import { GroveError, logTable, maskColumns, shadowTable, type TableModel } from "@grove-crdt/core";
import type { Context, MigrationDialect } from "./dialect";
import { isCopy, original, ownerOf, replicatedBefore } from "./disturbance";
import { type History, keyColumn, tablesBeside } from "./history";
import type { Statement } from "./statement";

export interface Rewriting extends Context {
  readonly tag: string;
  readonly statements: readonly Statement[];
  readonly history: History;
  readonly dialect: MigrationDialect;
  /** The tables as they shall be, where that is known. */
  readonly models: readonly TableModel[];
}

/** Tables that keep their rows under a new name, by the old one. */
export function renamedTables(statements: readonly Statement[], replicated: ReadonlySet<string>): Map<string, string> {
  const renames = statements.filter(({ kind, table }) => kind === "rename table" && !isCopy(table));
  return new Map(renames.filter(({ table }) => replicated.has(table)).map(({ table, to }) => [table, to]));
}

export class Rewriter {
  readonly #out: string[] = [];
  readonly #late: string[] = [];
  readonly #replicated: Set<string>;
  readonly #renames: ReadonlyMap<string, string>;
  /** Names of ours that are taken care of elsewhere: tables by name, columns by table and name. */
  readonly #done = new Set<string>();
  /** What is installed as the statements go by. */
  readonly history: History;
  readonly forgotten = new Map<string, Set<string>>();

  constructor(private readonly task: Rewriting) {
    this.history = task.history.copy();
    this.#replicated = replicatedBefore(task.history, task);
    this.#renames = renamedTables(task.statements, this.#replicated);
    // Beforehand: drizzle-kit may make tables and columns of ours before it renames the user's.
    for (const [from, to] of this.#renames)
      for (const pair of this.#left(from, to)) this.#done.add(pair[0]).add(pair[1]);
    for (const { kind, table, name, to } of task.statements) {
      if (kind !== "rename column" || !this.#isKey(table, name)) continue;
      for (const ours of this.#keysLeft(table, name, to))
        this.#done.add(`${ours}.${keyColumn(name)}`).add(`${ours}.${keyColumn(to)}`);
    }
  }

  /** Tables beside a renamed one, old and new name, that drizzle-kit does not rename itself since it was not told so. */
  #left(from: string, to: string): [string, string][] {
    const { before, dialect, statements } = this.task;
    const targets = tablesBeside(to);
    return tablesBeside(from).flatMap((ours, n) => {
      const target = targets[n] as string;
      const renames = statements.some(
        ({ kind, table, to }) => kind === "rename table" && table === ours && to === target,
      );
      return renames || !before?.tables[dialect.snapshotName(ours)] ? [] : [[ours, target] as [string, string]];
    });
  }

  /** Our tables in which drizzle-kit does not rename the key column itself. */
  #keysLeft(table: string, from: string, to: string): string[] {
    return [logTable(table), shadowTable(table)].filter(
      (ours) =>
        !this.task.statements.some(
          (other) =>
            other.kind === "rename column" &&
            other.table === ours &&
            other.name === keyColumn(from) &&
            other.to === keyColumn(to),
        ),
    );
  }

  rewrite(): string[] {
    this.#checkAnswers();
    for (const statement of this.task.statements) {
      this.#rewrite(statement);
      this.history.apply(statement);
    }
    return [...this.#out, ...this.#late];
  }

  /** Replicated before or after. */
  #all(): string[] {
    return [...this.#replicated, ...this.#renames.values(), ...this.task.models.map(({ name }) => name)];
  }

  #emit(...parts: readonly (Sql | string)[]): void {
    this.#out.push(...parts.map(String));
  }

  #rewrite(statement: Statement): void {
    const { kind, table, name, to, text } = statement;
    const owner = ownerOf(original(table), this.#all());
    const isOurs = owner !== undefined || table.startsWith("_grove_");
    if (isOurs) this.#rewriteOurs(statement, owner);
    else if (kind === "rename table" && isCopy(table)) this.#endRebuild(text, to);
    else if (kind === "drop table") this.#drop(text, table);
    else if (kind === "rename table") {
      this.#emit(text);
      if (this.#renames.has(table)) this.#renameTable(table, to);
    } else if (kind === "rename column") {
      this.#emit(text);
      if (this.#isField(table, name)) this.#emit(...this.task.dialect.moveField(table, name, to));
      if (this.#isKey(table, name)) this.#renameKey(table, name, to);
    } else if (kind === "drop column" && this.#isField(table, name)) {
      this.#emit(text, ...this.task.dialect.forgetField(table, name));
      this.forgotten.set(table, (this.forgotten.get(table) ?? new Set()).add(name));
    } else this.#emit(text);
  }

  /** Our own tables: kept where drizzle-kit would lose what is in them, and made only where they are not there yet. */
  #rewriteOurs({ kind, table, name, text }: Statement, owner: string | undefined): void {
    const isDone = this.#done.has(table) || this.#done.has(`${table}.${name}`);
    const creates = kind === "create table" && !isCopy(table);
    if (isDone && (creates || kind === "drop table" || kind === "add column" || kind === "drop column")) return;
    if (creates || kind === "create index") {
      this.#emit(text.replace(/^(CREATE (?:TABLE|(?:UNIQUE )?INDEX)) (?!IF NOT EXISTS)/i, "$1 IF NOT EXISTS "));
    } else if (kind === "drop table" && owner !== undefined && !this.#isRebuilt(table)) {
      this.#late.push(text);
      if (table === logTable(owner)) this.#late.push(...this.task.dialect.forgetTable(owner).map(String));
    } else {
      if (kind === "drop column" && owner !== undefined && table === logTable(owner)) this.#narrowMasks(owner, name);
      this.#emit(text);
    }
  }

  /** Log rows lose a mask column: what it says of fields that stay is moved before it goes. */
  #narrowMasks(table: string, column: string): void {
    const before = this.history.fields.get(table);
    const model = this.task.models.find(({ name }) => name === table);
    const columns = maskColumns(before?.length ?? 0);
    if (!model || !columns.includes(column) || this.#done.has(`masks of ${table}`)) return;
    this.#done.add(`masks of ${table}`);
    const fields = model.fields.map(({ name }) => name);
    this.#emit(this.task.dialect.moveMasks(table, fields, columns.length));
  }

  /** Whether the bits of the table's log were moved already. */
  hasMovedMasks(table: string): boolean {
    return this.#done.has(`masks of ${table}`);
  }

  #renameTable(from: string, to: string): void {
    const { dialect, before } = this.task;
    for (const [ours, target] of this.#left(from, to)) {
      this.#emit(dialect.renameTable(ours, target));
      const indexes = Object.values(before?.tables[dialect.snapshotName(ours)]?.indexes ?? {});
      this.#emit(...indexes.map(({ name }) => dialect.dropIndex(name)));
    }
    this.#emit(...dialect.moveTable(from, to));
  }

  #renameKey(table: string, from: string, to: string): void {
    for (const ours of this.#keysLeft(table, from, to))
      this.#emit(this.task.dialect.renameColumn(ours, keyColumn(from), keyColumn(to)));
  }

  #drop(text: string, table: string): void {
    if (!this.#isRebuilt(table)) {
      // Last: by then nothing refers to it any more, so that no rows go along.
      this.#late.push(text);
      return;
    }
    const { before } = this.task.dialect.keepDependents({ table, copy: `__new_${table}` }, this.task);
    this.#emit(...before, text);
  }

  #endRebuild(text: string, table: string): void {
    const { after } = this.task.dialect.keepDependents({ table, copy: `__new_${table}` }, this.task);
    this.#emit(text, ...after);
  }

  #isRebuilt(table: string): boolean {
    return this.task.statements.some(
      ({ kind, table: copy, to }) => kind === "rename table" && isCopy(copy) && to === table,
    );
  }

  /** The table's name before the migration. */
  #former(table: string): string {
    return [...this.#renames].find(([, to]) => to === table)?.[0] ?? table;
  }

  #isField(table: string, column: string): boolean {
    return this.history.fields.get(table)?.includes(column) ?? false;
  }

  #isKey(table: string, column: string): boolean {
    const log = this.task.dialect.snapshotName(logTable(this.#former(table)));
    return this.task.before?.tables[log]?.columns[keyColumn(column)] !== undefined;
  }

  /** drizzle-kit asks about our tables as well; the answers must agree with those about the user's. */
  #checkAnswers(): void {
    for (const { kind, table, to } of this.task.statements) {
      if (kind !== "rename table" || isCopy(table)) continue;
      const owner = ownerOf(table, this.#replicated);
      const renamed = this.#renames.get(owner ?? "");
      const isFine =
        owner === undefined
          ? ownerOf(to, this.#all()) === undefined
          : renamed !== undefined && tablesBeside(renamed)[tablesBeside(owner).indexOf(table)] === to;
      if (isFine) continue;
      throw new GroveError(
        "migrations_invalid",
        `${this.task.tag} renames ${table} to ${to}, which does not go with what it does to ${owner ?? ownerOf(to, this.#all())}. Take it back (\`npx drizzle-kit drop\`), run \`npx grove-crdt generate\` again, and answer alike for a table and the three beside it.`,
      );
    }
  }
}
