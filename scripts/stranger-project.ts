// The stranger's empty folder: files are written and commands run there, as the page says. `npm install` takes the tarball for
// grove-crdt; the other packages are links to those of the workspace, unless a full install was asked for.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { install } from "./package-checks";

const root = join(import.meta.dirname, "..");
const execute = promisify(execFile);
/** Milliseconds that a program may take to end. */
const PATIENCE = 20_000;

/** What a terminal in that folder has: nothing of the workspace, and no colours. */
const { INIT_CWD: _, NODE_OPTIONS: __, FORCE_COLOR: ___, ...inherited } = process.env;
/** Where a machine keeps Node's headers stays known: a driver may have to be compiled. */
const isKept = (name: string): boolean => name === "npm_config_nodedir" || !name.startsWith("npm_");
const env = Object.fromEntries(Object.entries(inherited).filter(([name]) => isKept(name)));

export class Project {
  readonly #running = new Set<Program>();

  constructor(
    readonly folder: string,
    readonly tarball: string,
    /** Everything from the registry, as a stranger does it. */
    readonly full: boolean,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** Types one line into the terminal and waits for its end. */
  async type(line: string): Promise<string> {
    const [command = "", ...args] = line.split(" ");
    if (command === "npm" && args[0] === "install") return this.#install(args.slice(1));
    return this.run(command, args);
  }

  /** @throws Error with all that the command printed */
  async run(command: string, args: readonly string[], cwd = this.folder): Promise<string> {
    try {
      const { stdout } = await execute(command, args, { cwd, env, maxBuffer: 1 << 26 });
      return stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`\`${[command, ...args].join(" ")}\` failed\n${stdout ?? ""}${stderr ?? error}`);
    }
  }

  async #install(args: readonly string[]): Promise<string> {
    const names = args.filter((arg) => !arg.startsWith("-"));
    if (this.full)
      return this.run("npm", ["install", ...args.map((arg) => (arg === "grove-crdt" ? this.tarball : arg))]);
    const versions = Object.fromEntries(names.map((name) => [name, "*"]));
    this.set({ dependencies: { ...this.#manifest().dependencies, ...versions } });
    const others = names.filter((name) => name !== "grove-crdt");
    if (names.includes("grove-crdt")) install(this.tarball, this.folder, others);
    else for (const name of others) this.#link(name);
    for (const name of names) this.#linkCommands(name);
    return "";
  }

  #manifest(): Record<string, unknown> & { dependencies?: Record<string, string> } {
    const file = join(this.folder, "package.json");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  }

  /** Changes package.json. */
  set(part: object): void {
    this.write("package.json", JSON.stringify({ ...this.#manifest(), ...part }, null, 2));
  }

  #link(name: string): void {
    const to = join(this.folder, "node_modules", name);
    mkdirSync(dirname(to), { recursive: true });
    if (!existsSync(to)) symlinkSync(join(root, "node_modules", name), to, "dir");
  }

  /** The commands of a package, as npm links them. */
  #linkCommands(name: string): void {
    const folder = join(this.folder, "node_modules", name);
    const { bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const commands: Record<string, string> = typeof bin === "string" ? { [name]: bin } : bin;
    const bins = join(this.folder, "node_modules/.bin");
    mkdirSync(bins, { recursive: true });
    for (const [command, path] of Object.entries(commands)) {
      const to = join(bins, command);
      if (!existsSync(to)) symlinkSync(relative(bins, join(folder, path)), to);
    }
  }

  /** Types one line into a terminal of its own, where it stays up. */
  start(line: string): Program {
    const program = new Program(line, this.folder);
    this.#running.add(program);
    return program;
  }

  async stopAll(): Promise<void> {
    for (const program of this.#running) await program.stop();
  }
}

/** A program that stays up in a terminal. */
export class Program {
  output = "";
  readonly #child: ChildProcess;

  constructor(
    readonly line: string,
    cwd: string,
  ) {
    const [command = "", ...args] = line.split(" ");
    // In a group of its own, so that Ctrl+C reaches what npx starts, as in a terminal.
    this.#child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        this.output += text;
      });
    }
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ctrl+C. @throws Error when the program stays up nevertheless; then it is killed */
  async stop(): Promise<void> {
    if (this.ended) return;
    const exit = once(this.#child, "exit").then(() => true);
    const group = -(this.#child.pid as number);
    process.kill(group, "SIGINT");
    const giveUp = new AbortController();
    const late = sleep(PATIENCE, false, { signal: giveUp.signal }).catch(() => false);
    const ended = await Promise.race([exit, late]);
    giveUp.abort();
    if (ended) return;
    process.kill(group, "SIGKILL");
    await exit;
    throw new Error(`\`${this.line}\` does not end by Ctrl+C`);
  }
}
