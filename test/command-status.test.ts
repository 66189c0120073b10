// The commands that look: status, inspect, parked, doctor, verify and sync, beside a program that syncs, over both dialects. What they print for people, for programs, and with which exit code they end.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { syncRouter } from "grove-crdt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { runHere } from "./support/command";
import { MigratedNode, MigrationProject } from "./support/migrations";
import { MigratedPostgres, newDatabase } from "./support/migrations-postgres";
import { type Run, runCli } from "./support/project";

type Migrated = MigratedNode | MigratedPostgres;

const DIALECTS = {
  sqlite: {
    product: /^SQLite 3\.\d/,
    schema: `export const notes = sqliteTable("notes", { id: text("id").primaryKey(), title: lww(text("title").notNull().default("")),
      stars: counter(integer("stars").notNull().default(0)), tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])) });
    export const stock = sqliteTable("stock", { shop: text("shop").notNull(), place: integer("place").notNull(), name: lww(text("name")),
      code: lww(text("code").unique()) }, (t) => [primaryKey({ columns: [t.shop, t.place] })]);`,
    imports: `import { primaryKey } from "drizzle-orm/sqlite-core";\n`,
    open: async () => {
      const project = new MigrationProject();
      return {
        project,
        node: async (id: string) => new MigratedNode(project, id, project.path(id === "edge" ? "kit.db" : `${id}.db`)),
        close: async () => {},
      };
    },
  },
  postgres: {
    product: /^Postgres \d\d/,
    schema: `export const notes = pgTable("notes", { id: text("id").primaryKey(), title: lww(text("title").notNull().default("")),
      stars: counter(bigint("stars", { mode: "number" }).notNull().default(0)), tags: set(jsonb("tags").$type<string[]>().notNull().default([])) });
    export const stock = pgTable("stock", { shop: text("shop").notNull(), place: integer("place").notNull(), name: lww(text("name")),
      code: lww(text("code").unique()) }, (t) => [primaryKey({ columns: [t.shop, t.place] })]);`,
    imports: `import { integer, primaryKey } from "drizzle-orm/pg-core";\n`,
    open: async () => {
      const opened: MigratedPostgres[] = [];
      const url = await newDatabase();
      const project = new MigrationProject("postgres", url);
      const node = async (id: string) => {
        const one = new MigratedPostgres(project, id, id === "edge" ? url : await newDatabase());
        opened.push(one);
        return one;
      };
      return { project, node, close: async () => void (await Promise.all(opened.map((one) => one.close()))) };
    },
  },
};

const lag = z.strictObject({ rows: z.number(), milliseconds: z.number() });
const statusShape = z.strictObject({
  node: z.string().nullable(),
  incarnation: z.string().nullable(),
  tables: z.array(z.string()),
  seq: z.number(),
  log: lag,
  peers: z.array(
    z.strictObject({
      peer: z.string(),
      url: z.string().nullable(),
      lag: lag.nullable(),
      lastSuccess: z.iso.datetime().nullable(),
      lastError: z.string().nullable(),
    }),
  ),
  parked: z.number(),
  rejected: z.strictObject({ sent: z.number(), received: z.number() }),
  clockAhead: z.number(),
  collection: z.strictObject({ before: z.iso.datetime().nullable(), rounds: z.array(z.unknown()) }),
  counts: z.record(z.string(), z.strictObject({ rows: z.number(), tombstones: z.number() })),
});
const findingShape = z.strictObject({
  check: z.string(),
  level: z.enum(["ok", "note", "warning", "error"]),
  what: z.string(),
  cure: z.string().optional(),
});
const doctorShape = z.strictObject({ errors: z.number(), warnings: z.number(), findings: z.array(findingShape) });

describe.skipIf(process.env.DRIZZLE === "next").each(["sqlite", "postgres"] as const)("commands on %s", (dialect) => {
  const { schema, imports, open, product } = DIALECTS[dialect];
  let opened: Awaited<ReturnType<(typeof DIALECTS)["sqlite" | "postgres"]["open"]>>;
  let hub: Migrated;
  let edge: Migrated;
  let server: Server;
  let url: string;
  let skew = 0;
  const seen: string[] = [];

  const run = (...args: string[]) => runHere(opened.project.folder, args);
  async function tell<Shape extends z.ZodType>(shape: Shape, code: number, ...args: string[]): Promise<z.infer<Shape>> {
    const result = await run(...args, "--json");
    expect([result.stderr, result.code], args.join(" ")).toEqual(["", code]);
    return shape.parse(JSON.parse(result.stdout));
  }
  const withHeader = ["--header", "Authorization: Bearer secret"];

  beforeAll(async () => {
    opened = await open();
    opened.project.schema(`${imports}${schema}`);
    await opened.project.grove();
    [hub, edge] = [await opened.node("hub"), await opened.node("edge")];
  }, 60_000);
  afterAll(async () => {
    server?.close();
    await opened.close();
    opened.project.remove();
  });

  test("before there is anything they say what is missing, and doctor names the cure", async () => {
    for (const args of [["status"], ["parked"], ["inspect", "notes", "a"], ["verify"]])
      expect(await run(...args), args.join(" ")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("capture_missing"),
      });
    const { findings, errors } = await tell(doctorShape, 1, "doctor");
    expect(errors).toBeGreaterThan(0);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: "capture",
        level: "error",
        cure: expect.stringContaining("ensureShadowTables"),
      }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ check: "migrations", level: "warning" }));
  });

  test("a database that never synced has no id; sync and verify refuse to draw one", async () => {
    for (const node of [hub, edge]) await node.migrate();
    expect(await tell(statusShape, 0, "status")).toMatchObject({ node: null, peers: [] });
    for (const args of [["verify"], ["sync", "http://127.0.0.1:9/sync"]])
      expect(await run(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining("bad_request") });
    expect((await tell(statusShape, 0, "status")).node).toBeNull();
  });

  test("sync exchanges once, tells both sides' rows, and needs what the peer asks for", async () => {
    await hub.start();
    const app = syncRouter(hub.node, {
      authenticate: (c) => (c.req.header("authorization") === "Bearer secret" ? "edge" : null),
      onAudit: () => {},
    });
    server = createServer(
      getRequestListener(async (request) => {
        seen.push(new URL(request.url).pathname);
        const { pathname } = new URL(request.url);
        const answer = await app.request(pathname.replace("/sync", ""), {
          method: request.method,
          headers: request.headers,
          body: await request.text(),
        });
        if (skew === 0 || !answer.ok) return answer;
        const body = (await answer.json()) as { now: number };
        return Response.json({ ...body, now: body.now + skew * 1000 });
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sync`;
    await edge.start();
    await hub.sql("INSERT INTO notes (id, title) VALUES ('a', 'from the hub'), ('b', 'also')");
    await edge.sql("INSERT INTO notes (id, stars) VALUES ('c', 3)");
    expect(await run("sync", url)).toMatchObject({ code: 1, stderr: expect.stringContaining("unauthenticated") });
    expect(await runCli(opened.project.folder, ["sync", "nowhere"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("address"),
    });
    const told = await tell(
      z.looseObject({ peer: z.string(), pulled: z.number(), pushed: z.number(), error: z.null() }),
      0,
      "sync",
      url,
      ...withHeader,
    );
    expect(told).toMatchObject({ peer: "hub", pulled: 2, pushed: 1, applied: 3 });
    expect(await hub.rows("SELECT id FROM notes ORDER BY id")).toHaveLength(3);
    const { stdout, code } = await run("sync", url, ...withHeader);
    expect([stdout, code]).toEqual([
      expect.stringMatching(/^synced with hub: 0 rows pulled, 0 pushed, in \d+\.\d s\n$/),
      0,
    ]);
  });

  test("status tells peers and lag, and writes nothing", async () => {
    await edge.sql("UPDATE notes SET title = 'mine' WHERE id = 'a'");
    await edge.node.fold();
    await edge.sql("DELETE FROM notes WHERE id = 'b'");
    const before = await edge.rows("SELECT * FROM _notes_log");
    const told = await tell(statusShape, 0, "status");
    expect(told).toMatchObject({
      node: "edge",
      log: { rows: 1 },
      peers: [{ peer: "hub", url, lag: { rows: 1 }, lastError: null }],
      counts: { notes: { rows: 3, tombstones: 0 }, stock: { rows: 0, tombstones: 0 } },
    });
    const { stdout, code } = await run("status");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^node edge\n/);
    expect(stdout).toMatch(/log +1 write to be folded/);
    expect(stdout).toMatch(/hub +http\S+ +lacks 1 row/);
    expect(await edge.rows("SELECT * FROM _notes_log")).toEqual(before);
  });

  test("nothing is coloured where no terminal shows it, and FORCE_COLOR asks for it all the same", async () => {
    const colour = String.fromCharCode(27);
    for (const args of [["status"], ["doctor"], ["inspect", "notes", "a"], ["parked"]])
      expect((await run(...args)).stdout, args.join(" ")).not.toContain(colour);
    expect((await runCli(opened.project.folder, ["status"], { FORCE_COLOR: "1" })).stdout).toContain(colour);
    expect((await runCli(opened.project.folder, ["status", "--json"], { FORCE_COLOR: "1" })).stdout).not.toContain(
      escape,
    );
  });

  test("inspect tells who wrote what, of composite keys and deleted rows too; 2 where nobody ever wrote the row", async () => {
    await edge.sql("INSERT INTO stock (shop, place, name) VALUES ('s', 7, 'pen')");
    await edge.sql("UPDATE notes SET stars = stars + 2 WHERE id = 'c'");
    await edge.node.fold();
    const row = z.looseObject({
      lives: z.boolean(),
      written: z.looseObject({ node: z.string(), at: z.iso.datetime() }),
      fields: z.array(z.looseObject({ field: z.string() })),
    });
    const told = await tell(row, 0, "inspect", "notes", "c");
    expect(told.fields.find(({ field }) => field === "stars")).toMatchObject({
      type: "counter",
      value: "5",
      totals: [{ node: "edge", up: "2" }],
    });
    expect(await tell(row, 0, "inspect", "stock", "s", "7")).toMatchObject({ pk: ["s", 7], lives: true });
    expect(await tell(row, 0, "inspect", "notes", "b")).toMatchObject({ lives: false, written: { node: "edge" } });
    const { stdout } = await run("inspect", "notes", "a");
    expect(stdout).toMatch(/^notes \["a"\] lives {2}inserted by hub, /);
    expect(stdout).toMatch(/title +lww +"mine" +edge, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
    expect(await run("inspect", "notes", "never")).toMatchObject({
      code: 2,
      stdout: expect.stringContaining("nobody ever wrote"),
    });
    expect(await run("inspect", "stock", "s")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("shop, place"),
    });
    expect(await run("inspect", "nothing", "s")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("notes, stock"),
    });
  });

  test("parked lists what waits, with the reason; doctor warns of it", async () => {
    const { stdout } = await run("parked");
    expect(stdout).toBe("nothing is parked, nothing was rejected\n");
    await hub.sql("INSERT INTO stock (shop, place, code) VALUES ('h', 1, 'same')");
    await edge.sql("INSERT INTO stock (shop, place, code) VALUES ('e', 1, 'same')");
    await run("sync", url, ...withHeader);
    const shape = z.strictObject({
      parked: z.array(
        z.strictObject({ table: z.string(), pk: z.array(z.unknown()), code: z.string(), message: z.string() }),
      ),
      rejected: z.array(z.unknown()),
    });
    expect((await tell(shape, 0, "parked")).parked).toMatchObject([{ table: "stock", code: "unique" }]);
    expect((await run("parked")).stdout).toMatch(/^parked stock \["[eh]",1\] {2}unique\n {2}\S/);
    expect((await tell(statusShape, 0, "status")).parked).toBe(1);
    const { warnings, findings } = await tell(doctorShape, 0, "doctor");
    expect(warnings).toBe(1);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: "state", level: "warning", what: "1 row cannot be shown" }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({ check: "database", level: "ok", what: expect.stringMatching(product) }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ check: "migrations", level: "ok" }));
  });

  test("doctor compares clocks with peers: an offset beyond the bound is an error", async () => {
    const ask = (code: number) => tell(doctorShape, code, "doctor", "--peer", url, ...withHeader);
    const levels = ({ findings }: z.infer<typeof doctorShape>) =>
      findings.flatMap(({ check, level }) => (check === "clock" ? level : []));
    expect(levels(await ask(0))).toEqual(["ok"]);
    skew = 10_000;
    expect(levels(await ask(0))).toEqual(["warning"]);
    skew = -120_000;
    expect(levels(await ask(1))).toEqual(["error"]);
    skew = 0;
    const { findings } = await tell(doctorShape, 1, "doctor", "--peer", url);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: "peers", level: "error", cure: expect.stringContaining("--header") }),
    );
  });

  test("verify finds nothing, then what no trigger saw, and names the rows in which a peer differs", async () => {
    expect(await run("verify")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^equal /) });
    expect(await run("verify", url, ...withHeader)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^equal \d+ rows, .+ hub has them/),
    });
    // As a program does that switches capture off.
    const unseen = "INSERT INTO notes (id, title) VALUES ('unseen', 'x')";
    if (dialect === "sqlite") {
      await edge.sql("UPDATE _grove_node SET capture = 0");
      await edge.sql(unseen);
      await edge.sql("UPDATE _grove_node SET capture = 1");
    } else await edge.sql(`BEGIN; SET LOCAL session_replication_role = replica; ${unseen}; COMMIT`);
    const { stdout, code } = await run("verify");
    expect([stdout, code]).toEqual([
      expect.stringMatching(/^differs notes \["unseen"\]: .+counts as inserted now\n1 difference /),
      2,
    ]);
    expect((await run("verify")).code).toBe(0);
    expect(await run("verify", "http://127.0.0.1:9/sync")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("transport"),
    });
  });

  test("doctor tells another capture from the schema's, and generated files that are stale", async () => {
    const { stdout, code }: Run = await run("doctor");
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nwell, with warnings: 0 errors, 1 warning\n$/)]);
    const drop = dialect === "sqlite" ? "DROP TRIGGER _notes_crdt_insert" : "ALTER TABLE notes DISABLE TRIGGER USER";
    const triggers =
      dialect === "sqlite"
        ? ((await edge.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'notes'")) as {
            name: string;
          }[])
        : [];
    await edge.sql(dialect === "sqlite" ? `DROP TRIGGER "${triggers[0]?.name}"` : drop);
    const registry = opened.project.read(`generated/${dialect}/registry.ts`);
    opened.project.write(`generated/${dialect}/registry.ts`, `${registry}\n// by hand\n`);
    const { findings } = await tell(doctorShape, 1, "doctor");
    const wrong = findings.filter(({ level }) => level === "error").map(({ check }) => check);
    expect(wrong).toEqual(["generated", "capture"]);
    opened.project.write(`generated/${dialect}/registry.ts`, registry);
  });
});
