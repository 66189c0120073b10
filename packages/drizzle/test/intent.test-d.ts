// Type tests of the intent helpers, checked by `npm run typecheck`. Each @ts-expect-error says why it must not compile.
import * as pg from "drizzle-orm/pg-core";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, lww, set } from "../src/index";
import { add, increment, remove } from "../src/intent/index";

const lite = sqliteTable("t", {
  id: text("id").primaryKey(),
  title: lww(text("title").notNull()),
  views: counter(integer("views").notNull().default(0)),
  tags: set(text("tags", { mode: "json" }).$type<("a" | "b")[]>().notNull().default([])),
});
const full = pg.pgTable("t", {
  id: pg.text("id").primaryKey(),
  views: counter(pg.bigint("views", { mode: "bigint" }).notNull().default(0n)),
  tags: set(pg.text("tags").array().notNull().default([])),
  numbers: set(pg.integer("numbers").array().notNull().default([])),
  objects: set(pg.jsonb("objects").$type<{ sku: string }[]>().notNull().default([])),
});

increment(lite.views);
increment(lite.views, -3);
increment(full.views, 2n);
add(lite.tags, "a", "b");
remove(lite.tags);
add(full.tags, "anything");
add(full.numbers, 1);
add(full.objects, { sku: "x" });

// @ts-expect-error: not a counter
increment(lite.title);
// @ts-expect-error: no number
increment(lite.views, "1");
// @ts-expect-error: not a set
add(lite.title, "x");
// @ts-expect-error: no such element
add(lite.tags, "c");
// @ts-expect-error: no such element
remove(full.numbers, "1");
// @ts-expect-error: no such element
add(full.objects, { skew: "x" });
