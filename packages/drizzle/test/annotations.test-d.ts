// Type tests of the annotations, checked by `npm run typecheck`. Each @ts-expect-error says why it must not compile.
import * as pg from "drizzle-orm/pg-core";
import { customType, integer, numeric, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { expectTypeOf } from "vitest";
import { counter, document, fixed, list, local, lww, set } from "../src/index";

const strings = () => text("x", { mode: "json" }).$type<string[]>();

// Annotating changes nothing of what Drizzle reads and writes.
const plain = {
  id: text("id").primaryKey(),
  title: text("title").notNull(),
  status: text("status", { enum: ["open", "paid"] })
    .notNull()
    .default("open"),
  at: integer("at", { mode: "timestamp_ms" }),
  owner: text("owner").notNull(),
  views: integer("views").notNull().default(0),
  tags: text("tags", { mode: "json" }).$type<string[]>().notNull().default([]),
  shelf: text("shelf"),
};
const before = sqliteTable("t", plain);
const after = sqliteTable("t", {
  id: plain.id,
  title: lww(plain.title),
  status: lww(plain.status),
  at: lww(plain.at),
  owner: fixed(plain.owner),
  views: counter(plain.views),
  tags: set(plain.tags),
  shelf: local(plain.shelf),
});
expectTypeOf<typeof after.$inferSelect>().toEqualTypeOf<typeof before.$inferSelect>();
expectTypeOf<typeof after.$inferInsert>().toEqualTypeOf<typeof before.$inferInsert>();

// The annotation goes before or after the chained methods, and into the callback form.
const composed = sqliteTable("t", (t) => ({
  id: t.text().primaryKey(),
  wrapped: lww(t.text().notNull()),
  chained: lww(t.text()).notNull(),
  typed: set(t.text({ mode: "json" }).$type<string[]>())
    .notNull()
    .default([]),
  counted: counter(t.integer()).notNull().default(0),
}));
expectTypeOf<typeof composed.$inferSelect>().toEqualTypeOf<{
  id: string;
  wrapped: string;
  chained: string;
  typed: string[];
  counted: number;
}>();

// The column's type says which annotation it carries.
expectTypeOf<(typeof after.title)["_"]["dataType"]>().toEqualTypeOf<"string" & { readonly crdt: "lww" }>();
expectTypeOf<(typeof after.owner)["_"]["dataType"]>().toEqualTypeOf<"string" & { readonly crdt: "fixed" }>();
expectTypeOf<(typeof after.views)["_"]["dataType"]>().toExtend<{ readonly crdt: "counter" }>();
expectTypeOf<(typeof after.tags)["_"]["dataType"]>().toExtend<{ readonly crdt: "set" }>();
expectTypeOf<(typeof after.shelf)["_"]["dataType"]>().toExtend<{ readonly crdt: "local" }>();

// counter() takes columns of whole numbers.
counter(integer("x"));
counter(integer("x", { mode: "number" }).notNull().default(0));
counter(customType<{ data: bigint }>({ dataType: () => "bigint" })("x"));
// @ts-expect-error text cannot be counted
counter(text("x"));
// @ts-expect-error a real loses whole numbers past 2^53
counter(real("x"));
// @ts-expect-error SQLite's numeric turns large numbers into reals
counter(numeric("x", { mode: "number" }));
// @ts-expect-error a boolean cannot be counted
counter(integer("x", { mode: "boolean" }));
// @ts-expect-error a point in time cannot be counted
counter(integer("x", { mode: "timestamp" }));

// set() takes arrays.
set(strings().notNull());
set(text("x", { mode: "json" }).$type<readonly { id: number }[]>());
// @ts-expect-error without .$type<T[]>() the elements are unknown
set(text("x", { mode: "json" }));
// @ts-expect-error an object is no array
set(text("x", { mode: "json" }).$type<{ a: 1 }>());
// @ts-expect-error text is no array
set(text("x"));
// @ts-expect-error with `any` as its type the elements are unknown
// biome-ignore lint/suspicious/noExplicitAny: it is what this line is about
set(text("x", { mode: "json" }).$type<any>());

// One annotation to a column.
// @ts-expect-error annotated twice
lww(counter(integer("x")));
// @ts-expect-error annotated twice
fixed(lww(text("x")));
// @ts-expect-error annotated twice
lww(fixed(text("x")).notNull());
// @ts-expect-error annotated twice, with a method between
local(lww(text("x")).notNull());

// Only column builders can be annotated.
// @ts-expect-error a string is no column
lww("title");
// @ts-expect-error a built column is no builder
lww(after.title);

// The same for Postgres.
const postgres = pg.pgTable("t", {
  id: pg.uuid("id").primaryKey(),
  title: lww(pg.text("title").notNull()),
  owner: fixed(pg.uuid("owner").notNull()),
  views: counter(pg.bigint("views", { mode: "number" }).notNull().default(0)),
  exact: counter(pg.bigint("exact", { mode: "bigint" }).notNull()),
  tags: set(pg.text("tags").array().notNull().default([])),
  labels: set(pg.jsonb("labels").$type<string[]>().notNull()),
});
expectTypeOf<typeof postgres.$inferSelect>().toEqualTypeOf<{
  id: string;
  title: string;
  owner: string;
  views: number;
  exact: bigint;
  tags: string[];
  labels: string[];
}>();
// lww() takes every column builder, and the column stays what it was.
const builders = {
  bigint: pg.bigint("c", { mode: "bigint" }),
  bit: pg.bit("c", { dimensions: 3 }),
  boolean: pg.boolean("c").notNull(),
  char: pg.char("c", { length: 3, enum: ["abc"] }),
  cidr: pg.cidr("c"),
  custom: pg.customType<{ data: Uint8Array }>({ dataType: () => "bytea" })("c"),
  date: pg.date("c", { mode: "date" }),
  doublePrecision: pg.doublePrecision("c"),
  enumerated: pg.pgEnum("e", ["a", "b"])("c").notNull().default("a"),
  labelled: pg.pgEnum("l", { A: "a" })("c"),
  geometry: pg.geometry("c", { type: "point", mode: "xy" }),
  halfvec: pg.halfvec("c", { dimensions: 3 }),
  inet: pg.inet("c"),
  integer: pg.integer("c"),
  interval: pg.interval("c"),
  json: pg.json("c").$type<{ a: 1 }>(),
  jsonb: pg.jsonb("c"),
  line: pg.line("c"),
  macaddr: pg.macaddr("c"),
  macaddr8: pg.macaddr8("c"),
  matrix: pg.integer("c").array().array(),
  numeric: pg.numeric("c", { mode: "number" }),
  point: pg.point("c", { mode: "xy" }),
  real: pg.real("c"),
  smallint: pg.smallint("c"),
  sparsevec: pg.sparsevec("c", { dimensions: 3 }),
  text: pg
    .text("c", { enum: ["a"] })
    .array()
    .notNull(),
  time: pg.time("c"),
  timestamp: pg.timestamp("c", { mode: "string" }).notNull().defaultNow(),
  uuid: pg.uuid("c").defaultRandom(),
  varchar: pg.varchar("c", { length: 3 }),
  vector: pg.vector("c", { dimensions: 3 }),
};
const bare = pg.pgTable("t", builders);
const marked = pg.pgTable("t", {
  bigint: lww(builders.bigint),
  bit: lww(builders.bit),
  boolean: lww(builders.boolean),
  char: lww(builders.char),
  cidr: lww(builders.cidr),
  custom: lww(builders.custom),
  date: lww(builders.date),
  doublePrecision: lww(builders.doublePrecision),
  enumerated: lww(builders.enumerated),
  labelled: lww(builders.labelled),
  geometry: lww(builders.geometry),
  halfvec: lww(builders.halfvec),
  inet: lww(builders.inet),
  integer: lww(builders.integer),
  interval: lww(builders.interval),
  json: lww(builders.json),
  jsonb: lww(builders.jsonb),
  line: lww(builders.line),
  macaddr: lww(builders.macaddr),
  macaddr8: lww(builders.macaddr8),
  matrix: lww(builders.matrix),
  numeric: lww(builders.numeric),
  point: lww(builders.point),
  real: lww(builders.real),
  smallint: lww(builders.smallint),
  sparsevec: lww(builders.sparsevec),
  text: lww(builders.text),
  time: lww(builders.time),
  timestamp: lww(builders.timestamp),
  uuid: lww(builders.uuid),
  varchar: lww(builders.varchar),
  vector: lww(builders.vector),
});
expectTypeOf<typeof marked.$inferSelect>().toEqualTypeOf<typeof bare.$inferSelect>();
expectTypeOf<typeof marked.$inferInsert>().toEqualTypeOf<typeof bare.$inferInsert>();

// set() takes arrays in all their spellings, before and after the chained methods.
const sets = pg.pgTable("t", (t) => ({
  array: set(t.text().array().notNull()),
  chained: set(t.text().array()).notNull().default([]),
  numbers: set(t.integer().array().notNull().default([1])),
  enums: set(pg.pgEnum("e", ["a", "b"])().array().notNull()),
  json: set(t.jsonb().$type<{ id: number }[]>().notNull().default([])),
}));
expectTypeOf<typeof sets.$inferSelect>().toEqualTypeOf<{
  array: string[];
  chained: string[];
  numbers: number[];
  enums: ("a" | "b")[];
  json: { id: number }[];
}>();
// Of an array, `$type` is the whole in 0.45 and one element in 1.0: it stays what Drizzle makes of it.
const union = () => pg.text("c").array().$type<("a" | "b")[]>().notNull();
const plainUnion = pg.pgTable("t", { union: union() });
const unionSet = pg.pgTable("t", { union: set(union()) });
expectTypeOf<typeof unionSet.$inferSelect>().toEqualTypeOf<typeof plainUnion.$inferSelect>();
// @ts-expect-error text is no array
set(pg.text("x"));
// @ts-expect-error an object is no array
set(pg.jsonb("x").$type<{ a: 1 }>());

// counter() takes whole numbers of 64 bits.
counter(
  pg
    .customType<{ data: bigint }>({ dataType: () => "bigint" })("x")
    .notNull(),
);
// @ts-expect-error a numeric is no integer
counter(pg.numeric("x", { mode: "bigint" }));
// @ts-expect-error a sequence would draw its first value
counter(pg.bigserial("x", { mode: "number" }));
// @ts-expect-error an array cannot be counted
counter(pg.bigint("x", { mode: "number" }).array());
// @ts-expect-error 32 bits overflow when counts from many nodes add up
counter(pg.integer("x"));
// @ts-expect-error without .$type<T[]>() the elements are unknown
set(pg.jsonb("x"));

// list() takes what set() takes, and the property that tells objects apart.
type Card = { id: string; title?: string };
const cards = () => text("x", { mode: "json" }).$type<Card[]>().notNull();
list(strings().notNull());
list(cards(), { key: "id" });
list(text("x", { mode: "json" }).$type<readonly Card[]>(), { key: "title" });
// @ts-expect-error no such property
list(cards(), { key: "ide" });
// @ts-expect-error text has no properties
list(strings(), { key: "length" });
// @ts-expect-error an array has no properties that tell it apart
list(text("x", { mode: "json" }).$type<string[][]>(), { key: "length" });
// @ts-expect-error a Postgres array holds no objects that are told apart
list(pg.jsonb("x").$type<Card>().array(), { key: "id" });
// @ts-expect-error a key goes with a name
list(cards(), {});
// @ts-expect-error without .$type<T[]>() the elements are unknown
list(text("x", { mode: "json" }));
// @ts-expect-error an object is no array
list(pg.jsonb("x").$type<{ a: 1 }>());
// @ts-expect-error annotated twice
list(set(strings()));

// document() takes objects, and a shape that fits them.
interface Meta {
  name: string;
  stats: { views: number; likes?: number; label: string };
  tags: string[];
  cards: Card[];
  rating?: { marks: number[] };
  either: number | string;
  empty: number | null;
  loose: unknown;
  "a.b/c": number;
  tree: { inner?: Meta };
}
const meta = () => text("x", { mode: "json" }).$type<Meta>().notNull();
document(meta());
document(meta(), {});
document(pg.jsonb("x").$type<{ a: 1 }>());
document(meta(), {
  stats: { views: counter(), likes: counter() },
  tags: set(),
  cards: list({ key: "id" }),
  rating: { marks: list() },
  "a.b/c": counter(),
  tree: { inner: { tree: { inner: { tags: list() } } } },
});
document(pg.jsonb("x").$type<Record<string, number>>(), { any: counter() });
// @ts-expect-error without .$type<T>() the properties are unknown
document(text("x", { mode: "json" }));
// @ts-expect-error an array is no object
document(text("x", { mode: "json" }).$type<string[]>());
// @ts-expect-error text is no object
document(text("x"));
// @ts-expect-error a point in time is no object of JSON
document(integer("x", { mode: "timestamp" }));
// @ts-expect-error a Postgres array is no object
document(pg.jsonb("x").$type<Meta>().array());
// @ts-expect-error annotated twice
document(lww(meta()));
// @ts-expect-error no such property
document(meta(), { tag: set() });
// @ts-expect-error no such property, further in
document(meta(), { stats: { view: counter() } });
// @ts-expect-error text cannot be counted
document(meta(), { name: counter() });
// @ts-expect-error text cannot be counted, further in
document(meta(), { stats: { label: counter() } });
// @ts-expect-error what may be text cannot be counted
document(meta(), { either: counter() });
// @ts-expect-error what may be null cannot be counted
document(meta(), { empty: counter() });
// @ts-expect-error nothing is known of it
document(meta(), { loose: counter() });
// @ts-expect-error a number is no array
document(meta(), { stats: { views: set() } });
// @ts-expect-error an object is no array
document(meta(), { stats: set() });
// @ts-expect-error an array is no number
document(meta(), { tags: counter() });
// @ts-expect-error an array has no shape of its own
document(meta(), { cards: { id: set() } });
// @ts-expect-error no such property of the items
document(meta(), { cards: list({ key: "ide" }) });
// @ts-expect-error text has no properties
document(meta(), { tags: list({ key: "length" }) });
// @ts-expect-error a register needs no mention
document(meta(), { name: lww() });
// @ts-expect-error a shape says types, not values
document(meta(), { stats: { views: 1 } });

// Neither changes what Drizzle reads and writes.
const bareJson = {
  id: text("id").primaryKey(),
  cards: cards().default([]),
  data: meta(),
  chained: text("chained", { mode: "json" }).$type<Meta>(),
};
const plainJson = sqliteTable("t", bareJson);
const markedJson = sqliteTable("t", {
  id: bareJson.id,
  cards: list(bareJson.cards, { key: "id" }),
  data: document(bareJson.data, { stats: { views: counter() } }),
  chained: document(bareJson.chained, { tags: list() }),
});
expectTypeOf<typeof markedJson.$inferSelect>().toEqualTypeOf<typeof plainJson.$inferSelect>();
expectTypeOf<typeof markedJson.$inferInsert>().toEqualTypeOf<typeof plainJson.$inferInsert>();
expectTypeOf<(typeof markedJson.cards)["_"]["dataType"]>().toExtend<{ readonly crdt: "list" }>();
expectTypeOf<(typeof markedJson.data)["_"]["dataType"]>().toExtend<{ readonly crdt: "document" }>();
const cloudJson = pg.pgTable("t", (t) => ({
  array: list(t.text().array()).notNull().default([]),
  cards: list(t.jsonb().$type<Card[]>(), { key: "id" }).notNull(),
  data: document(t.jsonb().$type<Meta>(), { tags: set() }).notNull(),
}));
expectTypeOf<typeof cloudJson.$inferSelect>().toEqualTypeOf<{ array: string[]; cards: Card[]; data: Meta }>();
