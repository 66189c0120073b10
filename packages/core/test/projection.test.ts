// Who holds a unique key: first come keeps, whatever the order in which the rows arrived.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import { type Claim, claimOf, decideHolders, type Row, type TableModel } from "../src/index";

const keys = fc.tuple(fc.constantFrom(null, "x", "y", "z"), fc.constantFrom(null, "p", "q"));
const claims = fc.uniqueArray(
  fc.record({ id: fc.constantFrom("a", "b", "c", "d", "e"), hlc: fc.integer({ min: 0, max: 3 }), keys }),
  { selector: ({ id }) => id, maxLength: 5 },
);
const toClaim = ({
  id,
  hlc,
  keys: [one, two],
}: {
  id: string;
  hlc: number;
  keys: [string | null, string | null];
}): Claim => ({
  id,
  taken: { hlc, node: "n" },
  keys: [one && `0 ${one}`, two && `1 ${two}`],
});
const older = (a: Claim, b: Claim) => a.taken.hlc < b.taken.hlc || (a.taken.hlc === b.taken.hlc && a.id < b.id);
const meet = (a: Claim, b: Claim) => a.keys.some((key, n) => key !== null && key === b.keys[n]);

describe("decideHolders", () => {
  test("no two holders share a key, and every other row loses to an older holder", () => {
    fc.assert(
      fc.property(claims, (drawn) => {
        const all = drawn.map(toClaim);
        const { holds, losesTo } = decideHolders(all);
        for (const claim of all) {
          const rivals = all.filter((other) => other !== claim && holds.has(other.id) && meet(claim, other));
          if (holds.has(claim.id)) expect(rivals).toEqual([]);
          else expect(rivals.some((rival) => older(rival, claim) && losesTo.get(claim.id) === rival.id)).toBe(true);
        }
      }),
      { numRuns: effort(10_000) },
    );
  });

  test("the order in which the rows came does not matter", () => {
    fc.assert(
      fc.property(claims, fc.infiniteStream(fc.nat()), (drawn, numbers) => {
        const all = drawn.map(toClaim);
        const shuffled = all
          .map((claim) => [numbers.next().value as number, claim] as const)
          .sort(([a], [b]) => a - b)
          .map(([, claim]) => claim);
        expect([...decideHolders(shuffled).holds].sort()).toEqual([...decideHolders(all).holds].sort());
      }),
      { numRuns: effort(10_000) },
    );
  });

  test("a swap works: both rows hold what the other one had", () => {
    const all = [toClaim({ id: "a", hlc: 2, keys: ["y", null] }), toClaim({ id: "b", hlc: 3, keys: ["x", null] })];
    expect(decideHolders(all).holds).toEqual(new Set(["a", "b"]));
  });
});

describe("claimOf", () => {
  const column = { property: "x", kind: "text", storage: "text", sqlType: "text", notNull: false } as const;
  const model: TableModel = {
    name: "t",
    exportName: "t",
    key: [{ ...column, name: "id" }],
    fields: [
      { ...column, name: "slug", type: "lww" },
      { ...column, name: "team", type: "lww" },
      { ...column, name: "title", type: "lww" },
    ],
    local: [],
    uniques: [["slug"], ["team", "id"]],
  };
  const entry = (hlc: number) => ({
    type: "lww" as const,
    entries: [{ key: "", hlc, node: "b", state: undefined, seq: 1, via: null }],
  });
  const row: Row = {
    id: 1,
    cl: 1,
    hlc: 5,
    node: "a",
    born: 1,
    via: null,
    seq: 1,
    shape: ["slug", "team", "title"],
    fields: new Map([
      ["team", entry(7)],
      ["title", entry(9)],
    ]),
  };

  test("dates from the latest column that is part of a key, and a NULL claims nothing", () => {
    expect(claimOf(model, "r", row, { id: "r", slug: "s", team: "t", title: "x" })).toEqual({
      id: "r",
      taken: { hlc: 7, node: "b" },
      keys: ['0 ["s"]', '1 ["t","r"]'],
    });
    expect(claimOf(model, "r", row, { id: "r", slug: "s", team: null, title: "x" })).toEqual({
      id: "r",
      taken: { hlc: 5, node: "a" },
      keys: ['0 ["s"]', null],
    });
  });
});
