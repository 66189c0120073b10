// A project with drizzle-kit's migrations, and nodes whose databases went through them by drizzle-orm's own migrator.
import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { migrate } from "drizzle-orm/better-sqlite3/migrator";
import { createNode, createSyncer, type GroveNode, httpTransport, type Registry, syncRouter } from "grove-crdt";
import { createJiti } from "jiti";
import { type GenerateOptions, generate } from "../../packages/grove-crdt/src/commands/generate";
import { Project, type Run, repository } from "./project";

const kit = join(repository, "node_modules/drizzle-kit/bin.cjs");
export const terminal = join(repository, "test/fixtures/terminal.cjs");

const dialects = {
  sqlite: { name: "sqlite", url: "./kit.db", imports: `{ integer, sqliteTable, text } from "drizzle-orm/sqlite-core"` },
  postgres: { name: "postgresql", url: "", imports: `{ bigint, jsonb, pgTable, text } from "drizzle-orm/pg-core"` },
};

const config = (dialect: keyof typeof dialects, url = dialects[dialect].url) => `
  import { defineConfig } from "drizzle-kit";
  import { groveCrdt } from "grove-crdt/config";
  export default defineConfig({
    dialect: "${dialects[dialect].name}",
    schema: ["./schema/*.ts", "./generated/${dialect}/shadow.ts"],
    dbCredentials: { url: "${url}" },
    ...groveCrdt(),
  });
`;

export interface Generated {
  readonly isFresh: boolean;
  readonly output: string;
}

export class MigrationProject extends Project {
  #version = 1;

  constructor(
    readonly dialect: keyof typeof dialects = "sqlite",
    url?: string,
  ) {
    super({ "drizzle.config.ts": config(dialect, url) });
  }

  /** Under a new name each time: this process has loaded the file before. */
  schema(text: string): void {
    rmSync(this.path("schema"), { recursive: true, force: true });
    const imports = `import ${dialects[this.dialect].imports};
      import { counter, local, lww, set } from "grove-crdt/schema";`;
    this.write(`schema/version-${this.#version++}.ts`, imports + text);
  }

  /** `grove-crdt generate` in this process. */
  async grove(options: GenerateOptions = {}): Promise<Generated> {
    const output: string[] = [];
    const isFresh = await generate(options, this.folder, {
      print: (text) => void output.push(text),
      style: (_, text) => text,
    });
    return { isFresh, output: output.join("\n") };
  }

  /** drizzle-kit by itself; `answers` as test/fixtures/terminal.cjs takes them. */
  kit(args: readonly string[], answers?: readonly string[]): Promise<Run> {
    const node = answers ? ["--require", terminal, kit, ...args] : [kit, ...args];
    const options = { cwd: this.folder, env: { ...process.env, KIT_ANSWERS: answers?.join(",") ?? "" } };
    return new Promise((resolve) => {
      execFile(process.execPath, node, options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      });
    });
  }

  /** Names of the migrations' files in their order. */
  migrations(): string[] {
    return readdirSync(this.path("drizzle"))
      .filter((name) => name.endsWith(".sql"))
      .sort();
  }

  /** The text of the newest migration. */
  newest(): string {
    return this.read(`drizzle/${this.migrations().at(-1)}`);
  }

  /** The migrations folder with the first `count` migrations only, as an older deployment has it. */
  upTo(count: number): string {
    const folder = this.path(`drizzle-${count}`);
    cpSync(this.path("drizzle"), folder, { recursive: true });
    const journal = join(folder, "meta/_journal.json");
    const { entries, ...rest } = JSON.parse(readFileSync(journal, "utf8"));
    writeFileSync(journal, JSON.stringify({ ...rest, entries: entries.slice(0, count) }));
    return folder;
  }

  async registry(): Promise<Registry> {
    const jiti = createJiti(this.folder, {
      moduleCache: false,
      fsCache: false,
      alias: { "grove-crdt": join(repository, "packages/grove-crdt/src/index.ts") },
    });
    const path = this.path(`generated/${this.dialect}/registry.ts`);
    return ((await jiti.import(path)) as { registry: Registry }).registry;
  }
}

/** A database of the project that is a node once {@link start} has resolved. */
export class MigratedNode {
  readonly db: Database.Database;
  #node: GroveNode | null = null;

  constructor(
    private readonly project: MigrationProject,
    readonly id: string,
    file = ":memory:",
  ) {
    this.db = new Database(file);
  }

  get node(): GroveNode {
    if (!this.#node) throw new Error(`${this.id} is not started`);
    return this.#node;
  }

  /** drizzle-orm's own migrator, with all migrations or the first `count`. */
  migrate(count?: number): void {
    const migrationsFolder = count === undefined ? this.project.path("drizzle") : this.project.upTo(count);
    migrate(drizzle({ client: this.db }), { migrationsFolder });
  }

  /** Opens the node as a process does that starts now: capture is verified, nothing is installed. */
  async start(): Promise<this> {
    this.#node = createNode({
      db: drizzle({ client: this.db }),
      registry: await this.project.registry(),
      nodeId: this.id,
    });
    await this.#node.ready();
    return this;
  }

  /** As {@link start}, with all that mends: capture is installed, rows from before it are adopted. */
  async mend(): Promise<this> {
    this.#node = createNode({
      db: drizzle({ client: this.db }),
      registry: await this.project.registry(),
      nodeId: this.id,
    });
    await mend(this.#node);
    return this;
  }

  sql(text: string): void {
    this.db.exec(text);
  }

  rows(text: string): unknown[] {
    return this.db.prepare(text).all();
  }

  sync(other: MigratedNode): Promise<number> {
    return exchange(this.node, other.node);
  }
}

export async function mend(node: GroveNode): Promise<void> {
  await node.store.install();
  await node.store.adopt();
  await node.ready();
}

/** Exchanges between two nodes until nothing moves. Returns the rows that travelled. */
export async function exchange(from: GroveNode, to: GroveNode): Promise<number> {
  const router = syncRouter(to, { authenticate: () => "peer" });
  const fetch = async (url: string, init: RequestInit) => router.request(new URL(url).pathname.slice(5), init);
  const syncer = createSyncer(from, { peers: [httpTransport("http://other.test/sync", { fetch })] });
  for (let moved = 0, round = 1; round <= 10; round++) {
    const [report] = await syncer.sync();
    if (report?.error) throw report.error;
    const now = (report?.pulled ?? 0) + (report?.pushed ?? 0);
    if (now === 0) return moved;
    moved += now;
  }
  throw new Error("the nodes did not come to rest");
}
