// Collection: what is forgotten is missed by nobody. Random nodes with few stamps, each beside a twin that never forgets.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import {
  awaited,
  CLOSED,
  canonicalize,
  collectable,
  collectField,
  collectLives,
  endsOf,
  givenBy,
  type Json,
  MAX_ENDS,
  type Round,
  type RowChange,
} from "../src/index";
import { nested } from "./arbitrary";
import { CollectingNode, deliver, model, talk } from "./collecting-node";

const RUNS = Number(process.env.GROVE_RUNS ?? effort(1_000));
const NAMES = ["a", "b", "c", "d"];

type Step =
  | { readonly do: "insert" | "delete" | "reopen" | "begin"; readonly at: number }
  | { readonly do: "title"; readonly at: number; readonly value: string }
  | { readonly do: "count"; readonly at: number; readonly by: number }
  | { readonly do: "toggle"; readonly at: number; readonly element: string }
  | { readonly do: "talk" | "deliver"; readonly at: number; readonly to: number };

const at = fc.integer({ min: 0, max: NAMES.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("insert" as const), at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("begin" as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("title" as const), at, value: fc.constantFrom("x", "y") }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("count" as const), at, by: fc.constantFrom(1, 2, -1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("toggle" as const), at, element: fc.constantFrom("p", "q") }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("talk" as const), at, to: at }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("deliver" as const), at, to: at }) },
);

class World {
  now = 1_000;
  readonly nodes = NAMES.map((name) => new CollectingNode(name, () => this.now));
  rounds = 0;

  constructor() {
    // Two groups that never met cannot forget together.
    for (const node of this.nodes.slice(1)) deliver(this.nodes[0] as CollectingNode, node);
  }

  run(one: Step): void {
    // Several things happen at one reading of the clock.
    if (one.do !== "deliver" && one.do !== "talk") this.now++;
    const node = this.nodes[one.at] as CollectingNode;
    const row = node.read();
    switch (one.do) {
      case "insert":
        if (!row) node.write({ title: node.name, stock: "1", tags: ["p"] }, []);
        break;
      case "delete":
        if (row) node.write(null, []);
        break;
      case "reopen":
        node.reopen();
        break;
      case "begin":
        if (node.collection.rounds.every(({ verdict }) => verdict)) node.begin(`${node.name}${++this.rounds}`);
        break;
      case "title":
        if (row) node.write({ ...row, title: one.value }, ["title"]);
        break;
      case "count":
        if (row) node.write({ ...row, stock: String(BigInt(row.stock as string) + BigInt(one.by)) }, ["stock"]);
        break;
      case "toggle": {
        if (!row) break;
        const tags = row.tags as string[];
        const after = tags.includes(one.element) ? tags.filter((tag) => tag !== one.element) : [...tags, one.element];
        node.write({ ...row, tags: after }, ["tags"]);
        break;
      }
      case "talk":
        if (one.at !== one.to) talk(node, this.nodes[one.to] as CollectingNode);
        break;
      case "deliver":
        if (one.at !== one.to) deliver(node, this.nodes[one.to] as CollectingNode);
    }
    this.check();
  }

  /** Everybody hears everybody, until all rounds have ended and all know the same. */
  settle(): void {
    for (let n = 0; n < 4; n++) {
      for (const from of this.nodes) for (const to of this.nodes) if (from !== to) deliver(from, to);
      this.check();
    }
  }

  check(): void {
    for (const node of this.nodes) {
      expect(node.isStruck).toBe(false);
      expect(node.read(), node.name).toEqual(node.read(node.full));
    }
  }
}

const text = (state: RowChange | null) => canonicalize(state as unknown as Json);

describe("what a collection forgets", () => {
  test("is missed by nobody: rows read as if nothing had been forgotten, and all end alike", () => {
    let ended = 0;
    let smaller = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const world = new World();
        for (const one of steps) world.run(one);
        world.settle();
        const [first, ...others] = world.nodes as [CollectingNode, ...CollectingNode[]];
        for (const other of others) {
          expect(text(other.state)).toBe(text(first.state));
          expect(other.collection.upTo).toBe(first.collection.upTo);
        }
        for (const { collection } of world.nodes)
          for (const round of collection.rounds) expect(round.verdict, JSON.stringify(awaited(round))).toBeDefined();
        if (first.collection.upTo > 0) ended++;
        if (text(first.state).length < text(first.full).length) smaller++;
      }),
      { numRuns: RUNS },
    );
    // The runs are worth something: rounds come to their end, and forget.
    expect(ended).toBeGreaterThan(RUNS / 4);
    expect(smaller).toBeGreaterThan(RUNS / 100);
  });

  test("is a row that one node deleted before its time and another one after it had closed", () => {
    const world = new World();
    const [a, b] = world.nodes as [CollectingNode, CollectingNode];
    world.run({ do: "insert", at: 0 });
    world.settle();
    world.run({ do: "delete", at: 0 });
    world.run({ do: "begin", at: 0 });
    // The other one has heard of the round, and not of the delete.
    for (const one of world.nodes.slice(1)) talk(a, one);
    world.run({ do: "delete", at: 1 });
    world.settle();
    for (const { state, collection } of world.nodes) expect([state, collection.upTo > 0]).toEqual([null, true]);
    world.run({ do: "insert", at: 0 });
    world.settle();
    expect(b.read()?.title).toBe("a");
  });

  test("is all of a row that was deleted, however often it had lived", () => {
    const world = new World();
    const [a] = world.nodes as [CollectingNode];
    for (let n = 0; n < MAX_ENDS + 8; n++) {
      world.run({ do: "insert", at: 0 });
      world.run({ do: "delete", at: 0 });
    }
    expect(endsOf({ cl: a.state?.cl ?? 0, hlc: 0, ends: a.state?.ends }).length).toBe(MAX_ENDS);
    world.settle();
    world.run({ do: "begin", at: 0 });
    world.settle();
    expect(awaited(a.collection.rounds[0] as Round)).toEqual([]);
    for (const node of world.nodes) expect(node.state).toBeNull();
  });

  test("are a counter's totals that nobody adds to any more, and they stand together", () => {
    const world = new World();
    const [a, b] = world.nodes as [CollectingNode, CollectingNode];
    world.run({ do: "insert", at: 0 });
    world.settle();
    for (let n = 0; n < 100; n++) {
      world.run({ do: "reopen", at: n % 2 });
      world.run({ do: "count", at: n % 2, by: 1 });
    }
    world.settle();
    expect(a.full?.counter?.stock?.totals).toHaveLength(100);
    world.run({ do: "begin", at: 0 });
    world.settle();
    const totals = a.state?.counter?.stock?.totals ?? [];
    expect(totals.map(([incarnation]) => incarnation).sort()).toEqual([a.incarnation, b.incarnation, CLOSED].sort());
    // Once more, which joins what stands together to what has ended since.
    world.run({ do: "reopen", at: 0 });
    world.run({ do: "count", at: 0, by: 1 });
    world.run({ do: "begin", at: 2 });
    world.settle();
    expect(a.state?.counter?.stock?.totals).toHaveLength(3);
    expect(a.read()?.stock).toBe("102");
  });

  test("is the same by two rounds that were begun apart: one goes on, and the other is given up", () => {
    const world = new World();
    const [a, b, c] = world.nodes as [CollectingNode, CollectingNode, CollectingNode, CollectingNode];
    world.run({ do: "insert", at: 0 });
    world.settle();
    world.run({ do: "begin", at: 0 });
    world.run({ do: "count", at: 1, by: 3 });
    world.run({ do: "begin", at: 1 });
    world.run({ do: "reopen", at: 1 });
    const chain = () => {
      for (const [one, other] of [
        [b, a],
        [c, b],
        [world.nodes[3] as CollectingNode, c],
      ] as const) {
        deliver(other, one);
        deliver(one, other);
      }
      world.check();
    };
    for (let n = 0; n < 12; n++) chain();
    for (const { state, collection } of world.nodes) {
      expect(text(state)).toBe(text(a.state));
      expect(collection.rounds.filter(({ verdict }) => verdict).map(({ by }) => by)).toEqual(["b"]);
    }
    expect(a.read()?.stock).toBe("4");
  });

  test("are totals of members from before they closed, and no others", () => {
    const total = (key: string, node: string, hlc: number) =>
      ({ key, node, hlc, state: ["1", "0"], seq: 1, via: null }) as const;
    const entries = [
      { key: "", node: "a", hlc: 1, state: "5", seq: 1, via: null },
      total("a1", "a", 50),
      total("a2", "a", 60),
      // Opened, and counted, after the member had closed under the one before.
      total("a3", "a", 150),
      total("b1", "b", 70),
      // Struck off: nobody knows whether it has counted more.
      total("z1", "z", 10),
    ];
    const closings = [
      ["a", "a2", 100],
      ["b", "b2", 100],
    ] as const;
    const left = collectField("counter", entries, { verdict: { tables: [], closings } });
    expect(left.map(({ key, state }) => `${key} ${state}`)).toEqual([
      " 5",
      "a2 1,0",
      "a3 1,0",
      "z1 1,0",
      `${CLOSED} 2,0`,
    ]);
    expect(collectField("counter", left, { verdict: { tables: [], closings } })).toBe(left);
  });

  test("waits for what goes by a member that sees only a part: it speaks for itself alone", () => {
    const member = (node: string, has: readonly string[], narrowed: boolean) =>
      ({ node, version: 1, closing: node, clock: 9, peers: [], has, narrowed, ready: false, tables: [] }) as const;
    const round: Round = {
      id: "r",
      by: "a",
      began: 1,
      upTo: 5,
      struck: [],
      members: [member("a", ["a", "b"], false), member("b", ["b", "a", "c"], true)],
    };
    expect(givenBy(round, "a")).toEqual(["a", "b"]);
    expect(givenBy(round, "b")).toEqual(["b"]);
    expect(givenBy(round, "c")).toEqual([]);
  });

  test("is nothing of a table whose deleted rows may have to be shown again", () => {
    expect(collectable({ ...model, keepsDeleted: true })).toBeNull();
    expect(collectable(nested)).toEqual(["views", "stock"]);
    expect(collectLives({ cl: 2, hlc: 7 }, 6)).toEqual({ cl: 2, hlc: 7 });
    expect(collectLives({ cl: 2, hlc: 7, ends: [5] }, 6)).toBeNull();
    expect(collectLives({ cl: 5, hlc: 9, ends: [5, 8] }, 6)).toEqual({ cl: 3, ends: [8] });
  });
});
