// The generated zod schemas: they take what nodes say of their rows, and nothing that is of another table, column or kind.
import { toRecords } from "@grove-crdt/core";
import { expect, test } from "vitest";
import * as postgres from "../generated/postgres/schemas";
import * as sqlite from "../generated/sqlite/schemas";
import { everything } from "./support/comparison";
import { describeOnEach } from "./support/dialects";

describeOnEach("generated schemas", ({ dialect, openNode }) => {
  const {
    documentsStateSchema,
    inventoryStateSchema,
    ordersStateSchema,
    plansChangeSchema,
    plansStateSchema,
    documentsChangeSchema,
  } = dialect.name === "sqlite" ? sqlite : postgres;

  test("take every state and change of a node, deleted rows too", async () => {
    const hub = await openNode("a");
    const isLite = dialect.name === "sqlite";
    await hub.sql(`INSERT INTO documents (id, title, tags) VALUES ('d', 't', ${isLite ? `'["x"]'` : "ARRAY['x']"})`);
    await hub.sql(`INSERT INTO orders (id, total, placed_at) VALUES ('o', 5, ${isLite ? "0" : "now()"})`);
    await hub.sql(
      "INSERT INTO inventory (store, sku, name, quantity) VALUES ('s', 'i', 'n', 3), ('s', 'gone', 'n', 3)",
    );
    await hub.sql(
      `INSERT INTO plans (id, steps, cards, data) VALUES ('p', ${isLite ? `'["a","b"]'` : "ARRAY['a', 'b']"}, '[{"id":1}]', '{"stats":{"views":2,"owner":"me"},"labels":["l"],"stops":["s"]}')`,
    );
    await hub.node.fold();
    await hub.sql("UPDATE inventory SET quantity = quantity + 1; UPDATE documents SET view_count = view_count + 1");
    await hub.sql("DELETE FROM inventory WHERE sku = 'gone'");
    await hub.sql(`UPDATE plans SET cards = '[{"id":2},{"id":1,"text":"x"}]', data = '{"stats":{"views":5}}'`);
    const states = {
      documents: documentsStateSchema,
      inventory: inventoryStateSchema,
      orders: ordersStateSchema,
      plans: plansStateSchema,
    };
    const rows = await everything(hub);
    expect(rows).toHaveLength(5);
    for (const row of rows) expect(states[row.table as keyof typeof states].parse(row)).toEqual(row);
    const changes = { documents: documentsChangeSchema, plans: plansChangeSchema };
    for (const row of rows.filter(({ table }) => table in changes))
      for (const record of toRecords(row))
        expect(changes[row.table as keyof typeof changes].parse(record)).toEqual(record);
  });

  const plan = { table: "plans", pk: ["p"], cl: 1, life: [1, "a"] };
  const document = { table: "documents", pk: ["d"], cl: 1, life: [1, "a"] };
  test.each<[string, { safeParse(value: unknown): { success: boolean } }, unknown]>([
    ["another table", plansStateSchema, { ...plan, table: "orders" }],
    ["a key that is too long", plansStateSchema, { ...plan, pk: ["p", "q"] }],
    ["a column that there is not", plansStateSchema, { ...plan, list: { stops: [] } }],
    ["a type that the table has not", plansStateSchema, { ...plan, lww: { steps: ["x"] } }],
    ["a position whose parent is later", plansStateSchema, { ...plan, list: { steps: [["1.a", "2.a", 1, "x"]] } }],
    ["a path that is none", plansStateSchema, { ...plan, document: { data: { values: [["a", 1, "a", 1]] } } }],
    ["a value of another kind", documentsStateSchema, { ...document, lww: { title: [5] } }],
    ["NULL in a NOT NULL column", documentsStateSchema, { ...document, lww: { title: [null] } }],
    ["half a stamp", documentsStateSchema, { ...document, lww: { title: ["x", 5] } }],
    [
      "a counter's total below nothing",
      documentsStateSchema,
      { ...document, counter: { view_count: { totals: [["abc", "a", "-1", "0", 1]] } } },
    ],
    [
      "a change without its value",
      documentsChangeSchema,
      { table: "documents", pk: ["d"], cl: 1, hlc: 1, nodeId: "a", field: "title", type: "lww" },
    ],
    [
      "a change under another type",
      documentsChangeSchema,
      { table: "documents", pk: ["d"], cl: 1, hlc: 1, nodeId: "a", field: "title", type: "set", set: [] },
    ],
  ])("refuse %s", (_, schema, value) => expect(schema.safeParse(value).success).toBe(false));
});
