// Names that would break out of their quotes, if there were a way: in the SQL of Postgres, in TypeScript, in comments.
import { cellsTable, logTable, shadowTable, type TableModel } from "@grove-crdt/core";
import fc from "fast-check";
import type postgres from "postgres";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { createRegistry, emitFiles } from "../src/index";
import { hostile } from "./hostile-names";
import { captureStatements, openDatabase, quoted, usePostgres } from "./postgres-database";
import { model } from "./postgres-model";

usePostgres();

/** A table whose every name is `name`, with all that capture does. */
const modelOf = (name: string, more: Partial<TableModel> = {}): TableModel =>
  model(name, [`k${name}`], [name, `counter c${name}`, `set s${name}`], more);

let sql: postgres.Sql;
beforeAll(async () => {
  sql = await openDatabase();
});

/** Writes in every way and checks the log and the messages; in one transaction, which is taken back. */
async function exercise(name: string): Promise<void> {
  const [t, key, field, count, items] = [name, `k${name}`, name, `c${name}`, `s${name}`].map(quoted);
  const undone = new Error("undone");
  const run = sql.begin(async (tx) => {
    await tx.unsafe(`CREATE TABLE ${t} (${key} text PRIMARY KEY, ${field} text UNIQUE,
      ${count} bigint NOT NULL DEFAULT 0, ${items} jsonb NOT NULL DEFAULT '[]')`);
    for (const statement of captureStatements(modelOf(name, { keepsDeleted: true }))) await tx.unsafe(statement);
    // First, when the functions are compiled, in a session where a backslash in a constant escapes.
    for (const setting of ["off", "on"]) {
      await tx.unsafe(`SET standard_conforming_strings = ${setting}`);
      await tx.unsafe(`INSERT INTO ${t} (${key}, ${field}) VALUES ('a', 'x'), ('b', 'y')`);
      await tx.unsafe(`UPDATE ${t} SET ${count} = 1, ${items} = '[2]' WHERE ${key} = 'a'`);
      await tx.unsafe(`UPDATE ${t} SET ${key} = 'd' WHERE ${key} = 'b'`);
      await tx.unsafe(`DELETE FROM ${t}`);
      const log = await tx.unsafe(`SELECT * FROM ${quoted(logTable(name))} ORDER BY seq`);
      await tx.unsafe(`DELETE FROM ${quoted(logTable(name))}`);
      const ops = log.map((row) => row.op + row[`pk_k${name}`]);
      expect(ops.slice(0, 3)).toEqual(["Ia", "Ib", "Ua"]);
      expect(ops.slice(3, 5).sort()).toEqual(["Db", "Id"]);
      expect(ops.slice(5).sort()).toEqual(["Da", "Dd"]);
      expect(Object.entries(JSON.parse(log[2]?.before))).toEqual([
        [`c${name}`, "0"],
        [`s${name}`, "[]"],
      ]);
      expect(JSON.parse(log.find(({ op, before }) => op === "D" && before.includes("[2]"))?.before)).toEqual(
        Object.fromEntries([
          [name, "x"],
          [`c${name}`, "1"],
          [`s${name}`, "[2]"],
        ]),
      );
      const failing = (statement: string) => tx.savepoint((inner) => inner.unsafe(statement));
      await expect(failing(`INSERT INTO ${t} (${key}, ${items}) VALUES ('z', '1')`)).rejects.toMatchObject({
        message: `grove-crdt: ${name}.s${name} must be a JSON array`,
      });
      await expect(failing(`TRUNCATE ${t}`)).rejects.toMatchObject({
        message: expect.stringContaining(`TRUNCATE of ${name} cannot be replicated`),
      });
    }
    const tables = (await tx.unsafe(`SELECT relname FROM pg_class WHERE relkind = 'r'`)).map(({ relname }) => relname);
    expect(tables).toEqual(expect.arrayContaining([logTable(name), shadowTable(name), cellsTable(name)]));
    throw undone;
  });
  await run.catch((error) => {
    if (error !== undone) throw error;
  });
}

describe("in SQL", () => {
  test.each(hostile)("%j", exercise);
  test("whatever they are", async () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      .filter((name) => !name.includes("\0") && Buffer.byteLength(name) <= 40);
    await fc.assert(fc.asyncProperty(name, exercise), { numRuns: 25 });
  });
  test("one that would end a function's body is refused", () => {
    expect(() => createRegistry("postgres", [modelOf("a$grove$b")])).toThrow(RangeError);
    expect(() => createRegistry("postgres", [model("t", ["id"], ["$grove$"])])).toThrow(RangeError);
  });
  test("a key's type must be a type and nothing more", () => {
    const types = ["text) ; DROP TABLE t --", '"a"; DROP TABLE t --', '"a" "b"', '"a".b', "text[]; x", '""', '"a'];
    for (const type of types) {
      expect(() => createRegistry("postgres", [model("t", [`id: ${type}`], ["x"])]), type).toThrow(RangeError);
    }
  });
});

describe("in TypeScript", () => {
  const tables = hostile.map((name) => ({ ...modelOf(name), exportName: name }));
  const sources = new Map(tables.map(({ name }) => [name, "../schema.js"]));
  const files = emitFiles({ dialect: "postgres", tables, sources });

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
    const registry = js(files["registry.ts"] as string).replace(/^import.*$/m, "");
    const loaded = (await load(`${capture}\n${registry}`)) as { registry: unknown };
    const made = createRegistry("postgres", tables);
    expect(JSON.parse(JSON.stringify(loaded.registry))).toEqual(JSON.parse(JSON.stringify(made)));
  });
});

test("a function's body is stored exactly as it stands between the two $grove$", async () => {
  const sql = await openDatabase();
  for (const name of hostile) {
    const table = modelOf(name);
    const [t, key, field, count, items] = [name, `k${name}`, name, `c${name}`, `s${name}`].map(quoted);
    await sql.unsafe(`CREATE TABLE ${t} (${key} text PRIMARY KEY, ${field} text, ${count} bigint, ${items} jsonb)`);
    for (const statement of captureStatements(table)) await sql.unsafe(statement);
    const { functions = {} } = createRegistry("postgres", [table]).capture.tables[name] ?? {};
    for (const [called, statement] of Object.entries(functions)) {
      const [stored] = await sql`SELECT prosrc FROM pg_proc WHERE proname = ${called}`;
      expect(stored?.prosrc).toBe(statement.split("$grove$")[1]);
    }
  }
});
