// A user's project in a folder of its own inside the repository, so that its dependencies resolve, and our CLI run in it.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";

export const repository = fileURLToPath(new URL("../..", import.meta.url));
const temporary = join(repository, "tmp");

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `grove-crdt` with the arguments, without a terminal. */
export function runCli(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  return new Promise((resolve) => {
    const options = { cwd, env: { ...inherited, ...env } };
    execFile(process.execPath, [inject("cli"), ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

export class Project {
  readonly folder: string;

  constructor(files: Readonly<Record<string, string>>) {
    mkdirSync(temporary, { recursive: true });
    this.folder = mkdtempSync(join(temporary, "project-"));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** Every file of a folder, by name. */
  readAll(folder: string): Record<string, string> {
    const names = readdirSync(this.path(folder)).sort();
    return Object.fromEntries(names.map((name) => [name, this.read(join(folder, name))]));
  }

  /** Without drizzle-kit and its migrations, which have tests of their own. */
  generate(...args: string[]): Promise<Run> {
    return runCli(this.folder, ["generate", "--no-kit", ...args]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A drizzle.config.ts. `schema` is TypeScript, `options` go to groveCrdt(). */
export const configText = (schema: string, options = "", more = ""): string => `
  import { defineConfig } from "drizzle-kit";
  import { groveCrdt } from "grove-crdt/config";
  export default defineConfig({ dialect: "sqlite", schema: ${schema}, ${more} ...groveCrdt(${options}) });
`;

/** A schema file with one annotated table. */
export const tableText = (name: string, columns = `title: lww(text("title"))`): string => `
  import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
  import { counter, local, lww, set } from "grove-crdt/schema";
  export const ${name} = sqliteTable("${name}", { id: text("id").primaryKey(), ${columns} });
`;
