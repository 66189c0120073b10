// Programs that a test gives to the compiler, with the types that were generated from each product's schema.

/** What a program says to a product's tables, with the generated types: on Postgres, and the same at the edge. */
export const queries: Readonly<Record<string, string>> = {
  billing: `
    import * as cloud from "../../test/products/billing/postgres/money.js";
    import type { InvoicesChange, InvoicesRow, LineTaxesKey, LineTaxesState } from "./generated/postgres/index.js";
    const open = (db: Cloud): PromiseLike<InvoicesRow[]> => db.select().from(cloud.invoices).where(eq(cloud.invoices.state, "open"));
    const openHere = (db: Local): InvoicesRow[] => db.select().from(edge.invoices).where(eq(edge.invoices.state, "open")).all();
    // @ts-expect-error: no such state
    const lost = (db: Cloud) => db.select().from(cloud.invoices).where(eq(cloud.invoices.state, "lost"));
    const change = (change: InvoicesChange): string | undefined => (change.field === "number" ? change.value : undefined);
    // @ts-expect-error: a table that is all key has no fields
    const field = (state: LineTaxesState) => state.lww.line_id;
    const key: LineTaxesKey = ["line", "tax"];
    export { change, field, key, lost, open, openHere };
  `,
  bookmarks: `
    import * as cloud from "../../test/products/bookmarks/postgres/saving.js";
    import { increment } from "grove-crdt";
    import type { BookmarksRow, BookmarksState, UsersRow } from "./generated/postgres/index.js";
    const opened = (db: Local, id: string) => db.update(edge.bookmarks).set({ opened: increment(edge.bookmarks.opened) }).where(eq(edge.bookmarks.id, id));
    const kinds = (row: BookmarksRow): "link" | "text" | "asset" => row.kind;
    const dense = (row: UsersRow): boolean | undefined => row.settings.layout?.dense;
    const saved = (state: BookmarksState): string | undefined => state.lww?.created_at?.[0];
    const titles = (db: Cloud): PromiseLike<{ title: string | null }[]> => db.select({ title: cloud.bookmarks.title }).from(cloud.bookmarks);
    export { dense, kinds, opened, saved, titles };
  `,
  deploy: `
    import * as cloud from "../../test/products/deploy/postgres/things.js";
    import type { ApplicationsRow, SchedulesChange, TeamMembersRow } from "./generated/postgres/index.js";
    const running = (db: Local): ApplicationsRow[] => db.select().from(edge.applications).where(eq(edge.applications.state, "running")).all();
    const rights = (row: TeamMembersRow): string[] => row.permissions;
    const columns = (change: SchedulesChange): "" | "name" | "cron" | "command" | "runs" | "application_id" | "server_id" => change.field;
    const hosts = (db: Cloud) => db.select().from(cloud.domains).innerJoin(cloud.applications, eq(cloud.domains.applicationId, cloud.applications.applicationId));
    export { columns, hosts, rights, running };
  `,
};
export const head = `
  import { eq } from "drizzle-orm";
  import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
  import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
  import * as edge from "./generated/sqlite/schema.js";
  type Cloud = PostgresJsDatabase;
  type Local = BetterSQLite3Database;
`;
