// The hub that all tenants share, and one node for each of them: SQLite in files, HTTP between them, all in one process.
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServerType, serve } from "@hono/node-server";
import Database from "better-sqlite3";
import { type BetterSQLite3Database, drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import {
  bearerTokens,
  createNode,
  createSyncer,
  type GroveNode,
  httpTransport,
  type PeerReport,
  syncRouter,
} from "grove-crdt";
import { Hono } from "hono";
import { type AuditLine, AuditLogger } from "./audit";
import { registry } from "./generated/sqlite";
import { TenantIsolation } from "./isolation";

const migrationsFolder = fileURLToPath(new URL("migrations", import.meta.url));
export const TENANTS = ["acme", "globex"] as const;
export type Tenant = (typeof TENANTS)[number];
/** Who calls the hub. */
interface Principal {
  readonly id: string;
  readonly tenant: Tenant;
}

export interface Member {
  readonly db: BetterSQLite3Database;
  readonly node: GroveNode<typeof registry>;
  sync(): Promise<PeerReport>;
}

export interface Cluster {
  readonly hub: Pick<Member, "db">;
  /** What the hub's audit log has. */
  readonly lines: readonly AuditLine[];
  /** A tenant's own node; without hooks it is that of somebody who would like to see and write more. */
  join(name: string, tenant: Tenant, hooks?: readonly TenantIsolation[]): Promise<Member>;
  stop(): Promise<void>;
}

/** @param isolated false plants the fault that the example has to find: a hub without TenantIsolation */
export async function openCluster(folder: string, token: string, isolated = true): Promise<Cluster> {
  const clients: Database.Database[] = [];
  async function open(name: string, hooks: readonly TenantIsolation[] = []) {
    const client = new Database(join(folder, `${name}.db`));
    clients.push(client);
    client.pragma("journal_mode = WAL");
    const db = drizzle({ client });
    migrate(db, { migrationsFolder });
    const node = createNode({ db, registry, nodeId: name, hooks });
    await node.ensureShadowTables();
    return { db, node };
  }

  const lines: AuditLine[] = [];
  const hub = await open("hub");
  const app = new Hono();
  app.route(
    "/sync",
    syncRouter(hub.node, {
      authenticate: bearerTokens<Principal>(
        Object.fromEntries(TENANTS.map((tenant) => [`${tenant}-${token}`, { id: tenant, tenant }])),
      ),
      onAudit: () => {},
      hooks: [
        ...(isolated ? [new TenantIsolation<Principal>(({ tenant }) => tenant)] : []),
        new AuditLogger((line) => lines.push(line)),
      ],
    }),
  );
  const server = await new Promise<ServerType>((resolve) => {
    const listening: ServerType = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () => resolve(listening));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sync`;

  return {
    hub,
    lines,
    join: async (name, tenant, hooks = [new TenantIsolation(tenant)]) => {
      const { db, node } = await open(name, hooks);
      const headers = () => ({ authorization: `Bearer ${tenant}-${token}` });
      const syncer = createSyncer(node, { peers: [httpTransport(url, { headers })] });
      return { db, node, sync: async () => (await syncer.sync())[0] as PeerReport };
    },
    stop: async () => {
      await new Promise((resolve) => server.close(resolve));
      for (const client of clients) client.close();
    },
  };
}
