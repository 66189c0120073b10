// npm run example audit: a hub keeps a trail of every change, by triggers and hooks, and is killed between the two. Exits 0 only if the
// trail has all that it promises: played back, it gives the table.
import { join } from "node:path";
import { createSyncer, httpTransport } from "grove-crdt";
import { findPorts } from "../ports";
import { startNode } from "../processes";
import { openProgram } from "../program";
import { openDatabase } from "./database";
import type { HubActs } from "./hub";
import { openOffice } from "./office";
import { type Hub, tell } from "./story";

const program = openProgram("audit", "Two SQLite files in a temporary folder; nothing else is needed.");
const [port] = await findPorts(1);
const start = () =>
  startNode<HubActs>("hub", new URL("hub.ts", import.meta.url), {
    DATABASE_URL: join(program.folder, "hub.db"),
    PORT: String(port),
    SYNC_TOKEN: program.token,
  });
let running = await start();
let gone: Promise<void> | undefined;
program.started(() => running.stop());
const hub: Hub = {
  get acts() {
    return running.acts;
  },
  dieAt: (when) => {
    gone = running.death();
    return running.acts.dieAt(when);
  },
  restart: async () => {
    await gone;
    running = await start();
  },
};

const { client, db, node } = await openDatabase(join(program.folder, "branch.db"), "branch");
program.started(async () => client.close());
const headers = () => ({ authorization: `Bearer ${program.token}` });
const syncer = createSyncer(node, { peers: [httpTransport(`http://127.0.0.1:${port}/sync`, { headers })] });
const branch = {
  ...openOffice(db),
  sync: async () => (await syncer.sync())[0]?.error?.code ?? null,
  push: () => syncer.flush(),
  takeBack: async () => {
    for (const { id } of await node.rejected()) await node.revert(id);
  },
};
program.say("a hub with a trail, and a branch that syncs with it");

const problems: string[] = [];
for await (const act of tell(hub, branch, problems, process.env.GROVE_EXAMPLE_PLANT)) program.say(act);
program.told();
if (problems.length > 0) console.error(["The trail is not what it should be:", ...problems].join("\n  "));
else console.log("\nThe trail has every change of the table, and every change that was brought.");
if (problems.length > 0 || program.once) await program.end(problems.length > 0 ? 1 : 0);
console.log(`
The hub stays up until Ctrl-C. Change an article with plain SQL, and read the trail:

  sqlite3 ${join(program.folder, "hub.db")} "UPDATE articles SET price = 1; SELECT * FROM trail ORDER BY id DESC LIMIT 1"`);
