// Real sockets for tests: a node's router on a port of its own, and a wire that does to a connection what networks do.
import { createServer, type Server, type Socket } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import type { SyncingNode } from "./node";

const closing: (() => Promise<unknown>)[] = [];
export async function closeSockets(): Promise<void> {
  await Promise.all(closing.splice(0).map((close) => close()));
}

const listening = (server: Pick<Server, "once" | "address">) =>
  new Promise<number>((resolve) =>
    server.once("listening", () => resolve((server.address() as { port: number }).port)),
  );

/** Serves the node's router under /sync; returns its port. */
export async function serveNodeAt(node: SyncingNode, app: Hono = node.app): Promise<number> {
  const mounted = new Hono().route("/sync", app);
  const server = serve({ fetch: mounted.fetch, hostname: "127.0.0.1", port: 0 }) as Server & {
    closeAllConnections(): void;
  };
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return listening(server);
}

/** What a wire does to what passes it. */
export interface Link {
  /** Nobody answers: connections are refused, those that are open die. */
  down: boolean;
  /** Connections stay, and nothing passes in this direction; "both" = a connection that died in silence. */
  mute: "none" | "requests" | "answers" | "both";
  /** Bytes of answers after which a connection is cut. */
  cutAfter: number;
}

/** Stands before a port. What it does may be changed at any time. */
export class Wire {
  readonly link: Link = { down: false, mute: "none", cutAfter: Number.POSITIVE_INFINITY };
  readonly #sockets = new Set<Socket>();
  private constructor(
    readonly port: number,
    server: Server,
  ) {
    closing.push(() => {
      this.cut();
      return new Promise((resolve) => server.close(resolve));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/sync`;
  }

  static async before(target: number): Promise<Wire> {
    const { connect } = await import("node:net");
    let proxy: Wire | undefined;
    const server = createServer((client) => {
      const { link } = proxy as Wire;
      if (link.down) return client.destroy();
      const upstream = connect(target, "127.0.0.1");
      let left = link.cutAfter;
      const end = () => {
        client.destroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) {
        (proxy as Wire).#sockets.add(socket);
        socket.on("error", end);
        socket.on("close", () => {
          (proxy as Wire).#sockets.delete(socket);
          end();
        });
      }
      client.on("data", (chunk) => {
        if (link.mute !== "requests" && link.mute !== "both") upstream.write(chunk);
      });
      upstream.on("data", (chunk) => {
        if (link.mute === "answers" || link.mute === "both") return;
        client.write(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) setImmediate(end);
      });
      return undefined;
    });
    server.listen(0, "127.0.0.1");
    proxy = new Wire(await listening(server), server);
    return proxy;
  }

  /** Ends all connections that are open. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A port that nobody listens at, just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
