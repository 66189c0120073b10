// Every column type of drizzle-orm/pg-core: what it means on the wire, how it is stored, and its default in canonical
// form, which must be what a real Postgres fills in from the DDL that drizzle-kit writes.
import { generateDrizzleJson, generateMigration } from "drizzle-kit/api";
import { sql } from "drizzle-orm";
import * as pg from "drizzle-orm/pg-core";
import * as columns from "drizzle-orm/pg-core/columns";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { toJson } from "../../store/src/postgres/values";
import { counter, lww, set } from "../src/index";
import * as readers from "./read";
import { type PgBuilder as Builder, isNested, matrix, sized, withKit } from "./versions";

const options = { dialect: "postgres" } as const;
const tableOf = (x: Builder) => pg.pgTable("t", { id: pg.text("id").primaryKey(), x });
const fieldOf = (x: Builder) => readers.readOne(tableOf(x), options).fields[0];
const problems = (x: Builder) => readers.problems({ t: tableOf(x) }, options);
const custom = (type: string) => pg.customType<{ data: never }>({ dataType: () => type })("x");
const mood = pg.pgEnum("Mood", ["so so", "fine"]);
const app = pg.pgSchema("app").enum("mood", ["a"]);
const labelled = pg.pgEnum("labelled", { A: "a", B: "b" });

type Row = [builder: Builder, kind: string, storage: string, sqlType: string, element?: object];
const native = (builder: Builder, kind: string, sqlType: string): Row => [builder, kind, "native", sqlType];
const array = (builder: Builder, sqlType: string, kind: string, base: string, storage = "native"): Row => [
  builder,
  "json",
  "array",
  sqlType,
  { kind, storage, sqlType: base },
];

/** By the builder's name in drizzle-orm, and mode. */
const types: Record<string, Record<string, Row>> = {
  bigint: {
    number: native(pg.bigint("x", { mode: "number" }), "integer", "bigint"),
    bigint: native(pg.bigint("x", { mode: "bigint" }), "integer", "bigint"),
    ...(!isNested && { string: native(pg.bigint("x", { mode: "string" as "number" }), "integer", "bigint") }),
  },
  boolean: { "": native(pg.boolean("x"), "boolean", "boolean") },
  // 1.0 has one of its own.
  ...("bytea" in pg && { bytea: { "": native((pg.bytea as unknown as typeof pg.text)("x"), "bytes", "bytea") } }),
  char: {
    "": native(pg.char("x"), "text", "bpchar"),
    length: native(pg.char("x", { length: 3 }), "text", "bpchar"),
  },
  cidr: { "": native(pg.cidr("x"), "text", "cidr") },
  date: {
    "": native(pg.date("x"), "text", "date"),
    string: native(pg.date("x", { mode: "string" }), "text", "date"),
    date: native(pg.date("x", { mode: "date" }), "timestamp", "date"),
  },
  doublePrecision: { "": native(pg.doublePrecision("x"), "real", "double precision") },
  inet: { "": native(pg.inet("x"), "text", "inet") },
  integer: { "": native(pg.integer("x"), "integer", "integer") },
  interval: {
    "": native(pg.interval("x"), "text", "interval"),
    precision: native(pg.interval("x", { precision: 3 }), "text", "interval(3)"),
    fields: native(pg.interval("x", { fields: "day to hour" }), "text", "interval day to hour"),
    both: native(pg.interval("x", { fields: "second", precision: 3 }), "text", "interval second(3)"),
  },
  json: { "": [pg.json("x"), "json", "json", "json"] },
  jsonb: { "": [pg.jsonb("x"), "json", "jsonb", "jsonb"] },
  line: {
    tuple: native(pg.line("x"), "text", "line"),
    abc: native(pg.line("x", { mode: "abc" }), "text", "line"),
  },
  macaddr: { "": native(pg.macaddr("x"), "text", "macaddr") },
  macaddr8: { "": native(pg.macaddr8("x"), "text", "macaddr8") },
  numeric: {
    string: native(pg.numeric("x"), "numeric", "numeric"),
    number: native(pg.numeric("x", { mode: "number", precision: 10, scale: 2 }), "numeric", "numeric(10,2)"),
    bigint: native(pg.numeric("x", { mode: "bigint", precision: 20 }), "numeric", "numeric(20)"),
  },
  decimal: { "": native(pg.decimal("x", { precision: 5, scale: 1 }), "numeric", "numeric(5,1)") },
  point: {
    tuple: native(pg.point("x"), "text", "point"),
    xy: native(pg.point("x", { mode: "xy" }), "text", "point"),
  },
  real: { "": native(pg.real("x"), "real", "real") },
  smallint: { "": native(pg.smallint("x"), "integer", "smallint") },
  text: {
    "": native(pg.text("x"), "text", "text"),
    enum: native(pg.text("x", { enum: ["a"] }), "text", "text"),
    array: array(pg.text("x").array(), "text[]", "text", "text"),
    "sized array": array(sized(pg.text("x")), "text[]", "text", "text"),
    "array of arrays": array(matrix(pg.text("x")), "text[][]", "text", "text"),
  },
  time: {
    "": native(pg.time("x"), "text", "time"),
    precise: native(pg.time("x", { precision: 3, withTimezone: true }), "text", "time(3) with time zone"),
  },
  timestamp: {
    date: native(pg.timestamp("x"), "timestamp", "timestamp"),
    precise: native(pg.timestamp("x", { precision: 3 }), "timestamp", "timestamp(3)"),
    zoned: native(pg.timestamp("x", { withTimezone: true }), "timestamp", "timestamp with time zone"),
    both: native(pg.timestamp("x", { precision: 3, withTimezone: true }), "timestamp", "timestamp(3) with time zone"),
    string: native(pg.timestamp("x", { mode: "string" }), "text", "timestamp"),
    "zoned string": native(
      pg.timestamp("x", { mode: "string", precision: 3, withTimezone: true }),
      "text",
      "timestamp(3) with time zone",
    ),
    array: array(pg.timestamp("x").array(), "timestamp[]", "timestamp", "timestamp"),
  },
  uuid: { "": native(pg.uuid("x"), "text", "uuid") },
  varchar: {
    "": native(pg.varchar("x"), "text", "varchar"),
    length: native(pg.varchar("x", { length: 9 }), "text", "varchar"),
    array: array(pg.varchar("x", { length: 9 }).array(), "varchar[]", "text", "varchar"),
  },
  bit: { "": native(pg.bit("x", { dimensions: 3 }), "text", '"bit"') },
  pgEnum: {
    "": native(mood("x"), "text", '"public"."Mood"'),
    object: native(labelled("x"), "text", '"public"."labelled"'),
    array: array(mood("x").array(), '"public"."Mood"[]', "text", '"public"."Mood"'),
  },
  customType: {
    bytea: native(custom("bytea"), "bytes", "bytea"),
    tsvector: native(custom("tsvector"), "text", "tsvector"),
    int8: native(custom("int8"), "integer", "bigint"),
    "float(24)": native(custom("float(24)"), "real", "real"),
    timestamptz: native(custom("timestamptz"), "timestamp", "timestamp with time zone"),
    "timestamptz(3)": native(custom("timestamptz(3)"), "timestamp", "timestamp(3) with time zone"),
    "character varying (9)": native(custom("character varying (9)"), "text", "varchar"),
    'text COLLATE "C"': native(custom('text COLLATE "C"'), "text", "text"),
    "NUMERIC(10, 2)": native(custom("NUMERIC(10, 2)"), "numeric", "numeric(10,2)"),
    "jsonb[]": array(custom("jsonb[]"), "jsonb[]", "json", "jsonb", "jsonb"),
    "bytea[]": array(custom("bytea[]"), "bytea[]", "bytes", "bytea"),
    '"Quoted"': native(custom('"Quoted"'), "text", '"Quoted"'),
  },
};
/** Not in a Postgres without extensions, or in another schema. */
const elsewhere: typeof types = {
  pgEnum: { schema: native(app("x"), "text", '"app"."mood"') },
  geometry: {
    tuple: native(pg.geometry("x", { type: "point" }), "text", '"geometry"(point)'),
    xy: native(pg.geometry("x", { type: "point", mode: "xy" }), "text", '"geometry"(point)'),
  },
  halfvec: { "": native(pg.halfvec("x", { dimensions: 3 }), "text", '"halfvec"(3)') },
  sparsevec: { "": native(pg.sparsevec("x", { dimensions: 3 }), "text", '"sparsevec"(3)') },
  vector: { "": native(pg.vector("x", { dimensions: 3 }), "text", '"vector"(3)') },
  customType: {
    citext: native(custom("citext"), "text", '"citext"'),
    "app.mood": native(custom("app.mood"), "text", "app.mood"),
  },
};
/** Draw from a sequence: only local, and refused for all else. */
const serials = {
  bigserial: pg.bigserial("x", { mode: "number" }),
  serial: pg.serial("x"),
  smallserial: pg.smallserial("x"),
};

const listed = (table: typeof types): [string, Row][] =>
  Object.entries(table).flatMap(([builder, modes]) =>
    Object.entries(modes).map(([mode, row]): [string, Row] => [`${builder}(${mode})`, row]),
  );

describe("the kind, storage and type of", () => {
  test.each([...listed(types), ...listed(elsewhere)])("%s", (_, [builder, kind, storage, sqlType, element]) => {
    expect(fieldOf(lww(builder))).toMatchObject({ kind, storage, sqlType, ...(element && { element }) });
    expect(fieldOf(builder === undefined ? builder : lww(builder))?.element).toEqual(element);
  });
  test("every column builder that this drizzle-orm has", () => {
    const builders = Object.keys(columns).filter((name) => /^[a-z]/.test(name) && !/^isPg|WithSchema$/.test(name));
    const known = new Set([types, elsewhere, serials].flatMap((table) => Object.keys(table)));
    expect(builders.filter((name) => !known.has(name))).toEqual([]);
  });
  test("every column class that this drizzle-orm has", () => {
    const classes = Object.keys(columns).filter((name) => /^Pg/.test(name) && !/(Builder|^PgColumn)$/.test(name));
    const known = [...listed(types), ...listed(elsewhere)].map(([, [builder]]) => tableOf(builder).x.columnType);
    // Two classes have another name at run time.
    const names = [...known, ...Object.values(serials).map((builder) => tableOf(builder as Builder).x.columnType)];
    const renamed: Record<string, string> = { PgLineTuple: "PgLine", PgBigSerial64: "PgBigSerial53" };
    expect(classes.filter((name) => !names.includes(renamed[name] ?? name))).toEqual([]);
  });
  test.each([["text CHECK (x > '')"], ["text default 'a'"], ["my type"], ["text; drop table t"], [""]])(
    "a custom type declared as %j is refused",
    (type) => {
      expect(problems(lww(custom(type)))).toEqual(["t.x kind_unsupported"]);
    },
  );
  test.each(Object.entries(serials))("%s is refused, since the database draws it", (_, builder) => {
    expect(problems(lww(builder as never))).toEqual(["t.x volatile_default"]);
  });
});

const json = () => pg.jsonb("x").$type<unknown>();
const uuid = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
const noon = new Date("2024-01-02T03:04:05.678Z");
const defaults: Record<string, [Builder, unknown]> = {
  "text, empty": [lww(pg.text("x").default("")), ""],
  "text with quotes": [lww(pg.text("x").default(`it's \\ "so"`)), `it's \\ "so"`],
  "text given as SQL": [lww(pg.text("x").default(sql`'a'`)), "a"],
  "text given as SQL with a cast": [lww(pg.text("x").default(sql`('it''s :: a'::text)`)), "it's :: a"],
  varchar: [lww(pg.varchar("x", { length: 3 }).default("abc")), "abc"],
  char: [lww(pg.char("x", { length: 3 }).default("abc")), "abc"],
  uuid: [lww(pg.uuid("x").default(uuid.toUpperCase())), uuid],
  enum: [lww(mood("x").default("so so")), "so so"],
  integer: [lww(pg.integer("x").default(-7)), -7],
  "integer given as SQL": [lww(pg.integer("x").default(sql`(+7)`)), 7],
  smallint: [lww(pg.smallint("x").default(32767)), 32767],
  "bigint as number": [lww(pg.bigint("x", { mode: "number" }).default(5)), 5],
  "bigint of 64 bits": [
    lww(pg.bigint("x", { mode: "bigint" }).default(sql`'9223372036854775807'::int8`)),
    "9223372036854775807",
  ],
  numeric: [lww(pg.numeric("x").default("1.10")), "1.10"],
  "numeric with a scale": [lww(pg.numeric("x", { precision: 10, scale: 2 }).default("1.5")), "1.50"],
  "numeric without a fraction": [lww(pg.numeric("x", { precision: 10, scale: 2 }).default("-0")), "0.00"],
  "numeric number": [lww(pg.numeric("x", { mode: "number" }).default(2.5)), "2.5"],
  "numeric of many digits": [lww(pg.numeric("x").default("0012345678901234567890.5")), "12345678901234567890.5"],
  real: [lww(pg.real("x").default(0.1)), 0.1],
  "real of more digits than it keeps": [lww(pg.real("x").default(sql`0.1234567891`)), 0.12345679],
  double: [lww(pg.doublePrecision("x").default(1e21)), 1e21],
  "double, not finite": [lww(pg.doublePrecision("x").default(sql`'Infinity'`)), "Infinity"],
  boolean: [lww(pg.boolean("x").default(true)), true],
  "boolean given as SQL": [lww(pg.boolean("x").default(sql`'off'`)), false],
  timestamp: [lww(pg.timestamp("x").default(noon)), "2024-01-02T03:04:05.678000Z"],
  "timestamp with precision": [lww(pg.timestamp("x", { precision: 3 }).default(noon)), "2024-01-02T03:04:05.678000Z"],
  "timestamp with zone": [lww(pg.timestamp("x", { withTimezone: true }).default(noon)), "2024-01-02T03:04:05.678000Z"],
  "timestamp given as SQL": [
    lww(pg.timestamp("x", { withTimezone: true }).default(sql`'2024-01-02 03:04:05+00'::timestamptz`)),
    "2024-01-02T03:04:05.000000Z",
  ],
  "timestamp string": [
    lww(pg.timestamp("x", { mode: "string" }).default("2024-01-02T03:04:05.600")),
    "2024-01-02 03:04:05.6",
  ],
  "timestamp string with zone": [
    lww(pg.timestamp("x", { mode: "string", withTimezone: true }).default("2024-01-02 03:04Z")),
    "2024-01-02 03:04:00+00",
  ],
  date: [lww(pg.date("x", { mode: "date" }).default(noon)), "2024-01-02T00:00:00.000000Z"],
  "date string": [lww(pg.date("x").default("2024-02-29")), "2024-02-29"],
  time: [lww(pg.time("x").default("12:30")), "12:30:00"],
  interval: [lww(pg.interval("x").default("3 days 04:05:06.5")), "3 days 04:05:06.5"],
  inet: [lww(pg.inet("x").default("10.0.0.255")), "10.0.0.255/32"],
  macaddr: [lww(pg.macaddr("x").default("08:00:2b:01:02:03")), "08:00:2b:01:02:03"],
  bit: [lww(pg.bit("x", { dimensions: 3 }).default("101")), "101"],
  jsonb: [lww(json().default({ b: [1, null], a: "x" })), { b: [1, null], a: "x" }],
  "jsonb, a number": [lww(json().default(5)), 5],
  "jsonb, a string given as SQL": [lww(json().default(sql`'"it''s"'`)), "it's"],
  json: [lww(pg.json("x").default([1, { a: "b" }])), [1, { a: "b" }]],
  "array, empty": [lww(pg.text("x").array().default([])), []],
  array: [lww(pg.text("x").array().default(["a b", "c,d", "{", ""])), ["a b", "c,d", "{", ""]],
  "array of numbers": [lww(pg.bigint("x", { mode: "number" }).array().default([1, -2])), [1, -2]],
  "array of booleans": [lww(pg.boolean("x").array().default([true, false])), [true, false]],
  "array of timestamps": [lww(pg.timestamp("x").array().default([noon])), ["2024-01-02T03:04:05.678000Z"]],
  "array of arrays": [
    lww(
      matrix(pg.integer("x")).default([
        [1, 2],
        [3, 4],
      ]),
    ),
    [
      [1, 2],
      [3, 4],
    ],
  ],
  "array given as SQL": [
    lww(pg.text("x").array().default(sql`'{"it''s \\\\ \\"a\\"",NULL,b c}'::text[]`)),
    ['it\'s \\ "a"', null, "b c"],
  ],
  "array by constructor": [lww(pg.text("x").array().default(sql`ARRAY['a', 'b"c']::text[]`)), ["a", 'b"c']],
  "array by empty constructor": [lww(pg.text("x").array().default(sql`ARRAY[]::text[]`)), []],
  bytes: [lww(custom("bytea").default(sql`'\\x00ff'`)), "AP8="],
  counter: [counter(pg.bigint("x", { mode: "number" }).notNull().default(100)), "100"],
  "set in jsonb": [set(pg.jsonb("x").$type<string[]>().notNull().default(["b", "a"])), ["b", "a"]],
  "set in an array": [set(pg.text("x").array().notNull().default(["b"])), ["b"]],
  NULL: [lww(pg.text("x").default(sql`NULL`)), undefined],
  "none, made by the app": [lww(pg.text("x").$defaultFn(() => "app")), undefined],
  none: [lww(pg.text("x")), undefined],
};

describe("the default of", () => {
  test.each(Object.entries(defaults))("%s", (_, [builder, expected]) => {
    expect(fieldOf(builder)?.default).toEqual(expected);
  });

  const computed: Record<string, Builder> = {
    "now()": pg.timestamp("x").defaultNow(),
    CURRENT_DATE: pg.date("x").default(sql`CURRENT_DATE`),
    "gen_random_uuid()": pg.uuid("x").defaultRandom(),
    nextval: pg.bigint("x", { mode: "number" }).default(sql`nextval('s')`),
    "an expression": pg.integer("x").default(sql`(1 + 2)`),
    concatenation: pg.text("x").default(sql`('a') || ('b')`),
    "a parameter": pg.text("x").default(sql`${"a"}`),
    "a cast to another type": pg.integer("x").default(sql`'1.7'::numeric`),
    "an array of expressions": pg.text("x").array().default(sql`ARRAY[upper('a')]`),
    "an identity": pg.bigint("x", { mode: "number" }).generatedByDefaultAsIdentity() as never,
  };
  test.each(Object.entries(computed))("%s is refused as volatile", (_, builder) => {
    expect(problems(lww(builder))).toEqual(["t.x volatile_default"]);
  });

  const unfit: Record<string, Builder> = {
    "text in an integer column": pg.integer("x").default(sql`'abc'`),
    "a number that would be rounded": pg.integer("x").default(1.5),
    "a number out of range": pg.smallint("x").default(40_000),
    "numeric that would be rounded": pg.numeric("x", { precision: 10, scale: 2 }).default("1.505"),
    "numeric that does not fit": pg.numeric("x", { precision: 3, scale: 2 }).default("10"),
    "a bare number in a text column": pg.text("x").default(sql`5`),
    "varchar that does not fit": pg.varchar("x", { length: 3 }).default("abcd"),
    "char that would be padded": pg.char("x", { length: 3 }).default("a"),
    "an unknown label": mood("x").default("bad" as never),
    "a day that there is not": pg.date("x").default("2023-02-29"),
    "a time in the session's zone": pg
      .timestamp("x", { withTimezone: true, mode: "string" })
      .default("2024-01-02 03:04:05"),
    "a word for a time": pg.timestamp("x", { mode: "string" }).default("now"),
    "an interval in another spelling": pg.interval("x").default("36 hours"),
    "a point": pg.point("x").default([1, 2]),
    "a point as text": pg.point("x").default(sql`'(1,2)'`),
    "a JSON null": json().default(sql`'null'`),
    "text that is no JSON": json().default(sql`'abc'`),
    "JSON with more digits than a double": json().default(sql`'[12345678901234567890]'`),
    "json in another spelling": pg.json("x").default(sql`'[1, 2]'`),
    "an array with bounds": pg.integer("x").array().default(sql`'[0:1]={1,2}'`),
    "an array with more after it": pg.integer("x").array().default(sql`'{1}{2}'`),
    "an array element that does not fit": pg.integer("x").array().default(sql`'{1,b}'`),
    // drizzle-kit writes the following defaults otherwise than the schema means them.
    "a JSON string": json().default("abc"),
    "a bigint": pg.bigint("x", { mode: "bigint" }).default(5n),
    "an array element with a quote": pg.text("x").array().default(['a"b']),
    "an array element with a backslash": pg.text("x").array().default(["a\\b"]),
    "a vector": pg.vector("x", { dimensions: 3 }).default([1, 2, 3]),
  };
  test.each(Object.entries(unfit))("%s is refused as unfit", (_, builder) => {
    expect(problems(lww(builder))).toEqual(["t.x default_invalid"]);
  });
});

describe("a real Postgres", () => {
  const { url, prefix } = inject("postgres");
  const database = `${prefix}drizzle_kinds`;
  let admin: postgres.Sql;
  let db: postgres.Sql;
  beforeAll(async () => {
    admin = postgres(url as string, { max: 1, onnotice: () => {} });
    await admin.unsafe(`CREATE DATABASE "${database}"`);
    const connection = { TimeZone: "UTC", IntervalStyle: "postgres", bytea_output: "hex", extra_float_digits: 1 };
    db = postgres(url as string, { database, max: 1, onnotice: () => {}, connection });
    await db.unsafe(`CREATE TYPE "Mood" AS ENUM ('so so', 'fine'); CREATE TYPE "labelled" AS ENUM ('a', 'b')`);
    await db.unsafe(`CREATE DOMAIN "Quoted" AS text`);
  });
  afterAll(async () => {
    await db?.end();
    await admin?.unsafe(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    await admin?.end();
  });
  /** As drizzle-kit makes it. */
  async function create(x: Builder): Promise<void> {
    const read = (exports: { t: pg.PgTable }) => withKit(exports, () => generateDrizzleJson(exports));
    const statements = await generateMigration(generateDrizzleJson({}), await read({ t: tableOf(x) }));
    await db.unsafe("DROP TABLE IF EXISTS t");
    for (const statement of statements) await db.unsafe(statement);
  }

  test.each(listed(types))("takes the type of %s after ::", async (name, [builder, , , sqlType, element]) => {
    if (!/Quoted|COLLATE|NUMERIC|float/.test(name)) await create(builder);
    else await db.unsafe(`DROP TABLE IF EXISTS t; CREATE TABLE t (id text, x ${sqlType})`);
    await db.unsafe(`INSERT INTO t (id, x) SELECT '1', v::text::${sqlType} FROM (SELECT NULL::${sqlType}) AS r(v)`);
    if (element) await db.unsafe(`SELECT NULL::${(element as { sqlType: string }).sqlType}`);
  });
  test.each(["varchar", "char", "bit"])("is not made to cut a %s by the cast", async (name) => {
    const builder = {
      varchar: pg.varchar("x", { length: 2 }),
      char: pg.char("x", { length: 2 }),
      bit: pg.bit("x", { dimensions: 2 }),
    }[name] as Builder;
    await create(builder);
    const { sqlType } = fieldOf(lww(builder)) as { sqlType: string };
    await expect(db.unsafe(`INSERT INTO t (id, x) SELECT '1', '101'::${sqlType}`)).rejects.toMatchObject({
      code: expect.stringMatching(/^22/),
    });
  });

  const constant = Object.entries(defaults).filter(([, [, expected]]) => expected !== undefined);
  test.each(constant)("fills in the default of %s", async (_, [builder, expected]) => {
    await create(builder);
    await db.unsafe("INSERT INTO t (id) VALUES ('1')");
    const [row] = await db.unsafe("SELECT x::text AS x FROM t");
    const field = fieldOf(builder);
    if (field === undefined) throw new Error("no field");
    expect(field.type === "counter" ? row?.x : toJson(field, row?.x)).toEqual(expected);
  });
});
