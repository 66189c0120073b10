// Random writes of all five types, as an application makes them: whole values by Drizzle or by raw SQL, and helpers that say what
// is meant, mixed within one statement. Each says what its columns must read afterwards.
import type { SQL } from "drizzle-orm";
import { add, append, deletePath, increment, insertAt, move, remove, removeAt, setPath } from "grove-crdt";
import { type Column, tables } from "./nested-tables";
import type { Chance } from "./request-damage";

export const COLUMNS: readonly Column[] = ["title", "count", "tags", "steps", "cards", "data"];
/** By whom a statement is made. */
export const WAYS = ["raw SQL", "a plain value", "a helper"] as const;
export type Way = (typeof WAYS)[number];
export type Values = Record<Column, unknown>;

/** One column of one statement. */
export interface Change {
  readonly column: Column;
  readonly wanted: unknown;
  /** What `set()` is given; without it, the value itself. */
  readonly meant?: SQL;
}

type Names = Record<string, unknown>;
const isObject = (value: unknown): value is Names =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const own = (object: Names, name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);
const once = (items: readonly unknown[]) => [...new Set(items)];

/** What setPath makes of an object; undefined takes the property away. */
function written(object: Names, [name, ...rest]: readonly string[], value: unknown): Names {
  const key = name as string;
  const inner = own(object, key);
  if (value === undefined && (inner === undefined || (rest.length > 0 && !isObject(inner)))) return object;
  const { [key]: _, ...others } = object;
  if (rest.length > 0) return { ...others, [key]: written(isObject(inner) ? inner : {}, rest, value) };
  return value === undefined ? others : { ...others, [key]: value };
}

export class Writes {
  constructor(
    private readonly chance: Chance,
    private readonly dialect: "sqlite" | "postgres",
  ) {}

  /** The types are SQLite's; what is written goes to either dialect. */
  get #plans() {
    return tables[this.dialect].plans as typeof tables.sqlite.plans;
  }

  #tag = () => `t${this.chance.below(5)}`;
  #step = () => `s${this.chance.below(6)}`;
  #card = () => {
    const id = this.chance.below(6);
    return this.chance.of(0.5) ? { id, text: `t${id}` } : { id };
  };
  #some = <T>(make: () => T): T[] => Array.from({ length: 1 + this.chance.below(2) }, make);

  /** A whole value, made of the one that was read. */
  plain(column: Column, value: unknown): Change {
    const { chance } = this;
    switch (column) {
      case "title":
        return { column, wanted: `title ${chance.below(9)}` };
      case "count":
        return { column, wanted: (value as number) + chance.below(9) - 4 };
      case "tags":
        return { column, wanted: once(this.#items(value as string[], this.#tag)) };
      case "steps":
        return { column, wanted: this.#items(value as string[], this.#step) };
      case "cards":
        return { column, wanted: this.#items(value as object[], this.#card) };
      case "data":
        return { column, wanted: this.#object(value as Names, 0) };
    }
  }

  #items<T>(value: readonly T[], make: () => T): T[] {
    const { chance } = this;
    const items = [...value];
    const at = () => chance.below(items.length + 1);
    for (let n = 1 + chance.below(3); n > 0; n--) {
      const kind = chance.next();
      if (kind < 0.45 || items.length === 0) items.splice(at(), 0, make());
      else if (kind < 0.6) items.splice(at(), 1);
      else if (kind < 0.75) items[chance.below(items.length)] = make();
      else items.splice(at(), 0, ...items.splice(at(), 1));
    }
    return items;
  }

  #object(value: Names, depth: number): Names {
    const { chance } = this;
    const object = { ...value };
    const name = chance.pick(depth === 0 ? ["stats", "tags", "steps", "a", "b.c"] : ["views", "owner", "a", ""]);
    const [kind, inner] = [chance.next(), own(object, name)];
    if (kind < 0.15) delete object[name];
    else if (name === "tags" || name === "steps") {
      const items = this.#items(Array.isArray(inner) ? inner : [], this.#step);
      object[name] = name === "tags" ? once(items) : items;
    } else if (name === "views") object[name] = chance.below(9);
    else if (kind < 0.6 && depth < 2) object[name] = this.#object(isObject(inner) ? inner : {}, depth + 1);
    else object[name] = chance.pick<unknown>([1, "x", null, true, [], {}, [1, { a: 2 }]]);
    return object;
  }

  /** What is meant, as an expression; of a title there is none. */
  meant(column: Column, value: unknown): Change {
    const { chance } = this;
    const plans = this.#plans;
    switch (column) {
      case "title":
        return this.plain(column, value);
      case "count": {
        const by = chance.below(9) - 4;
        return { column, wanted: (value as number) + by, meant: increment(plans.count, by) };
      }
      case "tags": {
        const [tags, some] = [value as string[], this.#some(this.#tag)];
        if (chance.of(0.6)) return { column, wanted: once([...tags, ...some]), meant: add(plans.tags, ...some) };
        return { column, wanted: tags.filter((tag) => !some.includes(tag)), meant: remove(plans.tags, ...some) };
      }
      case "steps":
        return { column, ...this.#meantItems(plans.steps, value as string[], this.#some(this.#step)) };
      case "cards":
        return { column, ...this.#meantItems(plans.cards, value as object[], this.#some(this.#card)) };
      case "data":
        return { column, ...this.#meantPath(value as Names) };
    }
  }

  #meantItems(
    list: typeof tables.sqlite.plans.steps | typeof tables.sqlite.plans.cards,
    value: unknown[],
    some: unknown[],
  ) {
    const { chance } = this;
    const [column, items] = [list as typeof tables.sqlite.plans.steps, some as string[]];
    const [at, to] = [chance.below(value.length + 2), chance.below(value.length + 2)];
    switch (chance.below(4)) {
      case 0:
        return { wanted: [...value, ...items], meant: append(column, ...items) };
      case 1:
        return { wanted: value.toSpliced(at, 0, ...items), meant: insertAt(column, at, ...items) };
      case 2:
        return { wanted: value.toSpliced(at, 1), meant: removeAt(column, at) };
      default: {
        const inside = at < value.length && to < value.length;
        const wanted = inside ? value.toSpliced(at, 1).toSpliced(to, 0, value[at]) : value;
        return { wanted, meant: move(column, at, to) };
      }
    }
  }

  #meantPath(value: Names) {
    const { chance } = this;
    const column = this.#plans.data;
    const path = chance.pick([
      ["stats", "views"],
      ["stats", "owner"],
      ["stats"],
      ["tags"],
      ["steps"],
      ["a"],
      ["a", "b.c"],
      ["a", "b.c", ""],
    ]);
    if (chance.of(0.25)) return { wanted: written(value, path, undefined), meant: deletePath(column, path as never) };
    if (path[1] === "views") {
      const before = path.reduce<unknown>((at, name) => (isObject(at) ? own(at, name) : undefined), value);
      const wanted = written(value, path, (typeof before === "number" ? before : 0) + 2);
      return { wanted, meant: increment(column, ["stats", "views"], 2) };
    }
    const before = own(value, path[0] as string);
    const items = () => this.#items(Array.isArray(before) ? before : [], this.#step);
    const set =
      path[0] === "tags"
        ? once(items())
        : path[0] === "steps"
          ? items()
          : chance.pick<unknown>([1, "x", null, [], {}, { c: 1, d: [2] }]);
    return { wanted: written(value, path, set), meant: setPath(column, path as never, set as never) };
  }
}
