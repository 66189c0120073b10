// A tree of hashes that is changed row by row says what one says that is made of the rows.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  FAN_OUT,
  HashGroup,
  HashTree,
  leafOf,
  pathToNumber,
  type RowChange,
  stateSum,
  unequalPaths,
} from "../src/index";

const state = (id: number, title: number): RowChange => ({
  table: "t",
  pk: [`row ${id}`],
  cl: 1,
  life: [1, "a"],
  lww: { title: [title] },
});

test("groups of rows that come, change and go are those of the rows that are left", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.option(fc.nat(3), { nil: null })), { maxLength: 120 }), (changes) => {
      const rows = new Map<number, RowChange>();
      const stored = new Map<number, string>();
      for (const [id, title] of changes) {
        const [before, after] = [rows.get(id), title === null ? null : state(id, title)];
        const leaf = pathToNumber(leafOf([`row ${id}`]));
        const number = Math.floor(leaf / FAN_OUT);
        // As a database keeps it from one time to the next.
        const group = new HashGroup(number, stored.get(number));
        if (before) group.remove(leaf, stateSum(before));
        if (after) group.add(leaf, stateSum(after));
        if (after) rows.set(id, after);
        else rows.delete(id);
        stored.set(number, group.leaves);
      }
      const tree = new HashTree();
      for (const row of rows.values()) tree.add(row);
      const groups = [...stored].map(([number, leaves]) => new HashGroup(number, leaves));
      const full = groups.filter((group) => group.rows > 0);
      expect(Object.fromEntries(full.map((group) => [group.path, group.sum]))).toEqual(tree.below(""));
      for (const group of groups) expect(group.below).toEqual(tree.below(group.path));
      expect(groups.reduce((sum, group) => sum + group.rows, 0)).toBe(tree.rows);
    }),
  );
});

test("paths differ where one side has another sum, or none", () => {
  expect(unequalPaths({ A: "1", B: "2", C: "3" }, { A: "1", B: "x", D: "4" })).toEqual(["B", "C", "D"]);
});
