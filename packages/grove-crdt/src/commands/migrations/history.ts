// What capture the migrations leave installed, found by reading them in order: they are their own record.
import { cellsTable, logTable, type Registry, shadowTable, type TableCapture } from "@grove-crdt/core";
import type { Statement } from "./statement";

interface Installed {
  readonly table: string;
  /** The statement that made it; empty when a later statement has altered it. */
  readonly text: string;
}

/** Names the fields of a table in the order of the mask's bits, as our own migrations print it. */
const record = /UPDATE (?:"public"\.)?"_grove_capture" SET "fields" = '((?:[^']|'')*)' WHERE "tbl" = '((?:[^']|'')*)'/;
const unquoted = (text: string | undefined): string => (text ?? "").replaceAll("''", "'");

export class History {
  readonly triggers: Map<string, Installed>;
  /** By name, Postgres only. */
  readonly functions: Map<string, string>;
  /** Fields by table, where a migration has told them. */
  readonly fields: Map<string, readonly string[]>;

  constructor(from?: History) {
    this.triggers = new Map(from?.triggers);
    this.functions = new Map(from?.functions);
    this.fields = new Map(from?.fields);
  }

  copy(): History {
    return new History(this);
  }

  /** Triggers of `table`, by name. */
  triggersOf(table: string): string[] {
    return [...this.triggers].filter(([, installed]) => installed.table === table).map(([name]) => name);
  }

  /** The tables whose writes are captured. */
  captured(): Set<string> {
    return new Set([...this.triggers.values()].map(({ table }) => table));
  }

  apply(statement: Statement): void {
    const { kind, table, name, to, text } = statement;
    if (kind === "create trigger") this.triggers.set(name, { table, text: bareText(text) });
    else if (kind === "drop trigger") this.triggers.delete(name);
    else if (kind === "create function") this.functions.set(name, bareText(text));
    else if (kind === "drop function") this.functions.delete(name);
    else if (kind === "drop table") {
      for (const trigger of this.triggersOf(table)) this.triggers.delete(trigger);
    } else if (kind === "rename table") {
      for (const trigger of this.triggersOf(table)) this.triggers.set(trigger, { table: to, text: "" });
      const fields = this.fields.get(table);
      this.fields.delete(table);
      if (fields) this.fields.set(to, fields);
    } else if (kind === "rename column") {
      for (const trigger of this.triggersOf(table)) this.triggers.set(trigger, { table, text: "" });
      const fields = this.fields.get(table);
      if (fields)
        this.fields.set(
          table,
          fields.map((field) => (field === name ? to : field)),
        );
    } else if (kind === "other") {
      const [, fields, tbl] = record.exec(text) ?? [];
      if (fields !== undefined) this.fields.set(unquoted(tbl), JSON.parse(unquoted(fields)) as string[]);
    }
  }

  /** Names of triggers and functions of `table` that are missing or not as `capture` has them. */
  differences(table: string, capture: TableCapture): string[] {
    const differs = (wanted: Readonly<Record<string, string>>, installed: (name: string) => string | undefined) =>
      Object.entries(wanted).flatMap(([name, text]) => (installed(name) === bareText(text) ? [] : [name]));
    const extra = this.triggersOf(table).filter((name) => !Object.hasOwn(capture.triggers, name));
    return [
      ...differs(capture.functions ?? {}, (name) => this.functions.get(name)),
      ...differs(capture.triggers, (name) => this.triggers.get(name)?.text),
      ...extra,
    ];
  }

  /** What of `registry` the migrations do not install as it is; nothing when they are up to date. */
  stale(registry: Registry): string[] {
    const left = [...this.captured()].filter((table) => !registry.tables.some(({ name }) => name === table));
    const differing = registry.tables.flatMap((model) => {
      const capture = registry.capture.tables[model.name] as TableCapture;
      const fields = JSON.stringify(model.fields.map(({ name }) => name));
      const differences = this.differences(model.name, capture);
      return differences.length > 0 || JSON.stringify(this.fields.get(model.name)) === fields
        ? differences
        : [`the fields of ${model.name}`];
    });
    return [...differing, ...left.flatMap((table) => this.triggersOf(table))];
  }
}

const bareText = (text: string): string => text.replaceAll("\r\n", "\n").trim().replace(/;$/, "").trimEnd();

/** The tables beside table `t`. */
export const tablesBeside = (t: string): string[] => [logTable(t), shadowTable(t), cellsTable(t)];

/** The name under which our tables keep a key column. */
export const keyColumn = (name: string): string => `pk_${name}`;
