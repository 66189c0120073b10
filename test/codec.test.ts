// Codec: what every column type of drizzle-orm/pg-core and drizzle-orm/sqlite-core can hold travels to the other dialect
// and back without loss, over real nodes. A type or mode that a new drizzle-orm brings fails here until it is listed.

import * as pgColumns from "drizzle-orm/pg-core/columns";
import * as liteColumns from "drizzle-orm/sqlite-core/columns";
import { describe, expect, test } from "vitest";
import { type Case, enums, leftOut, listed, postgresTypes, sqliteTypes, tablesOf } from "./support/codec-cases";
import { everything } from "./support/comparison";
import { settle, sync } from "./support/network";
import { openNode, type TestNode } from "./support/node";
import { postgres } from "./support/postgres";
import { makeSchema } from "./support/schemas";
import { sqlite } from "./support/sqlite";

/** Two nodes of one dialect with one of the other between them. */
async function chain(
  cases: readonly [string, Case][],
  outer: "postgres" | "sqlite",
): Promise<[TestNode, TestNode, TestNode]> {
  const tables = tablesOf(cases);
  const pgSchema = await makeSchema(tables.pg, postgres);
  const liteSchema = await makeSchema(tables.lite, sqlite);
  const onPostgres = { ...pgSchema, ddl: [...enums, ...pgSchema.ddl] };
  const [outside, between] = outer === "postgres" ? [postgres, sqlite] : [sqlite, postgres];
  const [outerSchema, innerSchema] = outer === "postgres" ? [onPostgres, liteSchema] : [liteSchema, onPostgres];
  const a = await openNode(outside, "a", outerSchema);
  const b = await openNode(between, "b", { ...innerSchema, clock: a.clock });
  const c = await openNode(outside, "c", { ...outerSchema, clock: a.clock });
  return [a, b, c];
}

/** Every value as the database itself writes it: text, and in SQLite with its storage class. */
async function stored(node: TestNode, table: string): Promise<unknown[]> {
  const shown = node.dialect === postgres ? "x::text" : "typeof(x) || ' ' || quote(x)";
  const rows = await node.rows<{ x: unknown }>(`SELECT ${shown} AS x FROM ${table} ORDER BY id`);
  return rows.map(({ x }) => x);
}

/** JSON objects have no order that jsonb would keep. */
const unordered = (shown: unknown): unknown => {
  const body = /^text '(\{.*\})'$/s.exec(String(shown))?.[1];
  try {
    return body === undefined ? shown : JSON.parse(body.replaceAll("''", "'"));
  } catch {
    return shown;
  }
};

for (const [outer, types] of [
  ["postgres", postgresTypes],
  ["sqlite", sqliteTypes],
] as const) {
  const inner = outer === "postgres" ? "sqlite" : "postgres";
  test(`every column type of ${outer}: ${outer} → ${inner} → ${outer} keeps each value and its text form`, async () => {
    const cases = listed(types);
    const [a, b, c] = await chain(cases, outer);
    for (const [n, [, { values }]] of cases.entries()) {
      for (const [m, value] of ["NULL", ...values].entries())
        await a.sql(`INSERT INTO t${n} (id, x) VALUES ('${String(m).padStart(3, "0")}', ${value})`);
    }
    const reports = [await sync(a, b), await sync(c, b)];
    const named = (parked: readonly { table: string; message: string }[]) =>
      parked.map(({ table, message }) => `${cases[Number(table.slice(1))]?.[0]}: ${message}`);
    expect([...named(await b.node.parked()), ...named(await c.node.parked())]).toEqual([]);
    for (const report of reports) expect(report).toMatchObject({ rejected: 0, parked: 0 });
    for (const [n, [name]] of cases.entries()) {
      const [before, after] = [await stored(a, `t${n}`), await stored(c, `t${n}`)];
      expect(after.map(unordered), name).toEqual(before.map(unordered));
    }
    const [first, second, third] = [await everything(a), await everything(b), await everything(c)];
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect(await settle([a, b], [c, b])).toBe(1);
  });
}

describe("every builder is listed", () => {
  const builders = (module: object) =>
    Object.keys(module).filter((name) => /^[a-z]/.test(name) && !/^isPg|WithSchema$/.test(name));
  test("of drizzle-orm/pg-core", () => {
    // 1.0 has one for bytea, which are here as a custom type.
    const known = (name: string) => name in postgresTypes || name === "bytea";
    expect(builders(pgColumns).filter((name) => !known(name))).toEqual([]);
    expect(
      Object.keys(postgresTypes)
        .filter((name) => listed({ [name]: postgresTypes[name] ?? {} }).length === 0)
        .sort(),
    ).toEqual(leftOut.sort());
  });
  test("of drizzle-orm/sqlite-core", () => {
    expect(builders(liteColumns).filter((name) => name !== "int" && !(name in sqliteTypes))).toEqual([]);
  });
});
