// Schemas in the shape of real products, on both dialects: they go through `generate`, drizzle-kit and the migrator, rows from
// before are adopted, and nodes that write at once end equal, whatever the constraints make of it.
import { readFileSync } from "node:fs";
import { createRandom } from "@grove-crdt/testkit";
import { sql } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import { createSyncer, type GroveNode, type Registry } from "grove-crdt";
import { createJiti } from "jiti";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readSchema } from "../packages/drizzle/src/index";
import { openDatabase } from "../packages/grove-crdt/src/commands/database";
import { openPostgres, openSqlite, type ProductNode } from "./products/node";
import { readProduct } from "./products/product";
import { type Product, products } from "./products/products";
import { head, queries } from "./products/queries";
import { Use } from "./products/use";
import { complaintsOf } from "./support/compiler";
import { exchange, MigrationProject } from "./support/migrations";
import { repository } from "./support/project";

const kitDialects = { sqlite: "sqlite", postgres: "postgresql" };
/** Before grove-crdt, and with it. */
function configText(
  { name, casing, tables, history = {} }: Product,
  dialect: "sqlite" | "postgres",
  withGrove: boolean,
): string {
  const files = [`../../test/products/${name}/${dialect}/*.ts`, withGrove ? `./generated/${dialect}/shadow.ts` : []];
  const edge = dialect === "postgres" ? `edge: { schema: "./generated/sqlite/schema.ts" },` : "";
  return `
    import { groveCrdt } from "grove-crdt/config";
    export default {
      dialect: "${kitDialects[dialect]}", schema: ${JSON.stringify(files.flat())}, ${casing ? `casing: "${casing}",` : ""}
      ${withGrove ? `...groveCrdt({ unmarked: "lww", tables: ${JSON.stringify(tables)}, history: ${JSON.stringify(history)}, ${edge} }),` : ""}
    };
  `;
}

const load = async (project: MigrationProject, path: string): Promise<Record<string, unknown>> =>
  createJiti(project.path("x.ts"), {
    alias: {
      "grove-crdt/schema": `${repository}/packages/grove-crdt/src/schema.ts`,
      "grove-crdt": `${repository}/packages/grove-crdt/src/index.ts`,
    },
  }).import(project.path(path));
const registryOf = async (project: MigrationProject, dialect: string): Promise<Registry> =>
  (await load(project, `generated/${dialect}/registry.ts`)).registry as Registry;

/** The migration from before grove-crdt; then, once `between` has written, the one with it. */
async function generateAround(
  product: Product,
  project: MigrationProject,
  between: () => Promise<void>,
): Promise<void> {
  project.write("drizzle.config.ts", configText(product, project.dialect, false));
  const { code, stderr, stdout } = await project.kit(["generate"]);
  expect([code, stderr, stdout]).toEqual([0, expect.anything(), expect.stringContaining("Your SQL migration file")]);
  await between();
  project.write("drizzle.config.ts", configText(product, project.dialect, true));
  const { output } = await project.grove();
  expect(output).toContain("completed");
  expect(await project.grove({ check: true })).toMatchObject({ isFresh: true });
}

async function adopt(node: ProductNode, registry: Registry): Promise<GroveNode> {
  const grove = node.create(registry);
  await expect(grove.ready()).rejects.toMatchObject({ code: "not_adopted" });
  await grove.adopt();
  await grove.ready();
  return grove;
}

type Pair = readonly [ProductNode, GroveNode];
async function settle([, hub]: Pair, others: readonly Pair[]): Promise<void> {
  for (const [, node] of [...others, ...others]) await exchange(node, hub);
}

/** Equal rows, equal shadows, shadows that say what the tables hold, and a parent for whoever refers to one. */
async function expectEqual(first: Pair, others: readonly Pair[]): Promise<void> {
  const contents = await first[0].database.contents();
  for (const [{ id, database }, node] of others) {
    expect(await database.contents(), id).toEqual(contents);
    expect(await verify(node, first[1])).toMatchObject({ error: null, differing: [] });
  }
  for (const [{ database }, node] of [first, ...others]) {
    expect(await node.verify()).toEqual([]);
    expect(await database.orphans()).toEqual([]);
  }
}

async function verify(node: GroveNode, other: GroveNode) {
  const [pull, push, digest] = [other.pull.bind(other), other.push.bind(other), other.digest.bind(other)];
  const [report] = await createSyncer(node, { peers: [{ url: "", pull, push, digest }] }).verify();
  return report;
}

describe("docs/adopting.md", () => {
  const page = readFileSync(`${repository}/docs/adopting.md`, "utf8");

  test("has a config that takes in every table of a product", async () => {
    const project = new MigrationProject("sqlite");
    onTestFinished(() => project.remove());
    project.write("drizzle.config.ts", /```ts\n(\/\/ drizzle\.config\.ts\n[^`]*)```/.exec(page)?.[1] as string);
    const [{ sqlite }] = products as [Product];
    const parts = ["accounts", "money"].map((part) => `export * from "../../test/products/billing/sqlite/${part}";`);
    project.write("schema.ts", parts.join("\n"));
    await project.grove({ kit: false });
    const { tables } = await registryOf(project, "sqlite");
    expect(tables.length).toBe(readProduct(sqlite).length);
  });

  const key = { id: pg.text("id").primaryKey() };
  const parent = pg.pgTable("parent", key);
  test.each<[string, Record<string, unknown>]>([
    ["volatile_default", { t: pg.pgTable("t", { ...key, at: pg.timestamp("at").notNull().defaultNow() }) }],
    ["autoincrement_key", { t: pg.pgTable("t", { id: pg.serial("id").primaryKey(), name: pg.text("name") }) }],
    [
      "unique_expression",
      {
        t: pg.pgTable("t", { ...key, gone: pg.boolean("gone"), email: pg.text("email") }, (t) => [
          pg.uniqueIndex("living").on(t.email).where(sql`not ${t.gone}`),
        ]),
      },
    ],
    ["unique_kind", { t: pg.pgTable("t", { ...key, price: pg.numeric("price").unique() }) }],
    [
      "unique_nulls",
      { t: pg.pgTable("t", { ...key, name: pg.text("name").unique("once", { nulls: "not distinct" }) }) },
    ],
    ["pg_schema", { t: pg.pgSchema("billing").table("t", { ...key, name: pg.text("name") }) }],
    [
      "foreign_key",
      {
        parent,
        t: pg.pgTable("t", {
          id: pg.text("id").primaryKey(),
          parent: pg
            .text("parent")
            .notNull()
            .references(() => parent.id, { onDelete: "set null" }),
        }),
      },
    ],
  ])("tells of %s", (code, exports) => {
    expect(page).toContain(`\`${code}\``);
    const read = () => readSchema([{ path: "x.ts", exports }], { dialect: "postgres", unmarked: "lww", tables: "all" });
    expect(read).toThrow(
      expect.objectContaining({ code: "schema_invalid", details: [expect.objectContaining({ code })] }),
    );
  });
});

describe("what is generated", () => {
  const made = new Map<Product, MigrationProject>();
  beforeAll(async () => {
    for (const product of products) {
      const project = new MigrationProject("postgres");
      made.set(product, project);
      project.write("drizzle.config.ts", configText(product, "postgres", true));
      project.write("use.ts", head + queries[product.name]);
      await project.grove({ kit: false });
    }
  }, 120_000);
  afterAll(() => {
    for (const project of made.values()) project.remove();
  });

  test("types queries, rows and changes, in the cloud and at the edge", () => {
    expect(complaintsOf(...[...made.values()].map((project) => project.path("use.ts")))).toEqual([]);
  }, 180_000);

  test("is the same by the edge's own config, tables that are all key and history included", async () => {
    for (const project of made.values()) {
      const { output, isFresh } = await project.grove({ config: "drizzle.edge.config.ts", check: true, kit: false });
      expect([isFresh, output]).toEqual([true, expect.stringContaining("0 of 7")]);
    }
  });

  test("is what the commands go by that work on a database", async () => {
    for (const project of made.values()) {
      const database = await openDatabase({ url: "postgres://127.0.0.1:1/none" }, project.folder);
      await database.close();
      const { capture } = await registryOf(project, "postgres");
      expect(database.registry.capture.hash).toBe(capture.hash);
    }
  });
});

describe.each(products)("$name", (product) => {
  const { casing } = product;
  const opened: ProductNode[] = [];
  const projects: MigrationProject[] = [];
  const project = (dialect: "sqlite" | "postgres") => {
    const made = new MigrationProject(dialect);
    projects.push(made);
    return made;
  };
  afterAll(async () => {
    for (const node of opened) await node.close();
    for (const project of projects) project.remove();
  });

  test("two nodes on SQLite that held the rows before write at once, and end equal", async () => {
    const made = project("sqlite");
    const tables = readProduct(product.sqlite);
    expect(tables.length).toBeGreaterThanOrEqual(20);
    const nodes = [await openSqlite("a", tables, casing), await openSqlite("b", tables, casing)] as const;
    opened.push(...nodes);
    await run(made, nodes, [1, 2]);
  }, 120_000);

  test("two nodes on Postgres, and one at the edge that was empty, do so as well", async () => {
    const made = project("postgres");
    const tables = readProduct(product.postgres);
    const nodes = [await openPostgres("a", tables, casing), await openPostgres("b", tables, casing)] as const;
    opened.push(...nodes);
    await run(made, nodes, [3, 4], async () => {
      const edge = await openSqlite("edge", readProduct(await load(made, "generated/sqlite/schema.ts")), undefined);
      opened.push(edge);
      await edge.migrate(made.path("drizzle-edge"));
      const grove = edge.create(await registryOf(made, "sqlite"));
      await grove.ready();
      return [edge, grove];
    });
  }, 180_000);

  async function run(
    made: MigrationProject,
    nodes: readonly [ProductNode, ProductNode],
    seeds: readonly [number, number],
    join: () => Promise<Pair | null> = async () => null,
  ): Promise<void> {
    const { tables } = nodes[0].database;
    const people = nodes.map(({ id }, n) => new Use(tables, createRandom(seeds[n] as number), id)) as [Use, Use];
    await generateAround(product, made, async () => {
      for (const node of nodes) await node.migrate(made.path("drizzle"));
      const rows = await people[0].fill(
        nodes.map(({ database }) => database),
        14,
      );
      expect(rows).toBeGreaterThan(200);
      // What each has written alone is adopted too.
      await people[1].work(nodes[1].database, 20);
    });
    const registry = await registryOf(made, made.dialect);
    const pairs: Pair[] = [];
    for (const node of nodes) {
      await node.migrate(made.path("drizzle"));
      pairs.push([node, await adopt(node, registry)]);
    }
    const joined = await join();
    if (joined) pairs.push(joined);
    const [first, ...others] = pairs as [Pair, ...Pair[]];
    await settle(first, others);
    await expectEqual(first, others);
    const third = new Use(tables, createRandom(5), "c");
    for (let round = 0; round < 3; round++) {
      for (const [n, [{ database }]] of pairs.entries()) {
        const { done, refused } = await (people[n] ?? third).work(database, 60);
        expect(done).toBeGreaterThan(refused / 2);
      }
      await settle(first, others);
      await expectEqual(first, others);
    }
    // Else the constraints had nothing to decide.
    const codes = (await first[1].parked()).map(({ code }) => code);
    expect(codes).toContain("reference");
  }
});
