// Plays a topology: starts its nodes as processes, tells the story, compares the databases. The process exits 0 only if all
// databases are equal in the end and say what was written.
import { join } from "node:path";
import Database from "better-sqlite3";
import postgres from "postgres";
import { Ledger, type Shop } from "./ledger";
import type { lineActs, Traffic } from "./line";
import { findPorts } from "./ports";
import { startPostgres } from "./postgres";
import { type NodeProcess, startNode } from "./processes";
import { openProgram } from "./program";
import { type Stage, tell } from "./story";
import { settle } from "./verdict";

export interface NodePlan {
  /** Beside the example's main.ts. */
  readonly program: string;
  readonly database: "postgres" | "sqlite";
  /** It has endpoints of its own, at PORT. */
  readonly serves?: boolean;
  /** Names of the nodes that it connects to: their addresses are in PEERS, and each in NAME_URL. */
  readonly peers?: readonly string[];
}

export interface Topology {
  readonly name: string;
  readonly title: string;
  /** By name, which is its NODE_ID too. */
  readonly nodes: Readonly<Record<string, NodePlan>>;
  /** Those whom the story parts from the others for a while. */
  readonly apart: readonly string[];
}

export async function play(main: string, { name, title, nodes: plans, apart }: Topology): Promise<void> {
  const program = openProgram(name);
  const entries = Object.entries(plans);

  const onPostgres = entries.filter(([, { database }]) => database === "postgres").map(([node]) => node);
  const databases = await startPostgres(onPostgres);
  program.started(databases.stop);
  const places = new Map(
    entries.map(([node]) => {
      const url = databases.urls[onPostgres.indexOf(node)];
      return [node, url ?? join(program.folder, `${node}.db`)];
    }),
  );
  const serving = entries.filter(([, { serves }]) => serves).map(([node]) => node);
  const ports = new Map((await findPorts(serving.length)).map((port, n) => [serving[n] as string, String(port)]));
  const url = (node: string) => `http://127.0.0.1:${ports.get(node)}/sync`;

  const processes = await Promise.all(
    entries.map(([node, { program: file, peers = [] }]) =>
      startNode<ActorActs>(node, new URL(file, main), {
        NODE_ID: node,
        DATABASE_URL: places.get(node) as string,
        PORT: ports.get(node) ?? "",
        PEERS: peers.map(url).join(" "),
        ...Object.fromEntries(peers.map((peer) => [`${peer.toUpperCase().replaceAll("-", "_")}_URL`, url(peer)])),
        SYNC_TOKEN: program.token,
      }),
    ),
  );
  program.started(() => Promise.all(processes.map(({ stop }) => stop())));
  program.say(`${title}: ${entries.length} processes are up`);

  const nodes = entries.map(([name, { peers = [] }], n) => {
    const { acts } = processes[n] as NodeProcess<ActorActs>;
    return { name, shop: acts, line: acts, peers };
  });
  /** Calls a node for each line between those apart and the others. */
  const onLines = async (act: "cut" | "mend") => {
    for (const { name, line, peers } of nodes)
      for (const peer of peers) if (apart.includes(name) !== apart.includes(peer)) await line[act](url(peer));
  };
  const stage: Stage = {
    nodes,
    apart: nodes.filter((node) => apart.includes(node.name)),
    cut: () => onLines("cut"),
    mend: () => onLines("mend"),
    traffic: async () => {
      const all = await Promise.all(nodes.filter(({ peers }) => peers.length > 0).map(({ line }) => line.traffic()));
      const sum = (count: keyof Traffic) => all.reduce((total, traffic) => total + traffic[count], 0);
      return { messages: sum("messages"), superfluous: sum("superfluous") };
    },
  };
  const ledger = new Ledger();
  for await (const act of tell(stage, ledger)) program.say(act);

  // For test/topologies.test.ts: SQL that plants a difference in the last node's database, to see that it is found.
  const planted = process.env.GROVE_EXAMPLE_PLANT;
  if (planted) await runSql(places.get(nodes.at(-1)?.name as string) as string, planted);

  const problems = await settle(nodes, ledger, planted ? 1_000 : undefined);
  const { messages, superfluous } = await stage.traffic();
  const { orders, inventory } = ledger.list();
  const stock = inventory.map(({ sku, quantity }) => `${quantity} ${sku}`).join(", ");
  console.log(
    problems.length === 0
      ? `
All ${nodes.length} databases are equal: ${orders.length} orders, ${stock}, as written.
${ledger.writes} row writes became ${messages} row messages; ${superfluous} of them told their receiver nothing new.`
      : ["\nThe databases are not what they should be:", ...problems].join("\n  "),
  );
  program.told();
  if (program.once || problems.length > 0) return program.end(problems.length === 0 ? 0 : 1);
  console.log(`
The nodes stay up until Ctrl-C. Write to one with plain SQL, look at the others a moment later:

${[...places.values()].map((place) => `  ${place.includes("://") ? "psql" : "sqlite3"} ${place}`).join("\n")}
  UPDATE inventory SET quantity = quantity - 1 WHERE sku = 'tea';

${serving.map((node) => `${node} serves at ${url(node)}`).join("\n")}`);
}

type ActorActs = Shop & typeof lineActs;

async function runSql(place: string, text: string): Promise<void> {
  if (!place.includes("://")) return void new Database(place).exec(text).close();
  const sql = postgres(place, { max: 1, onnotice: () => {} });
  await sql.unsafe(text);
  await sql.end();
}
