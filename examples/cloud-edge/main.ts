// npm run example cloud-edge: a cloud node on Postgres and an edge node on SQLite, each in its own process. Exits 0 only
// if the two databases are equal in the end and say what was written.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { startPostgres } from "../postgres";
import { startNode } from "./acts";
import type { CloudActs, EdgeActs } from "./shops";
import { Ledger, tell } from "./story";
import { settle } from "./verdict";

const USAGE = `Usage: npm run example cloud-edge [-- --once]

  --once  end when the story is told; otherwise both nodes stay up until Ctrl-C
  --help  show this

Without DATABASE_URL a Postgres is started for the example; with it, a new database on that server.`;

function readFlags() {
  try {
    return parseArgs({ options: { once: { type: "boolean" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const flags = readFlags();
if (flags.help) {
  console.log(USAGE);
  process.exit();
}

/** What was started, the first last. */
const started: (() => Promise<void>)[] = [];
let ending: Promise<never> | undefined;
/** Stops everything, then exits. Whatever kills this process before, the others notice and end by themselves. */
function end(code: number): Promise<never> {
  ending ??= (async () => {
    for (const stop of started) await stop().catch((error) => console.error(error));
    process.exit(code);
  })();
  return ending;
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => void end(signal === "SIGINT" && told ? 0 : 128 + constants.signals[signal]));
}
let told = false;

const begun = performance.now();
const say = (text: string) => console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${text}`);

const folder = mkdtempSync(join(tmpdir(), "grove-crdt-cloud-edge-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
const file = join(folder, "edge.db");
const SYNC_TOKEN = randomBytes(16).toString("hex");

const database = await startPostgres();
started.unshift(database.stop);
const cloud = await startNode<CloudActs>("cloud/node.ts", {
  DATABASE_URL: database.url,
  SYNC_TOKEN,
});
started.unshift(cloud.stop);
const url = await cloud.acts.url();
const edge = await startNode<EdgeActs>("edge/node.ts", {
  EDGE_FILE: file,
  CLOUD_URL: url,
  SYNC_TOKEN,
});
started.unshift(edge.stop);
say("a cloud node on Postgres and an edge node on SQLite are up, in two processes");

const shops = { cloud: cloud.acts, edge: edge.acts };
const ledger = new Ledger();
for await (const act of tell(shops, ledger)) say(act);

// For test/cloud-edge.test.ts: SQL that plants a difference, to see that it is found.
const planted = process.env.GROVE_EXAMPLE_PLANT;
if (planted) new Database(file).exec(planted).close();

const problems = await settle(shops, ledger);
const { orders } = await cloud.acts.list();
console.log(
  problems.length === 0
    ? `\nCloud and edge are equal: ${orders.length} orders, ${[...ledger.quantity].map(([sku, count]) => `${count} ${sku}`).join(", ")}, as written.`
    : ["\nCloud and edge are not what they should be:", ...problems].join("\n  "),
);
told = true;

if (flags.once || problems.length > 0) await end(problems.length === 0 ? 0 : 1);
console.log(`
Both stay up until Ctrl-C. Write to one with plain SQL, look at the other a moment later:

  psql ${database.url}
  sqlite3 ${file}
  UPDATE inventory SET quantity = quantity - 1 WHERE sku = 'tea';

The cloud serves at ${url}`);
