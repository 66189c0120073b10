// document: a JSON object of which every path merges by itself.
// State: per path a register; at a path that the schema gives a type of its own, that type's entries beside it.
// Becomes: an object of what the registers say. A write hides earlier ones below it, as an object that is replaced by a
// number does; a later write below brings the object back. Deleting a path is a write like others. An object that is
// emptied hides nothing: what somebody else put into it meanwhile stays. What has a type of its own is hidden by
// nothing but a write at its very path.
// Source: Kleppmann and Beresford 2017, "A Conflict-Free Replicated JSON Datatype", which keeps all concurrent values
// where this keeps the latest, as `lww` does.
import { sameValue } from "../canonical";
import type { WireDocument, WirePath } from "../change";
import type { CrdtType, Entry, TypeOptions, WriteContext } from "../entry";
import type { DocumentPath, Json } from "../model";
import { compareStamps, RESERVED_NODE } from "../stamp";
import { counter } from "./counter";
import { along, isObject, type Leaf, leavesOf, type Path, readPath, textOfPath } from "./document-path";
import { DELETED, present, resolve, Tree } from "./document-tree";
import { list } from "./list";
import { isReserved, joinRegisters, register, restampEntry, writersOf } from "./lww";
import { set } from "./set";

const nested = { counter, set, list } as const;
type NestedName = keyof typeof nested;

/** The entry as its own type sees it, which knows nothing of paths. */
function inner(entry: Entry): { readonly path: string; readonly type: NestedName; readonly entry: Entry } | null {
  const end = entry.key.indexOf("\n");
  if (end < 0) return null;
  const next = entry.key.indexOf("\n", end + 1);
  const type = entry.key.slice(end + 1, next) as NestedName;
  return { path: entry.key.slice(0, end), type, entry: { ...entry, key: entry.key.slice(next + 1) } };
}

const outer = (path: string, type: NestedName, entry: Entry): Entry => ({
  ...entry,
  key: `${path}\n${type}\n${entry.key}`,
});

const at = (path: string, state: Json, hlc: number, node: string): Entry => ({
  ...register(state, hlc, node),
  key: path,
});

/** What the entries say at each path. */
function read(entries: readonly Entry[]): Tree {
  const tree = new Tree();
  for (const entry of entries) {
    const own = inner(entry);
    if (own) tree.typed(own.path, own.type, own.entry);
    else tree.register(entry);
  }
  return tree;
}

const shownBy = (tree: Tree): Json =>
  resolve(tree, ({ type, entries }) => {
    const value = nested[type].materialize(entries);
    // Counters count in decimal strings, and documents have numbers.
    return type === "counter" ? Number(value) : value;
  });

/** Whether a value is one of the type: another one is kept as it is. */
function fits(type: NestedName, value: Json): boolean {
  return type === "counter" ? Number.isSafeInteger(value) && !Object.is(value, -0) : Array.isArray(value);
}
const toNested = (type: NestedName, value: Json): Json => (type === "counter" ? String(value) : value);

const optionsOf = ({ itemKey }: DocumentPath): TypeOptions => ({ itemKey });

/** The types of paths that the schema declares, and of those that entries have. */
function typesOf({ paths = [] }: TypeOptions, tree?: Tree): (path: string) => DocumentPath | undefined {
  const declared = new Map(paths.map((one) => [textOfPath(one.path), one]));
  return (path) => {
    const own = declared.get(path);
    if (own) return own;
    const type = tree?.typeAt(path);
    return type && { path: readPath(path), type };
  };
}

/** Entries for a whole value where nothing was before. */
function writeAll(
  value: Json,
  options: TypeOptions,
  write: (path: string, state: Json) => Entry,
  begin: (declared: DocumentPath, value: Json) => readonly Entry[],
): Entry[] {
  const typeAt = typesOf(options);
  const entries: Entry[] = [];
  for (const { text, value: leaf, type } of leavesOf(value, typeAt, fits)) {
    if (!type) {
      entries.push(write(text, [leaf]));
      continue;
    }
    const born = begin(type, toNested(type.type, leaf));
    // An empty list has no entries that would say that it is there.
    if (born.length === 0) entries.push(write(text, present([])));
    for (const entry of born) entries.push(outer(text, type.type, entry));
  }
  return entries;
}

class Fold {
  readonly #entries: Map<string, Entry>;
  readonly changed = new Map<string, Entry>();
  writes = 0;
  #hlc: number | undefined;
  constructor(
    entries: readonly Entry[],
    readonly context: WriteContext,
  ) {
    this.#entries = new Map(entries.map((entry) => [document.identity(entry), entry]));
  }
  tree(): Tree {
    return read([...this.#entries.values()]);
  }
  put(entry: Entry): void {
    this.writes++;
    const id = document.identity(entry);
    const own = { ...entry, cell: this.#entries.get(id)?.cell ?? entry.cell };
    this.#entries.set(id, own);
    this.changed.set(id, own);
  }
  /** What one pass writes has one stamp. */
  begin(): void {
    this.#hlc = undefined;
  }
  write(path: string, state: Json): void {
    this.#hlc ??= this.context.tick();
    this.put(at(path, state, this.#hlc, this.context.node));
  }
}

/** A path that is not wanted any more: the shortest part of it of which nothing is in `value`. */
function goneFrom(path: Path, value: Json): Path {
  const [...wanted] = along(value, path);
  return path.slice(0, wanted.length + 1);
}

/** Whether a path lies below one that has a value now, which hides it. */
function isCovered(path: Path, value: Json): boolean {
  for (const above of along(value, path.slice(0, -1))) if (!isObject(above)) return true;
  return false;
}

/** One pass from what the entries say towards `value`; false = there was nothing to write. */
function pass(fold: Fold, value: Json, options: TypeOptions, exact: boolean): boolean {
  const tree = fold.tree();
  const now = shownBy(tree);
  if (sameValue(now, value)) return false;
  const typeAt = typesOf(options, tree);
  const [before, after] = [leavesOf(now, typeAt, fits), leavesOf(value, typeAt, fits)];
  const said = new Map(before.map((leaf) => [leaf.text, leaf]));
  const wanted = new Set(after.map(({ text }) => text));

  const count = fold.writes;
  fold.begin();
  const gone = new Set<string>();
  for (const { text, type } of before) {
    if (wanted.has(text)) continue;
    const path = readPath(text);
    // A value that comes in the place of an object hides what was in it, but for what has a type.
    if (!type && !exact && isCovered(path, value)) continue;
    const highest = exact || type ? text : textOfPath(goneFrom(path, value));
    if (gone.has(highest)) continue;
    gone.add(highest);
    fold.write(highest, DELETED);
  }
  for (const leaf of after) {
    const old = said.get(leaf.text);
    if (old && sameValue(old.value, leaf.value) && old.type?.type === leaf.type?.type) continue;
    foldLeaf(fold, tree, leaf);
  }
  return fold.writes > count;
}

function foldLeaf(fold: Fold, tree: Tree, { text, value, type }: Leaf): void {
  if (!type) {
    fold.write(text, [value]);
    return;
  }
  const rules = nested[type.type];
  const known = tree.typedAt(text, type.type);
  const own = known?.entries ?? (type.type === "counter" ? rules.implicit("0", {}) : []);
  const changed = rules.fold(own, toNested(type.type, value), fold.context, optionsOf(type));
  // A counter that begins counts from nothing, as it does elsewhere at the same time.
  if (!known && type.type === "counter") for (const entry of own) fold.put(outer(text, type.type, entry));
  for (const entry of changed) fold.put(outer(text, type.type, entry));
  if (tree.isHiddenAt(text) || own.length + changed.length === 0)
    fold.write(text, present(type.type === "counter" ? 0 : []));
}

const toWirePath = ({ key, hlc, node, state }: Entry): WirePath => {
  const path = readPath(key);
  return [path, hlc, node, ...(state as [])];
};

export const document: CrdtType = {
  name: "document",
  identity(entry) {
    const own = inner(entry);
    return own ? `${own.path}\n${own.type}\n${nested[own.type].identity(own.entry)}` : entry.key;
  },
  join(a, b) {
    const [one, other] = [inner(a), inner(b)];
    if (!one || !other) {
      // Of equal stamps, which only what was there before capture has, deletion wins.
      if (compareStamps(a, b) === 0 && isDeletion(a) !== isDeletion(b)) return isDeletion(a) ? a : b;
      return joinRegisters(a, b);
    }
    const joined = nested[one.type].join(one.entry, other.entry);
    if (joined === one.entry) return a;
    if (joined === other.entry) return b;
    return outer(one.path, one.type, joined);
  },
  latest: (entry) => {
    const own = inner(entry);
    return own ? nested[own.type].latest(own.entry) : entry.hlc;
  },
  restamp(entry, read) {
    const own = inner(entry);
    if (!own) return restampEntry(entry, read);
    const after = nested[own.type].restamp(own.entry, read);
    return after === own.entry ? entry : outer(own.path, own.type, after);
  },
  writers(before, after) {
    const own = inner(after);
    if (!own) return writersOf(before, after);
    return nested[own.type].writers(before && inner(before)?.entry, own.entry);
  },
  implicit: (value, options) =>
    writeAll(
      value,
      options,
      (path, state) => at(path, state, 0, RESERVED_NODE),
      (declared, own) => nested[declared.type].implicit(own, optionsOf(declared)),
    ),
  without(constant, value, options) {
    const before = new Map(leavesOf(constant, typesOf(options), fits).map((leaf) => [leaf.text, leaf]));
    const own = writeAll(
      value,
      options,
      (path, state) => at(path, state, 0, RESERVED_NODE),
      (declared, part) => {
        const text = textOfPath(declared.path);
        const old = before.get(text);
        const rules = nested[declared.type];
        before.delete(text);
        return old?.type
          ? rules.without(toNested(declared.type, old.value), part, optionsOf(declared))
          : rules.implicit(part, optionsOf(declared));
      },
    );
    for (const { key } of own) before.delete(key);
    const gone = [...before.values()].filter(({ type }) => !type);
    return [...own, ...gone.map(({ text }) => at(text, DELETED, 0, RESERVED_NODE))];
  },
  isFirst(entry) {
    const own = inner(entry);
    return own ? nested[own.type].isFirst(own.entry) : isReserved(entry) && !isDeletion(entry);
  },
  create: (value, context, options) =>
    writeAll(
      value,
      options,
      (path, state) => at(path, state, context.tick(), context.node),
      (declared, own) => nested[declared.type].create(own, context, optionsOf(declared)),
    ),
  fold(entries, value, context, options) {
    const fold = new Fold(entries, context);
    // What a write uncovers that lay hidden is written once more, each path by itself.
    for (let n = 0; n < 4 && pass(fold, value, options, n > 0); n++);
    return [...fold.changed.values()];
  },
  materialize: (entries) => shownBy(read(entries)),
  encode(entries) {
    const wire: { -readonly [Part in keyof WireDocument]: WireDocument[Part] } = {};
    const typed = new Map<string, { path: string; type: NestedName; entries: Entry[] }>();
    const values: WirePath[] = [];
    for (const entry of entries) {
      const own = inner(entry);
      if (!own) {
        values.push(toWirePath(entry));
        continue;
      }
      const id = `${own.type}\n${own.path}`;
      const known = typed.get(id);
      if (known) known.entries.push(own.entry);
      else typed.set(id, { path: own.path, type: own.type, entries: [own.entry] });
    }
    if (values.length > 0) wire.values = values;
    for (const { path, type, entries: some } of typed.values()) {
      const part = [readPath(path), nested[type].encode(some)] as never;
      wire[type] = [...((wire[type] as never[] | undefined) ?? []), part] as never;
    }
    return wire as unknown as Json;
  },
  decode(wire) {
    const { values = [], ...typed } = wire as unknown as WireDocument;
    const entries = values.map(([path, hlc, node, ...value]) => at(textOfPath(path), value as Json, hlc, node));
    for (const type of ["counter", "set", "list"] as const)
      for (const [path, part] of typed[type] ?? [])
        for (const entry of nested[type].decode(part as unknown as Json))
          entries.push(outer(textOfPath(path), type, entry));
    return entries;
  },
};

const isDeletion = ({ state }: Entry): boolean => (state as readonly Json[]).length === 0;
