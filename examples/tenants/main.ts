// npm run example tenants: two tenants share a hub, and neither sees anything of the other. Exits 0 only if that holds.
import { openProgram } from "../program";
import { openCluster } from "./cluster";
import { tell } from "./story";

const program = openProgram("tenants");
// For examples/topologies.test.ts: without its hook, to see that it is found.
const cluster = await openCluster(program.folder, program.token, process.env.GROVE_EXAMPLE_PLANT !== "no isolation");
program.started(cluster.stop);
program.say(`a hub and the nodes of two tenants, each a SQLite file in ${program.folder}`);
const problems: string[] = [];
for await (const act of tell(cluster, problems)) program.say(act);
program.told();
if (problems.length > 0) console.error(["The tenants are not apart:", ...problems].join("\n  "));
else console.log("\nThe tenants are apart.");
if (problems.length > 0 || program.once) await program.end(problems.length > 0 ? 1 : 0);
