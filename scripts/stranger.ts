// `npm run stranger`: packs what users install and follows docs/getting-started.md word for word in an empty folder outside
// the workspace, for SQLite and for Postgres, until two nodes say the same; then uses it from other kinds of projects.

import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { findPorts } from "../examples/ports";
import { startPostgres } from "../examples/postgres";
import { pack } from "./package-checks";
import { checkConsumers } from "./stranger-consumers";
import { effortOf, readPage, type Way } from "./stranger-page";
import { type Program, Project } from "./stranger-project";

const USAGE = `Usage: npm run stranger [-- options]

  --install        install everything from the registry, as a stranger does (default: links to the workspace's packages)
  --only DIALECT   sqlite or postgres
  --tarball FILE   the packed package (default: it is built and packed)
  --keep           leave the folders, and say where they are
  --help           show this`;

/** What the page promises to ask for at most. */
const COMMANDS = 6;
const LINES = 40;
/** Seconds that two nodes may take to say the same. */
const PATIENCE = 30;

const { values: flags } = parseArgs({
  options: {
    install: { type: "boolean", default: false },
    only: { type: "string" },
    tarball: { type: "string" },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** Follows the page. Its address and its databases are the stranger's own. */
async function follow(way: Way, project: Project, port: number, urls: ReadonlyMap<string, string>): Promise<string> {
  const begun = Date.now();
  const here = (text: string) => [...urls].reduce((said, [from, to]) => said.replaceAll(from, to), text);
  const ends: Program[] = [];
  for (const step of way.steps) {
    if ("file" in step)
      project.write(step.file, step.text.replace("port: 3000", `port: ${port}`).replace(":3000/", `:${port}/`));
    else {
      for (const line of step.commands) {
        if (line.startsWith("npx tsx ")) ends.push(project.start(here(line)));
        else await project.type(line);
      }
    }
  }
  const [hub, edge] = ends;
  if (hub === undefined || edge === undefined) throw new Error("the page does not start two programs");
  await agree([hub, edge], 2);
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  await hub.stop();
  await edge.stop();
  const alone = project.start(edge.line);
  await agree([alone], 3);
  await agree([project.start(hub.line), alone], 4);
  await project.stopAll();
  const { commands, lines } = effortOf(way);
  const effort = `${commands} commands and ${lines} lines`;
  if (commands > COMMANDS || lines > LINES) throw new Error(`${effort}: at most ${COMMANDS} and ${LINES} are promised`);
  return `${effort}, two nodes agree after ${seconds} s; offline and back they agree again`;
}

/** The row that a program printed last. */
const lastRow = ({ output }: Program) => output.match(/\{ id: 'welcome'.*\}/g)?.at(-1);

/** Waits until all of them print the same row with so many views. */
async function agree(programs: readonly Program[], views: number): Promise<void> {
  const wanted = `{ id: 'welcome', title: 'Welcome', views: ${views} }`;
  for (let look = 0; look < PATIENCE * 10; look++) {
    if (programs.every((program) => lastRow(program) === wanted)) return;
    if (programs.some((program) => program.ended)) break;
    await sleep(100);
  }
  const said = programs.map(({ line, output }) => `$ ${line}\n${output.slice(-2000) || "(nothing)"}`);
  throw new Error(`not all say ${wanted}:\n${said.join("\n")}`);
}

if (flags.help) {
  console.log(USAGE);
  process.exit();
}
const temporary = realpathSync(mkdtempSync(join(tmpdir(), "grove-crdt-stranger-")));

/** One database after the other would be two ends waiting for each other's seconds: they run side by side. */
async function live(way: Way, tarball: string): Promise<void> {
  const { dialect } = way;
  const project = new Project(join(temporary, dialect), tarball, flags.install);
  const databases = ["hub", "edge"];
  const postgres = dialect === "postgres" ? await startPostgres(databases) : undefined;
  try {
    const [port = 0] = await findPorts(1);
    const urls = databases.map((name, at) => [`postgres://localhost:5432/${name}`, postgres?.urls[at] ?? ""] as const);
    console.log(`✓ ${dialect}: ${await follow(way, project, port, new Map(urls))}`);
    for await (const line of checkConsumers(project, dialect)) console.log(`✓ ${dialect}: ${line}`);
  } finally {
    await project.stopAll();
    await postgres?.stop();
  }
}

const page = readFileSync(join(import.meta.dirname, "../docs/getting-started.md"), "utf8");
try {
  const tarball = realpathSync(flags.tarball ?? pack(join(temporary, "packed")));
  const ways = readPage(page).filter(({ dialect }) => (flags.only ?? dialect) === dialect);
  const ends = await Promise.allSettled(ways.map((way) => live(way, tarball)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
} catch (error) {
  console.error(`stranger: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  if (flags.keep) console.log(temporary);
  else rmSync(temporary, { recursive: true, force: true });
}
