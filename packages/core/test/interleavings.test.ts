// Three nodes, every schedule of a few writes and deliveries, each type by itself: in the end all hold the same entries and
// read the same value, and it is the one that the writes come to. Here schedules have up to five steps; GROVE_DEPTH=6 runs those
// of up to six, but where so many writes may follow each other that five must do.
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { canonicalize, crdtTypes, type Entry, type Json } from "../src/index";
import { arrange } from "../src/types/list-order";
import { type Explored, Explorer, type Kind, type Made, NAMES, type Write } from "./schedules";

const DEPTH = process.env.GROVE_DEPTH === undefined ? undefined : Number(process.env.GROVE_DEPTH);
const report: string[] = [];
/** By type, for the soak: as `scripts/soak-types.ts` reads it. */
const totals: Record<string, Explored & { steps: number }> = {};
afterAll(() => {
  console.log(report.join("\n"));
  if (process.env.GROVE_REPORT) writeFileSync(process.env.GROVE_REPORT, JSON.stringify(totals));
});

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
const typedStart = { n: 1, o: { s: ["p"], l: ["x~", "y~"] } };
const addTwo = within("n", 0, (value) => (value as number) + 2);
const toggleQ = within("o.s", [], toggle("q"));
const typedDocument = (writes: Kind["writes"]): Kind => ({
  type: "document",
  options: { paths: PATHS },
  start: typedStart,
  writes,
  normal: (value) =>
    Array.isArray(valueAt(value, ["o", "s"]))
      ? withPath(value, ["o", "s"], sorted(valueAt(value, ["o", "s"]) as Json))
      : value,
  check: checkPaths(typedStart, true),
});

/** `depth`: steps of a schedule here, and the most that there may be. */
const kinds: readonly [title: string, depth: readonly [here: number, most: number], kind: Kind][] = [
  [
    "a register",
    [5, 6],
    {
      type: "lww",
      start: null,
      writes: { write: (_, fresh) => fresh, again: () => "same" },
      check: checkRegister(null),
    },
  ],
  ["a counter", [5, 6], { type: "counter", start: "5", writes: { up: add(1n), down: add(-3n) }, check: checkSum("5") }],
  [
    "a set (fault 24)",
    [5, 6],
    {
      type: "set",
      start: ["p"],
      writes: { p: toggle("p"), q: toggle("q") },
      normal: sorted,
      check: checkElements(["p"]),
    },
  ],
  [
    "a list: insert, delete, move (fault 25, lineage 27)",
    [5, 6],
    listOf(strings, { insertMiddle, deleteMiddle, moveLast }),
  ],
  [
    "a list: with edits, both ends, two moves of one item (fault 25, lineage 27)",
    [3, 5],
    listOf(strings, { insertFirst, insertLast, deleteFirst, moveLast, moveFirst, editFirst }),
  ],
  [
    "a document: values, objects, what replaces them (lineage 4 and 5)",
    [4, 6],
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
    [3, 5],
    typedDocument({
      n: addTwo,
      "o.s": toggleQ,
      "o.l": within("o.l", [], insertFirst),
      "o.l moves": within("o.l", [], moveLast),
      "- o": drop("o"),
      "n text": put("n"),
      "o.t": put("o.t"),
    }),
  ],
  [
    "a document whose counter gives way to a text and comes back (fault 26)",
    [4, 6],
    typedDocument({ n: addTwo, "n text": put("n"), "- n": drop("n") }),
  ],
  [
    "a document whose object with a set and a list in it goes and comes back (faults 24 and 25)",
    [4, 6],
    typedDocument({ "o.s": toggleQ, "o.l moves": within("o.l", [], moveLast), "- o": drop("o") }),
  ],
  [
    "a list of items with keys (fault 25, lineage 27)",
    [4, 6],
    keyedList(cards, { insertMiddle, deleteFirst, moveLast, editFirst }),
  ],
];

describe("three nodes end alike, whoever writes what and hears of it when", () => {
  const CLOCKS = [
    ["that agree", [0, 0, 0], 0],
    ["one far ahead", [50, 0, 20], -1],
  ] as const;
  describe.each(kinds)("%s", (title, [here, most], kind) => {
    test.each(CLOCKS)("clocks %s", { timeout: 3_600_000 }, (name, clocks, less) => {
      const steps = DEPTH === undefined ? here + less : Math.min(DEPTH, most);
      const began = performance.now();
      const { schedules, worlds, ends }: Explored = new Explorer(kind, clocks).run(steps);
      report.push(
        `${title}, clocks ${name}: ${schedules} schedules of up to ${steps} steps, ${worlds} states, ${ends} ends, ${Math.round(performance.now() - began)} ms`,
      );
      const { type } = kind;
      const sum = totals[type] ?? { steps: 0, schedules: 0, worlds: 0, ends: 0 };
      totals[type] = {
        steps: Math.max(sum.steps, steps),
        schedules: sum.schedules + schedules,
        worlds: sum.worlds + worlds,
        ends: sum.ends + ends,
      };
      expect(schedules).toBeGreaterThan(100);
    });
  });
});

test("all five types were run", () => {
  expect(new Set(kinds.map(([, , { type }]) => type))).toEqual(new Set(Object.keys(crdtTypes)));
  expect(NAMES).toHaveLength(3);
});
