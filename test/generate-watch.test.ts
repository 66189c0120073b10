// `grove-crdt generate --watch`: each change of a schema file is in the generated files a moment later, a mistake is told and ends
// nothing, and Ctrl+C ends it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, inject, onTestFinished, test } from "vitest";
import { configText, Project, tableText } from "./support/project";
import { until } from "./support/streams";

test("what is changed is generated again, until it is interrupted", async () => {
  const project = new Project({
    "drizzle.config.ts": configText(`"./schema.ts"`),
    "schema.ts": tableText("notes"),
  });
  const child = spawn(process.execPath, [inject("cli"), "generate", "--no-kit", "--watch"], { cwd: project.folder });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    project.remove();
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => {
      told += text;
    });
  const generated = () => {
    const file = "generated/sqlite/types.ts";
    return existsSync(project.path(file)) ? project.read(file) : "";
  };
  await until(() => generated().includes("notes") && told.includes("watching"), 30_000);
  project.write("schema.ts", "export const notes = ;");
  await until(() => told.includes("watching on"), 30_000);
  expect(generated()).toContain("notes");
  project.write("schema.ts", tableText("songs"));
  await until(() => generated().includes("songs"), 30_000);
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});
