// Query plans: nothing that a pull or a merge runs looks at all of a table, and a pull runs no statement per row.

import type { RowChange } from "@grove-crdt/core";
import { beforeAll, describe, expect, test } from "vitest";
import { openNode, type TestNode } from "./support/nodes";
import { begins, type Execution, Recorder, reads } from "./support/statements";

const ROWS = 3_000;
const STAMP = 1_700_000_000_000_000;

const recorder = new Recorder();
let hub: TestNode;
beforeAll(async () => {
  hub = await openNode("hub", { wrap: recorder.wrap });
  const numbers = `WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})`;
  hub.sql(`${numbers} INSERT INTO documents (id, title, view_count, tags) SELECT 'd' || i, 't', i, '["x","y"]' FROM n`);
  hub.sql(`${numbers} INSERT INTO orders (id, total, placed_at) SELECT 'o' || i, i, i FROM n`);
  hub.sql(
    `${numbers} INSERT INTO inventory (store, sku, name, quantity) SELECT 's' || (i % 7), 'i' || i, 'n', i FROM n`,
  );
  await hub.node.fold();
  hub.sql(
    "UPDATE documents SET body = 'changed', view_count = view_count + 1 WHERE id LIKE '%7'; UPDATE orders SET note = 'changed' WHERE id LIKE '%3'; DELETE FROM inventory WHERE sku LIKE '%5'",
  );
  await hub.node.fold();
});

/** Tables of the user and shadow tables; logs are drained by reading them, and the rest has a handful of rows. */
const watched = new Set(
  ["documents", "orders", "inventory"].flatMap((table) => [table, `_${table}_crdt`, `_${table}_crdt_cells`]),
);

/** Each scan of a watched table in the plan of `sql`. */
function scans({ sql, params }: Execution): string[] {
  if (!/^(select|with|insert|update|delete)/i.test(sql)) return [];
  // Reads one row, whichever comes first.
  if (/^SELECT 1 FROM \S+ LIMIT 1$/.test(sql)) return [];
  const plan = hub.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params) as { detail: string }[];
  const aliases = new Map(
    [...sql.matchAll(/"(\w+)"\s+(?:AS\s+)?(\w+)\b/g)].map(([, table, alias]) => [alias as string, table as string]),
  );
  return plan.flatMap(({ detail }) => {
    const name = /^SCAN (\S+)/.exec(detail)?.[1]?.replaceAll('"', "");
    return name !== undefined && watched.has(aliases.get(name) ?? name) ? [`${detail}: ${sql}`] : [];
  });
}

function expectNoScan(executions: readonly Execution[]): void {
  const texts = new Map(executions.map((execution) => [execution.sql, execution]));
  expect([...texts.values()].flatMap(scans)).toEqual([]);
}

const pull = (fields: object = {}) => hub.node.pull({ protocol: 1, node: "reader", cursor: null, ...fields });

test("the watch itself sees a scan where there is one", () => {
  expect(
    scans({ sql: 'SELECT s."cl" FROM "_documents_crdt" s WHERE s."cl" = 1', params: [], reads: true }).length,
  ).toBe(1);
  expect(scans({ sql: "SELECT * FROM orders WHERE total = 5", params: [], reads: true }).length).toBe(1);
  expect(
    scans({ sql: 'SELECT * FROM "_orders_log" l LEFT JOIN "orders" b ON b."id" = l."pk_id"', params: [], reads: true }),
  ).toEqual([]);
  expect(scans({ sql: 'DELETE FROM "documents"', params: [], reads: false })).toBeInstanceOf(Array);
});

describe("a pull", () => {
  test("lineage 15: no statement of a pull looks at a whole table", async () => {
    const executions = await recorder.during(async () => {
      const { cursor } = await pull({ rows: 100 });
      await pull({ cursor, rows: 100 });
      await pull({ cursor, rows: 100, tables: ["orders"] });
      await pull({ rows: 0 });
    });
    expect(executions.length).toBeGreaterThan(10);
    expectNoScan(executions);
  });

  test("lineage 15: a pull of 250 rows runs as many read statements as one of 10, and one of 1,000 four times as many at most", async () => {
    await pull({ rows: 10 });
    const counts: number[] = [];
    for (const rows of [10, 100, 250, 1000]) {
      let served: readonly RowChange[] = [];
      const executions = await recorder.during(async () => {
        served = (await pull({ rows })).rows;
      });
      expect(served.length).toBe(rows);
      counts.push(reads(executions));
    }
    // Rows are read 250 at a time, so that a page of large rows does not fill the memory before it is cut.
    const [ten, hundred, step, thousand] = counts as [number, number, number, number];
    expect([hundred, step]).toEqual([ten, ten]);
    expect(thousand).toBeLessThanOrEqual(4 * step);
    expect(step).toBeLessThan(30);
  });

  test("lineage 15: rows deep in the order cost no more statements than the first ones, and left out rows neither", async () => {
    const first = await recorder.during(() => pull({ rows: 100 }));
    const { cursor } = await pull({ rows: 5000 });
    const deep = await recorder.during(() => pull({ cursor, rows: 100 }));
    expect(reads(deep)).toBe(reads(first));
    expectNoScan(deep);
  });

  test("lineage 15: a pull of one table's news reads no page of the others", async () => {
    let page = await pull({ rows: 10_000 });
    while (page.more) page = await pull({ rows: 10_000, cursor: page.cursor });
    hub.sql("UPDATE orders SET note = 'news' WHERE id = 'o1'");
    await hub.node.fold();
    const executions = await recorder.during(async () => {
      expect((await pull({ cursor: page.cursor })).rows).toHaveLength(1);
    });
    const pages = executions.filter(({ sql }) => /s\.seq > \? AND s\.seq <= \?/.test(sql));
    expect(pages.length).toBeGreaterThan(0);
    expect(pages.filter(({ sql }) => !sql.includes('"_orders_crdt"'))).toEqual([]);
  });

  test("lineage 15: a pull that finds captured writes folds them without looking at a whole table or reading row by row", async () => {
    const counts: number[] = [];
    for (const rows of [50, 500]) {
      hub.sql(
        `UPDATE documents SET title = title || '!', view_count = view_count + 1, tags = json_array(${rows}) WHERE CAST(substr(id, 2) AS INTEGER) <= ${rows}`,
      );
      hub.sql(
        `INSERT INTO orders (id, total, placed_at) SELECT 'n${rows}' || id, 1, 1 FROM orders WHERE total <= ${rows}`,
      );
      const executions = await recorder.during(() => pull({ rows: 10 }));
      expectNoScan(executions);
      counts.push(reads(executions));
    }
    expect(counts[1]).toBe(counts[0]);
  });
});

describe("a merge", () => {
  const change = (n: number, stamp: number, fields: Partial<RowChange> = {}): RowChange => ({
    table: "documents",
    pk: [`d${n}`],
    cl: 1,
    life: [stamp, "peer"],
    lww: { title: [`t${stamp}`], body: ["b"] },
    counter: { view_count: { totals: [["i", "peer", String(stamp), "0", stamp]] } },
    set: { tags: [["z", stamp, "peer"]] },
    ...fields,
  });
  const pages: Record<string, (count: number) => RowChange[]> = {
    "new rows": (count) => Array.from({ length: count }, (_, n) => change(10_000 + count * 10 + n, STAMP)),
    "rows that are known": (count) =>
      Array.from({ length: count }, (_, n) =>
        change(n + 1, STAMP + count, {
          life: [STAMP, "peer"],
          lww: { title: ["new", 1_704_067_200_000_000 + count, "peer"] },
        }),
      ),
    "rows that are known better": (count) =>
      Array.from({ length: count }, (_, n) => ({
        table: "orders",
        pk: [`o${n + 1}`],
        cl: 1,
        life: [5, "peer"],
        lww: { note: ["old"] },
      })),
    deletes: (count) =>
      Array.from({ length: count }, (_, n) => ({
        table: "orders",
        pk: [`o${count + n}`],
        cl: 2,
        life: [STAMP, "peer"],
      })),
    "rows of a composite key": (count) =>
      Array.from({ length: count }, (_, n) => ({
        table: "inventory",
        pk: [`s${n % 7}`, `i${n}`],
        cl: 1,
        life: [STAMP + count, "peer"],
        lww: { name: ["new"] },
      })),
  };
  const push = (rows: readonly RowChange[]) =>
    hub.node.push({ protocol: 1, node: "peer", at: { incarnation: "abc", seq: 1 }, seen: null, rows });

  for (const [name, page] of Object.entries(pages)) {
    test(`lineage 15: a push of ${name} looks at no whole table, is one transaction, and its reads do not grow with its rows`, async () => {
      const counts: number[] = [];
      await push(page(30));
      for (const count of [50, 100, 200]) {
        const executions = await recorder.during(() => push(page(count)));
        expectNoScan(executions);
        expect(executions.filter(({ sql }) => /^begin immediate/i.test(sql)).length).toBe(1);
        expect(begins(executions)).toBeLessThan(10);
        counts.push(reads(executions));
      }
      // Keys are read 200 at a time.
      expect(new Set(counts).size, counts.join()).toBe(1);
      expect(counts[0]).toBeLessThan(30);
    });
  }

  test("lineage 15: a page of 1,000 rows is read in a handful of statements", async () => {
    const executions = await recorder.during(() => push(pages["rows that are known"]!(1000)));
    expect(reads(executions)).toBeLessThan(40);
    expectNoScan(executions);
  });
});
