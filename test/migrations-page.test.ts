// docs/migrations.md, executed: its commands run in a project, its code starts a node.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MigrationProject } from "./support/migrations";
import { repository } from "./support/project";

const page = readFileSync(join(repository, "docs/migrations.md"), "utf8");
const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind, text]) => [kind, text as string] as const);

let project: MigrationProject;
beforeAll(() => {
  project = new MigrationProject();
  project.schema(
    `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: lww(text("title")) });`,
  );
  project.write("package.json", JSON.stringify({ type: "module" }));
  project.write("tsconfig.json", JSON.stringify({ extends: "../../tsconfig.json", include: ["."] }));
  project.write(
    "db.ts",
    `import Database from "better-sqlite3";
     import { drizzle } from "drizzle-orm/better-sqlite3";
     export const db = drizzle({ client: new Database("kit.db") });`,
  );
});
afterAll(() => project.remove());

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: project.folder, encoding: "utf8" });
  return { status, output: stdout + stderr };
};
const loader = ["--import", "tsx"];
const programs: Readonly<Record<string, readonly string[]>> = {
  "grove-crdt": [...loader, join(repository, "packages/grove-crdt/src/cli.ts")],
  "drizzle-kit": [join(repository, "node_modules/drizzle-kit/bin.cjs")],
};

test("every command and every file of the page works, in its order", () => {
  expect(blocks.map(([kind]) => kind)).toEqual(["sh", "sh", "ts", "sh", "sh"]);
  for (const [kind, text] of blocks) {
    const [, name = "", rest = ""] = /^npx (\S+) (.*)\n$/.exec(text) ?? [];
    if (kind === "sh") expect(run(...(programs[name] ?? []), ...rest.split(" ")), text).toMatchObject({ status: 0 });
    else {
      const file = /^\/\/ (\S+)/.exec(text)?.[1] as string;
      project.write(file, `${text}\nconsole.log("ready as", node.id);`);
      expect(run(...loader, file)).toMatchObject({ status: 0, output: expect.stringContaining("ready as") });
    }
  }
  expect(project.migrations()).toHaveLength(1);
});
