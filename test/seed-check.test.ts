// The page docs/seed.md has no gap, and a gap that is planted in a copy of it is found.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { findGaps } from "../scripts/seed-check";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(root, "docs/seed.md"), "utf8");
const temporary = mkdtempSync(join(tmpdir(), "grove-crdt-seed-test-"));
afterAll(() => rmSync(temporary, { recursive: true }));

/** Runs the command, on a copy of the page if one is given. */
function run(copy?: string) {
  const file = join(temporary, "seed.md");
  if (copy !== undefined) writeFileSync(file, copy);
  const args = ["--import", "tsx", "scripts/seed-check.ts", ...(copy === undefined ? [] : [file])];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  return [status, stderr];
}

test("the page has a row for every name, and all that it leads to is there", () => expect(run()).toEqual([0, ""]));

test("a name that lost its row makes the command fail, and is named", () => {
  expect(run(page.replace("`crdt.WithPeers`", "peers"))).toEqual([
    1,
    expect.stringContaining("crdt.WithPeers has no row"),
  ]);
});

test.each([
  ["an example that is not there", "(../examples/mesh)", "(../examples/ring)", "there is no examples/ring"],
  ["a file that is not there", "(../examples/two-node/node.ts)", "(../examples/two-node/n.ts)", "two-node/n.ts"],
  ["a test file that is not there", "(../test/live.test.ts)", "(../test/lively.test.ts)", "no test/lively.test.ts"],
  ["a title that no test has", '"does no I/O"', '"does I/O"', 'test/opening.test.ts has no test "does I/O"'],
  [
    "a row that leads nowhere and does not say so",
    '| [edge.ts](../examples/cloud-edge/edge.ts) | [live.test.ts](../test/live.test.ts) "another process\'s writes go out a moment after their commit" |',
    "| – | – |",
    'nor "not yet"',
  ],
  [
    "a name that the manual page does not have",
    "`crdt.WithPeers`",
    "`crdt.WithPeers`, `crdt.WithRing`",
    "crdt.WithRing",
  ],
])("finds %s", (_, from, to, gap) => {
  expect(page).toContain(from);
  expect(findGaps(page)).toEqual([]);
  expect(findGaps(page.replace(from, to)).join("\n")).toContain(gap);
});
