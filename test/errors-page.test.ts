// docs/errors.md is made from the codes: each has its entry, the page is the one that they make, and its sample runs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { STATUS } from "@grove-crdt/server";
import { errorCodes, GroveError } from "grove-crdt";
import { afterEach, expect, test, vi } from "vitest";
import { errorEntries } from "../scripts/error-entries";
import { errorsPage, findStale, makeErrorsPage } from "../scripts/errors-page";
import { Project, repository } from "./support/project";

const page = readFileSync(errorsPage, "utf8");
const projects: Project[] = [];
afterEach(() => {
  for (const project of projects.splice(0)) project.remove();
});

test("every code has its entry, with something to do", () => {
  expect(Object.keys(errorEntries).sort()).toEqual(Object.keys(errorCodes).sort());
  for (const code of Object.keys(errorCodes)) expect(page).toContain(`\n### \`${code}\`\n`);
  for (const { cure, met } of Object.values(errorEntries))
    expect([cure.length > 20, met.length > 0]).toEqual([true, true]);
});

test("what a router answers is said to be an answer", () => {
  for (const code of Object.keys(STATUS) as (keyof typeof errorEntries)[])
    expect(errorEntries[code].met, code).toContain("answer");
});

test("the page is what the codes make of it, and one that is not is told by its line", () => {
  expect(findStale(page)).toBeNull();
  const wanted = makeErrorsPage();
  expect(findStale(wanted.replace("Add", "Omit").replace("503", "200"))).toMatch(/docs\/errors\.md:\d+ is not/);
  expect(findStale(wanted.slice(0, -200))).toMatch(/docs\/errors\.md:\d+ is not/);
});

test("what it leads to is there", () => {
  for (const [, path] of page.matchAll(/\]\(([a-z-]+\.md)\)/g))
    expect(() => readFileSync(join(repository, "docs", path as string))).not.toThrow();
});

test("its sample tells one error from others by the code", async () => {
  const [, name, code] = /^```ts\n\/\/ (\S+)\n(.*?)^```$/ms.exec(page) as unknown as [string, string, string];
  expect(page.match(/^```ts$/gm)).toHaveLength(1);
  const given = globalThis as unknown as Record<string, { ready(): Promise<void> }>;
  const run = async (failure: Error) => {
    const project = new Project({
      "node.ts": 'export const node = (globalThis as never)["docs/errors"];',
      [name]: code,
    });
    projects.push(project);
    given["docs/errors"] = { ready: () => Promise.reject(failure) };
    await import(project.path(name));
  };
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await run(new GroveError("capture_stale", "…"));
  expect(log.mock.calls).toEqual([["capture_stale: migrate, then start again"]]);
  await expect(run(new GroveError("not_adopted", "…"))).rejects.toMatchObject({ code: "not_adopted" });
  log.mockRestore();
});
