// Which rows show where they refer to each other: the rules against a plain reading of them, and every order of arrival.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import {
  type Candidate,
  claimOf,
  decideHolders,
  decideShown,
  isBinding,
  isKeeping,
  keyOf,
  type Links,
  linkTables,
  PRIMARY,
  targetOf,
  withoutParent,
} from "../src/index";
import {
  ACTIONS,
  candidateOf,
  isAlive,
  makeTables,
  mayShow,
  type State,
  shape,
  sorted,
  state,
  World,
} from "./references";

const world = fc.uniqueArray(state, { selector: ({ table, id }) => table + id, maxLength: 6 });

/** The greatest set without a broken reference, found as its definition says: the union of all sets that have none. */
function greatest(links: Links, all: readonly Candidate[]): Set<string> {
  const provides = (row: Candidate) => {
    const { model } = links.get(row.table)!;
    return [PRIMARY, ...model.uniques.keys()].map((place) => keyOf(model, place, row.values));
  };
  const holds = (rows: readonly Candidate[]): boolean => {
    const keys = new Set(rows.flatMap(provides));
    const kept = new Set(rows.filter(({ row }) => isAlive(row)).map(({ id }) => id));
    for (let grown = true; grown; ) {
      grown = false;
      for (const parent of rows) {
        if (kept.has(parent.id)) continue;
        const keeper = rows.some(
          (child) =>
            kept.has(child.id) &&
            links.get(child.table)!.out.some((link) => {
              const target = targetOf(link, child.values);
              return isKeeping(link) && target !== null && provides(parent).includes(target);
            }),
        );
        if (!keeper) continue;
        kept.add(parent.id);
        grown = true;
      }
    }
    return rows.every(
      (row) =>
        kept.has(row.id) &&
        links.get(row.table)!.out.every((link) => {
          const target = targetOf(link, row.values);
          if (target === null || keys.has(target) || link.reference.onDelete === "set null") return true;
          if (isBinding(link)) return false;
          const fallback = targetOf(link, { ...row.values, ...withoutParent(link) });
          return fallback === null || keys.has(fallback);
        }),
    );
  };
  const union = new Set<string>();
  for (let n = 0; n < 2 ** all.length; n++) {
    const some = all.filter((_, place) => Math.floor(n / 2 ** place) % 2 === 1);
    if (holds(some)) for (const { id } of some) union.add(id);
  }
  return union;
}

describe("decideShown", () => {
  test("is the greatest set without a broken reference, then the holders of unique keys, then that again", () => {
    fc.assert(
      fc.property(shape, world, (drawn, rows) => {
        const links = linkTables(makeTables(drawn));
        const all = rows.filter((row) => mayShow(links, row)).map((row) => candidateOf(links, row));
        const first = greatest(links, all);
        const claims = all
          .filter(({ id }) => first.has(id))
          .map(({ id, table, row, values }) => {
            const claim = claimOf(links.get(table)!.model, id, row, values);
            return { ...claim, keys: claim.keys.map((key) => key && table + key) };
          });
        const { holds } = decideHolders(claims);
        const last = greatest(
          links,
          all.filter(({ id }) => holds.has(id)),
        );
        const { shown, hidden } = decideShown(links, all);
        expect([...shown.keys()].sort()).toEqual([...last].sort());
        expect(shown.size + hidden.size).toBe(all.length);
      }),
      { numRuns: effort(1_500) },
    );
  });

  test("does not depend on the order in which the rows are given", () => {
    fc.assert(
      fc.property(shape, world, fc.infiniteStream(fc.nat()), (drawn, rows, numbers) => {
        const links = linkTables(makeTables(drawn));
        const all = rows.filter((row) => mayShow(links, row)).map((row) => candidateOf(links, row));
        const shuffled = all
          .map((row) => [numbers.next().value as number, row] as const)
          .sort(([a], [b]) => a - b)
          .map(([, row]) => row);
        const values = (given: readonly Candidate[]) =>
          sorted(new Map([...decideShown(links, given).shown].map(([id, row]) => [id, row.values])));
        expect(values(shuffled)).toEqual(values(all));
      }),
      { numRuns: effort(2_500) },
    );
  });

  const a = (id: string, values: object = {}, more: Partial<State> = {}): State => ({
    table: "a",
    id,
    lives: true,
    hlc: 1,
    values: { id, slug: null, up: null, other: null, ...values },
    ...more,
  });
  const b = (id: string, values: object = {}, more: Partial<State> = {}): State => ({
    table: "b",
    id,
    lives: true,
    hlc: 1,
    values: { id, slug: null, up: null, tag: null, ...values },
    ...more,
  });
  const dead = { lives: false };
  const shownOf = (drawn: Parameters<typeof makeTables>[0], ...rows: State[]) => {
    const node = new World(drawn);
    for (const row of rows) node.change(row);
    expect(sorted(node.base)).toEqual(sorted(node.expected()));
    return [...node.base]
      .map(([id, { up }]) => `${(JSON.parse(id) as string[]).filter((_, n) => n !== 1).join("")}${up ? `>${up}` : ""}`)
      .sort()
      .join(" ");
  };

  test.each([
    ["cascade", ""],
    ["set null", "b1"],
    ["set default", ""],
    ["no action", "a1 b1>1"],
    ["restrict", "a1 b1>1"],
  ] as const)("a child of a deleted parent, %s: %s", (child, shown) => {
    expect(shownOf({ child }, a("1", {}, dead), b("1", { up: "1" }))).toBe(shown);
  });
  test("SET DEFAULT refers to the default's row, if there is one", () => {
    expect(shownOf({ child: "set default" }, a("1", {}, dead), a("2"), b("1", { up: "1" }))).toBe("a2 b1>2");
  });
  test("a row that refers to itself goes when it is deleted, also with NO ACTION", () => {
    expect(shownOf({ self: "no action" }, a("1", { up: "1" }))).toBe("a1>1");
    expect(shownOf({ self: "no action" }, a("1", { up: "1" }, dead))).toBe("");
  });
  test("a ring of living rows shows, one of deleted rows does not", () => {
    expect(shownOf({ self: "cascade" }, a("1", { up: "2" }), a("2", { up: "1" }))).toBe("a1>2 a2>1");
    expect(shownOf({ self: "restrict" }, a("1", { up: "2" }, dead), a("2", { up: "1" }, dead))).toBe("");
    // A living row keeps the whole ring.
    const ring = [a("1", { up: "2" }, dead), a("2", { up: "1" }, dead), a("3", { up: "1" })];
    expect(shownOf({ self: "restrict" }, ...ring)).toBe("a1>2 a2>1 a3>1");
  });
  test("a living grandchild keeps a chain of deleted rows", () => {
    const chain = [a("1", {}, dead), a("2", { up: "1" }, dead), b("1", { up: "2" })];
    expect(shownOf({ self: "no action", child: "no action" }, ...chain)).toBe("a1 a2>1 b1>2");
    // The grandparent cascades: what it takes along cannot be kept.
    expect(shownOf({ self: "cascade", child: "no action" }, ...chain)).toBe("");
  });
  test("a row without its parent blocks no unique key", () => {
    const rows = [b("1", { slug: "1", up: "1" }, { hlc: 1 }), b("2", { slug: "1" }, { hlc: 2 })];
    expect(shownOf({ child: "cascade" }, ...rows)).toBe("b2");
    expect(shownOf({ child: "cascade" }, ...rows, a("1"))).toBe("a1 b1>1");
  });
  test("a deleted row that is kept ranks after all living ones", () => {
    const rows = [a("1", { slug: "1" }, { ...dead, hlc: 1 }), b("1", { up: "1" })];
    expect(shownOf({ child: "no action" }, ...rows)).toBe("a1 b1>1");
    expect(shownOf({ child: "no action" }, ...rows, a("2", { slug: "1" }, { hlc: 3 }))).toBe("a2");
  });
});

describe("a projection", () => {
  test("faults 50: walks to the same rows as the decision over all of them, whatever changes, and breaks no constraint", () => {
    fc.assert(
      fc.property(
        shape,
        fc.array(fc.array(state, { minLength: 1, maxLength: 3 }), { maxLength: 25 }),
        (drawn, steps) => {
          const node = new World(drawn);
          for (const states of steps) {
            node.change(...states);
            expect(sorted(node.base)).toEqual(sorted(node.expected()));
          }
        },
      ),
      { numRuns: effort(2_000) },
    );
  });

  const permutations = <T>(values: readonly T[]): T[][] =>
    values.length <= 1
      ? [[...values]]
      : values.flatMap((value, n) =>
          permutations(values.filter((_, other) => other !== n)).map((rest) => [value, ...rest]),
        );

  test("faults 50: every action, a chain through two tables and a ring: all orders of arrival show the same", () => {
    let orders = 0;
    for (const self of ACTIONS) {
      for (const child of ACTIONS) {
        for (const kind of [0, 1, 2]) {
          const lives = (n: number) => Math.floor(kind / 2 ** n) % 2 === 1;
          const at = (table: string, id: string, values: object, alive = true): State => ({
            table,
            id,
            lives: alive,
            hlc: Number(id),
            values: { id, slug: null, up: null, other: null, tag: null, ...values },
          });
          const rows = [
            at("a", "1", { up: "2" }, lives(0)),
            at("a", "2", { up: "1" }, lives(1)),
            at("a", "3", { up: "1", slug: "1" }),
            at("b", "1", { up: "2", slug: "1" }),
            at("b", "2", { up: "3", slug: "1" }),
          ];
          const results = permutations(rows).map((order) => {
            const node = new World({ self, child });
            for (const row of order) node.change(row);
            expect(sorted(node.base)).toEqual(sorted(node.expected()));
            orders++;
            return JSON.stringify([sorted(node.base), [...node.refusals].map(([id, { code }]) => id + code).sort()]);
          });
          expect(new Set(results).size).toBe(1);
        }
      }
    }
    expect(orders).toBe(5 * 5 * 3 * 120);
  }, 60_000);

  test("looks at what changed and not at the table", () => {
    const node = new World({ child: "no action" });
    const row = (table: string, id: string, values: object): State => ({
      table,
      id,
      lives: true,
      hlc: 1,
      values: { id, slug: null, up: null, other: null, tag: null, ...values },
    });
    node.change(row("a", "p", {}), row("a", "q", {}));
    for (let n = 0; n < 500; n++) node.change(row("b", `c${n}`, { up: "p" }));
    // Another child, a parent that a few of many children keep, and a child that moves away.
    node.loaded = 0;
    node.change(row("b", "more", { up: "p" }));
    node.change({ ...row("a", "p", {}), lives: false });
    node.change(row("b", "c1", { up: "q" }));
    expect(node.base.has('["a",-1,"p"]')).toBe(true);
    expect(node.loaded).toBeLessThan(40);
  });
});
