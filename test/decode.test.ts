// What `context.decode` gives a hook: through `column.mapFromDriverValue` it is what `db.select()` gives for the same row, for every
// column builder and mode, in both dialects.
import { type Column, eq, type Table } from "drizzle-orm";
import type { ChangeRecord } from "grove-crdt";
import { expect, test } from "vitest";
import { pullAs } from "./support/callers";
import { enums, listed, postgresTypes, sqliteTypes, tablesOf } from "./support/codec-cases";
import { describeOn } from "./support/dialects";
import { openHooked, x } from "./support/hooks";

/** As much of a Drizzle database as both dialects have. */
interface Reads {
  select(): { from(table: Table): { where(condition: unknown): Promise<readonly Record<string, unknown>[]> } };
}
type Columns = Readonly<Record<string, Column>>;

/** Drizzle never asks a column about NULL. */
const read = (column: Column, value: unknown) => (value === null ? null : column.mapFromDriverValue(value as never));

/** What it throws, where the column cannot read what the database lets it hold. */
function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as Error).name;
  }
}

/** postgres.js has no parser for a NULL within an array, for bounds, and for an array of JSON. */
const isMisread = (title: string, value: string) =>
  /array|\[\]/.test(title) && (/NULL\W/.test(value) || value.includes("]={") || title.includes("jsonb[]"));

const unfilled = (title: string, value: unknown) =>
  title.startsWith("char(") && typeof value === "string" ? value.trimEnd() : value;

for (const [name, types, side] of [
  ["postgres", postgresTypes, "pg"],
  ["sqlite", sqliteTypes, "lite"],
] as const) {
  describeOn(name, "a decoded value is what Drizzle reads from the driver", (suite) => {
    // 1.0 reads its rows in another way.
    test.skipIf(process.env.DRIZZLE === "next")("for every column builder", async () => {
      const cases = listed(types);
      const tables = tablesOf(cases)[side] as unknown as Readonly<Record<string, Table & Columns>>;
      const made = await suite.makeSchema(tables);
      const decoded = new Map<string, Record<string, unknown>>();
      const hub = await openHooked(suite, "hub", {
        ...made,
        ddl: [...(name === "postgres" ? enums : []), ...made.ddl],
        hooks: [
          {
            beforeOutboundChange: (change: ChangeRecord, { decode }) => {
              decoded.set(`${change.table} ${change.pk[0]}`, decode(change));
              return change;
            },
          },
        ],
      });
      const db = hub.database.db as unknown as Reads;
      const wrong: string[] = [];
      let looked = 0;
      for (const [n, [title, { values }]] of cases.entries()) {
        for (const [m, value] of ["NULL", ...values].entries())
          await hub.sql(`INSERT INTO t${n} (id, x) VALUES ('${String(m).padStart(3, "0")}', ${value})`);
        const table = tables[`t${n}`] as Table & Columns;
        let cursor: string | null = null;
        for (let more = true; more; ) {
          const page = await pullAs(x, hub, { cursor, tables: [`t${n}`] });
          ({ cursor, more } = page);
        }
        for (const [m, value] of ["NULL", ...values].entries()) {
          const id = String(m).padStart(3, "0");
          // The spaces with which the database fills a char(n) are no part of the value that travels.
          const selected = unfilled(title, await selectOne(db, table, id));
          const row = decoded.get(`t${n} ${id}`);
          const mine = row && attempt(() => read(table.x as Column, row.x));
          if (isMisread(title, value)) continue;
          looked++;
          try {
            expect(row?.id).toBe(id);
            expect(mine).toEqual(selected);
          } catch {
            wrong.push(`${title} ${value}: decoded ${show(mine)}, selected ${show(selected)}`);
          }
        }
      }
      expect(wrong).toEqual([]);
      expect(looked).toBeGreaterThan(100);
    });
  });
}

function show(value: unknown): string {
  return `${typeof value} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`;
}
async function selectOne(db: Reads, table: Table & Columns, id: string): Promise<unknown> {
  try {
    return (
      await db
        .select()
        .from(table)
        .where(eq(table.id as Column, id))
    )[0]?.x;
  } catch (error) {
    return (error as Error).name;
  }
}
