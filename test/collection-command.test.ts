// `grove-crdt gc`: begins a collection beside the program that syncs, tells how far it is, and gives it up.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MigratedNode, MigrationProject } from "./support/migrations";
import { MigratedPostgres, newDatabase } from "./support/migrations-postgres";
import { runCli } from "./support/project";

type Migrated = MigratedNode | MigratedPostgres;

const DIALECTS = {
  sqlite: {
    columns: `notes = sqliteTable("notes", { id: text("id").primaryKey(), stars: counter(integer("stars").notNull().default(0))`,
    open: async () => {
      const project = new MigrationProject();
      const node = async (id: string) =>
        new MigratedNode(project, id, project.path(id === "hub" ? "kit.db" : `${id}.db`));
      return { project, node, close: async () => {} };
    },
  },
  postgres: {
    columns: `notes = pgTable("notes", { id: text("id").primaryKey(), stars: counter(bigint("stars", { mode: "number" }).notNull().default(0))`,
    open: async () => {
      const opened: MigratedPostgres[] = [];
      const url = await newDatabase();
      const project = new MigrationProject("postgres", url);
      const node = async (id: string) => {
        const one = new MigratedPostgres(project, id, id === "hub" ? url : await newDatabase());
        opened.push(one);
        return one;
      };
      const close = async () => {
        for (const one of opened) await one.close();
      };
      return { project, node, close };
    },
  },
};

interface Told {
  readonly node: string;
  readonly before: string | null;
  readonly rejoining: boolean;
  readonly rounds: readonly {
    readonly by: string;
    readonly before: string;
    readonly state: string;
    readonly struck: readonly string[];
    readonly members: readonly string[];
    readonly tables: readonly string[] | null;
    readonly awaited: readonly { readonly node: string; readonly why: string }[];
  }[];
}

describe.skipIf(process.env.DRIZZLE === "next").each(["sqlite", "postgres"] as const)(
  "grove-crdt gc on %s",
  (dialect) => {
    const { columns, open } = DIALECTS[dialect];
    let opened: Awaited<ReturnType<(typeof DIALECTS)["sqlite" | "postgres"]["open"]>>;
    let nodes: readonly [hub: Migrated, edge: Migrated, away: Migrated];

    const run = (...args: string[]) => runCli(opened.project.folder, ["gc", ...args]);
    async function tell(...args: string[]): Promise<Told> {
      const { stdout, stderr, code } = await run("--json", ...args);
      expect([stderr, code]).toEqual(["", 0]);
      return JSON.parse(stdout) as Told;
    }
    const shadows = async (node: Migrated) =>
      Number(((await node.rows("SELECT count(*) AS n FROM _notes_crdt")) as { n: unknown }[])[0]?.n);
    const sync = (from: Migrated, to: Migrated) => (from as MigratedNode).sync(to as MigratedNode);

    beforeAll(async () => {
      opened = await open();
      opened.project.schema(`export const ${columns} });`);
      await opened.project.grove();
      nodes = [await opened.node("hub"), await opened.node("edge"), await opened.node("away")];
    }, 60_000);
    afterAll(async () => {
      await opened.close();
      opened.project.remove();
    });

    test("says what is missing: capture, a node that ever synced, a node to strike off", async () => {
      if (dialect === "sqlite")
        expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining("capture_missing") });
      for (const node of nodes) await node.migrate();
      expect(await run()).toMatchObject({ code: 1, stderr: expect.stringMatching(/bad_request: .+ no node id yet/) });
      for (const node of nodes) await node.start();
      for (const args of [["--strike", "nobody"], ["--strike", "hub"], ["--cancel"]])
        expect(await run(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining("bad_request: ") });
      expect(await run("--status")).toMatchObject({
        code: 0,
        stdout: "nothing was ever forgotten here, and nothing is under way\n",
      });
      expect(await tell("--status")).toEqual({ node: "hub", before: null, rejoining: false, rounds: [] });
    }, 60_000);

    // Before any database is opened.
    test.runIf(dialect === "sqlite")(
      "refuses times that cannot be read, and options that do not go together",
      async () => {
        for (const args of [
          ["--before", "yesterday"],
          ["--before", "2026-01-31T12:00"],
          ["--older-than", "1 week"],
        ])
          expect(await run(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining("Give a") });
        for (const args of [
          ["--status", "--cancel"],
          ["--status", "--strike", "edge"],
          ["--before", "2026-01-31", "--older-than", "1d"],
        ])
          expect(await run(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot be used with") });
      },
      60_000,
    );

    test("begins, tells for whom it waits and why, and the programs' exchanges end it", async () => {
      const [hub, edge, away] = nodes;
      await hub.sql("INSERT INTO notes (id) VALUES ('1'), ('2'), ('3')");
      for (const other of [edge, away]) await sync(other, hub);
      await edge.sql("DELETE FROM notes WHERE id <> '3'");
      await sync(edge, hub);

      const before = Date.now();
      const { rounds } = await tell("--older-than", "12h");
      expect(rounds).toMatchObject([{ by: "hub", state: "open", struck: [], tables: null }]);
      expect(Date.parse(rounds[0]?.before as string) - (before - 12 * 3_600_000)).toBeLessThan(60_000);
      expect([...(rounds[0]?.members ?? [])].sort()).toEqual(["away", "edge", "hub"]);
      expect(rounds[0]?.awaited.map(({ node }) => node).sort()).toEqual(["away", "edge"]);
      expect(await run()).toMatchObject({ code: 1, stderr: expect.stringMatching(/collecting: .+away .+strike off/) });
      expect((await run("--cancel")).stdout).toMatch(/^given up begun by hub: /m);
      expect(await tell("--status")).toMatchObject({ before: null, rounds: [{ state: "cancelled" }] });

      const begun = await run("--strike", "away");
      expect(begun).toMatchObject({ code: 0, stderr: "" });
      expect(begun.stdout).toMatch(
        /^under way begun by hub: what was deleted until \d{4}-.+Z\n {2}members {5}hub, edge\n/m,
      );
      expect(begun.stdout).toContain("  struck off  away\n");
      expect(begun.stdout).toContain("  waits for   edge: has not heard of it, or has not answered since\n");
      expect(begun.stdout).toContain("goes on with the exchanges of the programs that sync");
      for (const node of [hub, edge]) expect(await shadows(node)).toBe(3);
      await expect(sync(away, hub)).rejects.toMatchObject({ code: "struck_off" });
      for (let n = 0; n < 4; n++) await sync(edge, hub);
      for (const node of [hub, edge]) expect(await shadows(node)).toBe(1);
      const told = await tell("--status");
      expect(told).toMatchObject({ rejoining: false, rounds: [{ state: "ended", tables: ["notes"], awaited: [] }] });
      expect(told.before).toBe(told.rounds[0]?.before);
      expect((await run("--status")).stdout).toMatch(
        /^forgotten here: what was deleted until .+Z\nended begun by hub: /,
      );
    }, 90_000);

    test("a date is where the collection ends, and a node alone is done at once", async () => {
      const alone = await opened.node("alone");
      await alone.migrate();
      await alone.start();
      await alone.sql("INSERT INTO notes (id) VALUES ('1')");
      await alone.node.fold();
      await alone.sql("DELETE FROM notes");
      const url = dialect === "sqlite" ? opened.project.path("alone.db") : (alone as MigratedPostgres).url;
      expect(await tell("--url", url, "--before", "2026-01-31T12:00+02:00")).toMatchObject({
        node: "alone",
        before: "2026-01-31T10:00:00.000Z",
        rounds: [{ state: "ended", members: ["alone"] }],
      });
      expect(await shadows(alone)).toBe(1);
      await tell("--url", url);
      expect(await shadows(alone)).toBe(0);
    }, 60_000);
  },
);
