// How main.ts, in its own process, makes the two nodes act: by name, over the channel that `fork` opens.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export type Acts = Readonly<Record<string, (...args: never[]) => unknown>>;
/** The same functions, called from another process. */
export type Remote<A extends Acts> = {
  readonly [Name in keyof A]: (...args: Parameters<A[Name]>) => Promise<Awaited<ReturnType<A[Name]>>>;
};

interface Call {
  readonly call: number;
  readonly name: string;
  readonly args: never[];
}
interface Answer {
  readonly call: number;
  readonly value?: unknown;
  readonly error?: Error;
}

/** In a node's process: says that it is ready, does what it is asked to, and closes when main.ts lets go of it. */
export function offer(acts: Acts, close: () => Promise<void>): void {
  const send = (answer: Answer | "ready") => process.connected && process.send?.(answer);
  process.on("message", async ({ call, name, args }: Call) => {
    try {
      send({ call, value: await acts[name]?.(...args) });
    } catch (error) {
      send({ call, error: error as Error });
    }
  });
  // Ctrl-C reaches all three processes, but only main.ts decides.
  process.on("SIGINT", () => {});
  process.on("disconnect", () => void close().finally(() => process.exit()));
  send("ready");
}

export interface NodeProcess<A extends Acts> {
  readonly acts: Remote<A>;
  /** Resolves when the process has ended. */
  stop(): Promise<void>;
}

/** A node in a process of its own. When it ends by itself, so does this one. */
export async function startNode<A extends Acts>(
  program: "cloud/node.ts" | "edge/node.ts",
  env: Readonly<Record<string, string>>,
): Promise<NodeProcess<A>> {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
    env: { ...process.env, ...env },
  });
  let stopping = false;
  const ended = once(child, "exit").then(([code, signal]) => {
    if (!stopping) throw new Error(`The process of ${program} ended: ${signal ?? `exit code ${code}`}.`);
  });
  await Promise.race([once(child, "message"), ended]);
  ended.catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
  return {
    acts: remote<A>(child),
    stop: () => {
      stopping = true;
      child.disconnect();
      return ended;
    },
  };
}

function remote<A extends Acts>(child: ChildProcess): Remote<A> {
  const waiting = new Map<number, (answer: Answer) => void>();
  child.on("message", (answer: Answer) => waiting.get(answer.call)?.(answer));
  let calls = 0;
  const call = (name: string, args: unknown[]) =>
    new Promise((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, ({ value, error }) => {
        waiting.delete(id);
        if (error) reject(error);
        else resolve(value);
      });
      child.send({ call: id, name, args });
    });
  return new Proxy({} as Remote<A>, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        call(String(name), args),
  });
}
