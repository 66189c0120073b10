// Codec by property: whatever well-formed value a node receives, it serves that very value under its stamp, whether its own
// column keeps it, alters it or cannot hold it.

import type { Json, RowChange } from "@grove-crdt/core";
import * as pg from "drizzle-orm/pg-core";
import * as lite from "drizzle-orm/sqlite-core";
import fc from "fast-check";
import { lww } from "grove-crdt/schema";
import { expect, test } from "vitest";
import { everything } from "./support/comparison";
import { effort } from "./support/effort";
import { openNode } from "./support/node";
import { postgres } from "./support/postgres";
import { makeSchema } from "./support/schemas";
import { sqlite } from "./support/sqlite";

const custom = (type: string) => pg.customType<{ data: string }>({ dataType: () => type });
const mood = pg.pgEnum("mood", ["a", "b"]);
const onPostgres = pg.pgTable("things", {
  id: pg.text("id").primaryKey(),
  text: lww(pg.text("text")),
  char: lww(pg.char("char", { length: 4 })),
  short: lww(pg.varchar("short", { length: 4 })),
  mood: lww(mood("mood")),
  uuid: lww(pg.uuid("uuid")),
  inet: lww(pg.inet("inet")),
  day: lww(pg.date("day")),
  time: lww(pg.time("time", { precision: 3 })),
  zoned: lww(pg.timestamp("zoned", { mode: "string", withTimezone: true })),
  small: lww(pg.smallint("small")),
  big: lww(pg.bigint("big", { mode: "number" })),
  numeric: lww(pg.numeric("numeric")),
  scaled: lww(pg.numeric("scaled", { precision: 6, scale: 2 })),
  real: lww(pg.real("real")),
  double: lww(pg.doublePrecision("double")),
  flag: lww(pg.boolean("flag")),
  at: lww(pg.timestamp("at")),
  rounded: lww(pg.timestamp("rounded", { precision: 2, withTimezone: true })),
  date: lww(pg.date("date", { mode: "date" })),
  json: lww(pg.json("json")),
  jsonb: lww(pg.jsonb("jsonb")),
  list: lww(pg.text("list").array()),
  grid: lww(pg.real("grid").array().array()),
  dates: lww(pg.date("dates").array()),
  bytes: lww(custom("bytea")("bytes")),
});
const onSqlite = lite.sqliteTable("things", {
  id: lite.text("id").primaryKey(),
  text: lww(lite.text("text")),
  char: lww(lite.text("char")),
  small: lww(lite.integer("small")),
  big: lww(lite.blob("big", { mode: "bigint" })),
  numeric: lww(lite.numeric("numeric")),
  scaled: lww(lite.text("scaled")),
  real: lww(lite.real("real")),
  flag: lww(lite.integer("flag", { mode: "boolean" })),
  at: lww(lite.integer("at", { mode: "timestamp_ms" })),
  rounded: lww(lite.integer("rounded", { mode: "timestamp" })),
  json: lww(lite.text("json", { mode: "json" })),
  jsonb: lww(lite.blob("jsonb", { mode: "json" })),
  bytes: lww(lite.blob("bytes", { mode: "buffer" })),
});

const characters = fc.string({
  unit: fc.constantFrom("a", " ", "'", '"', "\\", "{", ",", "\0", "ß", "😀", "N"),
  maxLength: 5,
});
const digits = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n });
const whole = fc.oneof(
  fc.integer({ min: -40000, max: 40000 }),
  digits.map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value))),
);
const notFinite = fc.constantFrom<Json>("NaN", "Infinity", "-Infinity");
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer().map((value) => value / 100),
  fc.constantFrom(0, 1e21, 1e-7, 5e-324, 1.7976931348623157e308),
);
const decimal = fc.oneof(
  fc.tuple(digits, fc.stringMatching(/^(\.\d{1,4})?$/)).map(([value, fraction]) => `${value}${fraction}`),
  number.map(String),
  fc.constantFrom("0", "-0", "-0.00", "007", "1.", ".5", "+5", "1e5", "1E-7", "0.10"),
  notFinite as fc.Arbitrary<string>,
);
const pad = (value: number, length: number) => String(value).padStart(length, "0");
const moment = fc
  .tuple(
    fc.oneof(fc.integer({ min: 1900, max: 2100 }), fc.integer({ min: -6000, max: 300_000 })),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
    fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 86_399_999_999 })),
    fc.constantFrom(1, 1000, 10_000, 1_000_000),
  )
  .map(([year, month, day, micros, unit]) => {
    const time = Math.floor(micros / unit) * unit;
    const [second, fraction] = [Math.floor(time / 1e6), time % 1e6];
    const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map((part) => pad(part, 2));
    const spelled = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? "-" : "+"}${pad(Math.abs(year), 6)}`;
    return `${spelled}-${pad(month, 2)}-${pad(day, 2)}T${clock.join(":")}.${pad(fraction, 6)}Z`;
  });
const json = fc.jsonValue().filter((value) => value !== null) as fc.Arbitrary<Json>;
const tagged = fc.constantFrom<Json>(
  { $grove: "text", value: "{ }" },
  { $grove: "text", value: "1.0" },
  { $grove: "text", value: "[0:1]={a,b}" },
  { $grove: "text", value: "12" },
  { $grove: "number", value: "1.5" },
  { $grove: "number", value: "Infinity" },
  { $grove: "bytes", value: "AP8=" },
  { $grove: "bytes", value: "MS4w" },
);
const spelled = fc.constantFrom(
  ...[
    "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "10.0.0.1",
    "10.0.0.1/32",
    "::FFFF/8",
  ],
  ...[
    "20260102",
    "2026-01-02",
    "0044-03-15 BC",
    "12:30",
    "12:30:00",
    "12:30:00.5",
    "12:30:00.1234",
    "infinity",
    "now?",
  ],
  ...["2026-01-02 03:04:05+00", "2026-01-02 03:04:05+02", "2026-01-02T03:04:05.60Z", "a", "b", "a  ", "abcd", "abcd "],
);
const list = fc.oneof(
  fc.array(fc.option(characters)),
  fc.array(fc.oneof(number, fc.array(number)) as fc.Arbitrary<Json>),
);
const grid = fc
  .integer({ min: 1, max: 3 })
  .chain((length) => fc.array(fc.array(fc.option(number), { minLength: length, maxLength: length })));

const words = fc.oneof(characters, spelled);
const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...Object.fromEntries(
    ["text", "char", "short", "mood", "uuid", "inet", "day", "time", "zoned"].map((name) => [name, words]),
  ),
  small: whole,
  big: whole,
  numeric: decimal,
  scaled: decimal,
  real: fc.oneof(number, notFinite),
  double: fc.oneof(number, notFinite),
  flag: fc.boolean(),
  at: fc.oneof(moment, fc.constantFrom("infinity", "-infinity")),
  rounded: moment,
  date: moment,
  json,
  jsonb: json,
  list: fc.oneof(list, json),
  grid: fc.oneof(grid, list),
  dates: fc.array(fc.option(spelled)),
  bytes: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64")),
};

for (const [dialect, things, ddl] of [
  [sqlite, onSqlite, []],
  [postgres, onPostgres, ["CREATE TYPE mood AS ENUM ('a', 'b')"]],
] as const) {
  test(`what a node received is what it serves, on ${dialect.name}`, async () => {
    const schema = await makeSchema({ things }, dialect);
    const node = await openNode(dialect, "node", { ...schema, ddl: [...ddl, ...schema.ddl] });
    const fields = schema.registry.tables[0]?.fields.map(({ name }) => name) ?? [];
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    const rows = fields.flatMap((field): RowChange[] =>
      fc
        .sample(
          fc.oneof({ weight: 9, arbitrary: values[field] as fc.Arbitrary<Json> }, { weight: 1, arbitrary: tagged }),
          { numRuns: effort(60), seed },
        )
        .map((value, n) => ({
          table: "things",
          pk: [`${field} ${n}`],
          cl: 1,
          life: [1, "a"],
          lww: { [field]: [JSON.parse(JSON.stringify(value)) as Json] },
        })),
    );
    const { outcomes } = await node.node.store.merge({ from: "a", rows });
    const served = new Map((await everything(node)).map(({ pk, lww }) => [pk[0], lww]));
    let [applied, parked] = [0, 0];
    rows.forEach(({ pk, lww }, n) => {
      const outcome = outcomes[n]?.outcome;
      if (outcome === "applied") applied++;
      if (outcome === "parked") parked++;
      const [field = ""] = Object.keys(lww ?? {});
      if (outcome === "rejected") expect(served.has(pk[0]), `seed ${seed}`).toBe(false);
      else expect(served.get(pk[0])?.[field], `seed ${seed}, ${field}, ${JSON.stringify(lww)}`).toEqual(lww?.[field]);
    });
    expect(applied).toBeGreaterThan(rows.length / 3);
    if (dialect === postgres) expect(parked).toBeGreaterThan(20);
  });

  test(`of a row that comes twice in a page, the later value is kept and served, on ${dialect.name}`, async () => {
    const schema = await makeSchema({ things }, dialect);
    const node = await openNode(dialect, "node", { ...schema, ddl: [...ddl, ...schema.ddl] });
    const at = (hlc: number, ...said: [string, Json][]): RowChange => ({
      table: "things",
      pk: ["x"],
      cl: 1,
      life: [1, "a"],
      lww: Object.fromEntries(said.map(([name, value]) => [name, [value, hlc, "a"]])),
    });
    const [first, second] = ["2024-01-01T00:00:00.123456Z", "2024-01-02T00:00:00.654321Z"];
    const rows = [
      at(2, ["rounded", first], ["text", "1"]),
      at(3, ["rounded", second], ["at", first]),
      at(4, ["scaled", "1.234"]),
    ];
    const { outcomes } = await node.node.store.merge({ from: "a", rows });
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["applied", "applied", "applied"]);
    const [row] = await everything(node);
    expect(row?.lww).toMatchObject({ rounded: [second, 3, "a"], at: [first, 3, "a"], scaled: ["1.234", 4, "a"] });
  });
}
