// The quick check of rows from the wire against the schema that defines them.
import fc from "fast-check";
import { expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import { parseRowChange, rowChangeSchema } from "../src/index";
import { isRowChange } from "../src/wire/check";
import { counter, document, list, register, set } from "./arbitrary";

const RUNS = { numRuns: effort(10_000) };

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    "",
    -0,
    -1,
    0,
    1,
    1.5,
    2 ** 53,
    Number.NaN,
    "a",
    "A",
    "a b",
    "__proto__",
    "constructor",
    "0",
    "00",
    "-0",
    "-1",
    "1".repeat(64),
    "1".repeat(65),
  ),
  fc.constantFrom<unknown>(
    "a".repeat(63),
    "a".repeat(64),
    "a".repeat(256),
    "a".repeat(257),
    "table",
    "birth",
    [],
    {},
    [[]],
    [{}],
    "a\n",
    "1\n",
    "\ud800",
    "😀",
    new Array(33).fill(1),
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const name = fc.constantFrom("title", "views", "tags", "constructor", "hasOwnProperty", "toString", "x".repeat(256));
const few = { maxKeys: 3 };

const row = fc.record(
  {
    table: name,
    pk: fc.array(fc.jsonValue(), { minLength: 1, maxLength: 3 }),
    cl: fc.integer({ min: 1, max: 9 }),
    life: fc.tuple(fc.nat(), fc.constantFrom("", "a", "node-1.x")),
    lww: fc.dictionary(name, register, few),
    counter: fc.dictionary(name, counter, few),
    set: fc.dictionary(name, set, few),
    list: fc.dictionary(name, list, { maxKeys: 1 }),
    document: fc.dictionary(name, document, { maxKeys: 1 }),
  },
  { requiredKeys: ["table", "pk", "cl", "life"] },
);

/** A way into the value, taken by chance: each number chooses among what is there. */
function spoil(value: unknown, way: readonly number[], what: unknown, how: "replace" | "remove" | "add"): unknown {
  if (typeof value !== "object" || value === null) return what;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  const keys = Object.keys(copy);
  const [step = 0, ...rest] = way;
  const key = keys[step % Math.max(keys.length, 1)];
  if (rest.length > 0 && key !== undefined) copy[key] = spoil(copy[key], rest, what, how);
  else if (how === "add") {
    if (Array.isArray(copy)) copy.push(what);
    else Object.defineProperty(copy, typeof what === "string" ? what : "more", { value: what, enumerable: true });
  } else if (key !== undefined) {
    if (how === "replace") copy[key] = what;
    else if (Array.isArray(copy)) copy.splice(Number(key), 1);
    else delete copy[key];
  }
  return copy;
}

const schemaAccepts = (value: unknown) => rowChangeSchema.safeParse(value).success;

test("the check accepts every row that is as it should be", () => {
  fc.assert(
    fc.property(row, (value) => isRowChange(value) && schemaAccepts(value)),
    RUNS,
  );
});

test("the check and the schema agree on rows that were spoilt in one place", () => {
  const way = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 6 });
  const how = fc.constantFrom("replace" as const, "remove" as const, "add" as const);
  fc.assert(
    fc.property(row, way, odd, how, (value, steps, what, kind) => {
      const spoilt = spoil(value, steps, what, kind);
      const named = JSON.stringify(spoilt)?.includes("__proto__");
      // What is named __proto__ is left to the schema.
      if (named) return !isRowChange(spoilt) || schemaAccepts(spoilt);
      return isRowChange(spoilt) === schemaAccepts(spoilt);
    }),
    { numRuns: effort(15_000) },
  );
});

test("the check and the schema agree on anything", () => {
  fc.assert(
    fc.property(odd, (value) => isRowChange(value) === schemaAccepts(value)),
    RUNS,
  );
});

test("a row that is accepted comes out as it went in; a field named __proto__ is left to the schema", () => {
  fc.assert(
    fc.property(row, (value) => {
      expect(parseRowChange(value)).toEqual({ change: rowChangeSchema.parse(value) });
    }),
    { numRuns: 1_000 },
  );
  const trap = JSON.parse('{"table":"t","pk":[1],"cl":1,"life":[1,"a"],"lww":{"__proto__":[1],"title":["x"]}}');
  expect(isRowChange(trap)).toBe(false);
  expect(parseRowChange(trap)).toHaveProperty("problem");
});
