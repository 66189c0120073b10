// Names that would break out of their quotes, if there were a way: in SQL, in TypeScript, in comments.
import { cellsTable, logTable, shadowTable, type TableModel } from "@grove-crdt/core";
import Database from "better-sqlite3";
import fc from "fast-check";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { createRegistry, emitFiles } from "../src/index";
import { Captured, model } from "./database";
import { hostile } from "./hostile-names";

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
/** A table whose every name is `name`, with all kinds of triggers. */
const modelOf = (name: string): TableModel =>
  model(name, [`k${name}`], [name, `counter c${name}`, `set s${name}`], [[name]]);

function createOf(name: string): string {
  const [t, key, field, count, items] = [name, `k${name}`, name, `c${name}`, `s${name}`].map(quoted);
  return `CREATE TABLE ${t} (${key} text PRIMARY KEY NOT NULL, ${field} text UNIQUE,
    ${count} integer NOT NULL DEFAULT 0, ${items} text NOT NULL DEFAULT '[]')`;
}

/** Writes in every way and checks the log and the messages. */
function exercise(name: string): void {
  const captured = new Captured(createOf(name), modelOf(name));
  const [t, key, field, count, items] = [name, `k${name}`, name, `c${name}`, `s${name}`].map(quoted);
  const log = captured.log(
    `INSERT INTO ${t} (${key}, ${field}) VALUES ('a', 'x'), ('b', 'y')`,
    `UPDATE ${t} SET ${count} = 1, ${items} = '[2]' WHERE ${key} = 'a'`,
    `INSERT OR REPLACE INTO ${t} (${key}, ${field}) VALUES ('c', 'y')`,
    `UPDATE ${t} SET ${key} = 'd' WHERE ${key} = 'c'`,
    `DELETE FROM ${t}`,
  );
  expect(log.map(({ op, key }) => op + key[0])).toEqual(["Ia", "Ib", "Ua", "Rb", "Ic", "Dc", "Id", "Da", "Dd"]);
  const before = log[2]?.before as object;
  expect(Object.entries(before)).toEqual([
    [`c${name}`, "0"],
    [`s${name}`, []],
  ]);
  expect(() => captured.db.exec(`INSERT INTO ${t} (${key}, ${count}) VALUES ('z', 'bad')`)).toThrow(
    `grove-crdt: ${name}.c${name} must be an integer`,
  );
  const tables = captured.db.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all();
  expect(tables).toEqual(expect.arrayContaining([logTable(name), shadowTable(name), cellsTable(name)]));
}

describe("in SQL (fault 32)", () => {
  test.each(hostile)("%j", exercise);
  test("whatever they are", () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((name) => !name.includes("\0"));
    fc.assert(fc.property(name, exercise), { numRuns: 150 });
  });
});

describe("in TypeScript", () => {
  const tables = hostile.map((name) => ({ ...modelOf(name), exportName: name }));
  const sources = new Map(tables.map(({ name }) => [name, "../schema.js"]));
  const files = emitFiles({ dialect: "sqlite", tables, sources });

  test.each(Object.keys(files))("%s parses, and shows no character that hides", (file) => {
    const text = files[file] as string;
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true) as ts.SourceFile & {
      parseDiagnostics: readonly ts.Diagnostic[];
    };
    expect(source.parseDiagnostics.map(({ messageText }) => messageText)).toEqual([]);
    expect(text).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  test("capture.ts and registry.ts hold what createRegistry makes", async () => {
    const js = (text: string) => ts.transpile(text, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext });
    const load = (code: string) => import(`data:text/javascript,${encodeURIComponent(code)}`);
    const capture = js(files["capture.ts"] as string);
    const { registry } = (await load(
      `${capture}\n${js(files["registry.ts"] as string).replace(/^import.*$/m, "")}`,
    )) as {
      registry: unknown;
    };
    expect(JSON.parse(JSON.stringify(registry))).toEqual(JSON.parse(JSON.stringify(createRegistry("sqlite", tables))));
  });
});

test("a trigger is stored exactly as it is emitted", () => {
  for (const name of hostile) {
    const db = new Database(":memory:");
    db.exec(createOf(name));
    const { capture } = createRegistry("sqlite", [modelOf(name)]);
    const own = capture.tables[name];
    for (const statement of [...capture.system, ...(own?.tables ?? [])]) db.exec(statement);
    for (const [trigger, statement] of Object.entries(own?.triggers ?? {})) {
      db.exec(statement);
      const stored = db
        .prepare(`SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?`)
        .pluck()
        .get(trigger);
      expect(stored).toBe(statement);
    }
  }
});
