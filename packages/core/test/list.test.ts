// What a list promises: where a moved item lands, which of two writes counts, that runs stay whole, who lives after many writes,
// and what a position costs.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import { crdtTypes, type Entry, type Json, jsonLength } from "../src/index";
import { LISTS, Replica, settled } from "./list-replica";

const moved = <T>(items: readonly T[], from: number, to: number): T[] => {
  const rest = items.toSpliced(from, 1);
  return rest.toSpliced(to, 0, items[from] as T);
};
const PLACES = [0, 1, 2, 3];
const RUNS = Number(process.env.GROVE_RUNS ?? effort(300));

describe.each(Object.entries(LISTS))("a list that is %s", (_, make) => {
  const base = ["p", "q", "r", "s"];
  const start = make(base);
  const on = (node: string, clock?: number) => new Replica(node, start, clock);

  test("a lone move lands where it was asked, whatever others write elsewhere (fault 25, lineage 27)", () => {
    const others: ((items: readonly string[]) => string[])[] = [
      (items) => [...items],
      ...[0, 1, 2, 3, 4].map((at) => (items: readonly string[]) => items.toSpliced(at, 0, "n")),
      ...PLACES.map((at) => (items: readonly string[]) => items.toSpliced(at, 1)),
      ...PLACES.map((at) => (items: readonly string[]) => items.with(at, `${items[at]}~`)),
    ];
    for (const from of PLACES)
      for (const to of PLACES)
        for (const other of others)
          for (const clock of [50, 150]) {
            const wanted = moved(base, from, to);
            const change = other(base);
            const end = settled(on("a").write(wanted), on("b", clock).write(change));
            // Of a swap of neighbours either may be the one that moves; an insertion between them then has no place of its own.
            const names = end.map((item) => item.split("~")[0] as string).filter((name) => name !== "n");
            expect(names).toEqual(wanted.filter((item) => change.some((one) => one.split("~")[0] === item)));
            expect(end.filter((item) => item === "n")).toEqual(change.filter((item) => item === "n"));
            expect(end.filter((item) => item.includes("~"))).toEqual(change.filter((item) => item.includes("~")));
          }
  });

  test("of two moves of one item the later counts, and the item is there once (lineage 27)", () => {
    // Far enough that no other item can have moved in its stead.
    for (const [from, one, other] of [
      [0, 2, 3],
      [0, 3, 2],
      [3, 0, 1],
      [3, 1, 0],
    ] as const)
      for (const clock of [50, 150]) {
        const end = settled(on("a").write(moved(base, from, one)), on("b", clock).write(moved(base, from, other)));
        expect(end).toEqual(moved(base, from, clock === 150 ? other : one));
      }
  });

  test("what is deleted stays so, whoever moves or edits it meanwhile or later by the clock (fault 25)", () => {
    for (const at of PLACES)
      for (const clock of [50, 150]) {
        const rest = base.toSpliced(at, 1);
        expect(settled(on("a").write(rest), on("b", clock).write(base.with(at, "new")))).toEqual(rest);
        for (const to of PLACES) {
          const names = settled(on("a").write(rest), on("b", clock).write(moved(base, at, to)));
          expect([...names].sort()).toEqual(rest);
        }
      }
  });

  test("of two edits of one item the later counts, and a move of it keeps either", () => {
    for (const at of PLACES)
      for (const clock of [50, 150]) {
        const [one, other] = [base.with(at, "one"), base.with(at, "other")];
        expect(settled(on("a").write(one), on("b", clock).write(other))).toEqual(clock === 150 ? other : one);
        const far = at < 2 ? 3 : 0;
        expect(settled(on("a").write(one), on("b", clock).write(moved(base, at, far)))).toEqual(moved(one, at, far));
      }
  });

  test("runs of three at one place, written forwards, backwards or at once by two or three nodes, stay whole (fault 25)", () => {
    const ways: readonly ((replica: Replica, at: number, names: readonly string[]) => Replica)[] = [
      (replica, at, names) => {
        names.forEach((name, n) => void replica.write(replica.items.toSpliced(at + n, 0, name)));
        return replica;
      },
      (replica, at, names) => {
        for (const name of [...names].reverse()) replica.write(replica.items.toSpliced(at, 0, name));
        return replica;
      },
      (replica, at, names) => replica.write(replica.items.toSpliced(at, 0, ...names)),
    ];
    const runOf = (node: string) => [`${node}1`, `${node}2`, `${node}3`];
    let cases = 0;
    for (const at of [0, 1, 2, 3, 4])
      for (const first of ways)
        for (const second of ways)
          for (const third of [undefined, ...ways])
            for (const clock of [50, 100, 150]) {
              const replicas = [first(on("a"), at, runOf("a")), second(on("b", clock), at, runOf("b"))];
              if (third) replicas.push(third(on("c"), at, runOf("c")));
              const end = settled(...replicas);
              const runs = replicas.map(({ node }) => runOf(node).join());
              const texts = runs.map((run) => [end.join().indexOf(run), run] as const).sort(([x], [y]) => x - y);
              expect(end.join()).toBe(base.toSpliced(at, 0, ...texts.map(([, run]) => run)).join());
              cases++;
            }
    expect(cases).toBe(5 * 3 * 3 * 4 * 3);
  });
});

test("a position whose parent has not come stands at the end, and finds its place when it has (fault 15)", () => {
  const start = new Replica("a", LISTS.adopted(["x", "z"]));
  const before = start.entries;
  start.write(["x", "m", "z"]).write(["x", "m", "n", "z"]);
  const [parent] = start.entries.filter(({ key }) => !before.some((entry) => entry.key === key)) as [Entry];
  const early = new Replica(
    "b",
    start.entries.filter((entry) => entry !== parent),
  );
  expect(early.items).toEqual(["x", "z", "n"]);
  expect(early.hear(new Replica("a", [parent])).items).toEqual(["x", "m", "n", "z"]);
});

test("items with a key are told by a property of their own, whatever its name (fault 31)", () => {
  const context = {
    node: "a",
    incarnation: "a1",
    tick: (
      (clock) => () =>
        ++clock
    )(9),
  };
  for (const itemKey of ["constructor", "toString", "__proto__", "valueOf", "id"]) {
    const of = (...texts: string[]) => texts.map((text) => JSON.parse(text) as Json);
    const changed = (before: Json, after: Json) =>
      crdtTypes.list.fold(crdtTypes.list.implicit(before, { itemKey }), after, context, { itemKey });
    const named = (id: number, n: number) => `{${JSON.stringify(itemKey)}: ${id}, "n": ${n}}`;
    // An edit is one entry; one that goes and one that comes are two.
    expect(changed(of(named(1, 1)), of(named(1, 2))), itemKey).toHaveLength(1);
    expect(changed(of(named(1, 1)), of(named(2, 1))), itemKey).toHaveLength(2);
    expect(changed(of('{"n": 1}'), of('{"n": 2}')), itemKey).toHaveLength(2);
    expect(changed(of('"text"', "[1]", "null"), of('"other"', "[2]", "null")), itemKey).toHaveLength(4);
  }
});

test("an edit or a move is its writer's, and a deletion anybody's (fault 39)", () => {
  const { writers, fold, decode } = crdtTypes.list;
  const start = decode([["5.a", null, 1, "x"]]);
  const context = { node: "b", incarnation: "b1", tick: () => 9 };
  const [item] = start as [Entry];
  const [edited] = fold(start, ["y"], context, {}) as [Entry];
  const [deleted] = fold(start, [], context, {}) as [Entry];
  expect(writers(undefined, item)).toEqual(["a"]);
  expect(writers(item, edited)).toEqual(["b"]);
  expect(writers(item, deleted)).toEqual([]);
  expect(writers(item, item)).toEqual([]);
  // Who tells of an item that is not known answers for the one who made it as well.
  expect([...writers(undefined, edited)].sort()).toEqual(["a", "b"]);
  const [move] = decode([["9.b", null, 1, null, "5.a"]]) as [Entry];
  expect(writers(undefined, move)).toEqual(["b"]);
});

test("after any writes of three nodes the items are those that were inserted without those that were deleted, each once and in one order (fault 25)", () => {
  const step = fc.record({
    node: fc.nat({ max: 2 }),
    what: fc.constantFrom("insert", "insert", "insert", "delete", "move", "move", "reverse", "hear", "hear"),
    at: fc.nat({ max: 99 }),
    to: fc.nat({ max: 99 }),
    count: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99)), (steps, clocks) => {
      const start = LISTS.adopted(["x", "y", "z"]);
      const nodes = clocks.map((clock, n) => new Replica("abc"[n] as string, start, clock));
      const live = new Set(["x", "y", "z"]);
      const dead = new Set<string>();
      let fresh = 0;
      for (const { node, what, at, to, count } of steps) {
        const own = nodes[node] as Replica;
        const items = own.items;
        const place = at % (items.length + 1);
        if (what === "hear") own.hear(nodes[(node + 1 + (at % 2)) % 3] as Replica);
        else if (what === "insert") {
          const names = Array.from({ length: count }, () => `${++fresh}`);
          for (const name of names) live.add(name);
          own.write(items.toSpliced(place, 0, ...names));
        } else if (what === "delete") {
          for (const name of items.slice(place, place + count)) dead.add(name);
          own.write(items.toSpliced(place, count));
        } else if (what === "reverse") own.write(items.toReversed());
        else if (items.length > 0) {
          const run = items.slice(place, place + count);
          const rest = items.toSpliced(place, count);
          own.write(rest.toSpliced(to % (rest.length + 1), 0, ...run));
        }
      }
      const end = settled(...nodes);
      expect([...end].sort()).toEqual([...live].filter((name) => !dead.has(name)).sort());
    }),
    { numRuns: RUNS },
  );
});

describe("a position costs the same however many there are (GROVE_ITEMS)", () => {
  const COUNT = Number(process.env.GROVE_ITEMS ?? 400);
  const NODE = "a-node-with-a-name";
  const chance = ((state: number) => (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  })(1);
  type Ways = Readonly<Record<string, (items: readonly string[], name: string, n: number) => string[]>>;
  const ways: Ways = {
    "appended one by one": (items, name) => [...items, name],
    "put on top one by one": (items, name) => [name, ...items],
    "put into the middle one by one": (items, name) => items.toSpliced(items.length >> 1, 0, name),
    "put in front and behind by turns": (items, name, n) => (n % 2 === 0 ? [name, ...items] : [...items, name]),
    "put beside the last one, before and behind by turns": (items, name, n) => {
      const last = items.indexOf(`item ${n - 1}`.padEnd(10));
      return items.toSpliced(last + (n % 2), 0, name);
    },
    "put anywhere": (items, name) => items.toSpliced(chance(items.length + 1), 0, name),
    "moved back and forth": (items, name, n) =>
      n < 10 ? [...items, name] : n % 2 ? moved(items, 0, 9) : moved(items, 9, 0),
    "moved anywhere": (items, name, n) =>
      n < 10 ? [...items, name] : moved(items, chance(items.length), chance(items.length)),
    "taken out and put in again": (items, name, n) => (n % 2 ? items.slice(1) : [...items, name]),
  };
  /** What an entry takes where it is stored: its key and its state; the stamp has a column of its own. */
  const bytesOf = ({ key, state }: Entry) => jsonLength([key, state]);

  test.each(Object.entries(ways))("%s", (_, next) => {
    // The clock as it stands in these years: all stamps are as long.
    let clock = 1.7e15;
    const context = { node: NODE, incarnation: "a1", tick: () => ++clock };
    const entries = new Map<string, Entry>();
    let items: string[] = [];
    for (let n = 0; n < COUNT; n++) {
      const wanted = next(items, `item ${n}`.padEnd(10), n);
      const changed = crdtTypes.list.fold([...entries.values()], wanted, context, {});
      expect(changed.length).toBeLessThanOrEqual(1);
      for (const entry of changed) entries.set(entry.key, entry);
      items = wanted;
    }
    expect(crdtTypes.list.materialize([...entries.values()])).toEqual(items);
    const bytes = [...entries.values()].map(bytesOf);
    const most = (some: readonly number[]) => Math.max(...some);
    expect(most(bytes.slice(bytes.length >> 1))).toBeLessThanOrEqual(most(bytes.slice(0, bytes.length >> 1)));
    // Ids of the position, of its parent, and of the item where it is a move.
    expect(most(bytes)).toBeLessThanOrEqual(3 * jsonLength(`${clock.toString(36)}.${NODE}`) + 16);
    expect(entries.size).toBeLessThanOrEqual(COUNT);
  });
});
