// Fault 41: a hook throws, hangs or returns rubbish. That one change is rejected with its code; its neighbours, and the other
// fields of its row, go their way. What after-hooks do changes nothing.
import { type ChangeRecord, GroveError, type Outcome, type SyncHook } from "grove-crdt";
import { describe, expect, test } from "vitest";
import { linkAs, pullAs, pushAs, send } from "./support/callers";
import { describeOnEach } from "./support/dialects";
import { countFaults, cyclic, faults, never, SECRET, setFaults } from "./support/hook-faults";
import { documentOf, type Hooked, openHooked, withValue, x } from "./support/hooks";
import type { TestNode } from "./support/node";

describeOnEach("a hook that fails (faults 41)", (suite) => {
  const open = (id: string, settings?: Hooked) => openHooked(suite, id, settings);
  const { textsOf, thorough } = suite.dialect;
  const ids = ["1", "2", "3"];
  const fill = (node: TestNode) =>
    node.sql(
      ids
        .map((id) => `INSERT INTO documents VALUES ('${id}', 'title ${id}', 'body ${id}', 4, '${textsOf("t")}')`)
        .join("; "),
    );
  const contents = (node: TestNode) => node.rows("SELECT * FROM documents ORDER BY id");
  /** The three rows, of which the second lacks what is in `without`. */
  const expected = (without: object) =>
    ids.map((id) => ({
      id,
      title: `title ${id}`,
      body: `body ${id}`,
      view_count: 4,
      tags: ["t"],
      ...(id === "2" && without),
    }));

  const at = (field: string, fault: (change: ChangeRecord) => unknown) => (change: ChangeRecord) =>
    (change.pk[0] === "2" && change.field === field ? fault(change) : change) as ChangeRecord;
  const cases = [
    ...Object.entries(faults).map(([name, fault]) => ["body", name, fault, { body: "" }] as const),
    ...Object.entries(countFaults).map(([name, fault]) => ["view_count", name, fault, { view_count: 0 }] as const),
    ...Object.entries(setFaults).map(([name, fault]) => ["tags", name, fault, { tags: [] }] as const),
    // What becomes of a fault has little to do with the dialect.
  ].filter(([, name], n) => thorough || n % 5 === 0 || name.includes("cannot hold"));

  test("inbound: that change is rejected, kept at its origin, and the rest is merged", async () => {
    const edge = await open("edge");
    await fill(edge);
    const { rows } = await edge.node.pull({ protocol: 1, node: "reader", cursor: null });
    for (const [field, name, fault, without] of cases) {
      const errors: unknown[] = [];
      const hub = await open("hub", { clock: edge.clock, errors, hooks: [{ beforeInboundChange: at(field, fault) }] });
      const { text, json } = await send(hub, { id: "edge" }, "/push", {
        protocol: 1,
        node: "edge",
        at: { incarnation: "abc", seq: 1 },
        seen: null,
        rows,
      });
      const hint = `${field}: ${name}`;
      const [one, two, three] = json.outcomes as Outcome[];
      expect([one, three], hint).toEqual([{ outcome: "applied" }, { outcome: "applied" }]);
      expect(two, hint).toMatchObject({ outcome: "rejected", code: "hook_failed", fields: [field] });
      expect(text, hint).not.toContain(SECRET);
      expect(await contents(hub), hint).toEqual(expected(without));
      // Whoever runs the node hears what it was.
      if (!name.includes("cannot hold")) expect(errors, hint).toHaveLength(1);
      await hub.close();
    }
  });

  test("inbound while pulling: it is kept here, until it is tried again", async () => {
    const hub = await open("hub");
    await fill(hub);
    let broken = true;
    const hook: SyncHook = { beforeInboundChange: at("body", (change) => (broken ? undefined : change)) };
    const edge = await open("edge", { clock: hub.clock, hooks: [hook] });
    const [report] = await linkAs({ id: "edge" }, edge, hub).sync();
    expect(report).toMatchObject({ error: null, pulled: 3, rejected: 1 });
    expect(await contents(edge)).toEqual(expected({ body: "" }));
    const [kept] = await edge.node.rejected();
    expect(kept).toMatchObject({ sent: false, peer: "hub", pk: ["2"], fields: ["body"], code: "hook_failed" });
    expect(await hub.node.rejected()).toEqual([]);
    broken = false;
    await edge.node.retry(kept?.id as number);
    expect(await contents(edge)).toEqual(expected({}));
    expect(await edge.node.rejected()).toEqual([]);
  });

  test("outbound: that change stays, the rest goes, and what failed is on record here", async () => {
    for (const [field, name, fault, without] of cases) {
      const hint = `${field}: ${name}`;
      // Of an outbound value the reader's column decides.
      if (name.includes("cannot hold")) continue;
      const errors: unknown[] = [];
      const hub = await open("hub", { errors, hooks: [{ beforeOutboundChange: at(field, fault) }] });
      await fill(hub);
      const page = await pullAs(x, hub);
      expect(JSON.stringify(page), hint).not.toContain(SECRET);
      const reader = await open("reader", { clock: hub.clock });
      await reader.node.merge("hub", page.rows);
      expect(await contents(reader), hint).toEqual(expected(without));
      expect(await hub.node.rejected(), hint).toMatchObject([
        { sent: true, peer: "n-x", pk: ["2"], fields: [field], code: "hook_failed" },
      ]);
      expect(errors, hint).toHaveLength(1);
      await hub.close();
      await reader.close();
    }
  });

  test("outbound: it goes whole when it is written again, or tried again", async () => {
    let broken = true;
    const failing = await open("failing", {
      routerHooks: [{ beforeOutboundChange: at("body", (change) => (broken ? undefined : change)) }],
    });
    for (const again of ["written", "tried"]) {
      broken = true;
      const reader = await open(`reader-${again}`, { clock: failing.clock });
      const syncer = linkAs({ id: again }, reader, failing);
      if (again === "written") await fill(failing);
      await syncer.sync();
      expect((await contents(reader))[1]).toMatchObject({ body: "" });
      const [kept] = (await failing.node.rejected()).filter(({ peer }) => peer === reader.id);
      expect(kept).toMatchObject({ sent: true, fields: ["body"], code: "hook_failed" });
      broken = false;
      // Not by itself.
      expect((await syncer.sync())[0]).toMatchObject({ pulled: 0 });
      if (again === "tried") await failing.node.retry(kept?.id as number);
      else await failing.sql("UPDATE documents SET title = 'new' WHERE id = '2'");
      await syncer.sync();
      expect((await contents(reader))[1]).toMatchObject({ body: "body 2" });
      // It is settled when the reader comes back.
      await syncer.sync();
      expect((await failing.node.rejected()).filter(({ peer }) => peer === reader.id)).toEqual([]);
    }
  });

  test("outbound with a push: a row that fails whole does not go, and is on record here", async () => {
    const edge = await open("edge", {
      hooks: [{ beforeOutboundChange: (change) => (change.pk[0] === "2" ? (undefined as never) : change) }],
    });
    const hub = await open("hub", { clock: edge.clock });
    await fill(edge);
    const [report] = await linkAs({ id: "edge" }, edge, hub).sync();
    expect(report).toMatchObject({ error: null, pushed: 2, applied: 2 });
    expect(await edge.node.rejected()).toMatchObject([{ sent: true, pk: ["2"], code: "hook_failed", fields: null }]);
    expect((await contents(hub)).map(({ id }) => id)).toEqual(["1", "3"]);
  });

  describe("beforeOutboundRead", () => {
    const tamper = (change: ChangeRecord) => withValue(change, () => Number.NaN);
    const hlc = (change: ChangeRecord) => ({ ...change, hlc: 1 });
    const reads: Record<string, (changes: readonly ChangeRecord[]) => unknown> = {
      "returns nothing": () => undefined,
      "returns no list": () => ({}),
      "promises no list": async () => 5,
      throws: () => {
        throw new Error(SECRET);
      },
      hangs: never,
      "returns what it was not given": (changes) => [...changes, { ...changes[0], pk: ["9"] }],
      "returns a list with a hole": (changes) => [...changes, undefined],
      "returns a list with a key without end": (changes) => [...changes, { ...changes[0], pk: cyclic }],
      "writes into the list": (changes) => (changes as ChangeRecord[]).splice(1) && changes,
    };
    test.each(Object.entries(reads))(
      "that %s keeps back all that it was asked about, and nothing else",
      async (_, read) => {
        const hub = await open("hub", { hooks: [{ tables: ["documents"], beforeOutboundRead: read as never }] });
        await fill(hub);
        await hub.sql("INSERT INTO inventory (store, sku, name) VALUES ('s', 'k', 'n')");
        const page = await pullAs(x, hub);
        expect(page.rows.map(({ table }) => table)).toEqual(["inventory"]);
        expect(JSON.stringify(page)).not.toContain(SECRET);
        expect(await hub.node.rejected()).toMatchObject(
          ids.map((id) => ({ pk: [id], fields: null, code: "hook_failed", sent: true })),
        );
        // The cursor went on.
        expect((await pullAs(x, hub, { cursor: page.cursor })).rows).toEqual([]);
      },
    );

    test("that spoils one change keeps back that one; a change that comes twice is still one", async () => {
      const spoils: SyncHook = {
        beforeOutboundRead: (changes) =>
          changes.flatMap((change) =>
            change.pk[0] !== "2"
              ? [change, { ...change }]
              : change.field === "title"
                ? [tamper(change)]
                : change.field === "tags"
                  ? [hlc(change)]
                  : [change],
          ),
      };
      const hub = await open("hub", { hooks: [spoils] });
      await fill(hub);
      const { rows } = await pullAs(x, hub);
      expect(rows.map(({ lww, counter, set }) => Object.keys({ ...lww, ...counter, ...set }))).toEqual([
        ["title", "body", "view_count", "tags"],
        ["body", "view_count"],
        ["title", "body", "view_count", "tags"],
      ]);
      expect(await hub.node.rejected()).toMatchObject([{ pk: ["2"], fields: ["title", "tags"], code: "hook_failed" }]);
    });
  });

  describe("a GroveError", () => {
    const refuses = () => {
      throw new GroveError("forbidden", "Titles are for editors.", { details: { secret: SECRET } });
    };
    test("is told to the pusher by its own code and message, and to no operator", async () => {
      const errors: unknown[] = [];
      const hub = await open("hub", { errors, routerHooks: [{ beforeInboundChange: at("title", refuses) }] });
      const edge = await open("edge", { clock: hub.clock });
      await fill(edge);
      await linkAs({ id: "edge" }, edge, hub).sync();
      const [kept] = await edge.node.rejected();
      expect(kept).toMatchObject({
        code: "forbidden",
        message: "Titles are for editors.",
        fields: ["title"],
        sent: true,
      });
      expect(JSON.stringify(kept)).not.toContain(SECRET);
      expect(errors).toEqual([]);
    });
  });

  describe("after-hooks", () => {
    test("all run, whatever they throw, and fail nothing", async () => {
      const errors: unknown[] = [];
      const seen: string[] = [];
      const notes = (name: string, then: () => unknown): SyncHook => ({
        afterInboundChange: ({ pk, field }) => {
          seen.push(`${name} ${pk[0]}.${field}`);
          return then() as never;
        },
      });
      const thrown = new Error("one");
      const throws = () => {
        throw thrown;
      };
      const hub = await open("hub", {
        errors,
        hooks: [notes("a", throws), notes("b", never), notes("c", async () => throws())],
        routerHooks: [notes("r", throws), notes("s", () => 5)],
      });
      const { outcomes } = await pushAs(x, hub, [
        { table: "documents", pk: ["1"], cl: 1, life: [hub.clock.now(), "n-x"], lww: { title: ["t"] } },
      ]);
      expect(outcomes).toEqual([{ outcome: "applied" }]);
      expect(seen).toEqual(["r 1.title", "s 1.title", "a 1.title", "b 1.title", "c 1.title"]);
      expect(errors.filter((error) => error === thrown)).toHaveLength(3);
      expect(errors).toHaveLength(4);
    });

    test("hear of what was merged alone: of the right fields, and of nothing that was there already", async () => {
      const seen: string[] = [];
      const hub = await open("hub", {
        routerHooks: [
          { afterInboundChange: ({ pk, field }) => void seen.push(`${pk[0]}.${field}`) },
          { beforeInboundChange: at("body", () => undefined) },
          { beforeInboundChange: at("tags", () => null) },
        ],
      });
      const now = hub.clock.now();
      const rows = [documentOf("1", now), documentOf("2", now), { ...documentOf("3", now), table: "strangers" }];
      const bad = { table: "documents", pk: ["4"], cl: 1, life: [now, "n-x"], lww: { title: [4] } };
      await pushAs(x, hub, [...rows, bad]);
      expect(seen).toEqual(["1.title", "1.body", "1.view_count", "1.tags", "2.title", "2.view_count"]);
      await pushAs(x, hub, [...rows, bad]);
      expect(seen).toHaveLength(6);
    });

    test("an onHookError that throws fails nothing either", async () => {
      const hub = await open("hub", {
        hooks: [
          { beforeInboundChange: at("body", () => undefined), afterInboundChange: () => Promise.reject(new Error()) },
        ],
        onHookError: () => {
          throw new Error("the log is full");
        },
      });
      const now = hub.clock.now();
      const { outcomes } = await pushAs(x, hub, [documentOf("1", now), documentOf("2", now)]);
      expect(outcomes).toMatchObject([
        { outcome: "applied" },
        { outcome: "rejected", code: "hook_failed", fields: ["body"] },
      ]);
    });
  });
});
