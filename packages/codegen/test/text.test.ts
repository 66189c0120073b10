// The generated text: stable, sorted, and with names that stay apart.
import { describe, expect, test } from "vitest";
import { createRegistry, emitFiles } from "../src/index";
import { comment, ident, lines, list, literal, sql } from "../src/sql";
import { model } from "./database";

const emit = (...tables: ReturnType<typeof model>[]) =>
  emitFiles({ dialect: "sqlite", tables, sources: new Map(tables.map(({ name }) => [name, "../../schema.js"])) });

describe("the sql template", () => {
  test("quotes identifiers and literals", () => {
    expect(String(sql`SELECT ${ident('a"b')}, ${literal("it's")}, ${literal(1)}, ${literal(null)}`)).toBe(
      `SELECT "a""b", 'it''s', 1, NULL`,
    );
  });
  test("indents a part as the line that it stands on, but never a name or a literal", () => {
    const part = lines(sql`a`, sql`b ${literal("x\ny")}`);
    expect(
      String(sql`
        BEGIN
          ${part}
        END
      `),
    ).toBe("BEGIN\n  a\n  b 'x\ny'\nEND");
  });
  test("takes no bare string", () => {
    // @ts-expect-error a bare string could be anything
    expect(() => String(sql`SELECT ${"name"}`)).toThrow(TypeError);
    // @ts-expect-error an object that looks like SQL is none
    expect(() => String(sql`SELECT ${{ toString: () => "1" }}`)).toThrow(TypeError);
  });
  test("keeps a comment on its line, and numbers finite", () => {
    expect(String(comment("a\nDROP TABLE t"))).toBe("-- a DROP TABLE t");
    expect(() => literal(Number.NaN)).toThrow(RangeError);
  });
  test("leaves out what is empty", () => {
    expect(String(list([ident("a"), sql``, ident("b")]))).toBe('"a", "b"');
  });
});

describe("the text", () => {
  const [a, b] = [model("a", ["id"], ["x"]), model("b", ["id"], ["counter n"])];
  test("does not depend on the order of the tables", () => {
    expect(emit(b, a)).toEqual(emit(a, b));
  });
  test("is the same on the next run", () => {
    expect(emit(a, b)).toEqual(emit(a, b));
  });
  test("sorts tables by code unit", () => {
    const names = ["b", "B", "é", "a", "_"].map((name) => ({ ...model(name, ["id"], ["x"]), exportName: name }));
    expect(createRegistry("sqlite", names).tables.map(({ name }) => name)).toEqual(["B", "_", "a", "b", "é"]);
  });
  test("says who made it, and nothing of when and where", () => {
    for (const text of Object.values(emit(a))) {
      expect(text).toMatch(/^\/\/ Made by grove-crdt .* Do not edit: .* `npx grove-crdt generate`/);
    }
  });
  test("has a hash over every capture statement", () => {
    const hash = (table: typeof a) => createRegistry("sqlite", [table]).capture.hash;
    expect(hash(a)).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(a)).toBe(hash({ ...a, exportName: "other" }));
    expect(hash(a)).not.toBe(hash(model("a", ["id"], ["y"])));
    expect(hash(a)).not.toBe(hash(model("a", ["id"], ["x"], [["x"]])));
  });
  test("describes the tables beside the user's once for each kind and key", () => {
    const typed = model("c", ["id"], ["x"], [], "integer");
    const many = model(
      "d",
      ["id"],
      Array.from({ length: 60 }, (_, n) => `f${n}`),
    );
    const text = emit(a, b, typed, many)["shadow.ts"] as string;
    expect(text.match(/^const \w+/gm)).toEqual([
      "const idLogTable",
      "const idCrdtTable",
      "const crdtCellsTable",
      "const idLogTable_2",
      "const idCrdtTable_2",
      "const idLogTable_3",
    ]);
    expect(text).toContain(`idLogTable("_a_log");\nexport const tCrdt = idCrdtTable("_a_crdt");`);
    expect(text).toContain(`idLogTable_3("_d_log");\nexport const t_4Crdt = idCrdtTable("_d_crdt");`);
  });
  test("keeps names apart that differ only in what TypeScript cannot say", () => {
    const alike = ["my-docs", "my docs", "myDocs", "MyDocs"].map((name) => ({
      ...model(name, ["id"], ["x"]),
      exportName: name,
    }));
    const declared = emit(...alike)["merge.ts"]?.match(/export const merge\w+/g);
    expect(new Set(declared).size).toBe(4);
  });
});
