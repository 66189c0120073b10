// A column that was added later, with a default: where a row holds another value, the default that stands implicitly on other nodes
// must not come back; of lists and documents part by part. (Of values at one path the greater bytes stand, as of any equal stamps:
// those here are greater than the default's.)
import { expect, test } from "vitest";
import { crdtTypes, type Entry, type Json, type TypeOptions } from "../src/index";
import { PATHS } from "./arbitrary";

const cases: readonly (readonly ["list" | "document", TypeOptions, constant: Json, values: readonly Json[]])[] = [
  ["list", {}, ["x", "y"], [["x", "y"], [], ["z"], ["y", "x"], ["x", "x", "z"]]],
  ["list", { itemKey: "id" }, [{ id: 1 }], [[{ id: 1 }], [{ id: 2 }, { id: 1 }], []]],
  [
    "document",
    { paths: PATHS },
    { a: 1, b: { c: 2 }, n: 5, o: { s: ["x"], l: ["x"] } },
    [
      { a: 1, b: { c: 2 }, n: 5, o: { s: ["x"], l: ["x"] } },
      { a: 2, n: 7, o: { s: ["y"], l: ["y", "x"] } },
      { b: { d: 1 }, n: 5, o: { s: [], l: [] } },
      { a: { e: 1 }, b: 3, n: 9, o: { s: ["x", "z"], l: ["x", "x"] } },
    ],
  ],
];

test.each(cases)(
  "of a %s, the value that stands there is what all nodes read (fault 60)",
  (name, options, constant, values) => {
    const type = crdtTypes[name];
    const join = (a: readonly Entry[], b: readonly Entry[]): Entry[] => {
      const all = new Map(a.map((entry) => [type.identity(entry), entry]));
      for (const entry of b) {
        const known = all.get(type.identity(entry));
        all.set(type.identity(entry), known ? type.join(known, entry) : entry);
      }
      return [...all.values()];
    };
    const implicit = type.implicit(constant, options);
    expect(type.materialize(implicit)).toEqual(constant);
    for (const value of values) {
      const own = type.without(constant, value, options);
      expect(type.materialize(own)).toEqual(value);
      expect(type.materialize(join(implicit, own))).toEqual(value);
      expect(type.materialize(join(own, implicit))).toEqual(value);
      for (const other of values) {
        const theirs = type.without(constant, other, options);
        expect(type.materialize(join(own, theirs))).toEqual(type.materialize(join(theirs, own)));
      }
    }
  },
);
