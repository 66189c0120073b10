// Starts the demo's processes, each with its own SQLite file in a new temporary folder. However this process ends, they
// end with it and the folder goes.
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface NodeProcess {
  readonly name: string;
  readonly url: string;
  /** Its SQLite file. */
  readonly file: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = fileURLToPath(new URL("node.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "grove-crdt-demo-"));
const token = randomBytes(16).toString("hex");
const children: ChildProcess[] = [];

process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(process.exitCode ?? 128 + constants.signals[signal]));
}

/** A node with its own process and file. Without `hub` it is one. */
export async function startNode(name: string, hub?: NodeProcess): Promise<NodeProcess> {
  const file = join(folder, `${name}.db`);
  const child = fork(program, ["--name", name, "--file", file, "--hub", hub?.url ?? ""], {
    cwd: root,
    execArgv: ["--import", "tsx"],
    env: { ...process.env, GROVE_DEMO_TOKEN: token },
  });
  children.push(child);
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`The process of ${name} ended: ${signal ?? `exit code ${code}`}.`);
  });
  const [{ port }] = await Promise.race([once(child, "message"), ended]);
  ended.catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
  return { name, url: `http://127.0.0.1:${port}`, file };
}
