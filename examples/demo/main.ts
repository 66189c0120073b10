// npm run demo: three processes, three SQLite files, everybody writes, one goes offline. Exits 0 only if the three
// databases are equal in the end and every counter says what was acknowledged.
import { parseArgs } from "node:util";
import { Client, Ledger } from "./client";
import { startNode } from "./processes";
import { tell } from "./story";
import { renderTable } from "./table";
import { findProblems, settle } from "./verdict";

const USAGE = `Usage: npm run demo [-- --keep]

  --keep  leave the nodes running afterwards, until Ctrl-C
  --help  show this`;

function readFlags() {
  try {
    return parseArgs({ options: { keep: { type: "boolean" }, help: { type: "boolean" } } }).values;
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

console.log("A hub and two edges: three processes, three SQLite files.\n");
const started = performance.now();
const say = (text: string) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`);

const hub = await startNode("hub");
const edges = await Promise.all([startNode("edge-a", hub), startNode("edge-b", hub)]);
const nodes = [hub, ...edges];
say(nodes.map(({ name, url }) => `${name} at ${url}`).join(", "));

const ledger = new Ledger();
const clients = nodes.map((node) => new Client(node, ledger)) as [Client, Client, Client];
for await (const act of tell(...clients, ledger)) say(act);

// For test/demo.test.ts: SQL that plants a difference, to see that it is found.
const planted = process.env.GROVE_DEMO_PLANT;
if (planted) clients[2].sql(planted);

const databases = await settle(clients, ledger);
const problems = findProblems(databases, ledger);
const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);
const counts = databases.map(
  ({ name, rows }) => `${name} counts ${sum([...rows.values()].map((row) => row.viewCount))}`,
);
const equal = problems.length === 0;

console.log(`
${renderTable(databases)}

${ledger.writes} writes acknowledged. Views: ${sum(ledger.living.values())} sent to living documents; ${counts.join(", ")}.
${equal ? "The three databases are equal." : ["The three databases are not what they should be:", ...problems].join("\n  ")}`);
process.exitCode = equal ? 0 : 1;

if (flags.keep) {
  console.log(`
The nodes keep running until Ctrl-C. Write to one, read from another:

  curl -X PUT ${edges[0]?.url}/documents/agenda -H 'content-type: application/json' -d '{"views": 1}'
  curl ${edges[1]?.url}/documents`);
} else process.exit();
