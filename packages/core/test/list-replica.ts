// A list as several nodes have it: they write and hear of each other in any order, each with a clock of its own.
import { expect } from "vitest";
import { crdtTypes, type Entry, type Json, latestHlc, replaceEntries } from "../src/index";

export class Replica {
  #entries: readonly Entry[];
  #clock: number;
  constructor(
    readonly node: string,
    entries: readonly Entry[],
    clock = 100,
  ) {
    this.#entries = entries;
    this.#clock = clock;
  }
  get entries() {
    return this.#entries;
  }
  get items(): string[] {
    return crdtTypes.list.materialize(this.#entries) as unknown as string[];
  }
  write(items: readonly string[]): this {
    const context = { node: this.node, incarnation: `${this.node}1`, tick: () => ++this.#clock };
    this.#entries = replaceEntries("list", this.#entries, crdtTypes.list.fold(this.#entries, items, context, {}));
    expect(this.items).toEqual(items);
    return this;
  }
  /** What it writes from now on is later than what it heard. */
  hear({ entries }: Replica): this {
    this.#clock = Math.max(this.#clock, latestHlc(crdtTypes.list, entries));
    const result = new Map(this.#entries.map((entry) => [entry.key, entry]));
    for (const entry of entries) {
      const known = result.get(entry.key);
      result.set(entry.key, known ? crdtTypes.list.join(known, entry) : entry);
    }
    this.#entries = [...result.values()];
    return this;
  }
}
/** What all come to that heard of each other, each in another order. */
export function settled(...replicas: readonly Replica[]): string[] {
  const heard = replicas.map((one) => new Replica(one.node, one.entries));
  replicas.forEach((_, n) => {
    const own = heard[n] as Replica;
    replicas.forEach((__, m) => void own.hear(replicas[(n + m + 1) % replicas.length] as Replica));
  });
  for (const { items } of heard) expect(items).toEqual(heard[0]?.items);
  return (heard[0] as Replica).items;
}
/** A list as it was born with its row, as it was there before capture, and as it became by writes and deletions. */
export const LISTS = {
  born: (items: readonly string[]) =>
    crdtTypes.list.create(
      items as Json,
      {
        node: "a",
        incarnation: "a1",
        tick: (
          (clock) => () =>
            ++clock
        )(0),
      },
      {},
    ),
  adopted: (items: readonly string[]) => crdtTypes.list.implicit(items as Json, {}),
  used: (items: readonly string[]) => {
    const one = new Replica("c", LISTS.adopted(["u", "v", ...items.slice(1)]), 10);
    one
      .write(["v", ...items.slice(1), "u"])
      .write(["v", ...items])
      .write([...items].reverse())
      .write(items);
    return one.entries;
  },
};
