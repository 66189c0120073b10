// What a failed transaction named must be as gone for readers as what it wrote: the store's own connection, over a real
// database, with a reader that is held between its statements.

import type { Sql } from "postgres";
import { expect, test } from "vitest";
import type { PostgresDriver } from "../../packages/store/src/postgres/driver";
import { postgresDriver } from "../../packages/store/src/postgres/driver";
import { Connection } from "../../packages/store/src/postgres/session";
import { openNode } from "../support/node";
import { postgres as dialect } from "../support/postgres";

/** The database's driver, whose reading of names waits for `hold`. */
function slow(driver: PostgresDriver, hold: () => Promise<void>): PostgresDriver {
  return {
    ...driver,
    transaction: (isolation, begin, work) =>
      driver.transaction(isolation, begin, (tx) =>
        work({
          exec: (text) => tx.exec(text),
          rows: async (text, params) => {
            const rows = await tx.rows(text, params);
            if (isolation.includes("READ ONLY") && text.includes("FROM public._grove_nodes WHERE")) await hold();
            return rows;
          },
        }),
      ),
  };
}

const options = { now: () => Date.now() * 1000, random: Math.random, maxClockDrift: 60_000 };

async function open() {
  const node = await openNode(dialect, "hub");
  const driver = postgresDriver(node.database.db.$client as unknown as Sql) as PostgresDriver;
  // Another process gives the first names.
  await new Connection(driver, options).write(async ({ names }) => void names.nodeId("stored"));
  return driver;
}

test("a reader keeps the names that it has read while a write beside it fails", async () => {
  const driver = await open();
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const connection = new Connection(
    slow(driver, () => held),
    options,
  );
  const stored = new Connection(driver, options);
  const id = await stored.write(async ({ names }) => names.nodeId("stored"));
  const reading = connection.readNamed(async (_, names) => names.nodeName(id));
  const failing = connection.write(async ({ names }) => {
    names.nodeId("never");
    throw new Error("crash");
  });
  await expect(failing).rejects.toThrow("crash");
  release();
  expect(await reading).toBe("stored");
});

test("the number of a name that was never committed goes to the next one, for readers too", async () => {
  const driver = await open();
  const connection = new Connection(driver, options);
  let lost = 0;
  const failing = connection.write(async ({ names }) => {
    lost = names.nodeId("never");
    throw new Error("crash");
  });
  await expect(failing).rejects.toThrow("crash");
  expect(await new Connection(driver, options).write(async ({ names }) => names.nodeId("kept"))).toBe(lost);
  expect(await connection.readNamed(async (_, names) => names.nodeName(lost))).toBe("kept");
});
