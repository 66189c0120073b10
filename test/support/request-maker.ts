// Valid requests of every kind, made from what a database holds just now: the starting points of test/requests.test.ts.
import { type Json, type RowChange, sumOf, type WireItem, type WirePath } from "@grove-crdt/core";
import * as pg from "drizzle-orm/pg-core";
import * as sl from "drizzle-orm/sqlite-core";
import { counter, document, fixed, list, lww, set } from "grove-crdt/schema";
import type { TestDialect } from "./dialect";
import { type Chance, type Draft, HOSTILE_NAMES, hostile, type Value } from "./request-damage";

/** Who calls: what it may see and do. */
export interface Who {
  readonly id: string;
  /** Whose rows it has; absent = no row of a table with scopes. "*" = everybody's. */
  readonly tenant?: string;
  readonly tables?: readonly string[];
  /** Properties of `notes` that it may see and write. */
  readonly fields?: readonly string[];
  readonly relays?: boolean;
}
export const TENANTS = ["a", "b", "c"] as const;
export const TABLES = ["notes", "stock", "odd"] as const;
/** A node that belongs to the administrator: others may relay what it wrote, or may not. */
export const ELSEWHERE = "elsewhere";

/** Three tables: scoped by a fixed column, scoped by a part of the key, and open to all with a column of each kind. */
export function tablesOf({ name, table, text, integer, texts, json, primaryKey }: TestDialect) {
  const kinds =
    name === "sqlite"
      ? {
          flag: lww(sl.integer("flag", { mode: "boolean" })),
          ratio: lww(sl.real("ratio")),
          at: lww(sl.integer("at", { mode: "timestamp_ms" })),
          bytes: lww(sl.blob("bytes", { mode: "buffer" })),
          amount: lww(sl.numeric("amount")),
        }
      : {
          flag: lww(pg.boolean("flag")),
          ratio: lww(pg.doublePrecision("ratio")),
          at: lww(pg.timestamp("at", { withTimezone: true })),
          uid: lww(pg.uuid("uid")),
          amount: lww(pg.numeric("amount", { precision: 10, scale: 2 })),
          day: lww(pg.date("day")),
          place: lww(pg.inet("place")),
          short: lww(pg.varchar("short", { length: 5 })),
          list: lww(pg.integer("list").array()),
        };
  return {
    notes: table("notes", {
      id: text("id").primaryKey(),
      tenantId: fixed(text("tenant_id").notNull()),
      // Without a default: a row that lacks it waits.
      title: lww(text("title").notNull()),
      body: lww(text("body").notNull().default("")),
      data: lww(json("data")),
      stars: counter(integer("stars").notNull().default(0)),
      tags: set(texts("tags").notNull().default([])),
      steps: list(json("steps").$type<unknown[]>().notNull().default([])),
      meta: document(json("meta").$type<Meta>().notNull().default({}), {
        views: counter(),
        labels: set(),
        stops: list(),
      }),
    }),
    stock: table(
      "stock",
      {
        store: text("store").notNull(),
        sku: integer("sku").notNull(),
        name: lww(text("name").notNull().default("")),
        quantity: counter(integer("quantity").notNull().default(0)),
        marks: set(json("marks").$type<unknown[]>().notNull().default([])),
      },
      (own) => [primaryKey({ columns: [own.store, own.sku] })],
    ),
    odd: table("odd", {
      id: text("id").primaryKey(),
      slug: lww(text("slug").unique()),
      size: counter(integer("size").notNull().default(0)),
      ...(kinds as object),
    }),
  };
}

interface Meta {
  views?: number;
  labels?: unknown[];
  stops?: unknown[];
  a?: unknown;
}

const INCARNATION = "abc";

/** What requests are made from. */
export interface World {
  /** Microseconds: the hub's clock. */
  readonly now: number;
  /** Every row that there is, by table. */
  readonly rows: ReadonlyMap<string, readonly RowChange[]>;
  /** Cursors that were given out, to whomever and by whichever database. */
  readonly cursors: readonly string[];
  readonly at: { readonly incarnation: string; readonly seq: number };
}

const ODD_VALUES: readonly Value[] = [
  "plain",
  5,
  true,
  0.5,
  "2024-01-01T00:00:00.000000Z",
  "AAEC",
  "12.50",
  "123e4567-e89b-12d3-a456-426614174000",
  "2024-01-01",
  "10.0.0.1",
  [1, 2],
  null,
];

/** Parts of lists and documents under one stamp. */
class Item {
  #clock: number;
  constructor(
    readonly chance: Chance,
    readonly stamp: readonly [hlc: number, node: string],
    readonly earlier: () => number,
  ) {
    this.#clock = stamp[0];
  }

  /** New positions beside those that are known, and what may come of these. */
  items(known: readonly WireItem[] = []): WireItem[] {
    const { chance } = this;
    const made: WireItem[] = [];
    for (let n = 1 + chance.below(3); n > 0; n--) {
      const all = [...known, ...made];
      const other = all.length > 0 && chance.of(0.8) ? chance.pick(all) : undefined;
      const id = `${(this.#clock++).toString(36)}.${this.stamp[1]}`;
      const side = chance.pick([0, 1] as const);
      const kind = other ? chance.next() : 0;
      if (!other || kind < 0.5) made.push([id, other?.[0] ?? null, side, `t${chance.below(6)}`]);
      else if (kind < 0.65) made.push([other[0], other[1], other[2]]);
      else if (kind < 0.8) made.push([other[0], other[1], other[2], `t${chance.below(6)}`, ...this.stamp]);
      else if (kind < 0.95) made.push([id, chance.of(0.5) ? null : other[0], side, null, other[0]]);
      // As nobody makes it: it stands elsewhere.
      else made.push([other[0], null, side]);
    }
    return made;
  }

  path(): WirePath {
    const { chance } = this;
    const path = chance.pick([["a"], ["a", "b"], ["a", "b", "c"], ["views"], ["labels"], ["stops"], ["x.y"]]);
    if (chance.of(0.03)) path.push(chance.pick(HOSTILE_NAMES));
    const [, node] = this.stamp;
    const kind = chance.next();
    if (kind < 0.2) return [path, this.earlier(), node];
    if (kind < 0.3) return [path, this.earlier(), node, [], 1];
    const value = chance.of(0.05) ? hostile(chance) : chance.pick<Value>([1, "x", null, {}, { d: 1 }, [1], true]);
    return [path, this.earlier(), node, value];
  }
}

export class RequestMaker {
  #serial = 0;
  constructor(
    private readonly chance: Chance,
    private readonly columns: ReadonlyMap<string, readonly string[]>,
  ) {}

  make(who: Who, world: World): Draft {
    const { chance } = this;
    const kind = chance.next();
    const draft: Draft = {
      method: "POST",
      path: "/push",
      headers: { authorization: `Bearer ${tokenOf(who)}`, "content-type": "application/json" },
      query: null,
      body: null,
      gzip: chance.of(0.05),
    };
    if (kind < 0.5) draft.body = this.#push(who, world);
    else if (kind < 0.88) Object.assign(draft, { path: "/pull", body: this.#pull(who, world) });
    else {
      const { cursor, node, protocol, ...query } = this.#pull(who, world, true);
      draft.query = { protocol: String(protocol), node: String(node) };
      for (const [name, value] of Object.entries(query)) draft.query[name] = JSON.stringify(value);
      // HEAD is what some proxies ask before they pass a GET on.
      Object.assign(draft, { method: chance.of(0.05) ? "HEAD" : "GET", path: "/stream", gzip: false });
      if (typeof cursor === "string" && chance.of(0.5)) draft.query.cursor = cursor;
      else if (typeof cursor === "string") draft.headers["last-event-id"] = cursor;
    }
    return draft;
  }

  /** Now and then that of somebody else. */
  #name(who: Who): string {
    const { chance } = this;
    return chance.of(0.04) ? chance.pick([ELSEWHERE, "n-admin", "n-a", "n-b", "hub"]) : nodeOf(who);
  }

  #pull(who: Who, { cursors, rows, at }: World, stream = false): Record<string, Value> {
    const { chance } = this;
    const pk = (table: string): Value => this.#keyOf(table, rows, chance.pick(TENANTS)) as Value;
    const visible = who.tables ?? TABLES;
    const table = chance.of(0.9) && visible.length > 0 ? chance.pick(visible) : chance.pick(TABLES);
    const request: Record<string, Value> = {
      protocol: 1,
      node: this.#name(who),
      cursor: cursors.length > 0 && chance.of(0.5) ? chance.pick(cursors) : null,
    };
    if (chance.of(0.2)) request.seen = chance.of(0.5) ? { ...at } : { incarnation: INCARNATION, seq: 3 };
    if (chance.of(0.2)) request.tables = [table];
    if (chance.of(0.35))
      request.only = {
        [table]: {
          ...(chance.of(0.5) && { keys: [pk(table), pk(table)] }),
          ...(chance.of(0.7) && { fields: this.#some(table) }),
        },
      };
    if (stream) return request;
    if (chance.of(0.3)) request.rows = chance.pick([0, 1, 3, 100, 10_000]);
    if (chance.of(0.2)) request.bytes = chance.pick([1, 500, 4 * 1024 * 1024]);
    if (chance.of(0.2)) request.sums = true;
    if (chance.of(0.25)) {
      const other = chance.pick(TABLES);
      request.want = [
        [table, pk(table)],
        [other, pk(other)],
      ];
    }
    return request;
  }

  #some(table: string): Value[] {
    const columns = this.columns.get(table) ?? [];
    return Array.from({ length: 1 + this.chance.below(3) }, () => this.chance.pick(columns));
  }

  #push(who: Who, world: World): Value {
    const { chance } = this;
    const rows = Array.from({ length: chance.pick([1, 1, 1, 2, 5]) }, () => this.#row(who, world) as unknown as Value);
    const request: Record<string, Value> = {
      protocol: 1,
      node: this.#name(who),
      at: { incarnation: INCARNATION, seq: ++this.#serial },
      seen: chance.of(0.7) ? null : { ...world.at },
      rows,
    };
    if (chance.of(0.15)) {
      const rows = [...world.rows.values()].flat();
      // Who is not asked for a row that it may not see has learnt that it guessed its value.
      if (rows.length > 0)
        request.sums = Array.from({ length: 3 }, () => {
          const row = chance.pick(rows);
          return [row.table, structuredClone(row.pk) as Value, sumOf(row)];
        });
    }
    return request;
  }

  /** A key that is there, more often than not. */
  #keyOf(table: string, rows: World["rows"], tenant: string): readonly Json[] {
    const { chance } = this;
    const known = rows.get(table) ?? [];
    if (known.length > 0 && chance.of(0.7)) return [...chance.pick(known).pk];
    if (chance.of(0.03)) return [chance.pick(HOSTILE_NAMES), ...(table === "stock" ? [1] : [])];
    return table === "stock" ? [tenant, chance.below(9)] : [`${tenant}-${chance.below(9)}`];
  }

  #row(who: Who, { rows, now }: World): object {
    const { chance } = this;
    const table = chance.pick(["notes", "notes", "stock", "odd"]);
    const target = chance.of(0.7) && who.tenant !== undefined && who.tenant !== "*" ? who.tenant : chance.pick(TENANTS);
    const pk = this.#keyOf(table, rows, target);
    const stored = (rows.get(table) ?? []).find((row) => JSON.stringify(row.pk) === JSON.stringify(pk));
    const own = chance.pick([nodeOf(who), nodeOf(who), nodeOf(who), ELSEWHERE]);
    // As it is there already, or the very same life and something new, or another life.
    if (stored && chance.of(0.1)) return structuredClone(stored);
    const cl = (stored?.cl ?? 1) + (stored ? chance.pick([0, 0, 0, 1, 2]) : 0);
    const life = stored && cl === stored.cl ? [...stored.life] : [now - chance.below(1_000), own];
    const said = chance.pick([target, target, target, who.tenant ?? "a", "b"]);
    const tenant = table === "notes" && chance.of(0.8) ? { tenant_id: [said] } : {};
    if (cl % 2 === 0) return { table, pk, cl, life, ...(Object.keys(tenant).length > 0 && { lww: tenant }) };
    const stamp = [now - chance.below(1_000), own];
    const value = (): Value => (chance.of(0.05) ? hostile(chance) : `VALUE ${target} ${chance.below(1_000)}`);
    const total = () => [INCARNATION, own, String(chance.below(50)), "0", now - chance.below(1_000)];
    const element = () => [`t${chance.below(6)}`, ...stamp, ...(chance.of(0.3) ? [now] : [])];
    const counters = { notes: "stars", stock: "quantity", odd: "size" } as const;
    const name = counters[table as keyof typeof counters];
    const row: Record<string, object> = { lww: { ...tenant } };
    const said1: Record<string, unknown> = row.lww as Record<string, unknown>;
    if (table === "notes") {
      if (chance.of(0.9)) said1.title = [value(), ...stamp];
      if (chance.of(0.3)) said1.data = [{ a: [value()] }, ...stamp];
      if (chance.of(0.3)) row.set = { tags: [element(), element()] };
    } else if (table === "stock") {
      said1.name = [value(), ...stamp];
      if (chance.of(0.3)) row.set = { marks: [[{ mark: chance.below(3) }, ...stamp]] };
    } else {
      for (const column of this.#some(table))
        said1[column as string] = [structuredClone(chance.pick(ODD_VALUES)), ...stamp];
      if (chance.of(0.3)) said1.slug = [`slug ${chance.below(4)}`, ...stamp];
      delete said1.size;
    }
    if (table === "notes") {
      const made = new Item(chance, stamp as [number, string], () => now - chance.below(1_000));
      const { list, document } = (stored ?? {}) as Partial<RowChange>;
      if (chance.of(0.3)) row.list = { steps: made.items(list?.steps) };
      if (chance.of(0.3)) {
        const typed = document?.meta?.list?.[0]?.[1];
        row.document = {
          meta: {
            ...(chance.of(0.7) && { values: [made.path(), made.path()] }),
            ...(chance.of(0.3) && { counter: [[["views"], { birth: ["0", 0, ""], totals: [total()] }]] }),
            ...(chance.of(0.3) && { set: [[["labels"], [element(), element()]]] }),
            ...(chance.of(0.3) && { list: [[["stops"], made.items(typed)]] }),
            // A type where this schema has none, as a newer one may.
            ...(chance.of(0.1) && { counter: [[["a", "b"], { totals: [total()] }]] }),
          },
        };
      }
    }
    if (chance.of(0.4))
      row.counter = { [name]: { ...(chance.of(0.3) && { birth: ["1", ...stamp] }), totals: [total()] } };
    // What a newer peer may have.
    if (chance.of(0.1)) said1.fresh = [value(), ...stamp];
    if (chance.of(0.05)) row.counter = { ...row.counter, fresher: { totals: [total()] } };
    if (chance.of(0.05)) row.set = { ...row.set, freshest: [element()] };
    if (chance.of(0.03)) row.list = { ...row.list, newest: [[`${now.toString(36)}.${own}`, null, 1, value()]] };
    if (chance.of(0.03)) row.document = { ...row.document, widest: { values: [[["a"], ...stamp, value()]] } };
    return { table, pk, cl, life, ...row };
  }
}

export const nodeOf = ({ id }: Who): string => `n-${id}`;
export const tokenOf = ({ id }: Who): string => `token-of-${id}-0123456789`;
