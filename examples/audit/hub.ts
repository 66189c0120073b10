// The hub: it keeps a trail of what its people do and of what the branches bring. The story has it die at two bad moments.
import { bearerTokens, type ChangeRecord, GroveError, serveNode, syncRouter } from "grove-crdt";
import { Hono } from "hono";
import { offer } from "../processes";
import { openDatabase } from "./database";
import { openOffice } from "./office";
import { AuditTrail } from "./trail";

const { client, db, node } = await openDatabase(process.env.DATABASE_URL as string, "hub");
const trail = new AuditTrail<{ readonly id: string }>(db);

/** A rule of the house. It comes after the trail: what it refuses has been offered. */
const rule = {
  beforeInboundChange<C extends ChangeRecord>(change: C): C {
    if (change.field === "price" && Number(change.value) <= 0)
      throw new GroveError("forbidden", "An article has a price above 0.");
    return change;
  },
};

let dies: "before" | "after" | null = null;
const die = (when: typeof dies) => {
  if (dies === when) process.kill(process.pid, "SIGKILL");
};
/** Stands around the trail's hooks: dies when they have said what is offered, or before they can say what was merged. */
const death = {
  before: {
    beforeInboundChange: <C extends ChangeRecord>(change: C): C => {
      die("before");
      return change;
    },
  },
  after: { afterInboundChange: () => die("after") },
};

const app = new Hono();
app.route(
  "/sync",
  syncRouter(node, {
    authenticate: bearerTokens({ [process.env.SYNC_TOKEN as string]: { id: "branch-7" } }),
    hooks: [death.after, trail, rule, death.before],
    onAudit: trail.refused,
  }),
);
const { stopped } = await serveNode(app, { node, hostname: "127.0.0.1", port: Number(process.env.PORT) });

const acts = {
  ...openOffice(db),
  dieAt: (when: "before" | "after") => {
    dies = when;
  },
  /** For examples/topologies.test.ts: plants what the trail must miss. */
  plant: (sql: string) => void client.exec(sql),
};
export type HubActs = typeof acts;
offer(acts);
await stopped;
client.close();
