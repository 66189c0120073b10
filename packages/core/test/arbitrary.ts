// Random states and histories for the property tests of core.
import fc from "fast-check";
import type {
  Json,
  RowChange,
  TableModel,
  WireCounter,
  WireDocument,
  WireElement,
  WireItem,
  WireRegister,
} from "../src/index";

export const NODES = ["a", "b", "c"] as const;

const column = { property: "x", storage: "text", sqlType: "text", notNull: false } as const;

export const PATHS = [
  { path: ["n"], type: "counter" },
  { path: ["o", "s"], type: "set" },
  { path: ["o", "l"], type: "list" },
] as const;

/** A table with two fields of each type. */
export const model: TableModel = {
  name: "things",
  exportName: "things",
  key: [{ ...column, name: "id", kind: "text" }],
  fields: [
    { ...column, name: "title", kind: "text", type: "lww" },
    { ...column, name: "body", kind: "text", type: "lww" },
    { ...column, name: "views", kind: "integer", storage: "integer", type: "counter", default: "0" },
    { ...column, name: "stock", kind: "integer", storage: "integer", type: "counter" },
    { ...column, name: "tags", kind: "json", type: "set", default: [] },
    { ...column, name: "marks", kind: "json", type: "set" },
  ],
  local: [],
  uniques: [],
};

/** The same table with lists and documents. */
export const nested: TableModel = {
  ...model,
  fields: [
    ...model.fields,
    { ...column, name: "steps", kind: "json", type: "list", default: [] },
    { ...column, name: "cards", kind: "json", type: "list", itemKey: "id" },
    { ...column, name: "data", kind: "json", type: "document", default: {}, paths: PATHS },
    { ...column, name: "meta", kind: "json", type: "document" },
  ],
};

/** The same table with a field that never changes. */
export const fixing: TableModel = {
  ...model,
  fields: model.fields.map((field) => (field.name === "title" ? { ...field, fixed: true } : field)),
};

/** Few stamps and few values, so that ties and conflicts come up all the time. */
const node = fc.constantFrom(...NODES);
const stamp = fc.oneof(
  { weight: 1, arbitrary: fc.constant([0, ""] as const) },
  { weight: 6, arbitrary: fc.tuple(fc.integer({ min: 1, max: 6 }), node) },
);
const value: fc.Arbitrary<Json> = fc.constantFrom("", "x", "y", "é", "\uffff", "😀", null, 1, 2.5, true);

export const register: fc.Arbitrary<WireRegister> = fc.oneof(
  fc.tuple(value),
  fc.tuple(value, stamp).map(([v, [hlc, n]]) => [v, hlc, n] as const),
);

const decimal = fc
  .oneof(fc.integer({ min: -5, max: 5 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
  .map(String);
const total = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.bigInt({ min: 0n, max: 2n ** 63n })).map(String);

export const counter: fc.Arbitrary<WireCounter> = fc
  .record({
    birth: fc.tuple(decimal, stamp),
    totals: fc.uniqueArray(
      fc.tuple(node, fc.integer({ min: 1, max: 2 }), total, total, fc.integer({ min: 1, max: 6 })),
      {
        selector: ([n, i]) => `${n}${i}`,
        maxLength: 4,
      },
    ),
  })
  .map(({ birth, totals }) => ({
    birth: [birth[0], birth[1][0], birth[1][1]] as const,
    totals: totals.map(([n, i, up, down, hlc]) => [`${n}${i}`, n, up, down, hlc] as const),
  }));

const element: fc.Arbitrary<Json> = fc.constantFrom("p", "q", 1, "1", { b: 1, a: [2] }, ["z"], null);

export const set: fc.Arbitrary<readonly WireElement[]> = fc
  .uniqueArray(
    fc.tuple(
      element,
      fc.oneof(node, fc.constant("")),
      fc.integer({ min: 0, max: 6 }),
      fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
    ),
    {
      selector: ([e, n]) => JSON.stringify([e, n]),
      maxLength: 6,
    },
  )
  .map((elements) =>
    elements.map(([e, n, hlc, removed]) =>
      removed === undefined ? ([e, hlc, n] as const) : ([e, hlc, n, removed] as const),
    ),
  );

const id = fc
  .tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.oneof({ weight: 5, arbitrary: node }, { weight: 1, arbitrary: fc.constant("") }),
  )
  .map(([hlc, n]) => `${hlc}.${n}`);
const side = fc.constantFrom<0 | 1>(0, 1);

/** Positions as nobody makes them, too: of one id with several parents, and whose parents are missing. */
export const list: fc.Arbitrary<readonly WireItem[]> = fc
  .uniqueArray(
    fc.tuple(
      id,
      fc.option(id),
      side,
      fc.oneof(
        fc.constant([] as const),
        fc.tuple(element),
        fc.tuple(element, fc.integer({ min: 1, max: 9 }), node),
        fc.tuple(fc.constant(null), id),
      ),
    ),
    { selector: ([own]) => own, maxLength: 6 },
  )
  .map((items) =>
    items.map(([own, parent, where, rest]) => {
      const before = parent !== null && parent < own ? parent : null;
      // What moved was there before.
      const said = rest.length === 2 && rest[1] >= own ? [] : rest;
      return [own, before, where, ...said] as unknown as WireItem;
    }),
  );

const path = fc.constantFrom<readonly string[]>(
  ["a"],
  ["a", "b"],
  ["a", "b", "c"],
  ["a", "d"],
  ["__proto__"],
  ["o"],
  ["n"],
);
const at = <T>(paths: readonly (readonly string[])[], part: fc.Arbitrary<T>) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...paths), part), { selector: ([own]) => own.join(), maxLength: 2 })
    .map((parts) => parts as readonly (readonly [readonly string[], T])[]);

export const document: fc.Arbitrary<WireDocument> = fc
  .record({
    values: fc.uniqueArray(
      fc.tuple(
        path,
        stamp,
        fc.option(fc.oneof(value, fc.constant<Json>({}), fc.constant<Json>([1])), { nil: undefined }),
      ),
      { selector: ([own]) => own.join(), maxLength: 5 },
    ),
    counter: at([["n"], ["a", "b"]], counter),
    set: at([["o", "s"]], set),
    list: at([["o", "l"], ["a"]], list),
  })
  .map(({ values, ...typed }) => ({
    values: values.map(([own, [hlc, n], said]) => (said === undefined ? [own, hlc, n] : [own, hlc, n, said])),
    ...typed,
  }));

/** A whole state of the one row `["r"]`. */
export const state: fc.Arbitrary<RowChange> = fc
  .record({
    cl: fc.constantFrom(1, 1, 1, 2, 3),
    life: stamp,
    ends: fc.option(fc.array(fc.option(fc.integer({ min: 1, max: 6 })), { minLength: 1, maxLength: 2 }), { freq: 2 }),
    lww: fc.record({ title: register, body: register }),
    counter: fc.record({ views: counter, stock: counter }),
    set: fc.record({ tags: set, marks: set }),
  })
  .map(({ cl, life, ends, lww, counter: counters, set: sets }) => ({
    table: "things",
    pk: ["r"],
    cl,
    life,
    ...(ends && cl > 1 && { ends }),
    ...(cl % 2 === 1 && { lww, counter: counters, set: sets }),
  }));

/** The same of the table with lists and documents. */
export const nestedState: fc.Arbitrary<RowChange> = fc
  .tuple(
    state,
    fc.record({
      list: fc.record({ steps: list, cards: list }),
      document: fc.record({ data: document, meta: document }),
    }),
  )
  .map(([own, more]) => (own.cl % 2 === 1 ? { ...own, ...more } : own));
