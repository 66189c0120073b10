// Lives: rows are deleted and inserted again, at once on several nodes and in any order. The causal length decides, no
// stamp does: a delete of an older life never kills a newer one, and every order ends in one state.
import type { Cursor, RowChange } from "@grove-crdt/core";
import { describe, expect, test } from "vitest";
import { Clock } from "./support/clock";
import { expectEqual, metadata, stateText } from "./support/comparison";
import { describeOnEach } from "./support/dialects";
import { isWhole } from "./support/effort";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";

describeOnEach("lives", ({ dialect, openNode, openNodes }) => {
  const { textsOf, thorough } = dialect;
  const insert = (node: TestNode, id: string, title: string) =>
    node.sql("INSERT INTO documents (id, title) VALUES (?, ?)", id, title);
  const remove = (node: TestNode, id: string) => node.sql("DELETE FROM documents WHERE id = ?", id);
  const titles = async (node: TestNode) =>
    (await node.rows<{ title: string }>("SELECT title FROM documents ORDER BY id")).map(({ title }) => title);

  describe("deleted and inserted again (fault 23)", () => {
    test("lineage 6: a row inserted again is there on every node, its tombstone overcome", async () => {
      const [a, b, c] = (await openNodes(["a", "b", "c"])) as [TestNode, TestNode, TestNode];
      await insert(a, "1", "first life");
      await settle([a, b], [b, c]);
      await remove(b, "1");
      await settle([a, b], [b, c]);
      for (const node of [a, b, c]) expect(await titles(node)).toEqual([]);
      await insert(c, "1", "second life");
      await settle([a, b], [b, c]);
      for (const node of [a, b, c]) expect(await titles(node)).toEqual(["second life"]);
      await expectEqual(a, b, c);
    });

    test("lineage 6: a delete of the older life does not kill the newer one, though its stamp is greater", async () => {
      const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
      const c = await openNode("c", { clock: a.clock });
      await insert(a, "1", "first life");
      await settle([a, b], [a, c]);
      await remove(a, "1");
      await a.node.fold();
      await insert(a, "1", "second life");
      await a.node.fold();
      a.clock.advance(50_000);
      // c has not heard of the second life and deletes the first, later by the clock.
      await remove(c, "1");
      await settle([c, a], [b, a]);
      for (const node of [a, b, c]) expect(await titles(node)).toEqual(["second life"]);
      await expectEqual(a, b, c);
    });

    test("lineage 6: a delete that arrives late, and again, changes nothing in the newer life", async () => {
      const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
      await insert(a, "1", "first life");
      await a.node.fold();
      await remove(a, "1");
      await a.node.fold();
      const { rows: grave } = await a.node.pull({ protocol: 1, node: "observer", cursor: null });
      await insert(a, "1", "second life");
      await settle([a, b]);
      const before = await metadata(b);
      for (let n = 0; n < 2; n++)
        expect((await b.node.merge("a", grave)).outcomes).toEqual([{ outcome: "superseded" }]);
      expect(await titles(b)).toEqual(["second life"]);
      expect(await metadata(b)).toEqual(before);
    });

    test("a delete wins over concurrent writes of fields, and nothing of an old life shows in the new one", async () => {
      const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
      await a.sql(`INSERT INTO documents VALUES ('1', 'first', 'old body', 9, '${textsOf("old")}')`);
      await settle([a, b]);
      await a.sql("DELETE FROM documents");
      await b.sql(`UPDATE documents SET view_count = 100, tags = '${textsOf("new")}', body = 'edited'`);
      await settle([a, b]);
      expect(await titles(a)).toEqual([]);
      await insert(b, "1", "second");
      await settle([a, b]);
      expect(await a.rows("SELECT * FROM documents")).toEqual([
        { id: "1", title: "second", body: "", view_count: 0, tags: [] },
      ]);
      await expectEqual(a, b);
    });

    test("concurrent inserts of one key become one life, field by field, and all increments count", async () => {
      const [a, b] = (await openNodes(["a", "b"])) as [TestNode, TestNode];
      await a.sql(`INSERT INTO documents VALUES ('1', 'of a', 'of a', 0, '${textsOf("a")}')`);
      await a.sql("UPDATE documents SET view_count = view_count + 2");
      b.clock.advance(1);
      await b.sql(`INSERT INTO documents VALUES ('1', 'of b', 'of b', 0, '${textsOf("b")}')`);
      await b.sql("UPDATE documents SET view_count = view_count + 3");
      await settle([a, b]);
      expect(await a.rows("SELECT * FROM documents")).toEqual([
        { id: "1", title: "of b", body: "of b", view_count: 5, tags: ["a", "b"] },
      ]);
      await expectEqual(a, b);
    });
  });

  /** Three nodes without network: rows are served and merged as over the wire, with cursors kept for each pair. */
  class Trio {
    readonly #cursors = new Map<string, Cursor>();
    #lives = 0;
    private constructor(readonly nodes: readonly TestNode[]) {}

    async close(): Promise<void> {
      for (const node of this.nodes) await node.close();
    }

    /** Their clocks stand an hour apart, so that the order of stamps and the order of events have little in common. */
    static async open(): Promise<Trio> {
      const nodes: TestNode[] = [];
      for (const [id, ahead] of [
        ["a", 0],
        ["b", -3_600_000],
        ["c", 50_000],
      ] as const) {
        const clock = new Clock();
        clock.advance(ahead);
        nodes.push(await openNode(id, { clock, maxClockDrift: 10 * 3_600_000 }));
      }
      return new Trio(nodes);
    }

    /** Inserts the row where it is not, deletes it where it is. Returns the title of the new life, if it is one. */
    async toggle(place: number, key: string): Promise<string | null> {
      const node = this.nodes[place]!;
      if ((await remove(node, key)) === 1) return null;
      const title = `life ${++this.#lives} of ${node.id}`;
      const tags = textsOf(title);
      await node.sql("INSERT INTO documents (id, title, view_count, tags) VALUES (?, ?, 1, ?)", key, title, tags);
      return title;
    }

    /** One node's news to another. Both fold first. Returns the number of rows. */
    async send(from: number, to: number): Promise<number> {
      const [sender, receiver] = [this.nodes[from]!, this.nodes[to]!];
      await receiver.node.fold();
      const pair = `${from} ${to}`;
      const { tables } = sender.node;
      const cursor = this.#cursors.get(pair) ?? {
        incarnation: "",
        floor: 0,
        position: 0,
        last: 0,
        tables,
        full: false,
      };
      const page = await sender.node.store.serve({ cursor, tables, peer: receiver.id, rows: 1e9, bytes: 1e15 });
      this.#cursors.set(pair, page.cursor);
      if (page.rows.length > 0) await receiver.node.merge(sender.id, JSON.parse(JSON.stringify(page.rows)));
      return page.rows.length;
    }

    async settle(): Promise<void> {
      for (let round = 0; round < 6; round++) {
        let moved = 0;
        for (const [from, to] of [
          [0, 1],
          [1, 2],
          [2, 1],
          [1, 0],
        ] as const)
          moved += await this.send(from, to);
        if (moved === 0) return;
      }
      throw new Error("the trio did not come to rest");
    }
  }

  /** A step is null (something is written) or the direction of a transfer. */
  type Step = null | readonly (readonly [from: number, to: number])[];

  /** What one key should come to: causal lengths grow with what each fold finds, and merge to the greater. */
  class Oracle {
    readonly #cl = [1, 1, 1];
    /** On each node, the title written since its last fold; null after a delete, undefined when nothing was written. */
    readonly #written: (string | null | undefined)[] = [];
    readonly #titles = new Map<number, Set<string>>();
    constructor(
      readonly key: string,
      readonly writers: readonly number[],
      title: string,
    ) {
      this.#begin(1, title);
    }
    #begin(cl: number, title: string): void {
      this.#titles.set(cl, (this.#titles.get(cl) ?? new Set()).add(title));
    }
    write(place: number, title: string | null): void {
      this.#written[place] = title;
    }
    fold(place: number): void {
      const title = this.#written[place];
      this.#written[place] = undefined;
      if (title === undefined) return;
      const cl = this.#cl[place]!;
      const lives = cl % 2 === 1;
      // Deleted and inserted again between two folds: a new life. Inserted and deleted again: nothing happened.
      const next = title === null ? cl + Number(lives) : cl + (lives ? 2 : 1);
      this.#cl[place] = next;
      if (title !== null) this.#begin(next, title);
    }
    send(from: number, to: number): void {
      this.fold(from);
      this.fold(to);
      this.#cl[to] = Math.max(this.#cl[from]!, this.#cl[to]!);
    }
    /** The causal length that everybody ends with, and what was inserted under it. */
    end(): { cl: number; titles: readonly string[] } {
      for (const place of [0, 1, 2]) this.fold(place);
      const cl = Math.max(...this.#cl);
      return { cl, titles: cl % 2 === 1 ? [...this.#titles.get(cl)!].sort() : [] };
    }
  }

  /** Every sequence of `length` steps that begins with a write and never repeats a transfer at once. */
  function* patterns(
    length: number,
    transfers: readonly Step[],
    start: readonly Step[] = [null],
  ): Generator<readonly Step[]> {
    if (start.length === length) return yield start;
    for (const step of [null, ...transfers]) {
      if (step !== null && step === start.at(-1)) continue;
      yield* patterns(length, transfers, [...start, step]);
    }
  }

  /** Every choice of one of three nodes for each of `count` writes. */
  function* writers(count: number): Generator<number[]> {
    for (let n = 0; n < 3 ** count; n++)
      yield Array.from({ length: count }, (_, place) => Math.floor(n / 3 ** place) % 3);
  }

  /**
   * Runs all schedules: for each pattern, all choices of writers at once, each on a key of its own. Every key exists on
   * all nodes to begin with.
   *
   * @param eager every write is folded at once; else only when its node sends or receives
   */
  async function explore(length: number, transfers: readonly Step[], eager: boolean): Promise<number> {
    let schedules = 0;
    let trio = await Trio.open();
    for (const pattern of patterns(length, transfers)) {
      // Fresh databases now and then, or thousands of finished keys would make each look at all of them slow.
      if ((await trio.nodes[0]!.row<{ n: number }>("SELECT count(*) AS n FROM _documents_crdt"))!.n > 1000) {
        await trio.close();
        trio = await Trio.open();
      }
      const oracles: Oracle[] = [];
      for (const chosen of writers(pattern.filter((step) => step === null).length)) {
        const key = `${schedules++}`;
        oracles.push(new Oracle(key, chosen, (await trio.toggle(0, key)) as string));
      }
      await trio.settle();
      let writes = 0;
      for (const step of pattern) {
        for (const node of trio.nodes) node.clock.advance(1);
        if (step === null) {
          for (const oracle of oracles) {
            const place = oracle.writers[writes]!;
            oracle.write(place, await trio.toggle(place, oracle.key));
            if (eager) oracle.fold(place);
          }
          if (eager) for (const { node } of trio.nodes) await node.fold();
          writes++;
          continue;
        }
        for (const [from, to] of step) {
          await trio.send(from, to);
          for (const oracle of oracles) oracle.send(from, to);
        }
      }
      await trio.settle();
      await check(trio, pattern, oracles);
    }
    return schedules;
  }

  async function check(trio: Trio, pattern: readonly Step[], oracles: readonly Oracle[]): Promise<void> {
    const states = await Promise.all(
      trio.nodes.map(async ({ node }) => {
        const { rows } = await node.store.serve({
          cursor: null,
          tables: ["documents"],
          peer: "observer",
          rows: 1e9,
          bytes: 1e15,
        });
        return new Map(rows.map((row) => [row.pk[0] as string, row]));
      }),
    );
    interface Shown {
      id: string;
      title: string;
      tags: string[];
      view_count: number;
    }
    const shown = await Promise.all(
      trio.nodes.map(async (node) => {
        const rows = await node.rows<Shown>("SELECT * FROM documents");
        return new Map(rows.map((row) => [row.id, row]));
      }),
    );
    for (const oracle of oracles) {
      const { key, writers } = oracle;
      const where = `after ${JSON.stringify(pattern)} written by ${writers.join()}`;
      const { cl, titles } = oracle.end();
      const [state, ...others] = states.map((rows) => rows.get(key) as RowChange);
      const text = stateText(state!);
      for (const other of others)
        if (stateText(other) !== text) expect.fail(`metadata differ ${where}:\n${text}\n${stateText(other)}`);
      const [row, ...rows] = shown.map((byKey) => byKey.get(key));
      for (const other of rows)
        if (JSON.stringify(other) !== JSON.stringify(row))
          expect.fail(`rows differ ${where}: ${JSON.stringify(row)}, ${JSON.stringify(other)}`);
      if (state!.cl !== cl) expect.fail(`causal length ${state!.cl} instead of ${cl} ${where}`);
      // Inserts of one life become one row: with one of their titles and all of their elements. Each was born with 1.
      const tags = row === undefined ? [] : [...row.tags].sort();
      if (tags.join() !== titles.join())
        expect.fail(`${row ? JSON.stringify(row) : "no row"} instead of ${titles.join(" and ") || "none"} ${where}`);
      if (row && !(titles.includes(row.title) && row.view_count === 1))
        expect.fail(`${JSON.stringify(row)} is of another life ${where}`);
    }
  }

  describe("every order", () => {
    const both = (x: number, y: number): Step => [
      [x, y],
      [y, x],
    ];

    test("faults 61: one key deleted and inserted again on three nodes, in every order of writes and exchanges", async () => {
      const exchanges = [both(0, 1), both(1, 2), both(2, 0)];
      const steps = thorough ? (isWhole ? 5 : 4) : 3;
      expect(await explore(steps, exchanges, true)).toBeGreaterThan(20);
    });

    test("faults 61: the same with one-way transfers, in every order, each node folding as late as it can", async () => {
      const oneWay: Step[] = [[[0, 1]], [[1, 0]], [[1, 2]], [[2, 1]], [[2, 0]], [[0, 2]]];
      const steps = isWhole ? (thorough ? 4 : 3) : thorough ? 3 : 2;
      expect(await explore(steps, oneWay, false)).toBeGreaterThan(10);
    });
  });
});
