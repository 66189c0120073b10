// Both ends of a node's process: `startNode` in main.ts, which makes it act by name over the channel that `fork` opens, and
// `offer` in the node's own program.
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

/** In a node's process: says that it is ready, and does what main.ts asks it to. */
export function offer(acts: Acts = {}): void {
  const send = (answer: Answer | "ready") => process.connected && process.send?.(answer);
  process.on("message", async ({ call, name, args }: Call) => {
    try {
      const act = acts[name];
      if (!act) throw new Error(`The node does not offer ${name}.`);
      send({ call, value: await act(...args) });
    } catch (error) {
      send({ call, error: error as Error });
    }
  });
  // Without main.ts nobody would ever stop it.
  process.on("disconnect", () => process.kill(process.pid, "SIGTERM"));
  // A node that has stopped ends by itself: nothing but its own work may keep it.
  process.channel?.unref();
  send("ready");
}

export interface NodeProcess<A extends Acts = Acts> {
  readonly acts: Remote<A>;
  /** Sends SIGTERM. Resolves when the process has ended, rejects when it did not end with exit code 0. */
  stop(): Promise<void>;
  /** Sends SIGKILL, as a power cut would. Resolves when the process has ended. */
  kill(): Promise<void>;
  /** Of one that kills itself: resolves when it has ended. Ask before it does. */
  death(): Promise<void>;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** A node in a process of its own. When it ends by itself, so does this one. */
export async function startNode<A extends Acts>(
  name: string,
  program: URL,
  env: Readonly<Record<string, string>>,
): Promise<NodeProcess<A>> {
  const child = fork(fileURLToPath(program), {
    cwd: root,
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
    env: { ...process.env, ...env },
    // In a group of its own: Ctrl-C reaches main.ts alone, which then stops the nodes.
    detached: true,
  });
  let stopping = false;
  let killed = false;
  const ended = once(child, "exit").then(([code, signal]) => {
    if (!killed && (!stopping || code !== 0))
      throw new Error(`The process of ${name} ended: ${signal ?? `exit code ${code}`}.`);
  });
  await Promise.race([once(child, "message"), ended]);
  ended.catch((error) => {
    if (stopping) return;
    console.error(error.message);
    process.exit(1);
  });
  return {
    acts: remote<A>(child),
    stop: () => {
      stopping = true;
      child.kill("SIGTERM");
      return ended;
    },
    kill: () => {
      killed = true;
      child.kill("SIGKILL");
      return ended;
    },
    death: () => {
      killed = true;
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
