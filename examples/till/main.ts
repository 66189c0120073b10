// npm run example till: a hub and two tills with a page each. One till goes offline by its switch, then both do because the hub's
// process is killed. Exits 0 only if stock and sales are the same in all three databases, and what was sold.
import { join } from "node:path";
import { findPorts } from "../ports";
import { startNode } from "../processes";
import { openProgram } from "../program";
import { Client } from "./client";
import { tell } from "./story";
import { readDatabase, settle } from "./verdict";

const program = openProgram(
  "till",
  "Each till is a page at 127.0.0.1, each database a SQLite file in a temporary folder.",
);
const { say } = program;
const names = ["till-1", "till-2"] as const;
const [hubPort, ...ports] = await findPorts(3);
const file = (name: string) => join(program.folder, `${name}.db`);
const files = new Map(["hub", ...names].map((name) => [name, file(name)]));

const start = (name: string, port: number | undefined) =>
  startNode(name, new URL(name === "hub" ? "hub.ts" : "till.ts", import.meta.url), {
    NODE_ID: name,
    DATABASE_URL: file(name),
    PORT: String(port),
    HUB_URL: `http://127.0.0.1:${hubPort}/sync`,
    SYNC_TOKEN: program.token,
  });
let hub: Awaited<ReturnType<typeof start>> | null = await start("hub", hubPort);
program.started(async () => hub?.stop());
const tills = await Promise.all(names.map((name, n) => start(name, ports[n])));
program.started(() => Promise.all(tills.map(({ stop }) => stop())));
const clients = names.map((name, n) => new Client(name, `http://127.0.0.1:${ports[n]}`)) as [Client, Client];
say(`a hub and two tills: ${clients.map(({ name, url }) => `${name} at ${url}`).join(", ")}`);

/** The hub's process dies as in a power cut, and is started again on the same file. */
const power = {
  cut: async () => {
    await hub?.kill();
    hub = null;
  },
  restore: async () => {
    hub ??= await start("hub", hubPort);
  },
};
for await (const act of tell(clients, power)) say(act);

// For examples/topologies.test.ts: a till's row is changed behind its back, to see that it is found.
const planted = process.env.GROVE_EXAMPLE_PLANT;
const problems = await settle(files, clients, planted);
const { products, sales } = readDatabase(file("hub"));
console.log(
  problems.length === 0
    ? `\nAll three databases are equal: ${sales.length} sales, ${products.map(({ id, stock }) => `${stock} ${id}`).join(", ")}, as sold.`
    : ["\nThe databases are not what they should be:", ...problems].join("\n  "),
);
program.told();
if (program.once || problems.length > 0) await program.end(problems.length === 0 ? 0 : 1);

console.log(`
${clients.map(({ name, url }) => `${name}: ${url}`).join("\n")}
databases: ${[...files.values()].join(" ")}

All stay up until Ctrl-C. On a page, L cuts the till's link and mends it. Here, h and Enter kill the hub's process, or start it again.`);
process.stdin.on("data", async (typed) => {
  if (typed.toString().trim() !== "h") return;
  const cut = hub !== null;
  await (cut ? power.cut() : power.restore());
  say(cut ? "the hub's process is killed" : "the hub is up again");
});
