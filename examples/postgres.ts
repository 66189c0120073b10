// Postgres databases to play with: on a server of their own in a fresh folder, or, if DATABASE_URL names a server, on that
// one. They are gone when the process that asked for them ends, however that happens.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface PostgresDatabases {
  /** Of the first database. */
  readonly url: string;
  /** Of each, in the order of the names. */
  readonly urls: readonly string[];
  /** Resolves when nothing of them is left. */
  stop(): Promise<void>;
}

const keeper = fileURLToPath(new URL("postgres-keeper.ts", import.meta.url));

export async function startPostgres(names: readonly string[] = ["grove"]): Promise<PostgresDatabases> {
  const child = fork(keeper, names, { execArgv: ["--import", "tsx"] });
  const ended = once(child, "exit");
  const failed = ended.then(() => {
    throw new Error("Postgres could not be started; the message above says why.");
  });
  const [{ urls }] = (await Promise.race([once(child, "message"), failed])) as [{ urls: [string, ...string[]] }];
  failed.catch(() => {});
  return {
    url: urls[0],
    urls,
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
