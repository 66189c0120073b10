// The text generated for Postgres: stable, hashed whole, and typed as the wire carries it.
import { describe, expect, test } from "vitest";
import { createRegistry, emitFiles } from "../src/index";
import { typeName } from "../src/sql";
import { model } from "./postgres-model";

const a = { ...model("a", ["id"], ["x", "counter n", "set s"]), exportName: "a" };
const b = { ...model("b", ["id: uuid", "n: bigint"], ["set tags: text[]", "list: integer[]"]), exportName: "b" };
const emit = (...tables: ReturnType<typeof model>[]) =>
  emitFiles({ dialect: "postgres", tables, sources: new Map(tables.map(({ name }) => [name, "../../schema.js"])) });

describe("the text", () => {
  test("is the same on the next run, and whatever the order of the tables", () => {
    expect(emit(a, b)).toEqual(emit(a, b));
    expect(emit(b, a)).toEqual(emit(a, b));
  });
  test("has a hash that covers tables, functions and triggers", () => {
    const hash = (...tables: ReturnType<typeof model>[]) => createRegistry("postgres", tables).capture.hash;
    expect(hash(a, b)).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(a)).toBe(hash({ ...a, exportName: "other" }));
    // Tables and triggers are the same here; the functions alone differ.
    expect(hash(a)).not.toBe(hash({ ...a, keepsDeleted: true }));
    expect(hash(a)).not.toBe(hash(model("a", ["id: uuid"], ["x", "counter n", "set s"])));
  });
  test("has each statement by itself", () => {
    const { system, tables } = createRegistry("postgres", [a, b]).capture;
    const own = Object.values(tables).flatMap((of) => [...of.tables, ...Object.values(of.triggers)]);
    for (const statement of [...system, ...own]) expect(statement.replaceAll(/--.*/g, "")).not.toContain(";");
    expect(Object.keys(tables.a?.functions ?? {})).toEqual(["_a_insert", "_a_update", "_a_delete", "_a_truncate"]);
    expect(Object.keys(tables.a?.triggers ?? {})).toEqual(Object.keys(tables.a?.functions ?? {}));
  });
  test("pins the settings that shape values only where values are printed", () => {
    const pinned = (table: ReturnType<typeof model>) =>
      Object.entries(createRegistry("postgres", [table]).capture.tables[table.name]?.functions ?? {})
        .filter(([, text]) => text.includes("SET timezone"))
        .map(([name]) => name);
    expect(pinned(model("t", ["id"], ["x: numeric", "counter n", "set s", "at: timestamp with time zone"]))).toEqual(
      [],
    );
    expect(pinned(model("t", ["id"], ["x: interval"]))).toEqual(["_t_update"]);
    expect(pinned(model("t", ["id"], ["x: date"], { keepsDeleted: true }))).toEqual(["_t_update", "_t_delete"]);
    expect(pinned(model("t", ["id: point"], ["x"]))).toEqual(["_t_update"]);
  });
});

describe("registry.ts", () => {
  test("tells elements, references and rows that are kept, where a table has them", () => {
    const reference = {
      columns: ["x"],
      table: "b",
      parent: ["id"],
      onDelete: "no action",
      onUpdate: "cascade",
    } as const;
    const text = emit({ ...a, references: [reference] }, { ...b, keepsDeleted: true })["registry.ts"] as string;
    const [first = "", second = ""] = text.split("export const bModel");
    expect(first).toMatch(
      /references: \[\s*\{\s*columns: \["x"\],\s*table: "b",\s*parent: \["id"\],\s*onDelete: "no action"/,
    );
    expect(first).not.toContain("keepsDeleted");
    expect(second).toContain("keepsDeleted: true");
    expect(second).toContain(`element: { kind: "text", storage: "native", sqlType: "integer" }`);
    expect(text).toContain('dialect: "postgres"');
  });
});

describe("types.ts", () => {
  test("types an array's elements as the wire carries them", () => {
    const text = emit(b)["types.ts"];
    expect(text).toContain("tags: string");
    expect(text).toContain("list: readonly (string | null)[]");
    expect(text).toContain("readonly [id: string, n: number | string]");
  });
});

describe("a type's name", () => {
  test.each([
    "text",
    "numeric(10, 2)",
    "timestamp (3) with time zone",
    "integer[]",
    '"my type"',
    '"a"."b ""c"',
    '"m"[]',
  ])("%s is taken as it is", (type) => expect(String(typeName(type))).toBe(type));
});
