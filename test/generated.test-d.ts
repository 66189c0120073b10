// Type tests of generated files, checked by `npm run typecheck`. Each @ts-expect-error says why it must not compile.
import type { Json, WireDocument, WireItem } from "grove-crdt";
import { expectTypeOf } from "vitest";
import type * as postgres from "../generated/postgres";
import { materializePlans, mergeDocuments, mergePlans } from "../generated/sqlite";
import { documentsStateSchema, plansChangeSchema, plansStateSchema } from "../generated/sqlite/schemas";
import type { inventoryCrdt, inventoryLog } from "../generated/sqlite/shadow";
import type { Changes, DocumentsState, PlansChange, PlansRow, PlansState, States } from "../generated/sqlite/types";
import type { Card, Facts } from "../schema/sqlite";

// The row is what Drizzle reads, in both dialects.
expectTypeOf<PlansRow>().toEqualTypeOf<{ id: string; steps: string[]; cards: Card[]; data: Facts }>();
expectTypeOf<postgres.PlansRow["steps"]>().toEqualTypeOf<string[]>();

// A state has the table's columns, each under its own type.
const plan: PlansState = {
  table: "plans",
  pk: ["p"],
  cl: 1,
  life: [1, "a"],
  list: { steps: [["1.a", null, 1, "step"]], cards: [["1.a", null, 1, { id: 1 }, 2, "b"]] },
  document: { data: { values: [[["stats", "owner"], 1, "a", "me"]] } },
};
expectTypeOf(mergePlans(plan, plan)).toEqualTypeOf<PlansState>();
expectTypeOf(materializePlans(plan)).toEqualTypeOf<Record<string, Json> | null>();
expectTypeOf<States["plans"]>().toEqualTypeOf<PlansState>();

// @ts-expect-error: the table is another one
mergePlans(plan, { ...plan, table: "documents" });
declare const document: DocumentsState;
// @ts-expect-error: a state of another table
mergePlans(plan, document);
// @ts-expect-error: there is no such column
mergePlans(plan, { ...plan, list: { stops: [] } });
// @ts-expect-error: the column is a list, not a set
mergePlans(plan, { ...plan, set: { steps: [["x", 1, "a"]] } });
// @ts-expect-error: the steps are texts
mergePlans(plan, { ...plan, list: { steps: [["1.a", null, 1, 5]] } });
// @ts-expect-error: a card has a number as its id
mergePlans(plan, { ...plan, list: { cards: [["1.a", null, 1, { id: "1" }]] } });
// @ts-expect-error: an item stands before or after its parent, 0 or 1
mergePlans(plan, { ...plan, list: { steps: [["1.a", null, 2, "x"]] } });
// @ts-expect-error: a path is a list of names
mergePlans(plan, { ...plan, document: { data: { values: [["stats", 1, "a", 1]] } } });
// @ts-expect-error: titles are texts
mergeDocuments(document, { ...document, lww: { title: [1] } });
// @ts-expect-error: the key is a text
mergeDocuments(document, { ...document, pk: [1] });

// A change is told apart by its field.
declare const change: PlansChange;
expectTypeOf(change.field).toEqualTypeOf<"" | "steps" | "cards" | "data">();
if (change.field === "steps") expectTypeOf(change.list).toEqualTypeOf<readonly WireItem<string>[]>();
if (change.field === "data") expectTypeOf(change.document).toEqualTypeOf<WireDocument>();
// @ts-expect-error: a list has no value
if (change.field === "steps") change.value;
expectTypeOf<Changes["plans"]>().toEqualTypeOf<PlansChange>();

// The schemas say the same of what comes from elsewhere.
expectTypeOf(plansStateSchema.parse({})).toEqualTypeOf<PlansState>();
expectTypeOf(plansChangeSchema.parse({})).toEqualTypeOf<PlansChange>();
expectTypeOf(documentsStateSchema.parse({})).toEqualTypeOf<DocumentsState>();

// The tables beside the user's are typed by column, key and name.
expectTypeOf<typeof inventoryLog.$inferSelect>().toEqualTypeOf<{
  seq: number;
  at: number;
  op: string;
  pk_store: string;
  pk_sku: string;
  mask: number | null;
  before: string | null;
}>();
expectTypeOf<(typeof inventoryCrdt)["_"]["name"]>().toEqualTypeOf<"_inventory_crdt">();
