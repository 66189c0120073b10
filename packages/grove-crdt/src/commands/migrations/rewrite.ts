// The statements of drizzle-kit, so that the shadow follows: what it would make anew under another name is renamed with
// all that is in it, rows of other tables are kept through a rebuild, and tables are dropped when nothing refers to them.
import type { Sql } from "@grove-crdt/codegen";
import { logTable, maskColumns, type TableModel } from "@grove-crdt/core";
import { isCopy, original, ownerOf } from "./disturbance";
import { type History, keyColumn } from "./history";
import { Renames, type RenameTask } from "./renames";
import type { Statement } from "./statement";

export interface Rewriting extends RenameTask {
  /** The tables as they shall be, where that is known. */
  readonly models: readonly TableModel[];
}

export class Rewriter {
  readonly #out: string[] = [];
  readonly #late: string[] = [];
  readonly #renames: Renames;
  readonly #followers: ReadonlySet<string>;
  /** Replicated before or after. */
  readonly #all: readonly string[];
  readonly #masksMoved = new Set<string>();
  /** What is installed as the statements go by. */
  readonly history: History;
  /** Fields that went with their column, by table. */
  readonly forgotten = new Map<string, Set<string>>();

  constructor(private readonly task: Rewriting) {
    this.history = task.history.copy();
    this.#renames = new Renames(task);
    // Beforehand: drizzle-kit may make tables and columns of ours before it renames the user's.
    this.#followers = this.#renames.followers();
    const { replicated, tables } = this.#renames;
    this.#all = [...replicated, ...tables.values(), ...task.models.map(({ name }) => name)];
  }

  rewrite(): string[] {
    this.#renames.check(this.#all);
    for (const statement of this.task.statements) {
      this.#rewrite(statement);
      this.history.apply(statement);
    }
    return [...this.#out, ...this.#late];
  }

  #emit(...parts: readonly (Sql | string)[]): void {
    this.#out.push(...parts.map(String));
  }

  #rewrite(statement: Statement): void {
    const { kind, table, name, to, text } = statement;
    const owner = ownerOf(original(table), this.#all);
    const isOurs = owner !== undefined || table.startsWith("_grove_");
    if (isOurs) this.#rewriteOurs(statement, owner);
    else if (kind === "rename table" && isCopy(table)) this.#endRebuild(text, to);
    else if (kind === "drop table") this.#drop(text, table);
    else if (kind === "rename table") {
      this.#emit(text);
      if (this.#renames.tables.has(table)) this.#renameTable(table, to);
    } else if (kind === "rename column") {
      this.#emit(text);
      if (this.#isField(table, name)) this.#emit(...this.task.dialect.moveField(table, name, to));
      if (this.#renames.isKey(table, name)) this.#renameKey(table, name, to);
    } else if (kind === "drop column" && this.#isField(table, name)) {
      this.#emit(text, ...this.task.dialect.forgetField(table, name));
      this.forgotten.set(table, (this.forgotten.get(table) ?? new Set()).add(name));
    } else this.#emit(text);
  }

  /** Our own tables: kept where drizzle-kit would lose what is in them, and made only where they are not there yet. */
  #rewriteOurs({ kind, table, name, text }: Statement, owner: string | undefined): void {
    const follows = this.#followers.has(table) || this.#followers.has(`${table}.${name}`);
    const creates = kind === "create table" && !isCopy(table);
    if (follows && (creates || kind === "drop table" || kind === "add column" || kind === "drop column")) return;
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
    if (!model || !columns.includes(column) || this.#masksMoved.has(table)) return;
    this.#masksMoved.add(table);
    const fields = model.fields.map(({ name }) => name);
    this.#emit(this.task.dialect.moveMasks(table, fields, columns.length));
  }

  /** Whether the bits of the table's log were moved already. */
  hasMovedMasks(table: string): boolean {
    return this.#masksMoved.has(table);
  }

  #renameTable(from: string, to: string): void {
    const { dialect, before } = this.task;
    for (const [ours, target] of this.#renames.tablesLeft(from, to)) {
      this.#emit(dialect.renameTable(ours, target));
      const indexes = Object.values(before?.tables[dialect.snapshotName(ours)]?.indexes ?? {});
      this.#emit(...indexes.map(({ name }) => dialect.dropIndex(name)));
    }
    this.#emit(...dialect.moveTable(from, to));
  }

  #renameKey(table: string, from: string, to: string): void {
    for (const ours of this.#renames.keysLeft(table, from, to))
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

  #isField(table: string, column: string): boolean {
    return this.history.fields.get(table)?.includes(column) ?? false;
  }
}
