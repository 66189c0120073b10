// Type tests of the intent helpers, checked by `npm run typecheck`. Each @ts-expect-error says why it must not compile.
import * as pg from "drizzle-orm/pg-core";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { counter, document, list, lww, set } from "../src/index";
import { add, append, deletePath, increment, insertAt, move, remove, removeAt, setPath } from "../src/intent/index";

interface Meta {
  title: string;
  note?: string | null;
  stats: { views: number; likes?: number; label: string };
  tags: string[];
  owner?: { name: string; age?: number };
  loose: Record<string, unknown>;
  counts: Record<string, number>;
  "a.b/c": { "": boolean };
  tree: { inner?: Meta };
}

const lite = sqliteTable("t", {
  id: text("id").primaryKey(),
  title: lww(text("title").notNull()),
  views: counter(integer("views").notNull().default(0)),
  tags: set(text("tags", { mode: "json" }).$type<("a" | "b")[]>().notNull().default([])),
  steps: list(text("steps", { mode: "json" }).$type<("a" | "b")[]>().notNull().default([])),
  data: document(text("data", { mode: "json" }).$type<Meta>().notNull(), { stats: { views: counter() }, tags: list() }),
});
const full = pg.pgTable("t", {
  id: pg.text("id").primaryKey(),
  views: counter(pg.bigint("views", { mode: "bigint" }).notNull().default(0n)),
  tags: set(pg.text("tags").array().notNull().default([])),
  numbers: set(pg.integer("numbers").array().notNull().default([])),
  objects: set(pg.jsonb("objects").$type<{ sku: string }[]>().notNull().default([])),
  steps: list(pg.text("steps").array().notNull().default([])),
  cards: list(pg.jsonb("cards").$type<{ sku: string }[]>().notNull().default([]), { key: "sku" }),
  data: document(pg.jsonb("data").$type<Meta>().notNull()),
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

append(lite.steps, "a", "b");
append(lite.steps);
insertAt(full.steps, 0, "anything");
insertAt(full.cards, 1, { sku: "x" });
removeAt(lite.steps, 0, 2);
move(full.cards, 0, 1);
// @ts-expect-error: a set has no order
append(lite.tags, "a");
// @ts-expect-error: a list is no set
add(lite.steps, "a");
// @ts-expect-error: no such item
append(lite.steps, "c");
// @ts-expect-error: no such item
append(full.steps, 1);
// @ts-expect-error: no such item
insertAt(full.cards, 0, { skew: "x" });
// @ts-expect-error: no place
insertAt(full.cards, "0", { sku: "x" });
// @ts-expect-error: not a list
removeAt(lite.title, 0);
// @ts-expect-error: no place to go to
move(full.cards, 0);

setPath(lite.data, ["title"], "t");
setPath(lite.data, ["note"], null);
setPath(lite.data, ["stats", "views"], 1);
setPath(lite.data, ["owner", "name"], "Ada");
setPath(lite.data, ["owner"], { name: "Ada" });
setPath(full.data, ["tags"], ["a"]);
setPath(full.data, ["loose", "any", "thing"], [1]);
setPath(full.data, ["a.b/c", ""], true);
setPath(full.data, ["tree", "inner", "tree", "inner", "title"], "t");
const key: string = "k";
setPath(full.data, ["counts", key], 1);
deletePath(full.data, ["owner", "age"]);
deletePath(full.data, ["loose", key]);
increment(lite.data, ["stats", "views"]);
increment(full.data, ["stats", "likes"], -2);
increment(full.data, ["counts", key]);
// @ts-expect-error: not a document
setPath(lite.title, ["length"], 1);
// @ts-expect-error: the root is no path
setPath(lite.data, [], {});
// @ts-expect-error: no such property
setPath(lite.data, ["titel"], "t");
// @ts-expect-error: no such property, further in
setPath(full.data, ["stats", "view"], 1);
// @ts-expect-error: text has no properties
setPath(full.data, ["title", "length"], 1);
// @ts-expect-error: an array is set as a whole
setPath(full.data, ["tags", "0"], "a");
// @ts-expect-error: a path of names, not their text
setPath(full.data, "stats.views", 1);
// @ts-expect-error: text stands there
setPath(lite.data, ["title"], 1);
// @ts-expect-error: NULL does not stand there
setPath(lite.data, ["title"], null);
// @ts-expect-error: what is undefined is no value
setPath(lite.data, ["note"], undefined);
// @ts-expect-error: no such object
setPath(lite.data, ["owner"], { nam: "Ada" });
// @ts-expect-error: no such property
deletePath(lite.data, ["owner", "aeg"]);
// @ts-expect-error: text is no number
increment(lite.data, ["title"]);
// @ts-expect-error: an object is no number
increment(full.data, ["stats"]);
// @ts-expect-error: no such property
increment(full.data, ["stats", "view"]);
// @ts-expect-error: a document has no count of its own
increment(full.data, 1);
// @ts-expect-error: a counter has no paths
increment(lite.views, ["stats"]);
