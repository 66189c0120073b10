// Every topology as real processes: the databases end equal, as little as possible travels twice, and nothing stays behind.

import { describe, test, vi } from "vitest";
import { openExamples, type Run } from "../test/support/example";

const runExample = openExamples();

// Each is several processes already. What waits for its turn does not count against its time.
vi.setConfig({ maxConcurrency: 2 });

/** How many row messages there were for each new row that nobody else writes. */
const messagesPerRow = (run: Run) => Number(/row messages, ([\d.]+) for each/.exec(run.output())?.[1]);

describe.concurrent("the topology", { timeout: 120_000 }, () => {
  test.for([
    ["hub-spokes", 4],
    ["active-hub", 4],
    ["chain", 4],
  ] as const)(
    "%s ends with equal databases, and tells each node of a new row once",
    async ([name, nodes], { expect }) => {
      const run = runExample([name, "--once"]);
      expect([await run.ended, run.output()]).toEqual([
        0,
        expect.stringContaining(`All ${nodes} databases are equal: `),
      ]);
      expect(messagesPerRow(run)).toBeGreaterThanOrEqual(nodes - 1);
      // A page that was on its way when an exchange began comes twice.
      expect(messagesPerRow(run)).toBeLessThan(nodes - 0.5);
      expect(run.left()).toEqual([]);
    },
  );

  test("mesh ends with equal databases, though all tell all", async ({ expect }) => {
    const run = runExample(["mesh", "--once"]);
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining("All 3 databases are equal: ")]);
    // Each of the three lines is there twice, and each of its two ends pushes and streams.
    expect(messagesPerRow(run)).toBeLessThanOrEqual(12);
    expect(run.left()).toEqual([]);
  });

  test("two-node ends with equal databases, and both processes with exit code 0", async ({ expect }) => {
    const run = runExample(["two-node", "--once"]);
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining("Both databases are equal: ")]);
    expect(run.output()).toContain("SIGTERM to node-2 under the hands of eight clients: exit code 0");
    expect(run.output()).toContain("SIGTERM to both: exit code 0");
    expect(run.left()).toEqual([]);
  });

  test("mesh exits 1 with the difference when one node's row was changed behind its back", async ({ expect }) => {
    const plant = `BEGIN IMMEDIATE;
        UPDATE _grove_node SET capture = 0;
        UPDATE inventory SET quantity = quantity - 1 WHERE sku = 'tea';
        UPDATE _grove_node SET capture = 1;
        COMMIT`;
    const run = runExample(["mesh", "--once"], { GROVE_EXAMPLE_PLANT: plant, GROVE_PATIENCE: "2500" });
    expect([await run.ended, run.output()]).toEqual([
      1,
      expect.stringMatching(/inventory store-42 tea\.quantity is \d+ at node-c; it must be \d+/),
    ]);
    expect(run.left()).toEqual([]);
  });

  test("two-node exits 1 with the difference when one node's row was changed behind its back", async ({ expect }) => {
    const plant = `BEGIN;
        SET LOCAL grove.capture = 'off';
        UPDATE documents SET title = 'Planted' WHERE id = 'agenda';
        COMMIT`;
    const run = runExample(["two-node", "--once"], { GROVE_EXAMPLE_PLANT: plant, GROVE_PATIENCE: "2500" });
    expect([await run.ended, run.output()]).toEqual([
      1,
      expect.stringMatching(/node-2: the document agenda is .*Planted/),
    ]);
    expect(run.left()).toEqual([]);
  });

  test("tenants ends with tenants that know nothing of each other", async ({ expect }) => {
    const run = runExample(["tenants", "--once"]);
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining("The tenants are apart.")]);
    expect(run.left()).toEqual([]);
  });

  test("tenants exits 1 with what came through when the hub has no hook", async ({ expect }) => {
    const run = runExample(["tenants", "--once"], { GROVE_EXAMPLE_PLANT: "no isolation" });
    expect([await run.ended, run.output()]).toEqual([1, expect.stringContaining("globex has")]);
    expect(run.left()).toEqual([]);
  });

  test("audit ends with a trail that has every change, though the hub was killed before a merge and after one", async ({
    expect,
  }) => {
    const run = runExample(["audit", "--once"]);
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining("The trail has every change")]);
    expect(run.left()).toEqual([]);
  });

  test("audit exits 1 when the table was changed past its trigger", async ({ expect }) => {
    const plant = "DROP TRIGGER articles_trail_update; UPDATE articles SET stock = stock - 1";
    const run = runExample(["audit", "--once"], { GROVE_EXAMPLE_PLANT: plant });
    expect([await run.ended, run.output()]).toEqual([1, expect.stringContaining("played back, the trail gives")]);
    expect(run.left()).toEqual([]);
  });

  test("till ends with equal stock in three databases, after one till and then the hub were away", async ({
    expect,
  }) => {
    const run = runExample(["till", "--once"]);
    expect([await run.ended, run.output()]).toEqual([0, expect.stringContaining("All three databases are equal: ")]);
    expect(run.output()).toContain("5 rows wait there");
    expect(run.left()).toEqual([]);
  });

  test("till exits 1 with the difference when a till's stock was changed behind its back", async ({ expect }) => {
    const plant = `BEGIN IMMEDIATE;
        UPDATE _grove_node SET capture = 0;
        UPDATE products SET stock = stock - 1 WHERE id = 'tea';
        UPDATE _grove_node SET capture = 1;
        COMMIT`;
    const run = runExample(["till", "--once"], { GROVE_EXAMPLE_PLANT: plant, GROVE_PATIENCE: "1500" });
    expect([await run.ended, run.output()]).toEqual([
      1,
      expect.stringContaining("till-2 counts 10 tea; it must count 11"),
    ]);
    expect(run.left()).toEqual([]);
  });
});
