// What a Postgres node refuses when it is opened, each with the cure; and the drivers behind which it works.
import { PGlite } from "@electric-sql/pglite";
import { drizzle as drizzlePool } from "drizzle-orm/node-postgres";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { drizzle } from "drizzle-orm/postgres-js";
import { createNode, type GroveNode } from "grove-crdt";
import { Client, Pool } from "pg";
import type { Sql } from "postgres";
import { afterEach, describe, expect, test } from "vitest";
import { registry } from "../../generated/postgres";
import { documents } from "../../schema/postgres";
import { postgres as dialect } from "../support/postgres";
import { connect } from "../support/postgres-databases";

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A database with these tables, and a client of its owner or of `role`. */
async function database(ddl: readonly string[] = dialect.referenceTables): Promise<{ sql: Sql; name: string }> {
  const { db } = await dialect.open({ ddl });
  const { database: name } = (db.$client as unknown as Sql).options;
  return { sql: open(name as string), name: name as string };
}
function open(name: string, options: object = {}): Sql {
  const sql = connect(name, { max: 3, ...options });
  endings.push(() => sql.end({ timeout: 5 }));
  return sql;
}
const nodeOn = (db: unknown): GroveNode => createNode({ db: db as never, registry, nodeId: "cloud" });

/** What opening the node says. */
async function refusal(sql: Sql, tables = ["documents"]): Promise<{ code: string; message: string }> {
  const node = createNode({ db: drizzle({ client: sql }) as never, registry, tables, nodeId: "cloud" });
  return await node.ensureShadowTables().then(
    () => ({ code: "none", message: "" }),
    (error: { code: string; message: string }) => error,
  );
}

const columns =
  "id text NOT NULL, title text NOT NULL, body text NOT NULL DEFAULT '', view_count bigint NOT NULL DEFAULT 0, tags text[] NOT NULL DEFAULT '{}'";

describe("a database that cannot be synced as it is", () => {
  test.each([
    [
      "a partitioned table",
      [`CREATE TABLE documents (${columns}, PRIMARY KEY (id)) PARTITION BY HASH (id)`],
      "partitioned",
    ],
    [
      "a partition",
      [
        `CREATE TABLE whole (${columns}, PRIMARY KEY (id)) PARTITION BY HASH (id)`,
        "CREATE TABLE documents PARTITION OF whole FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
      ],
      "partitioned",
    ],
    [
      "a table with a child",
      [`CREATE TABLE documents (${columns}, PRIMARY KEY (id))`, "CREATE TABLE child () INHERITS (documents)"],
      "inheritance",
    ],
    ["a view", [`CREATE TABLE t (${columns})`, "CREATE VIEW documents AS SELECT * FROM t"], "no ordinary table"],
  ])("%s is refused, with the cure, and nothing is installed", async (_, ddl, words) => {
    const { sql } = await database(["CREATE TABLE other (id text)", ...ddl]);
    const { code, message } = await refusal(sql);
    expect([code, message]).toEqual(["unsupported_table", expect.stringContaining(words)]);
    expect(await sql`SELECT 1 FROM pg_class WHERE relname = '_grove_node'`).toHaveLength(0);
  });

  test("a table that is not there is named", async () => {
    const { sql } = await database(["CREATE TABLE other (id text)"]);
    const { code, message } = await refusal(sql);
    expect([code, message]).toEqual(["capture_missing", expect.stringContaining('"documents"')]);
  });

  /** A role of this database alone, and a client that connects as it. */
  async function as(sql: Sql, name: string, grants: readonly string[]): Promise<Sql> {
    const role = `role_${name.slice(-20)}_${Math.floor(performance.now())}`;
    await sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
    endings.push(async () => {
      const owner = connect(name, { max: 1 });
      await owner.unsafe(`REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await owner.end();
    });
    for (const grant of grants) await sql.unsafe(grant.replaceAll("$role", role));
    return open(name, { username: role, password: "secret" });
  }

  test("a role without the tables' privileges is told which to grant", async () => {
    const { sql, name } = await database();
    const visitor = await as(sql, name, ["GRANT SELECT ON documents TO $role"]);
    const { code, message } = await refusal(visitor);
    expect(code).toBe("unsupported_table");
    expect(message).toContain("GRANT SELECT, INSERT, UPDATE, DELETE");
  });

  test("a role that may write but not create is told who must install", async () => {
    const { sql, name } = await database();
    const visitor = await as(sql, name, ["GRANT ALL ON documents TO $role"]);
    const { code, message } = await refusal(visitor);
    expect([code, message]).toEqual(["forbidden", expect.stringContaining("owner")]);
  });

  test("row level security that hides rows from the role is refused", async () => {
    const { sql, name } = await database();
    const visitor = await as(sql, name, [
      "GRANT ALL ON documents TO $role",
      "ALTER TABLE documents ENABLE ROW LEVEL SECURITY",
    ]);
    const { code, message } = await refusal(visitor);
    expect([code, message]).toEqual(["unsupported_table", expect.stringContaining("BYPASSRLS")]);
  });

  test("the owner passes its own row level security, and an application's role needs no rights on our tables", async () => {
    const { sql, name } = await database();
    await sql.unsafe("ALTER TABLE documents ENABLE ROW LEVEL SECURITY");
    const node = nodeOn(drizzle({ client: sql }));
    await node.ensureShadowTables();
    const application = await as(sql, name, [
      "GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO $role",
      "CREATE POLICY everything ON documents USING (true)",
    ]);
    await application.unsafe("INSERT INTO documents (id, title) VALUES ('a', 'by the application')");
    expect((await node.pull({ protocol: 1, node: "reader", cursor: null })).rows.map(({ pk }) => pk)).toEqual([["a"]]);
  });
});

describe("a client that cannot be used is refused at once", () => {
  test.each([
    ["a single node-postgres client", () => new Client()],
    ["postgres.js without array types", () => connect(null, { fetch_types: false, max: 1 })],
    ["something else", () => ({ query: 1 })],
  ])("%s", (_, make) => {
    expect(() => nodeOn({ $client: make() })).toThrow(expect.objectContaining({ code: "bad_request" }));
  });
});

describe("the node works behind each driver", () => {
  const exercise = async (db: ReturnType<typeof drizzle>) => {
    const node = nodeOn(db);
    await node.ensureShadowTables();
    await db.insert(documents).values({ id: "a", title: "first", tags: ["x", 'quoted "y"', "NULL", "a,b"] });
    await db.update(documents).set({ viewCount: 5 });
    const change = { table: "documents", pk: ["a"], cl: 1 } as const;
    const { life } = (await node.inspect("documents", ["a"])) ?? { life: [0, ""] as const };
    const { outcomes } = await node.merge("peer", [
      { ...change, life, counter: { view_count: { totals: [["inc", "peer", "2", "0", 1]] } } },
      {
        ...change,
        pk: ["b"],
        life: [1, "peer"],
        lww: { title: ["merged"], body: ["\\ \"'"] },
        counter: {},
        set: { tags: [["{}", 1, "peer"]] },
      },
      { ...change, pk: ["c"], life: [1, "peer"], lww: { title: [null], body: [""] }, counter: {}, set: { tags: [] } },
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["applied", "applied", "parked"]);
    const rows = await db.select().from(documents).orderBy(documents.id);
    expect(rows).toEqual([
      { id: "a", title: "first", body: "", viewCount: 7, tags: ["x", 'quoted "y"', "NULL", "a,b"] },
      { id: "b", title: "merged", body: "\\ \"'", viewCount: 0, tags: ["{}"] },
    ]);
    expect((await node.parked()).map(({ pk, code }) => [...pk, code])).toEqual([["c", "constraint"]]);
    const page = await node.pull({ protocol: 1, node: "reader", cursor: null });
    expect(page.rows.map(({ pk }) => pk[0]).sort()).toEqual(["a", "b", "c"]);
  };

  test("postgres.js", async () => {
    const { sql } = await database();
    await exercise(drizzle({ client: sql }));
  });

  test("a node-postgres pool", async () => {
    const { sql, name } = await database();
    const { host, port, user, pass } = sql.options as unknown as {
      host: string[];
      port: number[];
      user: string;
      pass: string;
    };
    const pool = new Pool({ host: host[0], port: port[0], user, password: pass, database: name, max: 3 });
    endings.push(() => pool.end());
    await exercise(drizzlePool({ client: pool }) as never);
  });

  test("PGlite", async () => {
    const client = new PGlite();
    endings.push(() => client.close());
    for (const statement of dialect.referenceTables) await client.exec(statement);
    await exercise(drizzlePglite({ client }) as never);
  });
});
