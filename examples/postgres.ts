// A Postgres database to play with: on a server of its own in a fresh folder, or, if DATABASE_URL names a server, a new
// database on that one. It is gone when the process that asked for it ends, however that happens.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface PostgresDatabase {
  readonly url: string;
  /** Resolves when nothing of it is left. */
  stop(): Promise<void>;
}

const keeper = fileURLToPath(new URL("postgres-keeper.ts", import.meta.url));

export async function startPostgres(): Promise<PostgresDatabase> {
  const child = fork(keeper, { execArgv: ["--import", "tsx"] });
  const ended = once(child, "exit");
  const failed = ended.then(() => {
    throw new Error("Postgres could not be started; the message above says why.");
  });
  const [{ url }] = await Promise.race([once(child, "message"), failed]);
  failed.catch(() => {});
  return {
    url,
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
