// A Postgres database of a project with drizzle-kit's migrations, brought to them by drizzle-orm's own migrator.
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import { createNode, type GroveNode } from "grove-crdt";
import postgres, { type Sql } from "postgres";
import { inject } from "vitest";
import { exchange, type MigrationProject, mend } from "./migrations";

let count = 0;

/** The address of a new, empty database. */
export async function newDatabase(): Promise<string> {
  const { url, error, prefix } = inject("postgres");
  if (url === null) throw new Error(`the tests' Postgres could not be started: ${error}`);
  const name = `${prefix}migrations_${process.pid}_${++count}`;
  const sql = postgres(url, { max: 1 });
  await sql.unsafe(`CREATE DATABASE "${name}" TEMPLATE template0 ENCODING 'UTF8' STRATEGY file_copy`);
  await sql.end();
  const target = new URL(url);
  target.pathname = `/${name}`;
  return target.href;
}

export async function dropDatabase(address: string): Promise<void> {
  const { url } = inject("postgres");
  const sql = postgres(url as string, { max: 1, onnotice: () => {} });
  await sql.unsafe(`DROP DATABASE IF EXISTS "${new URL(address).pathname.slice(1)}" WITH (FORCE)`);
  await sql.end();
}

export class MigratedPostgres {
  readonly #application: Sql;
  #pool: Sql;
  #node: GroveNode | null = null;

  constructor(
    private readonly project: MigrationProject,
    readonly id: string,
    readonly url: string,
  ) {
    this.#application = postgres(url, { max: 1, onnotice: () => {} });
    this.#pool = this.#connect();
  }

  #connect(): Sql {
    return postgres(this.url, { max: 3, onnotice: () => {} });
  }

  get node(): GroveNode {
    if (!this.#node) throw new Error(`${this.id} is not started`);
    return this.#node;
  }

  async migrate(): Promise<void> {
    await migrate(drizzle({ client: this.#application }), { migrationsFolder: this.project.path("drizzle") });
  }

  async #create(): Promise<GroveNode> {
    // A process that starts now has prepared nothing.
    await this.#pool.end();
    this.#pool = this.#connect();
    return createNode({
      db: drizzle({ client: this.#pool }),
      registry: await this.project.registry(),
      nodeId: this.id,
    });
  }

  /** Opens the node as a process does that starts now: capture is verified, nothing is installed. */
  async start(): Promise<this> {
    this.#node = await this.#create();
    await this.#node.ready();
    return this;
  }

  async mend(): Promise<this> {
    this.#node = await this.#create();
    await mend(this.#node);
    return this;
  }

  async sql(text: string): Promise<void> {
    await this.#application.unsafe(text);
  }

  async rows(text: string): Promise<unknown[]> {
    return [...(await this.#application.unsafe(text))];
  }

  sync(other: { readonly node: GroveNode }): Promise<number> {
    return exchange(this.node, other.node);
  }

  async close(): Promise<void> {
    await this.#application.end();
    await this.#pool.end();
    await dropDatabase(this.url);
  }
}
