// Whether a node is up, and whether it can do its work: for load balancers and whoever restarts processes. Anybody may ask, so an
// answer says one word and at most a documented code, and however many ask, the database is asked once a second.
import { type ErrorCode, GroveError, isGroveError } from "@grove-crdt/core";
import type { GroveNode } from "@grove-crdt/sync";
import { Hono } from "hono";

/** How the answers about the process are found. */
export interface HealthOptions {
  /** Milliseconds that the database may take to answer (default 2,000). */
  readonly timeout?: number;
  /** Milliseconds for which an answer is given again without asking the database (default 1,000). */
  readonly keep?: number;
  /** Milliseconds since some moment, which never go back; for tests. */
  readonly now?: () => number;
}

/**
 * `GET /healthz`: 200 while the process answers. `GET /readyz`: 200 while the database answers, its capture is the generated one and
 * the node takes part in syncing; else 503 with the code of what is in the way. {@link syncRouter} has both under its own path.
 *
 * @example
 * app.route("/", healthRouter(node));
 */
export function healthRouter(node: GroveNode, options: HealthOptions = {}): Hono {
  const { timeout = 2_000, keep = 1_000, now = () => performance.now() } = options;
  let last: { readonly at: number; readonly obstacle: Promise<ErrorCode | null> } | undefined;
  const obstacle = () => {
    if (node.isClosed) return Promise.resolve<ErrorCode>("aborted");
    if (!last || now() - last.at >= keep) {
      const found = findObstacle(node, timeout);
      last = { at: now(), obstacle: found };
      // As long as it takes: a database that hangs is not asked again before it has answered, or has had its time.
      void found.then(() => {
        if (last?.obstacle === found) last = { at: now(), obstacle: found };
      });
    }
    return last.obstacle;
  };
  const app = new Hono();
  const fresh = { "cache-control": "no-store" };
  app.get("/healthz", (c) => c.json({ status: "up" }, 200, fresh));
  app.get("/readyz", async (c) => {
    const code = await obstacle();
    return code === null ? c.json({ status: "ready" }, 200, fresh) : c.json({ status: "unready", code }, 503, fresh);
  });
  return app;
}

/** Why the node cannot do its work at present; null = it can. */
async function findObstacle(node: GroveNode, timeout: number): Promise<ErrorCode | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new GroveError("busy", "The database does not answer.")), timeout);
  });
  try {
    return await Promise.race([ask(node), late]);
  } catch (error) {
    return isGroveError(error) ? error.code : "internal";
  } finally {
    clearTimeout(timer);
  }
}

async function ask(node: GroveNode): Promise<ErrorCode | null> {
  await node.ready();
  // It was right when the node was opened; somebody may have migrated since.
  const problem = await node.store.verify();
  if (problem) return problem.code;
  // Until it has a peer's rows again it answers nobody.
  const { rejoining } = await node.store.collection();
  return rejoining ? "struck_off" : null;
}
