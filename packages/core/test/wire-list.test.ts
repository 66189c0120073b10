// Positions as they come from the wire: what no node would ever have made is refused before anything walks along it.
import { expect, test } from "vitest";
import { parseRowChange } from "../src/index";

const row = (...list: unknown[]) => ({ table: "t", pk: ["p"], cl: 1, life: [1, "a"], list: { steps: list } });
const isTaken = (...list: unknown[]) => "change" in parseRowChange(row(...list));

test("a position is one of four: deleted, an item, an item with another value, a move", () => {
  expect(isTaken()).toBe(true);
  expect(isTaken(["5.a", null, 1])).toBe(true);
  expect(isTaken(["5.a", "4.b", 0, { x: [1] }])).toBe(true);
  expect(isTaken(["5.a", "4.", 0, null])).toBe(true);
  expect(isTaken(["5.a", null, 1, "x", 9, "b"])).toBe(true);
  expect(isTaken(["5.a", null, 1, null, "4.b"])).toBe(true);
  for (const other of [[], ["5.a"], ["5.a", null], ["5.a", null, 1, "x", 9, "b", 1], "5.a", null, {}, 5])
    expect(isTaken(other), JSON.stringify(other)).toBe(false);
});

test("an id is a stamp in its one spelling (fault 34)", () => {
  for (const id of ["0.", "1.", "5.a", "zz.a-node_1.x", `${(2 ** 53 - 1).toString(36)}.${"n".repeat(63)}`])
    expect(isTaken([id, null, 1, "x"]), id).toBe(true);
  const odd = [
    "",
    ".",
    ".a",
    "5",
    "5a",
    "05.a",
    "-5.a",
    "+5.a",
    "5.5e.A",
    "5.A",
    "A.a",
    "5 .a",
    "5.a b",
    "1e3.é",
    "5.\ud800",
  ];
  for (const id of [
    ...odd,
    "NaN.a",
    "Infinity.a",
    `${(2 ** 53).toString(36)}.a`,
    `5.${"n".repeat(64)}`,
    "__proto__",
    5,
    null,
  ])
    expect(isTaken([id, null, 1, "x"]), String(id)).toBe(false);
});

test("what a position stands beside, and what moved there, was there before it: nothing goes round in a ring (fault 25)", () => {
  for (const later of ["5.a", "5.b", "6.a", "10.", "zz.a"]) {
    expect(isTaken(["5.a", later, 1, "x"]), `beside ${later}`).toBe(false);
    expect(isTaken(["5.a", null, 1, null, later]), `${later} moved`).toBe(false);
  }
  // In their order as numbers, and not as texts.
  expect(isTaken(["10.a", "z.b", 1, "x"])).toBe(true);
  expect(isTaken(["z.a", "10.b", 1, "x"])).toBe(false);
  expect(isTaken(["5.b", "5.a", 1, "x"])).toBe(true);
  for (const no of ["", "a", 4, undefined, [], "__proto__", "constructor"]) {
    expect(isTaken(["5.a", no, 1, "x"]), `beside ${String(no)}`).toBe(false);
    expect(isTaken(["5.a", null, 1, null, no]), `${String(no)} moved`).toBe(false);
  }
  expect(isTaken(["5.a", null, 1, null, null])).toBe(false);
});

test("a side, a move's value, a writer and numbers that are none are refused (fault 30)", () => {
  for (const side of [-1, 2, 0.5, "0", true, null]) expect(isTaken(["5.a", null, side, "x"]), String(side)).toBe(false);
  expect(isTaken(["5.a", null, 1, "x", "4.b"])).toBe(false);
  for (const [hlc, node] of [
    [-1, "b"],
    [0.5, "b"],
    [2 ** 53, "b"],
    ["9", "b"],
    [9, "B"],
    [9, null],
    [9, "b c"],
  ])
    expect(isTaken(["5.a", null, 1, "x", hlc, node]), JSON.stringify([hlc, node])).toBe(false);
  // As JSON.parse reads 1e400.
  for (const value of [Number.POSITIVE_INFINITY, [Number.NaN], { x: Number.NEGATIVE_INFINITY }, undefined]) {
    expect(isTaken(["5.a", null, 1, value])).toBe(false);
    expect(isTaken(["5.a", null, 1, value, 9, "b"])).toBe(false);
  }
});
