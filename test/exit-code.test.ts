// A run in which a test fails must fail: the database that tests start has its own ideas of how a process ends.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

test("a failed run of the tests exits with 1", () => {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/fixtures/failing/vitest.config.ts"];
  const { VITEST: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, [...vitest, "--root", root], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  expect(stdout).toMatch(/1 failed/);
  expect(status).toBe(1);
});
