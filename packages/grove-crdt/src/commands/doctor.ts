// `grove-crdt doctor`: looks at everything that a node stands on, and gives each finding with its cure. Writes nothing.
import { resolve } from "node:path";
import { isGroveError } from "@grove-crdt/core";
import type { Diagnostic } from "@grove-crdt/drizzle";
import type { GroveNode } from "@grove-crdt/sync";
import type { Command } from "commander";
import type { OpenDatabase } from "./database";
import { checkColumns } from "./doctor/columns";
import type { Finding, Level } from "./doctor/finding";
import { checkMigrations } from "./doctor/migrations";
import { checkPeer } from "./doctor/peers";
import { checkVersions } from "./doctor/versions";
import { type DrizzleConfig, loadConfig } from "./drizzle-config";
import { generate } from "./generate";
import { counted, span } from "./lines";
import { type NodeCommandOptions, nodeCommand, withNode } from "./node-command";
import { type Headers, readUrl, transportOf, withHeaders } from "./peer-option";
import { type Terminal, terminalFor } from "./terminal";

export interface DoctorOptions extends NodeCommandOptions {
  /** Addresses whose clocks are compared with this one. */
  readonly peer?: readonly string[];
  readonly header?: Headers;
}

const ENDS = {
  0: "no error; there may be warnings and notes",
  1: "something is wrong, each with its cure; or the config could not be read",
};

export const doctorCommand = (): Command =>
  withHeaders(nodeCommand("doctor", ENDS))
    .description(
      "Look at all that a node stands on: versions, schema, generated files, migrations, the database and what the role may do in it, installed capture, clocks, what is parked and rejected. Each finding comes with its cure. Writes nothing.",
    )
    .option("--peer <url>", "compare clocks and tables with the peer at this address; may be repeated", another)
    .action(async (options: DoctorOptions) => {
      const isWell = await doctor(options, process.cwd(), terminalFor(process.stdout));
      if (!isWell) process.exitCode = 1;
    });

const another = (url: string, known: readonly string[] = []): string[] => [...known, readUrl(url)];

/**
 * @param cwd what relative paths count from
 * @returns false when there is an error among the findings
 * @throws GroveError `schema_load_failed` where the config itself cannot be read
 */
export async function doctor(options: DoctorOptions, cwd: string, terminal: Terminal): Promise<boolean> {
  const config = await loadConfig(options.config, cwd);
  const findings: Finding[] = [...checkVersions(config.path, config.dialect)];
  try {
    await withNode(options, cwd, async (node, opened) => {
      findings.push({
        check: "schema",
        level: "ok",
        what: `${counted(opened.registry.tables.length, "table")} can be synced`,
      });
      findings.push(...checkColumns(opened.registry.tables), await checkGenerated(options, cwd));
      findings.push(...(await checkDatabase(node, opened, config, cwd)));
      const id = await identityOf(node);
      for (const url of options.peer ?? [])
        findings.push(...(await checkPeer({ id, tables: node.tables }, transportOf(url, options))));
    });
  } catch (error) {
    findings.push(...asFindings(error));
  }
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const [errors, warnings] = [count("error"), count("warning")];
  if (options.json) terminal.print(JSON.stringify({ errors, warnings, findings }, null, 2));
  else print(terminal, findings, errors, warnings);
  return errors === 0;
}

/** What keeps the node from being looked at further. */
function asFindings(error: unknown): Finding[] {
  if (!isGroveError(error)) throw error;
  const { code, message, details } = error;
  if (code === "schema_invalid" && Array.isArray(details)) {
    return (details as Diagnostic[]).map(({ table, column, problem, cure }): Finding => {
      const place = [table, column].filter((name) => name !== undefined && name !== "").join(".");
      return { check: "schema", level: "error", what: `${place === "" ? "schema" : place}: ${problem}`, cure };
    });
  }
  return [{ check: "database", level: "error", what: `${code}: ${message}`, cure: "The message says what to do." }];
}

async function checkGenerated({ config }: DoctorOptions, cwd: string): Promise<Finding> {
  const silent: Terminal = { print: () => {}, style: (_, text) => text };
  const isFresh = await generate({ config, check: true, kit: false }, cwd, silent);
  return isFresh
    ? { check: "generated", level: "ok", what: "the generated files are those of the schema" }
    : {
        check: "generated",
        level: "error",
        what: "the generated files are not those of the schema",
        cure: "Run `npx grove-crdt generate`.",
      };
}

async function checkDatabase(
  node: GroveNode,
  { registry }: OpenDatabase,
  config: DrizzleConfig,
  cwd: string,
): Promise<Finding[]> {
  const examined = await node.store.examine();
  const { product, problems } = examined;
  const findings: Finding[] = problems.map((problem) => ({ check: "database", level: "error", ...problem }));
  if (findings.length === 0)
    findings.push({ check: "database", level: "ok", what: `${product}, and the role may do what a node does` });
  findings.push(...checkMigrations(resolve(cwd, config.migrations), registry, examined));
  const offset = Math.round(Math.abs(examined.now / 1000 - Date.now()));
  if (offset > 60_000)
    findings.push({
      check: "clock",
      level: "error",
      what: `the database's clock and this machine's are ${span(offset)} apart`,
      cure: "Set the wrong one right (NTP).",
    });
  findings.push(...(await checkCaptured(node, registry.capture.hash)));
  return findings;
}

async function checkCaptured(node: GroveNode, hash: string): Promise<Finding[]> {
  const short = hash.slice(0, 12);
  let problem: Awaited<ReturnType<GroveNode["store"]["verify"]>>;
  try {
    problem = await node.store.verify();
  } catch (error) {
    return asFindings(error);
  }
  if (problem?.code === "capture_missing" || problem?.code === "capture_stale") {
    const names =
      problem.names.length > 3
        ? `${problem.names.slice(0, 3).join(", ")} and ${problem.names.length - 3} more`
        : problem.names.join(", ");
    const how = problem.code === "capture_missing" ? "is missing" : "is another one";
    return [
      {
        check: "capture",
        level: "error",
        what: `the capture of the schema (${short}) ${how} in the database: ${names}`,
        cure: "Run your migrations, or call node.ensureShadowTables().",
      },
    ];
  }
  const findings: Finding[] = [
    { check: "capture", level: "ok", what: `the database captures as the schema says (${short})` },
  ];
  if (problem)
    findings.push({
      check: "capture",
      level: "error",
      what: `rows from before capture were never looked at: ${problem.names.join(", ")}`,
      cure: "Run `npx grove-crdt adopt`.",
    });
  return [...findings, ...(await checkState(node))];
}

async function checkState(node: GroveNode): Promise<Finding[]> {
  const { id, parked, rejected, clockAhead, peers, collection } = await node.status();
  const findings: Finding[] = [];
  const warn = (what: string, cure: string) => findings.push({ check: "state", level: "warning", what, cure });
  if (id === null) warn("the database has no node id: it has never synced", "Start the program that syncs it once.");
  if (parked > 0) warn(`${counted(parked, "row")} cannot be shown`, "`npx grove-crdt parked` says which and why.");
  if (rejected.sent + rejected.received > 0)
    warn(
      `${counted(rejected.sent + rejected.received, "change was", "changes were")} rejected`,
      "`npx grove-crdt parked` says which and why.",
    );
  if (clockAhead > 60_000)
    findings.push({
      check: "clock",
      level: "error",
      what: `stamps lie ${span(clockAhead)} ahead of this machine's clock`,
      cure: "Set the clock right; what was written ahead is then restamped by itself.",
    });
  for (const { peer, lastError } of peers)
    if (lastError !== null)
      warn(`the last exchange with ${peer} failed: ${lastError}`, "The message says what to do; it is tried again.");
  for (const { state, by, awaited } of collection.rounds)
    if (state === "open" && awaited.length > 0)
      warn(
        `a collection begun by ${by} is held by ${awaited.map(({ node }) => node).join(", ")}`,
        "`npx grove-crdt gc --status` says why; `gc --cancel` gives it up.",
      );
  return findings;
}

async function identityOf(node: GroveNode): Promise<string | null> {
  try {
    return await node.store.identity();
  } catch {
    // Without our tables there is none.
    return null;
  }
}

const STYLES = { ok: "green", note: "dim", warning: "yellow", error: "red" } as const;

function print({ print: line, style }: Terminal, findings: readonly Finding[], errors: number, warnings: number): void {
  for (const { check, level, what, cure } of findings) {
    line(`${style(STYLES[level], level.padEnd(7))} ${style("dim", check.padEnd(11))} ${what}`);
    if (cure !== undefined) line(`${" ".repeat(20)}${style("dim", "→")} ${cure}`);
  }
  const verdict =
    errors > 0
      ? style("red", "not well")
      : warnings > 0
        ? style("yellow", "well, with warnings")
        : style("green", "well");
  line(`${verdict}: ${counted(errors, "error")}, ${counted(warnings, "warning")}`);
}
