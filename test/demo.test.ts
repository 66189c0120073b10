// The demo's own check: it passes, and it fails when something is put in that must not be.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { getTableName } from "drizzle-orm";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { afterAll, describe, expect, test } from "vitest";
import { Ledger } from "../examples/demo/client";
import { findProblems } from "../examples/demo/verdict";
import type { DocumentsRow } from "../generated/sqlite";
import * as schema from "../schema/sqlite";

const root = fileURLToPath(new URL("..", import.meta.url));

const temporary = mkdtempSync(join(tmpdir(), "grove-crdt-demo-test-"));
afterAll(() => rmSync(temporary, { recursive: true }));

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the demo; `plant` is SQL that it runs on edge-b before the last look. */
function runDemo(args: readonly string[], plant = ""): Promise<Run> {
  return new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: temporary, GROVE_DEMO_PLANT: plant, GROVE_PATIENCE: "1500" };
    const command = ["--import", "tsx", "examples/demo/main.ts", ...args];
    const child = execFile(process.execPath, command, { cwd: root, env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, output: stdout + stderr }),
    );
  });
}

describe("the demo", { timeout: 120_000 }, () => {
  test("exits 0 with three equal databases, and leaves nothing behind", async () => {
    const { code, output } = await runDemo([]);
    expect(output).toContain("The three databases are equal.");
    expect(code).toBe(0);
    expect(readdirSync(temporary).filter((name) => name.startsWith("grove-crdt"))).toEqual([]);
  });

  test("exits 1 with the difference when one node's row was changed behind its back", async () => {
    const plant = `BEGIN IMMEDIATE;
      UPDATE _grove_node SET capture = 0;
      UPDATE documents SET title = 'Planted' WHERE id = 'agenda';
      UPDATE _grove_node SET capture = 1;
      COMMIT`;
    const { code, output } = await runDemo([], plant);
    expect(output).toMatch(/≠ Agenda .*Planted/);
    expect(output).toMatch(/agenda\.title is .* on hub and "Planted" on edge-b/);
    expect(code).toBe(1);
  });

  test.each([["--unknown"], ["positional"]])("refuses %s with its usage", async (argument) => {
    const { code, output } = await runDemo([argument]);
    expect(output).toContain("Usage:");
    expect(code).toBe(2);
  });
});

describe("the demo's check finds", () => {
  const ledger = new Ledger();
  ledger.created("kept");
  ledger.viewed("kept", 2);
  ledger.created("gone");
  ledger.deleted.add("gone");
  const kept = { id: "kept", title: "Kept", body: "", viewCount: 2, tags: ["a", "b"] };
  const check = (...nodes: DocumentsRow[][]) =>
    findProblems(
      nodes.map((rows, n) => ({ name: `node-${n}`, rows: new Map(rows.map((row) => [row.id, row])) })),
      ledger,
    );

  test("nothing when all is well", () => expect(check([kept], [kept], [kept])).toEqual([]));

  test.each([
    ["another value", [kept], [{ ...kept, body: "x" }]],
    ["tags in another order", [kept], [{ ...kept, tags: ["b", "a"] }]],
    ["a row missing on one node", [kept], []],
    ["a row missing everywhere", [], []],
    ["a count short of what was acknowledged everywhere", [{ ...kept, viewCount: 1 }], [{ ...kept, viewCount: 1 }]],
    ["a deleted document that is back", [kept, { ...kept, id: "gone" }], [kept, { ...kept, id: "gone" }]],
  ])("%s", (_, ...nodes) => expect(check(...nodes)).not.toEqual([]));
});

test("the demo's migrations make the tables of the reference schema", () => {
  const client = new Database(":memory:");
  migrate(drizzle({ client }), { migrationsFolder: `${root}/examples/demo/migrations` });
  for (const table of Object.values(schema)) {
    const { columns } = getTableConfig(table);
    const made = client.prepare(`SELECT name, lower(type) type FROM pragma_table_info(?)`).all(getTableName(table));
    expect(made).toEqual(columns.map((column) => ({ name: column.name, type: column.getSQLType() })));
  }
});
