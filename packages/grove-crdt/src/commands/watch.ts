// `generate --watch`: generates again whenever the config or a schema file changes. Each time in a process of its own, since a
// process loads a module once.
import { spawn } from "node:child_process";
import { existsSync, lstatSync, watch as watchFolder } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { loadConfig } from "./drizzle-config";
import type { GenerateOptions } from "./generate";
import { interruptible } from "./node-command";
import type { Terminal } from "./terminal";

/** Editors write a file in several steps. */
const SETTLED = 150;

/** Until Ctrl+C. Of a schema file's own imports only those in the same folders are seen. */
export async function watch(options: GenerateOptions, cwd: string, terminal: Terminal): Promise<void> {
  const config = await loadConfig(options.config, cwd);
  const generated = resolve(cwd, options.out ?? config.out);
  const isGenerated = (path: string) => `${path}${sep}`.startsWith(`${generated}${sep}`);
  const named = [dirname(config.path), ...config.schema.map((entry) => folderOf(entry, cwd))];
  const folders = [...new Set(named)].filter((folder) => !isGenerated(folder));
  await interruptible(async (signal) => {
    let timer: NodeJS.Timeout | undefined;
    let running: Promise<unknown> = generateOnce(terminal);
    const changed = (path: string) => {
      if (!/\.(?:[mc]?[jt]s|json)$/.test(path) || isGenerated(path)) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        terminal.print(`${terminal.style("dim", "changed")} ${relative(cwd, path)}`);
        running = running.then(() => generateOnce(terminal));
      }, SETTLED);
    };
    const watchers = folders.map((folder) =>
      watchFolder(folder, (_, name) => name !== null && changed(resolve(folder, name))),
    );
    terminal.print(
      `${terminal.style("bold", "watching")} ${folders.map((folder) => relative(cwd, folder) || ".").join(", ")}`,
    );
    await new Promise<void>((ended) => signal.addEventListener("abort", () => ended(), { once: true }));
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
    await running;
  });
}

/** The folder that is to be watched for an entry of `schema`: of a glob, what stands before its first pattern. */
function folderOf(entry: string, cwd: string): string {
  let path = resolve(cwd, entry);
  while (!existsSync(path)) path = dirname(path);
  return lstatSync(path).isDirectory() ? path : dirname(path);
}

/** This command again, without `--watch`. */
function generateOnce(terminal: Terminal): Promise<void> {
  const [, script = "", ...args] = process.argv;
  const argv = [...process.execArgv, script, ...args.filter((arg) => arg !== "--watch")];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("close", (code) => {
      // Ctrl+C ends it too.
      if (code !== 0 && code !== null) terminal.print(terminal.style("red", "not generated: see above; watching on"));
      resolve();
    });
  });
}
