// Deleted rows that keep values, all since another row may still refer to them, or the fixed ones, which say who may hear of
// the deletion: what is kept is a join like everything else, whatever was written to the row at the same time.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import {
  canonicalize,
  decideFold,
  decideMerge,
  type FoldClock,
  type Json,
  mergeStates,
  noTouch,
  type Row,
  type RowChange,
  rowToChange,
  type TableModel,
} from "../src/index";
import { fixing, model as plain, state as plainState } from "./arbitrary";

const RUNS = { numRuns: effort(1_500) };
const keeping: TableModel = { ...plain, keepsDeleted: true };
const text = (change: RowChange) => canonicalize(change as unknown as Json);

/** States of which the deleted ones carry entries, too, as those of a life that has ended, all or some. */
const state: fc.Arbitrary<RowChange> = fc
  .tuple(
    plainState.filter(({ cl }) => cl % 2 === 1),
    plainState,
    fc.constantFrom(1, 1, 2, 2, 3, 4),
    fc.constantFrom("", "", "", "title", "body"),
  )
  .map(([entries, { life }, cl, unseen]) => ({
    ...entries,
    cl,
    life,
    // The entries of a life that has ended are stamped by themselves.
    lww: Object.fromEntries(
      Object.entries(entries.lww ?? {})
        .filter(([name]) => cl % 2 === 1 || name !== unseen)
        .map(([name, [value, hlc = 1, node = "a"]]) => [name, [value, hlc, node]]),
    ),
  }));

describe.each([
  ["keeps the values of deleted rows", keeping],
  ["keeps fixed values of deleted rows", fixing],
  ["keeps none, and hears of some from a peer that does", plain],
] as const)("merging states of a table that %s", (_, model) => {
  const merge = (a: RowChange, b: RowChange) => mergeStates(model, a, b);
  test("is commutative", () => {
    fc.assert(
      fc.property(state, state, (a, b) => void expect(text(merge(a, b))).toBe(text(merge(b, a)))),
      RUNS,
    );
  });
  test("is associative", () => {
    fc.assert(
      fc.property(
        state,
        state,
        state,
        (a, b, c) => void expect(text(merge(merge(a, b), c))).toBe(text(merge(a, merge(b, c)))),
      ),
      RUNS,
    );
  });
  test("is idempotent", () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        const both = merge(a, b);
        expect(text(merge(both, a))).toBe(text(both));
        expect(text(merge(both, both))).toBe(text(both));
      }),
      RUNS,
    );
  });
});

test("a delete takes no entry of its life away, and a new life begins with none", () => {
  const alive: RowChange = { table: "things", pk: ["r"], cl: 1, life: [1, "a"], lww: { title: ["one"] } };
  const dead: RowChange = { table: "things", pk: ["r"], cl: 2, life: [5, "a"] };
  const written: RowChange = { ...alive, lww: { title: ["two", 9, "b"] } };
  for (const order of [
    [alive, dead, written],
    [written, dead, alive],
    [dead, written, alive],
  ] as const) {
    const merged = order.reduce((a, b) => mergeStates(keeping, a, b));
    expect(merged).toMatchObject({ cl: 2, life: [5, "a"], lww: { title: ["two", 9, "b"] } });
  }
  const again: RowChange = { ...alive, cl: 3, life: [12, "b"], lww: { body: ["new"] } };
  expect(mergeStates(keeping, mergeStates(keeping, dead, written), again)).toEqual(again);
  expect(mergeStates(plain, dead, written)).toEqual(dead);
});

describe("a local delete", () => {
  const clock = (): FoldClock => ({ node: "n", incarnation: "n1", now: 100, clock: 50 });
  const alive: RowChange = {
    table: "things",
    pk: ["r"],
    cl: 1,
    life: [1, "a"],
    lww: { title: ["one"], body: ["text"] },
    counter: { views: { totals: [["a1", "a", "4", "0", 2]] } },
    set: { tags: [["x", 1, "a"]] },
  };
  const row = decideMerge(keeping, { row: null, present: false }, alive, { seq: 1, from: null }).row;
  const old = { title: "uno", body: "text", views: "7", stock: "0", tags: ["x"], marks: [] };
  const touch = { ...noTouch(1), at: 60, deleted: true };
  const served = (changed: Row) => rowToChange(keeping, ["r"], changed, {}, { floor: 0, exclude: null });

  test("keeps every value, with what was written just before it", () => {
    // Title and views changed and were not folded yet.
    const changes = decideFold(
      keeping,
      row,
      { ...touch, masks: [0b101], old: { values: old, before: null } },
      null,
      false,
      clock(),
      2,
    );
    expect(changes).toMatchObject({ clearCells: false, row: { cl: 2 } });
    expect(served(changes!.row)).toMatchObject({
      cl: 2,
      lww: { title: ["uno", 60, "n"], body: ["text", 1, "a"] },
      counter: {
        views: {
          totals: [
            ["a1", "a", "4", "0", 2],
            ["n1", "n", "3", "0", 60],
          ],
        },
      },
      set: { tags: [["x", 1, "a"]] },
    });
    // What waits for nobody is in cells.
    const cells = new Set(changes!.cells.map(({ field }) => field));
    // Also that there is no mark.
    expect([...cells].sort()).toEqual(["body", "marks", "stock", "title", "views"]);
  });
  test("of a row that showed although it was deleted puts its values back into cells and is no news", () => {
    const buried = decideFold(
      keeping,
      row,
      { ...touch, masks: [0], old: { values: old, before: null } },
      null,
      false,
      clock(),
      2,
    )!.row;
    const fields = new Map(buried.fields);
    const title = fields.get("title")!.entries[0]!;
    fields.set("title", { type: "lww", entries: [{ ...title, state: undefined }] });
    const again = decideFold(
      keeping,
      { ...buried, fields },
      { ...touch, masks: [0], old: { values: old, before: null } },
      null,
      false,
      clock(),
      3,
    );
    expect(again).toMatchObject({ row: { cl: 2, seq: 2 }, cells: [{ field: "title", entry: { state: "uno" } }] });
  });
  test("a write to such a row stays with the deleted row; an insert begins a new life", () => {
    const buried = decideFold(
      keeping,
      row,
      { ...touch, masks: [0], old: { values: old, before: null } },
      null,
      false,
      clock(),
      2,
    )!.row;
    const base = { values: { views: "7", stock: "0", tags: ["x"], marks: [] } };
    const written = decideFold(keeping, buried, { ...touch, deleted: false, masks: [1] }, base, false, clock(), 3)!;
    expect(written.row).toMatchObject({ cl: 2, seq: 3 });
    const inserted = decideFold(
      keeping,
      buried,
      { ...touch, deleted: false, inserted: true, masks: [0] },
      base,
      false,
      clock(),
      3,
    )!;
    expect(inserted).toMatchObject({ row: { cl: 3 }, clearCells: true });
  });
  test("keeps nothing where nobody can refer to the row", () => {
    const changes = decideFold(plain, row, { ...touch, masks: [0b101] }, null, false, clock(), 2)!;
    expect(changes).toMatchObject({ clearCells: true, cells: [] });
    expect(changes.row.fields.size).toBe(0);
  });
});
