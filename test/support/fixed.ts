// What the tests of fixed columns share: tables that have such, and what a tombstone keeps of them.
import type { Json, RowChange } from "@grove-crdt/core";
import { counter, fixed, lww, set } from "grove-crdt/schema";
import { beforeAll, expect } from "vitest";
import type { Suite } from "./dialects";
import type { TestNode } from "./node";
import type { TestSchema } from "./schemas";

/** Notes with all types of field, lines that go with them, and boxes that stay while items refer to them. */
export function notesOn({ dialect, openNodes, makeSchema }: Suite) {
  let schema: TestSchema;
  beforeAll(async () => {
    const { table, text, integer, texts, uniqueIndex } = dialect;
    const notes = table(
      "notes",
      {
        id: text("id").primaryKey(),
        title: lww(text("title")),
        tenant: fixed(text("tenant").notNull()),
        slug: lww(text("slug")),
        hits: counter(integer("hits").notNull().default(0)),
        tags: set(texts("tags").notNull().default([])),
        owner: fixed(text("owner")),
      },
      (t) => [uniqueIndex("notes_slug").on(t.slug)],
    );
    const lines = table("lines", {
      id: text("id").primaryKey(),
      tenant: fixed(text("tenant").notNull()),
      note: lww(text("note").references(() => notes.id, { onDelete: "cascade" })),
    });
    const boxes = table("boxes", {
      id: text("id").primaryKey(),
      tenant: fixed(text("tenant")),
      name: lww(text("name")),
    });
    const items = table("items", { id: text("id").primaryKey(), box: lww(text("box").references(() => boxes.id)) });
    schema = await makeSchema({ notes, lines, boxes, items });
  });
  const open = (...ids: string[]) =>
    openNodes(ids, schema) as Promise<[TestNode, TestNode, TestNode, TestNode, TestNode]>;
  return { open, schema: () => schema };
}

export const insert = (node: TestNode, id: string, tenant: string, title = "first") =>
  node.sql("INSERT INTO notes (id, tenant, title, hits) VALUES (?, ?, ?, 1)", id, tenant, title);

/** The fixed values that a tombstone has; fails where it has anything else. */
export async function kept(node: TestNode, id: string, table = "notes"): Promise<Json> {
  const {
    pk: _pk,
    cl,
    life: _life,
    table: _table,
    lww = {},
    ...rest
  } = (await node.node.inspect(table, [id])) as RowChange;
  expect([cl % 2, rest]).toEqual([0, {}]);
  return Object.fromEntries(Object.entries(lww).map(([field, [value]]) => [field, value]));
}
