// docs/commands.md and the screens of README.md: every command has its section, every option that is named exists, and what the
// screens show is what the commands print.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { drawScreens } from "../scripts/screens";
import { repository, runCli } from "./support/project";

const page = readFileSync(join(repository, "docs/commands.md"), "utf8");

describe("docs/commands.md", () => {
  test("has a section and a row for each command, and none for others", async () => {
    const { stdout, code } = await runCli(repository, ["--help"]);
    expect(code).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map(([, name]) => name);
    expect([...page.matchAll(/^## ([a-z]+)$/gm)].map(([, name]) => name)).toEqual(commands);
    expect([...page.matchAll(/^\| \[`([a-z]+)`\]/gm)].map(([, name]) => name)).toEqual(commands);
  });

  test("every command says in its help with which codes it ends, and those that work on a database take --json", async () => {
    for (const name of ["doctor", "status", "inspect", "parked", "sync", "verify", "adopt", "fork", "gc", "generate"]) {
      const { stdout } = await runCli(repository, [name, "--help"]);
      expect(stdout, name).toMatch(/\nExit codes:\n {2}0 {4}\S/);
      expect(stdout, name).toContain("  --json");
    }
  }, 120_000);

  test("every screen shows something", () => {
    for (const [screen] of page.matchAll(/^```console\n(?:.*\n)*?```$/gm))
      expect(screen.split("\n").length).toBeGreaterThan(3);
  });
});

// A dozen processes: with the long tests.
test.runIf(process.env.CI)(
  "the screens of README.md and docs/commands.md are what the commands print",
  { timeout: 400_000 },
  async () => {
    expect(await drawScreens(true)).toEqual([]);
  },
);
