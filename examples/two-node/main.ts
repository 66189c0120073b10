// npm run example two-node: two nodes with an application each, on two Postgres databases. One is stopped at work and started
// again. Exits 0 only if both end cleanly, with databases that are equal and say what was acknowledged.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import postgres from "postgres";
import type { lineActs } from "../line";
import { findPorts } from "../ports";
import { startPostgres } from "../postgres";
import { startNode } from "../processes";
import { openProgram } from "../program";
import { Client, type Document, Ledger } from "./client";

const program = openProgram("two-node");
const { say, token } = program;
const databases = await startPostgres(["node1", "node2"]);
program.started(databases.stop);
const ports = await findPorts(2);
const url = (n: number) => `http://127.0.0.1:${ports[n]}`;
const names = ["node-1", "node-2"];

function start(n: 0 | 1) {
  return startNode<typeof lineActs>(names[n] as string, new URL("node.ts", import.meta.url), {
    NODE_ID: names[n] as string,
    DATABASE_URL: databases.urls[n] as string,
    PORT: String(ports[n]),
    PEER_URL: `${url(1 - n)}/sync`,
    SYNC_TOKEN: token,
    APP_TOKEN: token,
  });
}
let [first, second] = await Promise.all([start(0), start(1)]);
program.started(() => Promise.all([first.stop(), second.stop()]));
say(`node-1 and node-2, each on a Postgres database of its own, serve at ${url(0)} and ${url(1)}`);

const ledger = new Ledger();
const clients = names.map((name, n) => new Client(name, url(n), token, ledger));
const [one, two] = clients as [Client, Client];

/** Asks a database past its node, which need not run. */
async function runSql<Row extends object>(n: number, text: string): Promise<Row[]> {
  const sql = postgres(databases.urls[n] as string, { max: 1, onnotice: () => {} });
  const rows = await sql.unsafe<Row[]>(text);
  await sql.end();
  return [...rows];
}
const readDatabase = (n: number) =>
  runSql<Document>(n, 'SELECT id, title, body, view_count::int AS "viewCount", tags FROM documents');

const sorted = (document: Document | undefined) => document && { ...document, tags: [...document.tags].sort() };
/** One sentence for each thing that is not as it has to be. */
function findProblems(name: string, rows: readonly Document[]): string[] {
  const ids = new Set([...ledger.documents.keys(), ...rows.map(({ id }) => id)]);
  return [...ids].flatMap((id) => {
    const [row, expected] = [rows.find((document) => document.id === id), ledger.documents.get(id)].map(sorted);
    return isDeepStrictEqual(row, expected)
      ? []
      : [`${name}: the document ${id} is ${JSON.stringify(row)}; it must be ${JSON.stringify(expected)}`];
  });
}
/** Looks until both nodes say what was acknowledged; or for ten seconds. */
async function settle(): Promise<void> {
  for (let look = 0; look < 200; look++) {
    const problems = await Promise.all(clients.map(async (client) => findProblems(client.name, await client.list())));
    if (problems.flat().length === 0) return;
    await sleep(50);
  }
}
async function view(client: Client, id: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await client.edit(id, { views: 1 });
}

await Promise.all([
  one.create({ id: "agenda", title: "Agenda", tags: ["draft"] }),
  two.create({ id: "budget", title: "Budget" }),
]);
await settle();
say("POST /documents at both: each node has both documents");

await Promise.all(clients.flatMap((client) => ["agenda", "budget"].map((id) => view(client, id, 25))));
await Promise.all([one.edit("agenda", { title: "Agenda for May" }), two.edit("agenda", { body: "1. Budget" })]);
await settle();
const [sent, received] = [await first.acts.traffic(), await second.acts.traffic()];
say(`PUT /documents/:id at both: 50 views of each, title and body of one. So far ${ledger.writes} row writes became \
${sent.messages + received.messages} row messages; ${sent.superfluous + received.superfluous} told their receiver nothing new`);

// SIGTERM while eight clients are at it: each request is answered, or was never begun.
let acknowledged = 0;
let stopping: Promise<void> | undefined;
async function viewUntilRefused(): Promise<void> {
  try {
    for (;;) {
      await two.edit("budget", { views: 1 });
      if (++acknowledged === 40) stopping = second.stop();
    }
  } catch (error) {
    // No connection any more: that is how it has to end.
    if (!stopping || !(error instanceof TypeError)) throw error;
  }
}
await Promise.all(Array.from({ length: 8 }, viewUntilRefused));
await stopping;
const half = findProblems("node-2", await readDatabase(1));
if (half.length > 0) {
  console.error(["SIGTERM left something half done:", ...half].join("\n  "));
  await program.end(1);
}
say(
  `SIGTERM to node-2 under the hands of eight clients: exit code 0, and all ${acknowledged} views that it acknowledged`,
);

await view(one, "agenda", 10);
await one.create({ id: "charter", title: "Charter" });
// Both add to one set: the one through its handler, the other with plain SQL while its node is down.
await one.edit("agenda", { tags: ["draft", "may"] });
await runSql(1, "UPDATE documents SET tags = tags || '{budget}' WHERE id = 'agenda'");
ledger.edited("agenda", { tags: ["draft", "may", "budget"] });
second = await start(1);
await settle();
await two.edit("charter", { views: 1 });
await settle();
say("node-1 went on alone, plain SQL in the other database too; node-2 is up again, and both have everything");

// For test/topologies.test.ts: SQL that plants a difference in node-2's database, to see that it is found.
const planted = process.env.GROVE_EXAMPLE_PLANT;
if (planted) await runSql(1, planted);

program.told();
if (program.once) {
  await Promise.all([first.stop(), second.stop()]);
  say("SIGTERM to both: exit code 0");
}
const problems = (await Promise.all(names.map(async (name, n) => findProblems(name, await readDatabase(n))))).flat();
console.log(
  problems.length === 0
    ? `\nBoth databases are equal: ${[...ledger.documents.values()].map(({ title, viewCount }) => `${title} (${viewCount} views)`).join(", ")}, as acknowledged.`
    : ["\nThe databases are not what they should be:", ...problems].join("\n  "),
);
if (program.once || problems.length > 0) await program.end(problems.length === 0 ? 0 : 1);
console.log(`
Both stay up until Ctrl-C. Write to one, read from the other:

  curl -X PUT ${url(0)}/documents/agenda -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '{"views": 1}'
  curl ${url(1)}/documents -H 'authorization: Bearer ${token}'`);
