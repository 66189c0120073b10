// Parts of documents as they come from the wire: paths are data whatever their names, and nothing else gets in.
import { describe, expect, test } from "vitest";
import { crdtTypes, type Json, parseRowChange } from "../src/index";

const row = (document: unknown) => ({ table: "t", pk: ["p"], cl: 1, life: [1, "a"], document: { data: document } });
const isTaken = (document: unknown) => "change" in parseRowChange(row(document));
const deep = (levels: number): Json => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as Json;

test("a document has values, counters, sets and lists, each by its path, and no other part (fault 31)", () => {
  const part = (value: unknown) => [[["a", "b"], value]];
  const whole = {
    values: [
      [["a"], 5, "a"],
      [["b"], 5, "a", null],
      [["c"], 5, "a", 0, 1],
    ],
    counter: part({ birth: ["0", 0, ""], totals: [["a1", "a", "1", "0", 5]] }),
    set: part([["x", 5, "a"]]),
    list: part([["5.a", null, 1, "x"]]),
  };
  expect(isTaken({})).toBe(true);
  expect(isTaken(whole)).toBe(true);
  for (const type of ["counter", "set", "list"] as const) {
    expect(isTaken({ [type]: whole[type].map(([path]) => [path]) })).toBe(false);
    expect(isTaken({ [type]: whole[type].map(([path, own]) => [path, own, 1]) })).toBe(false);
    expect(isTaken({ [type]: whole[type].map(([, own]) => [[], own]) })).toBe(false);
    expect(isTaken({ [type]: whole[type].map(([path]) => [path, 5]) })).toBe(false);
    expect(isTaken({ [type]: {} })).toBe(false);
  }
  for (const name of ["lww", "document", "row", "constructor", "toString", "hasOwnProperty", "Values", ""])
    expect(isTaken({ [name]: [] }), name).toBe(false);
  expect(isTaken(JSON.parse('{"__proto__": []}'))).toBe(false);
  for (const other of [null, [], "x", 5, [["a"], 5, "a"]]) expect(isTaken(other)).toBe(false);
});

test("a path has a name at least, and any well-formed text is one (faults 30 and 31)", () => {
  for (const name of [
    "a",
    "",
    "a.b",
    "c/d",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    '"',
    "\\",
    "\n",
    "\0",
    "😀",
  ])
    expect(isTaken({ values: [[[name, name], 5, "a", 1]] }), JSON.stringify(name)).toBe(true);
  for (const path of [[], "a", [1], [null], [["a"]], ["\ud800"], ["a", "\udc00x"], null, { 0: "a", length: 1 }])
    expect(isTaken({ values: [[path, 5, "a", 1]] }), JSON.stringify(path)).toBe(false);
});

test("a stamp or a mark that is none is refused, and so are numbers that no double holds (fault 30)", () => {
  for (const rest of [
    [],
    [5],
    [-1, "a", 1],
    [0.5, "a", 1],
    ["5", "a", 1],
    [5, "A", 1],
    [5, null, 1],
    [2 ** 53, "a", 1],
  ])
    expect(isTaken({ values: [[["a"], ...rest]] }), JSON.stringify(rest)).toBe(false);
  for (const mark of [0, 2, true, null, "1"]) expect(isTaken({ values: [[["a"], 5, "a", 0, mark]] })).toBe(false);
  expect(isTaken({ values: [[["a"], 5, "a", 0, 1, 1]] })).toBe(false);
  for (const value of [Number.POSITIVE_INFINITY, [Number.NaN], undefined])
    expect(isTaken({ values: [[["a"], 5, "a", value]] })).toBe(false);
});

test("path and value together are no deeper than any value (fault 33)", () => {
  const path = (length: number) => Array<string>(length).fill("a");
  const value = (length: number, levels: number) => ({ values: [[path(length), 5, "a", deep(levels)]] });
  expect(isTaken(value(1, 900))).toBe(true);
  expect(isTaken(value(900, 90))).toBe(true);
  expect(isTaken(value(901, 1))).toBe(false);
  expect(isTaken(value(900, 101))).toBe(false);
  expect(isTaken({ counter: [[path(901), {}]] })).toBe(false);
});

describe("names that mean something to JavaScript are paths like others (fault 31)", () => {
  const { document } = crdtTypes;
  const context = (node: string, clock: number) => ({ node, incarnation: `${node}1`, tick: () => ++clock });
  const parse = (text: string) => JSON.parse(text) as Json;
  const names = [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "length",
    "0",
    "then",
  ];

  test.each(names)("%s", (name) => {
    const text = `{${JSON.stringify(name)}: {${JSON.stringify(name)}: 1, "{polluted}": 2}}`;
    let entries = document.create(parse(text), context("a", 1), {});
    expect(JSON.stringify(document.materialize(entries))).toBe(JSON.stringify(parse(text)));
    const wire = parse(JSON.stringify(document.encode(entries)));
    expect(isTaken(wire)).toBe(true);
    entries = document.decode(wire);
    expect(JSON.stringify(document.materialize(entries))).toBe(JSON.stringify(parse(text)));
    const emptied = document.fold(entries, {}, context("b", 9), {});
    const ids = new Map([...entries, ...emptied].map((entry) => [document.identity(entry), entry]));
    expect(document.materialize([...ids.values()])).toEqual({});
    expect(({} as { "{polluted}"?: unknown })["{polluted}"]).toBeUndefined();
  });

  test.each(names)("%s as a path of a counter, a set and a list", (name) => {
    for (const [type, value] of [
      ["counter", 3],
      ["set", ["x"]],
      ["list", ["x", "x"]],
    ] as const) {
      const options = { paths: [{ path: ["o", name], type }] };
      const text = `{"o": {${JSON.stringify(name)}: ${JSON.stringify(value)}}}`;
      const entries = document.decode(document.encode(document.create(parse(text), context("a", 1), options)));
      expect(entries.every(({ key }) => key.includes(`\n${type}\n`))).toBe(true);
      expect(JSON.stringify(document.materialize(entries))).toBe(JSON.stringify(parse(text)));
    }
  });
});
