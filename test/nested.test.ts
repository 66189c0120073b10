// Lists and documents in ordinary columns: captured from plain writes, merged part by part, on both dialects and between them
// (faults 24 to 26, lineage 3 and 27). What any writes come to: nested-random.test.ts.
import { expect, test } from "vitest";
import { expectEqual } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { type Column, insert, open, read, write } from "./support/nested-tables";
import { settle } from "./support/network";

describeOnEach("lists", ({ dialect }) => {
  /** Two nodes that both have the row, and what both say after two concurrent writes. */
  async function both(column: Column, before: unknown, one: unknown, other: unknown): Promise<unknown> {
    const a = await open(dialect.name, "a");
    const b = await open(dialect.name, "b", a.clock);
    await insert(a, "p", { [column]: before });
    await settle([a, b]);
    a.clock.advance(1000);
    await write(a, column, one);
    await a.node.fold();
    a.clock.advance(1000);
    await write(b, column, other);
    await settle([a, b]);
    await expectEqual(a, b);
    return read(a, column);
  }

  test("keep concurrent inserts, each run whole (fault 25)", async () => {
    expect(await both("steps", ["x", "y"], ["x", "1", "2", "3", "y"], ["x", "7", "8", "9", "y"])).toEqual([
      "x",
      "1",
      "2",
      "3",
      "7",
      "8",
      "9",
      "y",
    ]);
  });
  test("do not double an item that both moved (lineage 27)", async () => {
    expect(await both("steps", ["a", "b", "c", "d"], ["d", "a", "b", "c"], ["a", "d", "b", "c"])).toEqual([
      "a",
      "d",
      "b",
      "c",
    ]);
  });
  test("let a deletion win over a move, and a move stay beside an insertion (fault 25)", async () => {
    expect(await both("steps", ["a", "b", "c"], ["b", "c"], ["b", "c", "a", "n"])).toEqual(["b", "c", "n"]);
  });
  test("with a key take an edit of an item as one, beside a move of it", async () => {
    const before = [{ id: 1, text: "one" }, { id: 2, text: "two" }, { id: 3 }];
    const moved = [{ id: 3 }, { id: 1, text: "one" }, { id: 2, text: "two" }];
    const edited = [
      { id: 1, text: "one" },
      { id: 2, text: "two" },
      { id: 3, text: "three" },
    ];
    expect(await both("cards", before, moved, edited)).toEqual([
      { id: 3, text: "three" },
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
  });
  test("keep the later of two edits, and both of two cards", async () => {
    expect(await both("cards", [{ id: 1 }], [{ id: 1, text: "a" }, { id: 2 }], [{ id: 1, text: "b" }])).toEqual([
      { id: 1, text: "b" },
      { id: 2 },
    ]);
  });
});

describeOnEach("documents", ({ dialect }) => {
  async function both(before: unknown, one: unknown, other: unknown): Promise<unknown> {
    const a = await open(dialect.name, "a");
    const b = await open(dialect.name, "b", a.clock);
    await insert(a, "p", { data: before });
    await settle([a, b]);
    a.clock.advance(1000);
    await write(a, "data", one);
    await a.node.fold();
    a.clock.advance(1000);
    await write(b, "data", other);
    await settle([a, b]);
    await expectEqual(a, b);
    return read(a, "data");
  }

  test("keep concurrent writes to different paths, whatever their names (fault 31, lineage 3)", async () => {
    const before = { "a.b": 1, "c/d": { "": 1 }, toString: "x" };
    const one = { "a.b": 2, "c/d": { "": 1 }, toString: "x", '"': [1, 2] };
    const other = { "a.b": 1, "c/d": { "": 3, e: null }, toString: "y" };
    expect(await both(before, one, other)).toEqual({ "a.b": 2, "c/d": { "": 3, e: null }, toString: "y", '"': [1, 2] });
  });
  test("have __proto__ as a name like others (fault 31)", async () => {
    const of = (value: number) => JSON.parse(`{"__proto__": {"x": ${value}}, "n": 1}`) as object;
    const merged = (await both(of(1), of(2), { ...of(1), n: 2 })) as object;
    expect(JSON.stringify(merged)).toContain('"__proto__"');
  });
  test("hide what lies below a later write, and show it again by a still later one", async () => {
    expect(await both({ a: { b: 1 } }, { a: { b: 2, c: 3 } }, { a: "text" })).toEqual({ a: "text" });
    expect(await both({ a: { b: 1 } }, { a: "text" }, { a: { b: 2 } })).toEqual({ a: { b: 2 } });
  });
  test("delete a path like any other write, and keep what was put into an emptied object", async () => {
    expect(await both({ a: 1, b: 2 }, { b: 2 }, { a: 1, b: 3 })).toEqual({ b: 3 });
    expect(await both({ a: { b: 1 } }, { a: { b: 1, c: 2 } }, { a: {} })).toEqual({ a: { c: 2 } });
  });
  test("count, collect and order where the shape says so (faults 24 to 26, lineage 3)", async () => {
    const before = { stats: { views: 5, owner: "me" }, tags: ["x"], steps: ["1"] };
    const one = { stats: { views: 7, owner: "me" }, tags: ["x", "y"], steps: ["1", "2"] };
    const other = { stats: { views: 6, owner: "you" }, tags: ["z"], steps: ["0", "1"] };
    expect(await both(before, one, other)).toEqual({
      stats: { views: 8, owner: "you" },
      tags: ["y", "z"],
      steps: ["0", "1", "2"],
    });
  });
  test("begin to count on two nodes at once without losing either (fault 26)", async () => {
    expect(await both({}, { stats: { views: 2 } }, { stats: { views: 3 } })).toEqual({ stats: { views: 5 } });
  });
  test("refuse what is no object, and say so", async () => {
    const a = await open(dialect.name, "a");
    await expect(insert(a, "p", { data: [] })).rejects.toThrow(/plans.data must be a JSON object/);
    await insert(a, "p", {});
    await expect(write(a, "data", 1)).rejects.toThrow(/plans.data must be a JSON object/);
    expect(await read(a, "data")).toEqual({});
  });
});

describeOnEach("lists and documents of rows from before capture", ({ dialect }) => {
  test("take part like others, whichever of their parts two nodes write first (faults 46 and 47)", async () => {
    const lists = dialect.name === "sqlite" ? `'["x","y"]'` : "'{x,y}'";
    const data = `'{"a": {"b": 1}, "stats": {"views": 5}, "steps": ["1"]}'`;
    const before = [`INSERT INTO plans (id, steps, data) VALUES ('p', ${lists}, ${data})`];
    const a = await open(dialect.name, "a", undefined, before);
    const b = await open(dialect.name, "b", a.clock, before);
    await write(a, "steps", ["x", "n", "y"]);
    await write(a, "data", { a: { b: 1, c: 2 }, stats: { views: 7 }, steps: ["1", "2"] });
    await a.node.fold();
    a.clock.advance(1000);
    await write(b, "steps", ["y", "x"]);
    await write(b, "data", { a: { b: 3 }, stats: { views: 6 }, steps: ["0", "1"] });
    await settle([a, b]);
    await expectEqual(a, b);
    const steps = await read<string[]>(a, "steps");
    expect([...steps].sort()).toEqual(["n", "x", "y"]);
    expect(await read(a, "data")).toEqual({ a: { b: 3, c: 2 }, stats: { views: 8 }, steps: ["0", "1", "2"] });
  });
});
