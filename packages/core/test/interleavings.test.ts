// Three nodes, every schedule of a few writes and deliveries, each type by itself: in the end all hold the same entries and
// read the same value, and it is the one that the writes come to. GROVE_DEPTH says how many steps a schedule has.
import { afterAll, describe, expect, test } from "vitest";
import { canonicalize, crdtTypes, type Entry, type Json, replaceEntries } from "../src/index";
import { arrange } from "../src/types/list-order";
import { type Explored, Explorer, type Kind, type Made, NAMES, type Write } from "./schedules";

const DEPTH = process.env.GROVE_DEPTH === undefined ? undefined : Number(process.env.GROVE_DEPTH);
const report: string[] = [];
afterAll(() => console.log(report.join("\n")));

/** Those of the writes that nobody who wrote like them had seen. */
const latestOf = (made: readonly Made[]) => made.filter(({ id }) => !made.some(({ past }) => past.has(id)));
const without = (value: readonly Json[], other: readonly Json[]) => {
  const texts = new Set(other.map(canonicalize));
  return value.filter((one) => !texts.has(canonicalize(one)));
};
const same = (what: string, value: Json, wanted: Json) => {
  if (canonicalize(value) !== canonicalize(wanted))
    throw new Error(`${what} is ${canonicalize(value)} and must be ${canonicalize(wanted)}`);
};

// --- lists

type Items = readonly Json[];
const onItems =
  (write: (items: Items, fresh: string) => Items | undefined): Write =>
  (value, fresh) =>
    write(value as Items, fresh) as Json | undefined;
/** Fresh items are numbered once and for all: what is edited keeps its number. */
const make = (name: string) => `${name}~`;
const edit = (item: Json, fresh: string) => `${String(item).split("~")[0]}~${fresh}`;
const nameOf = (item: Json) =>
  typeof item === "object" ? String((item as { id: Json }).id) : String(item).split("~")[0];

const middle = (items: Items) => Math.ceil(items.length / 2);
const insertMiddle = onItems((items, fresh) => items.toSpliced(middle(items), 0, make(fresh)));
const insertFirst = onItems((items, fresh) => [make(fresh), ...items]);
const insertLast = onItems((items, fresh) => [...items, make(fresh)]);
const deleteFirst = onItems((items) => (items.length > 0 ? items.slice(1) : undefined));
const deleteMiddle = onItems((items) => (items.length > 0 ? items.toSpliced(items.length >> 1, 1) : undefined));
const moveLast = onItems((items) => (items.length > 1 ? [...items.slice(1), items[0] as Json] : undefined));
const moveFirst = onItems((items) => (items.length > 2 ? [items.at(-1) as Json, ...items.slice(0, -1)] : undefined));
const editFirst = onItems((items, fresh) =>
  items.length > 0 ? items.with(0, edit(items[0] as Json, fresh)) : undefined,
);

/** What nobody deleted is there once, each item with a value that nobody has overwritten knowingly. */
function checkItems(start: Items) {
  return (value: Json, made: readonly Made[]): void => {
    const names = (value as Items).map(nameOf);
    const live = new Set(start.map(nameOf));
    for (const { before, after } of made)
      for (const name of (after as Items).map(nameOf))
        if (!(before as Items).map(nameOf).includes(name)) live.add(name);
    for (const { before, after } of made)
      for (const name of (before as Items).map(nameOf))
        if (!(after as Items).map(nameOf).includes(name)) live.delete(name);
    same("each item once", [...names].sort() as Json, [...live].sort() as Json);
    for (const item of value as Items) {
      const inItems = (items: Json) => (items as Items).find((one) => nameOf(one) === nameOf(item));
      const edits = made.filter(
        ({ before, after }) => canonicalize(inItems(before) ?? null) !== canonicalize(inItems(after) ?? null),
      );
      const last = latestOf(edits).filter(({ after }) => inItems(after) !== undefined);
      const wanted = last.reduce<Made | undefined>(
        (a, b) => (a && [a.clock, a.node] > [b.clock, b.node] ? a : b),
        undefined,
      );
      const values = wanted ? last.map(({ after }) => inItems(after)) : [inItems(start)];
      if (!values.some((one) => canonicalize(one as Json) === canonicalize(item)))
        throw new Error(`nobody wants ${canonicalize(item)}`);
    }
  };
}

const shownKeys = new WeakMap<readonly Entry[], readonly string[]>();
const movedKeys = new WeakMap<readonly Entry[], ReadonlySet<string>>();
const movesOf = (entries: readonly Entry[]): ReadonlySet<string> => {
  let moved = movedKeys.get(entries);
  if (!moved) {
    moved = new Set(
      entries.flatMap(({ state }) => ((state as Items).length === 4 ? [(state as Items)[3] as string] : [])),
    );
    movedKeys.set(entries, moved);
  }
  return moved;
};
const keysOf = (entries: readonly Entry[]): readonly string[] => {
  let keys = shownKeys.get(entries);
  if (!keys) {
    keys = arrange(entries).shown.map(({ item }) => item.key);
    shownKeys.set(entries, keys);
  }
  return keys;
};
/** Who has seen one item before another sees them so for good, unless one of them moves. */
function keepsOrder(before: readonly Entry[], after: readonly Entry[]): void {
  const moved = movesOf(after);
  const [one, other] = [keysOf(before), keysOf(after)];
  const stay = (keys: readonly string[], among: readonly string[]) =>
    keys.filter((key) => !moved.has(key) && among.includes(key));
  same("what stays", stay(other, one), stay(one, other));
}
/** Nothing is told of an item that is deleted. */
function forgets(entries: readonly Entry[]): void {
  for (const { state } of entries) if (![2, 3, 4].includes((state as Items).length)) throw new Error("no position");
}
const listOf = (start: Items, writes: Kind["writes"]): Kind => ({
  type: "list",
  start: start as Json,
  writes,
  check: checkItems(start),
  follows: keepsOrder,
  holds: forgets,
});
/** The same writes on items that are told by a key. */
const keyed = (write: Write): Write => {
  const flat = (value: Json) =>
    (value as { id: string; v: string }[]).map(({ id, v }) => (v === "" ? `${id}~` : `${id}~${v}`));
  const card = (item: Json) => {
    const [id, v] = String(item).split("~");
    return { id, v } as Json;
  };
  return (value, fresh) => (write(flat(value), fresh) as Items | undefined)?.map(card) as Json | undefined;
};
const keyedList = (start: readonly string[], writes: Kind["writes"]): Kind => ({
  ...listOf(
    start.map((id) => ({ id, v: "" })),
    Object.fromEntries(Object.entries(writes).map(([name, write]) => [name, keyed(write)])),
  ),
  options: { itemKey: "id" },
});

// --- documents

type Names = { readonly [name: string]: Json };
const isObject = (value: Json | undefined): value is Names =>
  typeof value === "object" && value !== null && !Array.isArray(value);
function valueAt(value: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const name of path) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}
/** Sets what a path has; undefined deletes it. */
function withPath(value: Json, path: readonly string[], own: Json | undefined): Json {
  const [name, ...rest] = path as [string, ...string[]];
  const copy: { [name: string]: Json } = isObject(value) ? { ...value } : {};
  const next = rest.length === 0 ? own : withPath(copy[name] ?? {}, rest, own);
  if (next === undefined) delete copy[name];
  else copy[name] = next;
  return copy;
}
const put =
  (path: string, value?: (fresh: string) => Json): Write =>
  (document, fresh) =>
    withPath(document, path.split("."), value ? value(fresh) : fresh);
const drop =
  (path: string): Write =>
  (document) =>
    valueAt(document, path.split(".")) === undefined ? undefined : withPath(document, path.split("."), undefined);
/** A write to what stands at a path; not where something else stands. */
const within =
  (path: string, empty: Json, write: Write): Write =>
  (document, fresh) => {
    const own = valueAt(document, path.split(".")) ?? empty;
    if (typeof own !== typeof empty || Array.isArray(own) !== Array.isArray(empty)) return undefined;
    const next = write(own, fresh);
    return next === undefined ? undefined : withPath(document, path.split("."), next);
  };

const PATHS = [
  { path: ["n"], type: "counter" },
  { path: ["o", "s"], type: "set" },
  { path: ["o", "l"], type: "list" },
] as const;
const isTyped = (path: readonly string[]) => PATHS.some((one) => one.path.join() === path.join());
function leaves(
  value: Json,
  typed: boolean,
  path: readonly string[] = [],
  found = new Map<string, Json>(),
): Map<string, Json> {
  if (isObject(value) && (path.length === 0 || Object.keys(value).length > 0))
    for (const [name, own] of Object.entries(value)) leaves(own, typed, [...path, name], found);
  else found.set(path.join("."), value);
  return found;
}
const related = (a: string, b: string) => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

/** What a write said stands, unless somebody who did not know of it wrote there, above or below. */
function checkPaths(start: Json, typed: boolean) {
  return (value: Json, made: readonly Made[]): void => {
    const final = leaves(value, typed);
    const touched = made.map(({ before, after }) => {
      const [was, is] = [leaves(before, typed), leaves(after, typed)];
      const changed = [...new Set([...was.keys(), ...is.keys()])].filter((path) => {
        const [one, other] = [was.get(path), is.get(path)];
        return one === undefined || other === undefined || canonicalize(one) !== canonicalize(other);
      });
      // Whole objects are gone, too.
      for (const path of was.keys())
        for (let end = path.indexOf("."); end > 0; end = path.indexOf(".", end + 1))
          if (valueAt(after, path.slice(0, end).split(".")) === undefined) changed.push(path.slice(0, end));
      return { is, changed };
    });
    for (const [n, { id }] of made.entries()) {
      const { is, changed } = touched[n] as (typeof touched)[number];
      for (const path of changed) {
        if (typed && isTyped(path.split("."))) continue;
        // Below or beside: another write says something of it.
        const disputed = made.some(
          ({ id: other }, m) =>
            other !== id && !made[n]?.past.has(other) && touched[m]?.changed.some((one) => related(one, path)),
        );
        if (disputed) continue;
        const wanted = is.get(path);
        // An object that was emptied is none any more once something is in it.
        const own = valueAt(value, path.split("."));
        if (wanted === undefined ? final.has(path) : own === undefined || canonicalize(own) !== canonicalize(wanted))
          throw new Error(
            `${path} is ${JSON.stringify(own)}; ${id} wrote ${JSON.stringify(wanted)} and nobody else there`,
          );
      }
    }
    for (const [path, own] of final) {
      if (typed && isTyped(path.split("."))) continue;
      const text = canonicalize(own);
      const said = [start, ...made.map(({ after }) => after)].some((one) => {
        const known = valueAt(one, path.split("."));
        return known !== undefined && canonicalize(known) === text;
      });
      if (!said) throw new Error(`${path} is ${text}, which nobody wrote`);
    }
    if (typed) checkTyped(start, value, made);
  };
}

/** What has a type is what that type makes of the writes, as long as nothing else was put in its place. */
function checkTyped(start: Json, value: Json, made: readonly Made[]): void {
  const is = { counter: (own: Json) => typeof own === "number", set: Array.isArray, list: Array.isArray };
  for (const { path, type } of PATHS) {
    const own = made.map((one) => ({ ...one, before: valueAt(one.before, path), after: valueAt(one.after, path) }));
    const fits = own.every(({ before, after }) => is[type](before as Json) && is[type](after as Json));
    if (!fits || made.some(({ after }) => !isObject(valueAt(after, path.slice(0, -1)) ?? {}))) continue;
    const parts = own.filter(
      ({ before, after }) => canonicalize(before as Json) !== canonicalize(after as Json),
    ) as Made[];
    const [was, now] = [valueAt(start, path) as Json, valueAt(value, path) as Json];
    if (type === "counter") checkSum(was)(now, parts);
    else if (type === "set") checkElements(was)(now, parts);
    else checkItems(was as Items)(now, parts);
  }
}

// --- counters, sets, registers

const checkSum = (start: Json) => (value: Json, made: readonly Made[]) => {
  const sum = made.reduce(
    (all, { before, after }) => all + BigInt(after as string) - BigInt(before as string),
    BigInt(start as string),
  );
  same("the sum", String(value), String(sum));
};
const checkElements = (start: Json) => (value: Json, made: readonly Made[]) => {
  const lives = new Set<string>();
  const removals = (element: string) =>
    made.filter(({ before, after }) =>
      without(before as Items, after as Items)
        .map(canonicalize)
        .includes(element),
    );
  for (const element of (start as Items).map(canonicalize)) if (removals(element).length === 0) lives.add(element);
  for (const { id, before, after } of made)
    for (const element of without(after as Items, before as Items).map(canonicalize))
      if (!removals(element).some(({ past }) => past.has(id))) lives.add(element);
  same("what is in it", (value as Items).map(canonicalize).sort() as Json, [...lives].sort() as Json);
};
const checkRegister = (start: Json) => (value: Json, made: readonly Made[]) => {
  const last = made.reduce<Made | undefined>(
    (a, b) => (a && (a.clock > b.clock || (a.clock === b.clock && a.node > b.node)) ? a : b),
    undefined,
  );
  same("the register", value, last ? last.after : start);
};
const toggle =
  (element: string): Write =>
  (value) =>
    (value as Items).includes(element)
      ? (value as Items).filter((one) => one !== element)
      : [...(value as Items), element];
const add =
  (delta: bigint): Write =>
  (value) =>
    String(BigInt(value as string) + delta);
const sorted = (value: Json): Json => [...(value as Items)].sort() as Json;

// --- what is run

const cards = ["x", "y", "z"];
const strings = ["x~", "y~", "z~"];
const kinds: readonly [title: string, depth: number, kind: Kind][] = [
  [
    "a register",
    5,
    {
      type: "lww",
      start: null,
      writes: { write: (_, fresh) => fresh, again: () => "same" },
      check: checkRegister(null),
    },
  ],
  ["a counter", 5, { type: "counter", start: "5", writes: { up: add(1n), down: add(-3n) }, check: checkSum("5") }],
  [
    "a set (fault 24)",
    5,
    {
      type: "set",
      start: ["p"],
      writes: { p: toggle("p"), q: toggle("q") },
      normal: sorted,
      check: checkElements(["p"]),
    },
  ],
  ["a list: insert, delete, move (fault 25, lineage 27)", 5, listOf(strings, { insertMiddle, deleteMiddle, moveLast })],
  [
    "a list: with edits, both ends, two moves of one item (fault 25, lineage 27)",
    3,
    listOf(strings, { insertFirst, insertLast, deleteFirst, moveLast, moveFirst, editFirst }),
  ],
  [
    "a document: values, objects, what replaces them (lineage 4 and 5)",
    4,
    {
      type: "document",
      start: { a: { b: 1 }, d: 1 },
      writes: {
        "a.b": put("a.b"),
        "a.c": put("a.c"),
        a: put("a"),
        "a {}": put("a", () => ({})),
        "- a": drop("a"),
        "- a.b": drop("a.b"),
      },
      check: checkPaths({ a: { b: 1 }, d: 1 }, false),
    },
  ],
  [
    "a document with a counter, a set and a list in it (faults 24 to 26)",
    3,
    {
      type: "document",
      options: { paths: PATHS },
      start: { n: 1, o: { s: ["p"], l: ["x~", "y~"] } },
      writes: {
        n: within("n", 0, (value) => (value as number) + 2),
        "o.s": within("o.s", [], toggle("q")),
        "o.l": within("o.l", [], insertFirst),
        "o.l moves": within("o.l", [], moveLast),
        "- o": drop("o"),
        "n text": put("n"),
        "o.t": put("o.t"),
      },
      normal: (value) =>
        Array.isArray(valueAt(value, ["o", "s"]))
          ? withPath(value, ["o", "s"], sorted(valueAt(value, ["o", "s"]) as Json))
          : value,
      check: checkPaths({ n: 1, o: { s: ["p"], l: ["x~", "y~"] } }, true),
    },
  ],
  [
    "a list of items with keys (fault 25, lineage 27)",
    4,
    keyedList(cards, { insertMiddle, deleteFirst, moveLast, editFirst }),
  ],
];

describe("three nodes end alike, whoever writes what and hears of it when", () => {
  const CLOCKS = [
    ["that agree", [0, 0, 0], 0],
    ["one far ahead", [50, 0, 20], -1],
  ] as const;
  describe.each(kinds)("%s", (title, depth, kind) => {
    test.each(CLOCKS)("clocks %s", { timeout: 3_600_000 }, (name, clocks, less) => {
      const steps = DEPTH ?? depth + less;
      const began = performance.now();
      const { schedules, worlds, ends }: Explored = new Explorer(kind, clocks).run(steps);
      report.push(
        `${title}, clocks ${name}: ${schedules} schedules of up to ${steps} steps, ${worlds} states, ${ends} ends, ${Math.round(performance.now() - began)} ms`,
      );
      expect(schedules).toBeGreaterThan(100);
    });
  });
});

/** Lists as nodes have them, each with a clock of its own. */
class Replica {
  #entries: readonly Entry[];
  #clock: number;
  constructor(
    readonly node: string,
    entries: readonly Entry[],
    clock = 100,
  ) {
    this.#entries = entries;
    this.#clock = clock;
  }
  get entries() {
    return this.#entries;
  }
  get items(): string[] {
    return crdtTypes.list.materialize(this.#entries) as unknown as string[];
  }
  write(items: readonly string[]): this {
    const context = { node: this.node, incarnation: `${this.node}1`, tick: () => ++this.#clock };
    this.#entries = replaceEntries("list", this.#entries, crdtTypes.list.fold(this.#entries, items, context, {}));
    expect(this.items).toEqual(items);
    return this;
  }
  hear({ entries }: Replica): this {
    const result = new Map(this.#entries.map((entry) => [entry.key, entry]));
    for (const entry of entries) {
      const known = result.get(entry.key);
      result.set(entry.key, known ? crdtTypes.list.join(known, entry) : entry);
    }
    this.#entries = [...result.values()];
    return this;
  }
}
/** What all come to that heard of each other, each in another order. */
function settled(...replicas: readonly Replica[]): string[] {
  const heard = replicas.map((one) => new Replica(one.node, one.entries));
  replicas.forEach((_, n) => {
    const own = heard[n] as Replica;
    replicas.forEach((__, m) => void own.hear(replicas[(n + m + 1) % replicas.length] as Replica));
  });
  for (const { items } of heard) expect(items).toEqual(heard[0]?.items);
  return (heard[0] as Replica).items;
}
/** A list as it was born with its row, as it was there before capture, and as it became by writes and deletions. */
const LISTS = {
  born: (items: readonly string[]) =>
    crdtTypes.list.create(
      items as Json,
      {
        node: "a",
        incarnation: "a1",
        tick: (
          (clock) => () =>
            ++clock
        )(0),
      },
      {},
    ),
  adopted: (items: readonly string[]) => crdtTypes.list.implicit(items as Json, {}),
  used: (items: readonly string[]) => {
    const one = new Replica("c", LISTS.adopted(["u", "v", ...items.slice(1)]), 10);
    one
      .write(["v", ...items.slice(1), "u"])
      .write(["v", ...items])
      .write([...items].reverse())
      .write(items);
    return one.entries;
  },
};
const moved = <T>(items: readonly T[], from: number, to: number): T[] => {
  const rest = items.toSpliced(from, 1);
  return rest.toSpliced(to, 0, items[from] as T);
};
const PLACES = [0, 1, 2, 3];

describe.each(Object.entries(LISTS))("a list that is %s", (_, make) => {
  const base = ["p", "q", "r", "s"];
  const start = make(base);
  const on = (node: string, clock?: number) => new Replica(node, start, clock);

  test("a lone move lands where it was asked, whatever others write elsewhere (fault 25, lineage 27)", () => {
    const others: ((items: readonly string[]) => string[])[] = [
      (items) => [...items],
      ...[0, 1, 2, 3, 4].map((at) => (items: readonly string[]) => items.toSpliced(at, 0, "n")),
      ...PLACES.map((at) => (items: readonly string[]) => items.toSpliced(at, 1)),
      ...PLACES.map((at) => (items: readonly string[]) => items.with(at, `${items[at]}~`)),
    ];
    for (const from of PLACES)
      for (const to of PLACES)
        for (const other of others)
          for (const clock of [50, 150]) {
            const wanted = moved(base, from, to);
            const change = other(base);
            const end = settled(on("a").write(wanted), on("b", clock).write(change));
            // Of a swap of neighbours either may be the one that moves; an insertion between them then has no place of its own.
            const names = end.map((item) => item.split("~")[0] as string).filter((name) => name !== "n");
            expect(names).toEqual(wanted.filter((item) => change.some((one) => one.split("~")[0] === item)));
            expect(end.filter((item) => item === "n")).toEqual(change.filter((item) => item === "n"));
            expect(end.filter((item) => item.includes("~"))).toEqual(change.filter((item) => item.includes("~")));
          }
  });

  test("of two moves of one item the later counts, and the item is there once (lineage 27)", () => {
    // Far enough that no other item can have moved in its stead.
    for (const [from, one, other] of [
      [0, 2, 3],
      [0, 3, 2],
      [3, 0, 1],
      [3, 1, 0],
    ] as const)
      for (const clock of [50, 150]) {
        const end = settled(on("a").write(moved(base, from, one)), on("b", clock).write(moved(base, from, other)));
        expect(end).toEqual(moved(base, from, clock === 150 ? other : one));
      }
  });

  test("what is deleted stays so, whoever moves or edits it meanwhile or later by the clock (fault 25)", () => {
    for (const at of PLACES)
      for (const clock of [50, 150]) {
        const rest = base.toSpliced(at, 1);
        expect(settled(on("a").write(rest), on("b", clock).write(base.with(at, "new")))).toEqual(rest);
        for (const to of PLACES) {
          const names = settled(on("a").write(rest), on("b", clock).write(moved(base, at, to)));
          expect([...names].sort()).toEqual(rest);
        }
      }
  });

  test("of two edits of one item the later counts, and a move of it keeps either", () => {
    for (const at of PLACES)
      for (const clock of [50, 150]) {
        const [one, other] = [base.with(at, "one"), base.with(at, "other")];
        expect(settled(on("a").write(one), on("b", clock).write(other))).toEqual(clock === 150 ? other : one);
        const far = at < 2 ? 3 : 0;
        expect(settled(on("a").write(one), on("b", clock).write(moved(base, at, far)))).toEqual(moved(one, at, far));
      }
  });

  test("runs of three at one place, written forwards, backwards or at once by two or three nodes, stay whole (fault 25)", () => {
    const ways: readonly ((replica: Replica, at: number, names: readonly string[]) => Replica)[] = [
      (replica, at, names) => {
        names.forEach((name, n) => void replica.write(replica.items.toSpliced(at + n, 0, name)));
        return replica;
      },
      (replica, at, names) => {
        for (const name of [...names].reverse()) replica.write(replica.items.toSpliced(at, 0, name));
        return replica;
      },
      (replica, at, names) => replica.write(replica.items.toSpliced(at, 0, ...names)),
    ];
    const runOf = (node: string) => [`${node}1`, `${node}2`, `${node}3`];
    let cases = 0;
    for (const at of [0, 1, 2, 3, 4])
      for (const first of ways)
        for (const second of ways)
          for (const third of [undefined, ...ways])
            for (const clock of [50, 100, 150]) {
              const replicas = [first(on("a"), at, runOf("a")), second(on("b", clock), at, runOf("b"))];
              if (third) replicas.push(third(on("c"), at, runOf("c")));
              const end = settled(...replicas);
              const runs = replicas.map(({ node }) => runOf(node).join());
              const texts = runs.map((run) => [end.join().indexOf(run), run] as const).sort(([x], [y]) => x - y);
              expect(end.join()).toBe(base.toSpliced(at, 0, ...texts.map(([, run]) => run)).join());
              cases++;
            }
    expect(cases).toBe(5 * 3 * 3 * 4 * 3);
  });
});

test("all five types were run", () => {
  expect(new Set(kinds.map(([, , { type }]) => type))).toEqual(new Set(Object.keys(crdtTypes)));
  expect(NAMES).toHaveLength(3);
});
