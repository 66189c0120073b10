// A Postgres server for one case.
import type { Bench } from "../../harness";
import { type Postgres, startPostgres } from "../../postgres";

/** What runs on a server of its own. */
export const onPostgres =
  <T>(run: (bench: Bench, server: Postgres) => Promise<T>) =>
  async (bench: Bench): Promise<T> => {
    const server = await startPostgres();
    try {
      return await run(bench, server);
    } finally {
      await server.stop();
    }
  };
