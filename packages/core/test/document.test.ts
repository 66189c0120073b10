// What a document promises where its paths have types of their own: bounds of what is kept, exact counts, items that are there once.
import { describe, expect, test } from "vitest";
import { crdtTypes, type Entry, type Json, latestHlc, replaceEntries, type TypeOptions } from "../src/index";
import { PATHS } from "./arbitrary";

const { document } = crdtTypes;
const OPTIONS: TypeOptions = { paths: PATHS };

/** A document as one node has it. */
class Replica {
  constructor(
    readonly node: string,
    public entries: readonly Entry[] = [],
    public clock = 100,
  ) {}
  get value() {
    return document.materialize(this.entries) as { [name: string]: Json };
  }
  write(value: Json): this {
    const context = { node: this.node, incarnation: `${this.node}1`, tick: () => ++this.clock };
    this.entries = replaceEntries("document", this.entries, document.fold(this.entries, value, context, OPTIONS));
    return this;
  }
  hear({ entries }: Replica): this {
    const known = new Map(this.entries.map((entry) => [document.identity(entry), entry]));
    for (const entry of entries) {
      const own = known.get(document.identity(entry));
      known.set(document.identity(entry), own ? document.join(own, entry) : entry);
    }
    this.entries = [...known.values()];
    this.clock = Math.max(this.clock, latestHlc(document, this.entries));
    return this;
  }
}
const both = (a: Replica, b: Replica): Json => {
  const [one, other] = [new Replica("x", a.entries).hear(b), new Replica("y", b.entries).hear(a)];
  expect(one.value).toEqual(other.value);
  return one.value;
};
const start = (value: Json) => document.implicit(value, OPTIONS);

describe("a path with a type", () => {
  test("of a set: an element that comes and goes a thousand times is one entry for each node that added it (fault 24)", () => {
    const one = new Replica("a", start({ o: { s: [] } }));
    const other = new Replica("b", one.entries);
    for (let n = 0; n < 1_000; n++) {
      one.write({ o: { s: n % 2 === 0 ? ["x"] : [] } });
      other.hear(one).write({ o: { s: n % 3 === 0 ? ["x"] : [] } });
      one.hear(other);
    }
    expect(one.entries.filter(({ key }) => key.includes("\nset\n")).length).toBeLessThanOrEqual(2);
    expect(one.entries.length).toBeLessThanOrEqual(4);
  });

  test("of a counter: exact though the sum has left 2^53 meanwhile (fault 26)", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const base = start({ n: 0 });
    const up = new Replica("a", base).write({ n: most });
    const more = new Replica("b", base).write({ n: 10 });
    const down = new Replica("c", base).write({ n: -33 });
    const past = new Replica("a", up.entries).hear(more);
    expect(past.value.n).toBe(Number(BigInt(most) + 10n));
    // It is a number past those that are exact, and still nobody writes anything by looking at it.
    expect(document.fold(past.entries, past.value, { node: "a", incarnation: "a1", tick: () => 999 }, OPTIONS)).toEqual(
      [],
    );
    expect(past.hear(down).value.n).toBe(most - 23);
  });

  test("of a counter: what is no whole number below 2^53 stands there and does not count, on all nodes (faults 26 and 30)", () => {
    const base = start({ n: 4 });
    for (const other of [2 ** 53, 2.5, -(2 ** 53), "5", null, [1], true]) {
      const one = new Replica("a", base).write({ n: other });
      expect(one.value).toEqual({ n: other });
      expect(both(one, new Replica("b", base).write({ n: 6 }))).toEqual({ n: other });
      // Who has seen it counts on from what there was.
      expect(new Replica("b", one.entries, 200).write({ n: 7 }).value).toEqual({ n: 7 });
    }
  });

  test("of a list: concurrent moves, deletions and insertions leave each item once (fault 25, lineage 27)", () => {
    const base = start({ o: { l: ["p", "q", "r", "s"] } });
    const list = (items: string) => ({ o: { l: [...items] } });
    const of = (one: string, other: string) =>
      both(new Replica("a", base, 100).write(list(one)), new Replica("b", base, 200).write(list(other)));
    expect(of("spqr", "psqr")).toEqual(list("psqr"));
    expect(of("pqr", "spqr")).toEqual(list("pqr"));
    expect(of("pnqrs", "pmqrs")).toEqual(list("pnmqrs"));
  });

  test("of a list whose items have a key: an edit of an item is one, beside a move of it", () => {
    const options: TypeOptions = { paths: [{ path: ["cards"], type: "list", itemKey: "id" }] };
    const cards = (...texts: string[]) => ({ cards: texts.map((text) => ({ id: Number(text[0]), text })) });
    const base = document.implicit(cards("1", "2", "3", "4"), options);
    const fold = (node: string, value: Json) =>
      document.fold(base, value, { node, incarnation: `${node}1`, tick: () => 9 }, options);
    const written = (node: string, value: Json) =>
      new Replica(node, replaceEntries("document", base, fold(node, value)));
    // Another one in its place is another one: one goes and one comes.
    expect(fold("a", cards("1", "2", "3", "4 edited"))).toHaveLength(1);
    expect(fold("a", cards("1", "2", "3", "5"))).toHaveLength(2);
    const [moved, edited] = [cards("4", "1", "2", "3"), cards("1", "2", "3", "4 edited")];
    expect(both(written("a", moved), written("b", edited))).toEqual(cards("4 edited", "1", "2", "3"));
  });

  test("that somebody empties is still there, empty, and what others put in meanwhile comes in", () => {
    for (const type of ["s", "l"]) {
      const base = start({ o: { [type]: ["x"] } });
      const emptied = new Replica("a", base).write({ o: { [type]: [] } });
      expect(emptied.value).toEqual({ o: { [type]: [] } });
      expect(both(emptied, new Replica("b", base, 50).write({ o: { [type]: ["x", "y"] } }))).toEqual({
        o: { [type]: ["y"] },
      });
    }
  });

  test("that begins on two nodes at once holds what both put in", () => {
    const [one, other] = [new Replica("a"), new Replica("b", [], 200)];
    const value = (n: number, name: string) => ({ n, o: { s: [name], l: [name] } });
    expect(both(one.write(value(2, "x")), other.write(value(3, "y")))).toEqual({
      n: 5,
      o: { s: ["x", "y"], l: ["x", "y"] },
    });
  });

  test("that begins empty on two nodes at once is there, and is one", () => {
    const value = { n: 0, o: { s: [], l: [] } };
    expect(both(new Replica("a").write(value), new Replica("b").write(value))).toEqual(value);
  });
});

describe("what one write comes to", () => {
  test("a change of one path is one entry, whatever else there is", () => {
    const value = { a: { b: 1, c: [1, 2], d: {} }, n: 1, o: { s: ["x"], l: ["x", "y"] } };
    const base = start(value);
    const changes = (next: Json) => document.fold(base, next, { node: "a", incarnation: "a1", tick: () => 9 }, OPTIONS);
    expect(changes(value)).toEqual([]);
    for (const next of [
      { ...value, a: { ...value.a, b: 2 } },
      { ...value, a: { ...value.a, c: [1] } },
      { ...value, a: { b: 1, c: [1, 2] } },
      { ...value, n: 3 },
      { ...value, o: { ...value.o, s: [] } },
      { ...value, o: { ...value.o, l: ["y", "x"] } },
      { ...value, e: null },
    ])
      expect(changes(next), JSON.stringify(next)).toHaveLength(1);
    // The object goes by one entry; what has a type goes with it by entries of its own.
    expect(changes({ ...value, a: 1 })).toHaveLength(1);
    const { a: _, ...rest } = value;
    expect(changes(rest)).toHaveLength(1);
    expect(changes({ a: value.a, n: 1 })).toHaveLength(2);
  });

  test("an object that is emptied hides nothing that others put in, earlier or later by the clock", () => {
    const base = start({ a: { b: 1 } });
    const emptied = new Replica("a", base, 100).write({ a: {} });
    expect(emptied.value).toEqual({ a: {} });
    for (const clock of [50, 150])
      expect(both(emptied, new Replica("b", base, clock).write({ a: { b: 1, c: 2 } }))).toEqual({ a: { c: 2 } });
  });

  test("names stand in the order of their code units, whoever wrote them when", () => {
    const base = start({ m: 1 });
    const one = new Replica("a", base, 100).write({ z: 1, m: 1, "": { y: 1, B: 1 } });
    const other = new Replica("b", base, 50).write({ b: 1, m: 1, "": { a: 1 }, é: 1, "10": 1, "9": 1 });
    const [a, b] = [one.entries, other.entries].map((entries) => new Replica("x", entries)) as [Replica, Replica];
    const text = '{"9":1,"10":1,"":{"B":1,"a":1,"y":1},"b":1,"m":1,"z":1,"é":1}';
    expect(JSON.stringify(a.hear(other).value)).toBe(text);
    expect(JSON.stringify(b.hear(one).value)).toBe(text);
  });

  test("a deleted path comes back by a later write, and by nothing else", () => {
    const base = start({ a: { b: 1, c: 2 } });
    const gone = new Replica("a", base, 100).write({});
    expect(both(gone, new Replica("b", base, 50).write({ a: { b: 2, c: 2 } }))).toEqual({});
    expect(both(gone, new Replica("b", base, 150).write({ a: { b: 2, c: 2 } }))).toEqual({ a: { b: 2 } });
    expect(new Replica("b", gone.entries, 150).write({ a: { c: 3 } }).value).toEqual({ a: { c: 3 } });
  });
});

test("what is written at a path, of a type or not, is its writer's (fault 39)", () => {
  const base = start({ a: 1, n: 1, o: { s: ["x"], l: ["x"] } });
  const known = new Map(base.map((entry) => [document.identity(entry), entry]));
  const of = (next: Json) =>
    document
      .fold(base, next, { node: "b", incarnation: "b1", tick: () => 9 }, OPTIONS)
      .map((entry) => document.writers(known.get(document.identity(entry)), entry));
  const value = { a: 1, n: 1, o: { s: ["x"], l: ["x"] } };
  expect(of({ ...value, a: 2 })).toEqual([["b"]]);
  expect(of({ ...value, n: 2 })).toEqual([["b"]]);
  expect(of({ ...value, o: { ...value.o, s: ["x", "y"] } })).toEqual([["b"]]);
  expect(of({ ...value, o: { ...value.o, l: ["y"] } })).toEqual([["b"]]);
  expect(of({ n: 1, o: value.o })).toEqual([["b"]]);
  for (const entry of base) expect(document.writers(entry, entry)).toEqual([]);
});
