// What several connections do to each other, in scripted order: applications with open transactions, merges that give way,
// several processes that serve one database. Each name bears its number in the catalogue of faults.

import { drizzle } from "drizzle-orm/postgres-js";
import { createNode, type GroveNode, type RowChange } from "grove-crdt";
import type { ReservedSql, Sql } from "postgres";
import { afterEach, describe, expect, test } from "vitest";
import { registry } from "../../generated/postgres";
import { effort } from "../support/effort";
import { openNode, type TestNode } from "../support/node";
import { postgres as dialect } from "../support/postgres";
import { connect as open } from "../support/postgres-databases";

const ROUNDS = effort(1_000);

const pools: Sql[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end({ timeout: 5 })));
});

/** Connections of an application to a node's database, whose values are the driver's own. */
function connect(node: TestNode, max = 4): Sql {
  const { database } = (node.database.db.$client as unknown as Sql).options;
  const pool = open(database as string, { max });
  pools.push(pool);
  return pool;
}

/** A connection with a transaction open. */
async function begin(pool: Sql): Promise<ReservedSql> {
  const connection = await pool.reserve();
  await connection.unsafe("BEGIN");
  return connection;
}
async function end(connection: ReservedSql, how: "COMMIT" | "ROLLBACK"): Promise<void> {
  await connection.unsafe(how);
  connection.release();
}

const hub = (id: string) => openNode(dialect, id, { now: () => Date.now() * 1000, maxClockDrift: 1e9 });
const insert = (id: string, title = id) => `INSERT INTO documents (id, title) VALUES ('${id}', '${title}')`;

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const HLC = Date.UTC(2020, 0, 1) * 1000;
/** A new document from a peer, or a later title of one. */
const document = (id: string, title: string, hlc = HLC): RowChange => ({
  table: "documents",
  pk: [id],
  cl: 1,
  life: [HLC, "peer"],
  lww: { title: [title, hlc, "peer"], body: [""] },
  counter: { view_count: { birth: ["0", 0, ""] } },
  set: { tags: [] },
});
const title = (id: string, text: string, hlc: number): RowChange => ({
  table: "documents",
  pk: [id],
  cl: 1,
  life: [0, ""],
  lww: { title: [text, hlc, "peer"] },
});
const counted = (id: string, total: number): RowChange => ({
  table: "documents",
  pk: [id],
  cl: 1,
  life: [0, ""],
  counter: { view_count: { totals: [["peercount", "peer", String(total), "0", HLC + total]] } },
});
const ids = async (node: GroveNode, cursor: string | null) => {
  const page = await node.pull({ protocol: 1, node: "reader", cursor });
  return { ids: page.rows.map(({ pk }) => pk[0]), cursor: page.cursor };
};
const later = () => (Date.now() + 1000) * 1000;

describe("a reader of a database with open transactions", () => {
  test("gets the row of a transaction that began earlier and committed later (fault 1)", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    const early = await begin(pool);
    await early.unsafe(insert("early"));
    await pool.unsafe(insert("late"));
    const first = await ids(node.node, null);
    expect(first.ids).toEqual(["late"]);
    await end(early, "COMMIT");
    expect((await ids(node.node, first.cursor)).ids).toEqual(["early"]);
  });

  test("gets others' rows while a transaction stays open, and that one's afterwards (fault 2)", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    const long = await begin(pool);
    await long.unsafe(insert("long"));
    let cursor: string | null = null;
    for (const id of ["a", "b", "c"]) {
      await pool.unsafe(insert(id));
      const page: { ids: unknown[]; cursor: string } = await ids(node.node, cursor);
      expect(page.ids).toEqual([id]);
      cursor = page.cursor;
    }
    await end(long, "COMMIT");
    expect((await ids(node.node, cursor)).ids).toEqual(["long"]);
  });

  test("gets nothing of a transaction that is rolled back", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    const undone = await begin(pool);
    await undone.unsafe(insert("undone"));
    expect((await ids(node.node, null)).ids).toEqual([]);
    await end(undone, "ROLLBACK");
    expect((await ids(node.node, null)).ids).toEqual([]);
  });

  test("gets the latest committed state of a row that is written all the time, with every pull (fault 44)", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    await pool.unsafe(insert("hot", "0"));
    let committed = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        await pool.unsafe(`UPDATE documents SET title = '${committed + 1}' WHERE id = 'hot'`);
        committed++;
      }
    })();
    let cursor: string | null = null;
    for (let round = 0; round < 40; round++) {
      const before = committed;
      const page = await node.node.pull({ protocol: 1, node: "reader", cursor });
      cursor = page.cursor;
      const seen = Number(page.rows.at(-1)?.lww?.title?.[0] ?? (round === 0 ? -1 : Number.MAX_SAFE_INTEGER));
      expect(seen).toBeGreaterThanOrEqual(before);
    }
    writing = false;
    await writer;
    expect(committed).toBeGreaterThan(40);
  });
});

describe("a merge beside an application that writes the same rows", () => {
  test(`loses no increment and no title of either side, in ${ROUNDS} rounds (fault 3)`, async () => {
    const node = await hub("hub");
    const pool = connect(node, 3);
    await pool.unsafe("INSERT INTO documents (id, title) VALUES ('row', ''), ('other', '')");
    await node.node.fold();
    const life = ((await node.node.inspect("documents", ["row"])) as RowChange).life;
    const rounds = ROUNDS;
    let merging = true;
    let local = 0;
    const writers = [1, 2].map(async () => {
      while (merging) {
        await pool.unsafe("UPDATE documents SET view_count = view_count + 1 WHERE id = 'row'");
        local++;
      }
    });
    for (let round = 1; round <= rounds; round++) {
      const change = { ...counted("row", round), life, lww: { body: [`b${round}`, HLC + round, "peer"] as const } };
      const { outcomes } = await node.node.merge("peer", [change]);
      expect(outcomes[0]?.outcome).toMatch(/applied|superseded|parked/);
    }
    merging = false;
    await Promise.all(writers);
    await node.node.fold();
    const [row] = await pool.unsafe("SELECT view_count, body FROM documents WHERE id = 'row'");
    expect(Number(row?.view_count)).toBe(local + rounds);
    // The life's own stamp is later than the peer's: the empty body stays.
    expect(row?.body).toBe("");
    expect(local).toBeGreaterThan(100);
    const state = (await node.node.inspect("documents", ["row"])) as RowChange;
    const totals = state.counter?.view_count?.totals ?? [];
    expect(totals.reduce((sum, [, , up, down]) => sum + Number(up) - Number(down), 0)).toBe(local + rounds);
  });

  test("keeps the later of two titles, whichever side wrote it last (fault 3)", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    await pool.unsafe(insert("row", "begin"));
    await node.node.fold();
    const { life } = (await node.node.inspect("documents", ["row"])) as RowChange;
    for (let round = 0; round < 40; round++) {
      const change = { ...title("row", `peer ${round}`, later() + round), life };
      await Promise.all([
        node.node.merge("peer", [change]),
        pool.unsafe(`UPDATE documents SET title = 'local ${round}' WHERE id = 'row'`),
      ]);
      await node.node.fold();
      const [row] = await pool.unsafe("SELECT title FROM documents WHERE id = 'row'");
      const state = (await node.node.inspect("documents", ["row"])) as RowChange;
      expect(state.lww?.title?.[0]).toBe(row?.title);
    }
  });

  test("gives way in a deadlock: the application never hears of it, and the merge comes through (fault 4)", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    await pool.unsafe(`${insert("a")}; ${insert("b")}`);
    await node.node.fold();
    const lives = new Map<string, RowChange["life"]>();
    for (const id of ["a", "b"]) lives.set(id, ((await node.node.inspect("documents", [id])) as RowChange).life);
    const application = await begin(pool);
    await application.unsafe("UPDATE documents SET body = 'mine' WHERE id = 'b'");
    const page = ["a", "b"].map((id) => ({
      ...title(id, "merged", later()),
      life: lives.get(id) as RowChange["life"],
    }));
    const merge = node.node.merge("peer", page);
    await wait(100);
    await application.unsafe("UPDATE documents SET body = 'mine' WHERE id = 'a'");
    await end(application, "COMMIT");
    await merge;
    await node.node.fold();
    const rows = await pool.unsafe("SELECT id, title, body FROM documents ORDER BY id");
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { id: "a", title: "merged", body: "mine" },
      { id: "b", title: "merged", body: "mine" },
    ]);
  });

  test("is not stopped by one idle transaction that holds a row of the page; that row follows (fault 51)", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    await pool.unsafe(`${insert("held")}; ${insert("free")}`);
    await node.node.fold();
    const lives = new Map<string, RowChange["life"]>();
    for (const id of ["held", "free"]) lives.set(id, ((await node.node.inspect("documents", [id])) as RowChange).life);
    const idle = await begin(pool);
    await idle.unsafe("UPDATE documents SET view_count = view_count + 10, title = 'idle' WHERE id = 'held'");
    const stamp = later();
    const changes = ["held", "free"].flatMap((id) => [
      { ...title(id, "merged", stamp), life: lives.get(id) as RowChange["life"] },
      { ...counted(id, 5), life: lives.get(id) as RowChange["life"] },
    ]);
    const { outcomes } = await node.node.merge("peer", [...changes, document("new", "new")]);
    expect(outcomes.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["parked", "busy"],
      ["parked", "busy"],
      ["applied", undefined],
      ["applied", undefined],
      ["applied", undefined],
    ]);
    expect((await node.node.parked()).map(({ pk, code }) => [...pk, code])).toEqual([
      ["held", "busy"],
      ["held", "busy"],
    ]);
    // Folding meanwhile changes nothing, and neither a second merge nor a reader waits.
    await node.node.fold();
    expect((await ids(node.node, null)).ids.sort()).toEqual(["free", "held", "new"]);
    await end(idle, "COMMIT");
    await node.node.fold();
    const rows = await pool.unsafe("SELECT id, title, view_count FROM documents ORDER BY id");
    expect(rows.map(({ id, title, view_count }) => [id, title, Number(view_count)])).toEqual([
      ["free", "merged", 5],
      ["held", "merged", 15],
      ["new", "new", 0],
    ]);
    expect(await node.node.parked()).toEqual([]);
  });

  test("waits for nobody who inserts the same key: both inserts become one life", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    const inserting = await begin(pool);
    await inserting.unsafe("INSERT INTO documents (id, title, view_count) VALUES ('same', 'local', 3)");
    const { outcomes } = await node.node.merge("peer", [document("same", "peer"), document("else", "else")]);
    expect(outcomes.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["parked", "busy"],
      ["applied", undefined],
    ]);
    await end(inserting, "COMMIT");
    await node.node.fold();
    const [row] = await pool.unsafe("SELECT title, view_count FROM documents WHERE id = 'same'");
    expect([row?.title, Number(row?.view_count)]).toEqual(["local", 3]);
    expect(await node.node.parked()).toEqual([]);
  });

  test("meets a row that was inserted between its lock and its insert, and begins anew", async () => {
    const node = await hub("hub");
    const pool = connect(node, 8);
    let local = 0;
    let merging = true;
    let late = 0;
    const writer = (async () => {
      for (; merging; local++) {
        // The application meets our rows as any other writer's: as a duplicate key, unless it was faster with all of them.
        await pool.unsafe(insert(`race-${local}`, "local")).catch((error: { code?: string }) => {
          if (error.code !== "23505") throw error;
          late++;
        });
      }
    })();
    // Looked at below.
    writer.catch(() => {});
    for (let round = 0; round < 150; round++) {
      const at = local;
      const page = [0, 1, 2, 3].map((n) => document(`race-${at + n}`, "peer"));
      await node.node.merge("peer", page);
      if (round % 10 === 9) await node.node.fold();
    }
    merging = false;
    await writer;
    expect(late).toBeGreaterThan(0);
    expect(late).toBeLessThan(local);
    await node.node.fold();
    expect(await node.node.parked()).toEqual([]);
  });

  test("meets one in a page of many, of which the first are written while the last are decided", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    const ids = Array.from({ length: 700 }, (_, n) => `many-${n}`);
    const application = await begin(pool);
    await application.unsafe(insert("many-5", "local"));
    const merging = node.node.merge(
      "peer",
      ids.map((id) => document(id, "peer")),
    );
    await wait(150);
    await end(application, "COMMIT");
    const { outcomes } = await merging;
    // The local insert came later, and the merge that began anew has met it.
    expect(outcomes.flatMap(({ outcome }, n) => (outcome === "applied" ? [] : [[outcome, n]]))).toEqual([
      ["superseded", 5],
    ]);
    await node.node.fold();
    expect(await node.node.parked()).toEqual([]);
    const states = await Promise.all(
      ["many-4", "many-5", "many-699"].map((id) => node.node.inspect("documents", [id])),
    );
    expect(states.map((state) => state?.cl)).toEqual([1, 1, 1]);
    expect(await pool.unsafe("SELECT title, count(*)::int AS n FROM documents GROUP BY title ORDER BY title")).toEqual([
      { title: "local", n: 1 },
      { title: "peer", n: 699 },
    ]);
  });

  test("meets one where a row lived before: the shadow has the key, the table has somebody else's new row", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    await pool.unsafe(insert("again", "first"));
    await node.node.fold();
    await pool.unsafe("DELETE FROM documents");
    await node.node.fold();
    const application = await begin(pool);
    await application.unsafe(insert("again", "local"));
    const revived: RowChange = { ...document("again", "peer"), cl: 3, life: [later(), "peer"] };
    const merging = node.node.merge("peer", [{ ...revived, lww: { title: ["peer"], body: ["of the peer"] } }]);
    await wait(100);
    await end(application, "COMMIT");
    await merging;
    await node.node.fold();
    const state = (await node.node.inspect("documents", ["again"])) as RowChange;
    const [row] = await pool.unsafe("SELECT title, body FROM documents WHERE id = 'again'");
    expect({ title: state.lww?.title?.[0], body: state.lww?.body?.[0], cl: state.cl }).toEqual({ ...row, cl: 3 });
    expect(row?.title).toBe("peer");
    expect(await node.node.parked()).toEqual([]);
    expect(await node.node.verify()).toEqual([]);
  });

  test("decides each row of a page of many by what is known of that row", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    const numbers = Array.from({ length: 600 }, (_, n) => n);
    const lives = numbers.map((n) => [HLC - n, "peer"] as const);
    const page = (text: string, hlc: number) =>
      numbers.map((n) => ({ ...document(`d${n}`, `${text} ${n}`, hlc), life: lives[n] as RowChange["life"] }));
    await node.node.merge("peer", page("first", HLC));
    const { outcomes } = await node.node.merge("peer", page("second", HLC + 5_000));
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(["applied"]));
    const rows = await pool.unsafe("SELECT id, title FROM documents");
    const titles = Object.fromEntries(rows.map(({ id, title }) => [id, title]));
    expect(titles).toEqual(Object.fromEntries(numbers.map((n) => [`d${n}`, `second ${n}`])));
    const served = await node.node.pull({ protocol: 1, node: "reader", cursor: null });
    expect(Object.fromEntries(served.rows.map(({ pk, life }) => [pk[0], life]))).toEqual(
      Object.fromEntries(lives.map((life, n) => [`d${n}`, life])),
    );
    expect(await node.node.verify()).toEqual([]);
  });

  test("takes a new row and a later change of it from one page, in the order in which they came", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    const changes = [
      document("twice", "first"),
      { ...title("twice", "second", HLC + 5), life: [HLC, "peer"] as const },
      { ...title("twice", "third", HLC + 6), life: [HLC, "peer"] as const },
    ];
    const { outcomes } = await node.node.merge("peer", changes);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["applied", "applied", "applied"]);
    expect(await pool.unsafe("SELECT id, title FROM documents")).toEqual([{ id: "twice", title: "third" }]);
    expect(await node.node.verify()).toEqual([]);
  });

  test("takes away a row that was inserted while it waited for the lock of another, once it has met it", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    await pool.unsafe(insert("held"));
    await node.node.fold();
    const application = await begin(pool);
    await application.unsafe("UPDATE documents SET body = 'mine' WHERE id = 'held'");
    const gone = (id: string): RowChange => ({ table: "documents", pk: [id], cl: 2, life: [later(), "peer"] });
    const merging = node.node.merge("peer", [gone("held"), gone("new")]);
    await wait(100);
    await pool.unsafe(insert("new"));
    await end(application, "COMMIT");
    await merging;
    await node.node.fold();
    const states = await Promise.all(["held", "new"].map((id) => node.node.inspect("documents", [id])));
    expect(states.map((state) => state?.cl)).toEqual([2, 2]);
    expect(await pool.unsafe("SELECT id FROM documents")).toEqual([]);
    expect(await node.node.verify()).toEqual([]);
  });

  test("sets a few that the table refuses apart from a page of many", async () => {
    const node = await hub("hub");
    const pool = connect(node);
    await pool.unsafe("ALTER TABLE documents ADD CHECK (title <> 'refused')");
    const page = Array.from({ length: 700 }, (_, n) => document(`many-${n}`, n % 300 === 10 ? "refused" : "peer"));
    const { outcomes } = await node.node.merge("peer", page);
    expect(outcomes.flatMap(({ outcome }, n) => (outcome === "applied" ? [] : [[outcome, n]]))).toEqual([
      ["parked", 10],
      ["parked", 310],
      ["parked", 610],
    ]);
    expect(await pool.unsafe("SELECT count(*)::int AS n FROM documents")).toEqual([{ n: 697 }]);
    expect(await node.node.parked()).toHaveLength(3);
    expect((await node.node.inspect("documents", ["many-310"]))?.lww?.title?.[0]).toBe("refused");
  });
});

describe("several processes on one database", () => {
  /** Another process's node: a pool and a memory of its own. */
  const second = (node: TestNode): GroveNode =>
    createNode({
      db: drizzle({ client: connect(node) }) as never,
      registry,
      nodeId: node.id,
      now: () => Date.now() * 1000,
    });

  test("serve, merge and fold side by side without a lost write or a number given twice", async () => {
    const node = await hub("hub");
    const hubs = [node.node, second(node), second(node)];
    const pool = connect(node);
    await Promise.all(hubs.map((hub) => hub.ready()));
    await Promise.all(
      hubs.map(async (hub, h) => {
        for (let round = 1; round <= 30; round++) {
          await Promise.all([
            hub.merge(`peer-${h}`, [
              { ...document(`m-${h}-${round}`, "merged"), life: [HLC + round, `peer-${h}`] },
              {
                ...document("shared", "shared"),
                counter: { view_count: { totals: [[`inc${h}`, `peer-${h}`, String(round), "0", HLC + round]] } },
              },
            ]),
            pool.unsafe(insert(`l-${h}-${round}`)),
            hub.pull({ protocol: 1, node: "reader", cursor: null, rows: 5 }),
          ]);
        }
      }),
    );
    await node.node.fold();
    const [row] = await pool.unsafe("SELECT view_count FROM documents WHERE id = 'shared'");
    expect(Number(row?.view_count)).toBe(90);
    const numbers = await pool.unsafe("SELECT count(*) AS n, count(DISTINCT seq) AS d FROM _documents_crdt");
    expect([Number(numbers[0]?.n), Number(numbers[0]?.d)]).toEqual([181, 181]);
    for (const hub of hubs) expect((await hub.pull({ protocol: 1, node: "new", cursor: null })).rows).toHaveLength(181);
  });

  test("hand out cursors that any of them continues", async () => {
    const node = await hub("hub");
    const other = second(node);
    const pool = connect(node);
    await pool.unsafe(insert("a"));
    const first = await ids(node.node, null);
    await pool.unsafe(insert("b"));
    expect((await ids(other, first.cursor)).ids).toEqual(["b"]);
  });
});
