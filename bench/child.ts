// Processes of the benchmarks: bundled first, so that what is measured is a program and not what translates its TypeScript.
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Some of what is bundled is CommonJS and calls `require`. */
const banner = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;

/** Bundles a file of bench/processes, and forgets it after `use`. */
export async function bundled<T>(name: string, use: (file: string) => Promise<T>): Promise<T> {
  // Inside the workspace, so that drivers are found; git leaves the folder out.
  mkdirSync(join(root, "tmp"), { recursive: true });
  const folder = mkdtempSync(join(root, "tmp/bench-"));
  const outfile = join(folder, `${name}.mjs`);
  try {
    await build({
      entryPoints: [join(root, `bench/processes/${name}.ts`)],
      outfile,
      bundle: true,
      minify: true,
      platform: "node",
      format: "esm",
      target: "node20",
      external: ["better-sqlite3", "postgres"],
      banner: { js: banner },
      tsconfig: join(root, "tsconfig.json"),
    });
    return await use(outfile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export class Child<Message extends object> {
  readonly #process: ChildProcess;
  readonly #messages: Message[] = [];
  #wake: () => void = () => {};
  #code: number | null = null;

  constructor(file: string, task: object) {
    this.#process = fork(file, [JSON.stringify(task)], { execArgv: [] });
    this.#process.on("message", (message) => {
      this.#messages.push(message as Message);
      this.#wake();
    });
    this.#process.on("exit", (code) => {
      this.#code = code ?? 1;
      this.#wake();
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  send(word: string): void {
    this.#process.send(word);
  }

  /** The next thing that it tells. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) return message;
      if (this.#code !== null) throw new Error(`A process of the benchmark ended with ${this.#code}.`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    if (this.#code !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill();
    await ended;
  }
}
