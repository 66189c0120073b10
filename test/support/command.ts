// A command run in this process: a second sooner than as a process of its own. What commander itself refuses ends the process, so
// that is for `runCli`.
import { runProgram } from "../../packages/grove-crdt/src/program";
import type { Run } from "./project";

type Write = typeof process.stdout.write;

export async function runHere(cwd: string, args: readonly string[]): Promise<Run> {
  const said = { stdout: "", stderr: "" };
  const streams = ["stdout", "stderr"] as const;
  const writes = streams.map((name) => process[name].write);
  const before = { cwd: process.cwd(), exitCode: process.exitCode };
  for (const name of streams)
    process[name].write = ((text: string) => {
      said[name] += text;
      return true;
    }) as Write;
  process.chdir(cwd);
  process.exitCode = undefined;
  try {
    await runProgram(["node", "grove-crdt", ...args]);
    return { ...said, code: Number(process.exitCode ?? 0) };
  } finally {
    process.exitCode = before.exitCode;
    process.chdir(before.cwd);
    streams.forEach((name, n) => {
      process[name].write = writes[n] as Write;
    });
  }
}
