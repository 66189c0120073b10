// Every column builder and mode of drizzle-orm/pg-core and drizzle-orm/sqlite-core, what stands for it in the other dialect, and
// values that it can hold. Long, for it is a list.
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import { lww } from "grove-crdt/schema";
import type { PgBuilder, SQLiteBuilder } from "../../packages/drizzle/test/versions";

/** A column of Postgres, what stands for it in SQLite, and values as SQL. */
export interface Case {
  readonly pg: PgBuilder;
  readonly lite: SQLiteBuilder;
  readonly values: readonly string[];
}

const text = () => lite.text("x");
const integer = () => lite.integer("x");
const json = () => lite.text("x", { mode: "json" });
const time = () => lite.integer("x", { mode: "timestamp_ms" });
const quoted = (...texts: readonly string[]) => texts.map((value) => `'${value.replaceAll("'", "''")}'`);
const whole = ["0", "-1", "32767", "-32768"];
const long = ["9223372036854775807", "-9223372036854775808", "9007199254740993", "-9007199254740993", "0"];
const moments = quoted(
  "2026-01-02 03:04:05.678",
  "2026-01-02 03:04:05.678901",
  "1969-12-31 23:59:59.999999",
  "1900-01-01 00:00:00",
  "0001-01-01 00:00:00 BC",
  "4713-12-31 12:00:00 BC",
  "10000-01-01 00:00:00.000001",
  "294276-12-31 23:59:59.999999",
  "infinity",
  "-infinity",
);
const dates = quoted("2026-02-28", "0001-01-01", "0044-03-15 BC", "12026-01-01", "infinity", "-infinity");
const times = quoted("00:00:00", "23:59:59.999999", "24:00:00", "12:30:00.5");
const documents = quoted(
  "{}",
  "[]",
  '""',
  '"123"',
  '"true"',
  "null",
  "true",
  "1",
  "1.0",
  "-0",
  "1e5",
  "0.1",
  "12345678901234567890",
  "0.12345678901234567890",
  "1e400",
  '{"b": 1, "a": [1, null, {"c": "it\'s \\"so\\""}]}',
  '{"a": 1, "a": 2}',
  '{"$grove": "text", "value": "mine"}',
  '{"__proto__": {"x": 1}}',
  '{"10": 1, "9": 2}',
  '"größe 😀"',
);
const texts = quoted(
  "",
  " ",
  "plain",
  "it's",
  'say "hi" \\ back',
  "größe 北京 😀 e\u0301",
  "\uffff",
  "123",
  "NaN",
  "null",
  "{a}",
);
const reals = ["0", "-0.0", "1.5", "0.1", "-123456.75", "'NaN'", "'Infinity'", "'-Infinity'"];
const mood = pg.pgEnum("mood", ["so so", "fine"]);
const labelled = pg.pgEnum("labelled", { A: "a", B: "b" });
const custom = (type: string) => pg.customType<{ data: string }>({ dataType: () => type })("x");

/** By the builder's name in drizzle-orm/pg-core, and mode. */
export const postgresTypes: Record<string, Record<string, Case>> = {
  bigint: {
    number: { pg: pg.bigint("x", { mode: "number" }), lite: integer(), values: long },
    bigint: { pg: pg.bigint("x", { mode: "bigint" }), lite: lite.blob("x", { mode: "bigint" }), values: long },
  },
  bigserial: {},
  serial: {},
  smallserial: {},
  bit: { "": { pg: pg.bit("x", { dimensions: 3 }), lite: text(), values: ["B'101'", "B'000'"] } },
  boolean: { "": { pg: pg.boolean("x"), lite: lite.integer("x", { mode: "boolean" }), values: ["true", "false"] } },
  char: { "": { pg: pg.char("x", { length: 3 }), lite: text(), values: quoted("abc", "a", "a  ", "") } },
  cidr: { "": { pg: pg.cidr("x"), lite: text(), values: quoted("10.0.0.0/8", "2001:db8::/32", "::/0") } },
  date: {
    string: { pg: pg.date("x"), lite: text(), values: dates },
    date: { pg: pg.date("x", { mode: "date" }), lite: time(), values: dates },
  },
  decimal: { "": { pg: pg.decimal("x"), lite: lite.numeric("x"), values: ["1.50"] } },
  doublePrecision: {
    "": {
      pg: pg.doublePrecision("x"),
      lite: lite.real("x"),
      values: [
        ...reals,
        "'5e-324'",
        "1.7976931348623157e308",
        "0.30000000000000004",
        "9007199254740993",
        "1e21",
        "1e-7",
      ],
    },
  },
  geometry: {},
  halfvec: {},
  sparsevec: {},
  vector: {},
  inet: {
    "": {
      pg: pg.inet("x"),
      lite: text(),
      values: quoted("10.0.0.1", "10.0.0.1/8", "::1", "::ffff:1.2.3.4", "fe80::1/64"),
    },
  },
  integer: { "": { pg: pg.integer("x"), lite: integer(), values: [...whole, "2147483647", "-2147483648"] } },
  interval: {
    "": {
      pg: pg.interval("x"),
      lite: text(),
      values: quoted("1 year 2 mons -3 days +04:05:06.789", "0", "-00:00:01", "178000000 years"),
    },
  },
  json: { "": { pg: pg.json("x"), lite: json(), values: [...documents, `'{ "spaced" : 1 }'`, `'"\\ud800"'`] } },
  jsonb: {
    "": { pg: pg.jsonb("x"), lite: json(), values: documents },
    "in a blob": { pg: pg.jsonb("x"), lite: lite.blob("x", { mode: "json" }), values: documents },
  },
  line: {
    tuple: { pg: pg.line("x"), lite: text(), values: quoted("{1,2,3}", "{-1.5,0,1e300}") },
    abc: { pg: pg.line("x", { mode: "abc" }), lite: text(), values: quoted("{1,2,3}") },
  },
  macaddr: { "": { pg: pg.macaddr("x"), lite: text(), values: quoted("08-00-2b-01-02-03") } },
  macaddr8: { "": { pg: pg.macaddr8("x"), lite: text(), values: quoted("08:00:2b:01:02:03:04:05") } },
  numeric: {
    string: {
      pg: pg.numeric("x"),
      lite: lite.numeric("x"),
      values: [
        ...["0", "1.10", "-0.000", "123456789012345678901234567890.123456789", "9223372036854775808", "0.1", "1e-7"],
        ...["0.30000000000000004", "1e300", "'NaN'", "'Infinity'", "'-Infinity'", "9007199254740993"],
      ],
    },
    number: {
      pg: pg.numeric("x", { mode: "number" }),
      lite: lite.numeric("x", { mode: "number" }),
      values: ["1.10", "5"],
    },
    bigint: {
      pg: pg.numeric("x", { mode: "bigint", precision: 30 }),
      lite: lite.numeric("x", { mode: "bigint" }),
      values: ["123456789012345678901234567890"],
    },
    "as text": { pg: pg.numeric("x"), lite: text(), values: ["1.10", "'NaN'", "12345678901234567890.5"] },
    scaled: {
      pg: pg.numeric("x", { precision: 10, scale: 2 }),
      lite: lite.numeric("x"),
      values: ["1.1", "5", "-99999999.99"],
    },
  },
  point: {
    tuple: { pg: pg.point("x"), lite: text(), values: quoted("(1,2)", "(-0.1,1e300)", "(NaN,Infinity)") },
    xy: { pg: pg.point("x", { mode: "xy" }), lite: text(), values: quoted("(1,2)") },
  },
  real: {
    "": {
      pg: pg.real("x"),
      lite: lite.real("x"),
      values: [...reals, "1e-45", "3.4028235e38", "0.123456789", "16777217"],
    },
  },
  smallint: { "": { pg: pg.smallint("x"), lite: integer(), values: whole } },
  text: {
    "": { pg: pg.text("x"), lite: text(), values: texts },
    enum: { pg: pg.text("x", { enum: ["a"] }), lite: text(), values: quoted("a", "never declared") },
    array: {
      pg: pg.text("x").array(),
      lite: json(),
      values: [...quoted("{}", '{a,"b c","d\\"\\\\,{}",NULL,"NULL",""}', "[2:3]={a,b}"), "ARRAY[['a','b'],['c','d']]"],
    },
    "array of arrays": {
      pg: pg.text("x").array().array(),
      lite: json(),
      values: quoted("{}", "{{a,b},{c,NULL}}", "{a}"),
    },
  },
  time: {
    "": { pg: pg.time("x"), lite: text(), values: times },
    zoned: {
      pg: pg.time("x", { withTimezone: true }),
      lite: text(),
      values: quoted("12:00:00+02", "12:00:00.5-05:30"),
    },
  },
  timestamp: {
    date: { pg: pg.timestamp("x"), lite: time(), values: moments },
    zoned: { pg: pg.timestamp("x", { withTimezone: true }), lite: time(), values: moments },
    // What is rounded up past the end of time Postgres itself does not take again.
    precise: {
      pg: pg.timestamp("x", { precision: 3 }),
      lite: time(),
      values: moments.filter((at) => !at.includes("294276")),
    },
    "in seconds": { pg: pg.timestamp("x"), lite: lite.integer("x", { mode: "timestamp" }), values: moments },
    string: { pg: pg.timestamp("x", { mode: "string" }), lite: text(), values: moments },
    "zoned string": { pg: pg.timestamp("x", { mode: "string", withTimezone: true }), lite: text(), values: moments },
    array: { pg: pg.timestamp("x").array(), lite: json(), values: [`'{"2026-01-02 03:04:05.678901",infinity,NULL}'`] },
  },
  uuid: { "": { pg: pg.uuid("x"), lite: text(), values: quoted("3F2504E0-4F89-11D3-9A0C-0305E82C3301") } },
  varchar: { "": { pg: pg.varchar("x", { length: 9 }), lite: text(), values: quoted("", "abc  ", "größe 😀") } },
  pgEnum: {
    "": { pg: mood("x"), lite: text(), values: quoted("so so", "fine") },
    object: { pg: labelled("x"), lite: text(), values: quoted("a") },
    array: { pg: mood("x").array(), lite: json(), values: quoted('{"so so",NULL}') },
  },
  customType: {
    bytea: {
      pg: custom("bytea"),
      lite: lite.blob("x", { mode: "buffer" }),
      values: [String.raw`'\x'`, String.raw`'\x00ff10'`, `decode(repeat('ab', 5000), 'hex')`],
    },
    "bytea[]": { pg: custom("bytea[]"), lite: json(), values: [String.raw`ARRAY['\x00'::bytea, '\xff', NULL]`] },
    "jsonb[]": { pg: custom("jsonb[]"), lite: json(), values: [`ARRAY['[1,2]'::jsonb, 'null', NULL, '1.0', '"x"']`] },
    "bigint[]": { pg: custom("bigint[]"), lite: json(), values: quoted("{1,9007199254740993,NULL}", "{}") },
    "double precision[]": { pg: custom("float8[]"), lite: json(), values: quoted("{1.5,NaN,-Infinity}") },
    tsvector: { pg: custom("tsvector"), lite: text(), values: quoted("a:1 b:2A") },
    int4range: { pg: custom("int4range"), lite: text(), values: quoted("[1,5)", "empty") },
    'text COLLATE "C"': { pg: custom('text COLLATE "C"'), lite: text(), values: texts },
  },
};
/** Drawn by the database, or of an extension: packages/drizzle/test/postgres-kinds.test.ts has them. */
export const leftOut = ["bigserial", "serial", "smallserial", "geometry", "halfvec", "sparsevec", "vector"];

const bytes = ["x''", "x'00ff10'", "x'61'"];
const liteReals = ["0.0", "-0.0", "1.5", "0.1", "1e300", "5e-324", "9e999", "-9e999", "'NaN'", "123456789.123456789"];
/** By the builder's name in drizzle-orm/sqlite-core, and mode. */
export const sqliteTypes: Record<string, Record<string, Case>> = {
  blob: {
    buffer: { pg: custom("bytea"), lite: lite.blob("x", { mode: "buffer" }), values: bytes },
    json: {
      pg: pg.jsonb("x"),
      lite: lite.blob("x", { mode: "json" }),
      values: [`CAST('{"a":[1],"b":1}' AS BLOB)`, "CAST('1.0' AS BLOB)", `CAST('{ "spaced": 1 }' AS BLOB)`],
    },
    bigint: {
      pg: pg.bigint("x", { mode: "bigint" }),
      lite: lite.blob("x", { mode: "bigint" }),
      values: ["CAST('0' AS BLOB)", "CAST('-9223372036854775808' AS BLOB)"],
    },
  },
  customType: {
    text: { pg: pg.text("x"), lite: lite.customType<{ data: string }>({ dataType: () => "text" })("x"), values: texts },
    decimal: {
      pg: pg.numeric("x"),
      lite: lite.customType<{ data: string }>({ dataType: () => "decimal(10,2)" })("x"),
      values: ["1.5", "9e999"],
    },
  },
  integer: {
    "": { pg: pg.bigint("x", { mode: "number" }), lite: integer(), values: long },
    boolean: { pg: pg.boolean("x"), lite: lite.integer("x", { mode: "boolean" }), values: ["0", "1"] },
    timestamp: {
      pg: pg.timestamp("x"),
      lite: lite.integer("x", { mode: "timestamp" }),
      values: ["0", "-1", "1700000000", "-62135596801", "253402300800", "9000000000000", "'infinity'"],
    },
    timestamp_ms: {
      pg: pg.timestamp("x", { withTimezone: true }),
      lite: time(),
      values: ["0", "-1", "1700000000123", "8640000000000001", "9224318015999999", "'-infinity'"],
    },
  },
  numeric: {
    "": {
      pg: pg.numeric("x"),
      lite: lite.numeric("x"),
      values: ["0", "1.5", "'1.10'", "1e21", "1e-7", "9223372036854775807", "9e999", "'NaN'", "'Infinity'", "1e19"],
    },
    number: { pg: pg.numeric("x"), lite: lite.numeric("x", { mode: "number" }), values: ["1.5"] },
    bigint: { pg: pg.numeric("x"), lite: lite.numeric("x", { mode: "bigint" }), values: ["12"] },
    "to double": { pg: pg.doublePrecision("x"), lite: lite.real("x"), values: liteReals },
  },
  real: {
    "": { pg: pg.doublePrecision("x"), lite: lite.real("x"), values: liteReals },
    single: { pg: pg.real("x"), lite: lite.real("x"), values: ["0.1", "0.30000000000000004", "'NaN'"] },
  },
  text: {
    "": { pg: pg.text("x"), lite: text(), values: texts },
    json: {
      pg: pg.jsonb("x"),
      lite: json(),
      values: [...documents.filter((value) => value !== "'1e400'"), `'{ "spaced" : 1 }'`, `'{"b":1,"a":2}'`, "'1.50'"],
    },
    "json kept as text": {
      pg: pg.json("x"),
      lite: json(),
      values: [...documents, `'{ "spaced" : 1 }'`, `'"\\ud800"'`],
    },
    uuid: { pg: pg.uuid("x"), lite: text(), values: quoted("3F2504E0-4F89-11D3-9A0C-0305E82C3301") },
    date: { pg: pg.date("x"), lite: text(), values: quoted("20260101", "2026-01-01") },
    array: { pg: pg.text("x").array(), lite: json(), values: quoted("[]", '["a",null,"b\\"c"]') },
    numeric: { pg: pg.numeric("x"), lite: text(), values: quoted("1.10", "1e5", "+5", "007", "NaN") },
  },
};

export const listed = (table: typeof postgresTypes): [string, Case][] =>
  Object.entries(table).flatMap(([builder, modes]) =>
    Object.entries(modes).map(([mode, given]): [string, Case] => [`${builder}(${mode})`, given]),
  );

export const tablesOf = (cases: readonly [string, Case][]) => ({
  pg: Object.fromEntries(
    cases.map(([, given], n) => [
      `t${n}`,
      pg.pgTable(`t${n}`, { id: pg.text("id").primaryKey(), x: lww(given.pg as never) as never }),
    ]),
  ),
  lite: Object.fromEntries(
    cases.map(([, given], n) => [
      `t${n}`,
      lite.sqliteTable(`t${n}`, { id: lite.text("id").primaryKey(), x: lww(given.lite as never) as never }),
    ]),
  ),
});

export const enums = ["CREATE TYPE mood AS ENUM ('so so', 'fine')", "CREATE TYPE labelled AS ENUM ('a', 'b')"];
