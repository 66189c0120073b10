// Every column type of drizzle-orm/sqlite-core: what it means on the wire, how it is stored, and its default in
// canonical form, which must be what the database itself fills in.

import Database from "better-sqlite3";
import { sql } from "drizzle-orm";
import * as sqliteCore from "drizzle-orm/sqlite-core";
import { blob, customType, integer, numeric, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { describe, expect, test } from "vitest";
import { counter, lww, set } from "../src/index";
import { problems, readOne } from "./read";
import { type SQLiteBuilder as Builder, isNested } from "./versions";

const custom = (type: string) => customType<{ data: never }>({ dataType: () => type })("x");
const tableOf = (x: Builder) => sqliteTable("t", { id: text("id").primaryKey(), x });
const fieldOf = (x: Builder) => readOne(tableOf(x)).fields[0];

const types: Record<string, [Builder, kind: string, storage: string, sqlType: string]> = {
  "text()": [text("x"), "text", "text", "text"],
  "text({ length })": [text("x", { length: 9 }), "text", "text", "text(9)"],
  "text({ enum })": [text("x", { enum: ["a", "b"] }), "text", "text", "text"],
  'text({ mode: "json" })': [text("x", { mode: "json" }), "json", "text", "text"],
  "integer()": [integer("x"), "integer", "integer", "integer"],
  'integer({ mode: "boolean" })': [integer("x", { mode: "boolean" }), "boolean", "integer", "integer"],
  'integer({ mode: "timestamp" })': [integer("x", { mode: "timestamp" }), "timestamp", "seconds", "integer"],
  'integer({ mode: "timestamp_ms" })': [integer("x", { mode: "timestamp_ms" }), "timestamp", "milliseconds", "integer"],
  "real()": [real("x"), "real", "real", "real"],
  "numeric()": [numeric("x"), "numeric", "numeric", "numeric"],
  'numeric({ mode: "number" })': [numeric("x", { mode: "number" }), "numeric", "numeric", "numeric"],
  'numeric({ mode: "bigint" })': [numeric("x", { mode: "bigint" }), "numeric", "numeric", "numeric"],
  "blob()": [blob("x"), isNested ? "bytes" : "json", "blob", "blob"],
  'blob({ mode: "buffer" })': [blob("x", { mode: "buffer" }), "bytes", "blob", "blob"],
  'blob({ mode: "json" })': [blob("x", { mode: "json" }), "json", "blob", "blob"],
  'blob({ mode: "bigint" })': [blob("x", { mode: "bigint" }), "integer", "blob", "blob"],
  "customType varchar(10)": [custom("varchar(10)"), "text", "text", "varchar(10)"],
  "customType clob": [custom("clob"), "text", "text", "clob"],
  "customType bigint": [custom("bigint"), "integer", "integer", "bigint"],
  "customType charint": [custom("charint"), "integer", "integer", "charint"],
  "customType double precision": [custom("double precision"), "real", "real", "double precision"],
  "customType blob": [custom("blob"), "bytes", "blob", "blob"],
  "customType without a type": [custom(""), "bytes", "blob", ""],
  "customType decimal(10,5)": [custom("decimal(10,5)"), "numeric", "numeric", "decimal(10,5)"],
};

describe("the kind and storage of", () => {
  test.each(Object.entries(types))("%s", (_, [builder, kind, storage, sqlType]) => {
    expect(fieldOf(lww(builder))).toMatchObject({ kind, storage, sqlType });
  });
  test("every column class that this drizzle-orm has", () => {
    const classes = Object.keys(sqliteCore).filter((name) =>
      /^SQLite(?!.*(Builder|Table|View|Session|Dialect|Transaction|Database|Query|Select|Insert|Update|Delete|Relational|Prepared|Count|Base|Raw|Column$|Core))/.test(
        name,
      ),
    );
    const known = Object.values(types).map(([builder]) => tableOf(builder as never).x.columnType);
    expect(classes.filter((name) => !known.includes(name) && name !== "SQLiteSyncDialect")).toEqual([]);
  });
});

const json = () => text("x", { mode: "json" }).$type<unknown>();
const defaults: Record<string, [Builder, unknown]> = {
  "text, empty": [lww(text("x").default("")), ""],
  "text with a quote": [lww(text("x").default("it's")), "it's"],
  "text given as SQL": [lww(text("x").default(sql`'a'`)), "a"],
  json: [lww(json().default({ b: [1, null], a: "x" })), { b: [1, null], a: "x" }],
  "json, a number": [lww(json().default(5)), 5],
  "json given as SQL": [lww(json().default(sql`'"it''s"'`)), "it's"],
  integer: [lww(integer("x").default(-7)), -7],
  "integer given as SQL in parentheses": [lww(integer("x").default(sql`(+ 7)`)), 7],
  "integer of 64 bits": [lww(integer("x").default(sql`9223372036854775807`)), "9223372036854775807"],
  "integer written as real": [lww(integer("x").default(sql`5.0`)), 5],
  "boolean true": [lww(integer("x", { mode: "boolean" }).default(true)), true],
  "boolean false": [lww(integer("x", { mode: "boolean" }).default(false)), false],
  "boolean given as SQL": [lww(integer("x", { mode: "boolean" }).default(sql`TRUE`)), true],
  seconds: [lww(integer("x", { mode: "timestamp" }).default(sql`1704164645`)), "2024-01-02T03:04:05.000000Z"],
  milliseconds: [
    lww(integer("x", { mode: "timestamp_ms" }).default(sql`(1704164645678)`)),
    "2024-01-02T03:04:05.678000Z",
  ],
  real: [lww(real("x").default(1.5)), 1.5],
  "real, an integer": [lww(real("x").default(2)), 2],
  numeric: [lww(numeric("x").default("1.10")), "1.1"],
  "numeric number": [lww(numeric("x", { mode: "number" }).default(2.5)), "2.5"],
  bytes: [lww(blob("x", { mode: "buffer" }).default(sql`X'00ff'`)), "AP8="],
  "json in a blob": [lww(blob("x", { mode: "json" }).default(sql`X'5b315d'`)), [1]],
  "bigint in a blob": [lww(blob("x", { mode: "bigint" }).default(sql`X'3132'`)), 12],
  counter: [counter(integer("x").notNull().default(100)), "100"],
  set: [set(text("x", { mode: "json" }).$type<string[]>().notNull().default(["b", "a"])), ["b", "a"]],
  NULL: [lww(text("x").default(sql`NULL`)), undefined],
  "none, made by the app": [lww(text("x").$defaultFn(() => "app")), undefined],
  none: [lww(text("x")), undefined],
};

describe("the default of", () => {
  test.each(Object.entries(defaults))("%s", (_, [builder, expected]) => {
    expect(fieldOf(builder)?.default).toEqual(expected);
  });

  test.each([
    ["CURRENT_TIMESTAMP", text("x").default(sql`CURRENT_TIMESTAMP`), "volatile_default"],
    ["an expression", integer("x").default(sql`(1 + 2)`), "volatile_default"],
    ["a function", text("x").default(sql`(lower(hex(randomblob(16))))`), "volatile_default"],
    ["unixepoch()", integer("x", { mode: "timestamp" }).default(sql`(unixepoch())`), "volatile_default"],
    ["a parameter", text("x").default(sql`${"a"}`), "volatile_default"],
    ["text in an integer column", integer("x").default(sql`'abc'`), "default_invalid"],
    ["a number in a text column", text("x").default(sql`1e3`), "default_invalid"],
    ["a broken number in an integer column", integer("x").default(1.5), "default_invalid"],
    ["text that is no JSON", text("x", { mode: "json" }).default(sql`'abc'`), "default_invalid"],
    // drizzle-kit writes the following defaults otherwise than Drizzle does.
    ["a Date", integer("x", { mode: "timestamp" }).default(new Date(0)), "default_invalid"],
    ["a JSON string", json().default("abc"), "default_invalid"],
    ["a JSON boolean", json().default(true), "default_invalid"],
    ["JSON with a quote", json().default(["it's"]), "default_invalid"],
    ["JSON in another spelling", json().default(sql`'[1, 2]'`), "default_invalid"],
    ["JSON text in a blob", blob("x", { mode: "json" }).default([1]), "default_invalid"],
    ["a Buffer", blob("x", { mode: "buffer" }).default(Buffer.from("a")), "default_invalid"],
    ["a bigint", blob("x", { mode: "bigint" }).default(5n), "default_invalid"],
  ])("%s is refused", (_, builder, code) => {
    expect(problems({ t: tableOf(lww(builder)) })).toEqual([`t.x ${code}`]);
  });
});

test("a number's text is read as SQLite itself reads it", () => {
  const db = new Database(":memory:");
  for (const clause of [
    "1e3",
    ".5",
    "5.",
    "-0.25",
    "'12'",
    "' 12 '",
    "'1e2'",
    "9223372036854775808",
    "-9223372036854775808",
  ]) {
    db.exec(`DROP TABLE IF EXISTS t; CREATE TABLE t (id, x numeric DEFAULT ${clause}); INSERT INTO t (id) VALUES (1)`);
    const stored = db.prepare("SELECT CAST(x AS TEXT) FROM t").pluck().get();
    const field = fieldOf(lww(numeric("x").default(sql.raw(clause))));
    expect(Number(field?.default), clause).toBe(Number(stored));
  }
});
