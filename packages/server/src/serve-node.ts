// A node's life in a process: capture checked, endpoints served, peers synced, and all of it ended cleanly on a signal.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { GroveError } from "@grove-crdt/core";
import type { GroveNode, Syncer } from "@grove-crdt/sync";
import type { Hono } from "hono";

/** What a process serves and syncs. */
export interface ServeOptions {
  readonly node: GroveNode;
  /** Runs and streams while the server does. A cloud that only answers needs none. */
  readonly syncer?: Pick<Syncer, "start">;
  /** TCP port (default 3000); 0 = any that is free. */
  readonly port?: number;
  /** Address to listen at; omitted = all of the machine's. */
  readonly hostname?: string;
  /** Milliseconds that requests under way get to end, once the node stops (default 10,000). */
  readonly grace?: number;
  /** Signals of the process that stop the node (default SIGINT and SIGTERM); a second one ends the process at once. */
  readonly signals?: readonly NodeJS.Signals[];
}

/** A node that is being served. */
export interface ServedNode {
  /** Where it listens. */
  readonly port: number;
  readonly url: string;
  /**
   * Ends streams and syncing, lets requests under way end, closes the server. Resolves when nothing of it uses the database
   * any more.
   */
  stop(): Promise<void>;
  /** Resolves once it has stopped, by whatever. Then close the database. */
  readonly stopped: Promise<void>;
}

/**
 * Verifies the capture, serves `app`, and runs the syncer; until a signal or `stop`. Mount the router yourself.
 *
 * @example
 * app.route("/sync", syncRouter(node, { authenticate }));
 * const { stopped } = await serveNode(app, { node, syncer, port: 8081 });
 * await stopped;
 * await client.end();
 * @throws GroveError as `node.ready()` does, before anything is served; `internal` when the port is taken
 */
export async function serveNode(app: Pick<Hono, "fetch">, options: ServeOptions): Promise<ServedNode> {
  const { node, syncer, port = 3000, hostname, grace = 10_000, signals = ["SIGINT", "SIGTERM"] } = options;
  await node.ready();
  const server = await listen(app, port, hostname);
  const syncing = syncer?.start();

  let resolve: () => void = () => {};
  const stopped = new Promise<void>((done) => {
    resolve = done;
  });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= (async () => {
      for (const signal of signals) process.off(signal, onSignal);
      const closed = new Promise((done) => server.close(done));
      const ended = Promise.all([closed, syncing?.stop()]);
      void node.close();
      // A connection is idle once its last answer is out: peers would keep it open for the next request.
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      await within(ended, grace);
      clearInterval(idle);
      server.closeAllConnections();
      await within(node.close(), grace);
      resolve();
    })();
    return stopping;
  };
  const onSignal = () => void stop();
  for (const signal of signals) process.once(signal, onSignal);

  const address = server.address() as AddressInfo;
  const host = hostname === undefined ? "localhost" : hostname.includes(":") ? `[${hostname}]` : hostname;
  return { port: address.port, url: `http://${host}:${address.port}`, stop, stopped };
}

async function listen(app: Pick<Hono, "fetch">, port: number, hostname: string | undefined): Promise<Server> {
  const { createAdaptorServer } = await import("@hono/node-server").catch((cause) => {
    throw new GroveError("internal", "serveNode needs @hono/node-server: npm install @hono/node-server", { cause });
  });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new GroveError("internal", `Cannot listen at port ${port}: ${cause.code ?? cause.message}.`, { cause })),
    );
    server.listen(port, hostname, resolve);
  });
  return server;
}

/** Waits for something, but not longer than so many milliseconds. */
async function within(promise: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
