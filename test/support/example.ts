// Runs an example as a user does: `npm run example NAME` in a process of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, inject } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Run {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  /** What it has left in the folder for temporary files. */
  left(): string[];
}

/** Examples of a test file, on the tests' Postgres unless `env` says otherwise. Ended after the last test. */
export function openExamples() {
  const running = new Set<ChildProcess>();
  const folder = mkdtempSync(join(tmpdir(), "grove-crdt-example-test-"));
  // Postgres, run as another user, must be able to enter.
  chmodSync(folder, 0o755);
  afterAll(() => {
    for (const child of running) child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });
  return (args: readonly string[], env: NodeJS.ProcessEnv = {}): Run => {
    const child = spawn(process.execPath, ["--import", "tsx", "scripts/example.ts", ...args], {
      cwd: root,
      env: { ...process.env, TMPDIR: folder, DATABASE_URL: inject("postgres").url as string, ...env },
    });
    running.add(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    void ended.then(() => running.delete(child));
    // Those of other runs have other names.
    const own = [`grove-crdt-${args[0]}-${child.pid}-`, ...(env.DATABASE_URL === "" ? ["grove-crdt-postgres-"] : [])];
    const left = () => readdirSync(folder).filter((name) => own.some((prefix) => name.startsWith(prefix)));
    return { child, output: () => output, ended, left };
  };
}

/** Resolves with what it has printed once `text` is in it, or once it has ended. */
export async function until(run: Run, text: RegExp): Promise<string> {
  const found = new Promise<string>((resolve) => {
    const look = () => text.test(run.output()) && resolve(run.output());
    run.child.stdout?.on("data", look);
  });
  return Promise.race([found, run.ended.then(run.output)]);
}
