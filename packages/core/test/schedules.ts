// Every schedule of local writes and pairwise deliveries among three nodes, up to a length: what each node may ever hold, and
// what all hold once everybody has heard everything. Equal states are followed once, however they were reached.
import {
  type CrdtTypeName,
  canonicalize,
  crdtTypes,
  type Entry,
  type Json,
  parseRowChange,
  replaceEntries,
  type TypeOptions,
} from "../src/index";

export const NAMES = ["a", "b", "c"] as const;
const PAIRS = [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => [from, to] as const));

/** What a write makes of the value; undefined = there is nothing to write. `fresh` is a text of this write alone. */
export type Write = (value: Json, fresh: string) => Json | undefined;

/** One write as it was made. */
export interface Made {
  readonly id: number;
  readonly name: string;
  readonly node: string;
  readonly before: Json;
  readonly after: Json;
  /** The latest stamp that it took. */
  readonly clock: number;
  /** The writes that its node knew of. */
  readonly past: ReadonlySet<number>;
}

export interface Kind {
  readonly type: CrdtTypeName;
  readonly options?: TypeOptions;
  /** What all nodes have before the first write. */
  readonly start: Json;
  readonly writes: Readonly<Record<string, Write>>;
  /** A value as it reads where its order says nothing. */
  readonly normal?: (value: Json) => Json;
  /** Throws when this is not what these writes come to. */
  readonly check?: (value: Json, made: readonly Made[]) => void;
  /** Throws when one state of a node does not lead to the next. */
  readonly follows?: (before: readonly Entry[], after: readonly Entry[]) => void;
  /** Throws when a state is none that writes may make. */
  readonly holds?: (entries: readonly Entry[]) => void;
}

/** An entry's identity, and all of it. */
interface Known {
  readonly id: string;
  readonly text: string;
}
/** Entries, whoever holds them. */
interface Content {
  readonly id: number;
  readonly entries: readonly Entry[];
  readonly value: Json;
}
interface Node {
  readonly id: number;
  readonly name: number;
  readonly clock: number;
  readonly content: Content;
  /** The writes that it knows of, in order. */
  readonly log: readonly number[];
}

export interface Explored {
  /** Schedules that differ, deliveries that bring nothing left out. */
  readonly schedules: number;
  /** Different states of the three nodes together. */
  readonly worlds: number;
  /** Different states that all end with. */
  readonly ends: number;
}

export class Explorer {
  readonly #entries = new WeakMap<Entry, Known>();
  readonly #contents = new Map<string, Content>();
  readonly #nodes = new Map<string, Node>();
  readonly #byId: Node[] = [];
  readonly #made: Made[] = [];
  readonly #joins = new Map<number, Content>();
  readonly #after = new Map<number, readonly Node[]>();
  readonly #delivered = new Map<number, Node>();
  readonly #ends = new Map<string, Content>();
  readonly #options: TypeOptions;

  constructor(
    readonly kind: Kind,
    /** How far each node's clock is ahead. */
    readonly clocks: readonly number[] = [0, 0, 0],
  ) {
    this.#options = kind.options ?? {};
  }

  #known(entry: Entry): Known {
    let known = this.#entries.get(entry);
    if (!known) {
      const id = crdtTypes[this.kind.type].identity(entry);
      known = { id, text: JSON.stringify([id, entry.hlc, entry.node, entry.state]) };
      this.#entries.set(entry, known);
    }
    return known;
  }

  #content(entries: readonly Entry[]): Content {
    const { materialize, encode, decode } = crdtTypes[this.kind.type];
    const textOf = (some: readonly Entry[]) =>
      some
        .map((entry) => this.#known(entry).text)
        .sort()
        .join("\n");
    const text = textOf(entries);
    let content = this.#contents.get(text);
    if (!content) {
      content = { id: this.#contents.size, entries, value: materialize(entries) };
      this.#contents.set(text, content);
      this.kind.holds?.(entries);
      // It travels as it is, whatever the order.
      const wire = JSON.parse(JSON.stringify(encode(entries))) as Json;
      if (textOf(decode(wire)) !== text) throw new Error(`travels as another: ${text}`);
      const change = { table: "t", pk: ["p"], cl: 1, life: [1, "a"], [this.kind.type]: { field: wire } };
      if (entries.length > 0 && !("change" in parseRowChange(change))) throw new Error(`must not travel: ${text}`);
      const turned = materialize([...entries].reverse());
      if (canonicalize(turned) !== canonicalize(content.value)) throw new Error(`reads otherwise turned: ${text}`);
    }
    return content;
  }

  /** One by one into what is there. */
  #merge(mine: readonly Entry[], theirs: readonly Entry[]): readonly Entry[] {
    const { join } = crdtTypes[this.kind.type];
    const result = new Map(mine.map((entry) => [this.#known(entry).id, entry]));
    for (const entry of theirs) {
      const { id } = this.#known(entry);
      const known = result.get(id);
      result.set(id, known && known !== entry ? join(known, entry) : entry);
    }
    return [...result.values()];
  }

  #join(a: Content, b: Content): Content {
    if (a === b) return a;
    const id = Math.min(a.id, b.id) * 2 ** 26 + Math.max(a.id, b.id);
    let joined = this.#joins.get(id);
    if (!joined) {
      joined = this.#content(this.#merge(a.entries, b.entries));
      const other = this.#content(this.#merge(b.entries, [...a.entries].reverse()));
      if (other !== joined) throw new Error(`does not commute: ${JSON.stringify([a.entries, b.entries])}`);
      this.#joins.set(id, joined);
      for (const one of [a, b]) this.kind.follows?.(one.entries, joined.entries);
    }
    return joined;
  }

  #node(name: number, clock: number, content: Content, log: readonly number[]): Node {
    const text = `${name} ${clock} ${content.id} ${log.join()}`;
    let node = this.#nodes.get(text);
    if (!node) {
      node = { id: this.#byId.length, name, clock, content, log };
      this.#nodes.set(text, node);
      this.#byId.push(node);
    }
    return node;
  }

  /** What the node may become by a write of its own. */
  #writes(node: Node): readonly Node[] {
    let all = this.#after.get(node.id);
    if (!all) {
      all = Object.entries(this.kind.writes).flatMap(([name, write]) => this.#write(node, name, write) ?? []);
      this.#after.set(node.id, all);
    }
    return all;
  }

  #write({ name: at, clock: start, content, log }: Node, name: string, write: Write): Node | undefined {
    const { type, normal = (value) => value } = this.kind;
    const node = NAMES[at] as string;
    const wanted = write(structuredClone(content.value), `${node}${start + 1}`);
    if (wanted === undefined) return undefined;
    let clock = start;
    const context = { node, incarnation: `${node}1`, tick: () => ++clock };
    const changed = crdtTypes[type].fold(content.entries, wanted, context, this.#options);
    const after = this.#content(replaceEntries(type, content.entries, changed));
    if (canonicalize(normal(after.value)) !== canonicalize(normal(wanted)))
      throw new Error(
        `${name} of ${JSON.stringify(content.value)} wrote ${JSON.stringify(wanted)} and reads ${JSON.stringify(after.value)}`,
      );
    // What was folded is nothing new.
    const again = crdtTypes[type].fold(after.entries, after.value, context, this.#options);
    if (type !== "lww" && again.length > 0) throw new Error(`${name} folds twice: ${JSON.stringify(again)}`);
    this.kind.follows?.(content.entries, after.entries);
    const id = this.#made.length;
    this.#made.push({ id, name, node, before: content.value, after: wanted, clock, past: new Set(log) });
    return this.#node(at, clock, after, [...log, id]);
  }

  #deliver(from: Node, to: Node): Node {
    const id = from.id * 2 ** 26 + to.id;
    let after = this.#delivered.get(id);
    if (!after) {
      const log = [...new Set([...to.log, ...from.log])].sort((x, y) => x - y);
      after = this.#node(to.name, Math.max(from.clock, to.clock), this.#join(to.content, from.content), log);
      this.#delivered.set(id, after);
    }
    return after;
  }

  /** Everything to everybody: each node hears the others in another order. */
  #end(a: Node, b: Node, c: Node): void {
    const [one, two, three] = [a.content, b.content, c.content];
    const end = this.#join(this.#join(one, two), three);
    if (this.#join(this.#join(two, three), one) !== end || this.#join(this.#join(three, one), two) !== end)
      throw new Error(`nodes end differently: ${JSON.stringify([one.entries, two.entries, three.entries])}`);
    const log = [...new Set([...a.log, ...b.log, ...c.log])].sort((x, y) => x - y);
    const text = log.join();
    const known = this.#ends.get(text);
    if (known && known !== end)
      throw new Error(`the same writes end differently: ${JSON.stringify([known.entries, end.entries])}`);
    if (known) return;
    this.#ends.set(text, end);
    const made = log.map((id) => this.#made[id] as Made);
    try {
      this.kind.check?.(end.value, made);
    } catch (error) {
      const told = made.map(({ node, name, id, past, before, after }) => ({
        node,
        name,
        id,
        past: [...past],
        before,
        after,
      }));
      throw new Error(
        `${(error as Error).message}\n${JSON.stringify(end.value)} is the end of\n${told.map((one) => JSON.stringify(one)).join("\n")}`,
        { cause: error },
      );
    }
  }

  run(depth: number): Explored {
    const { type, start } = this.kind;
    const born = this.#content(crdtTypes[type].implicit(start, this.#options));
    const first = NAMES.map((_, n) => this.#node(n, 10 + (this.clocks[n] as number), born, []));
    const seen = new Set<string>();
    const idOf = ([a, b, c]: readonly Node[]) => `${a?.id} ${b?.id} ${c?.id}`;
    let schedules = 0;
    /** So many schedules lead to this world; those of one length come one after the other. */
    const arrive = (id: string, nodes: readonly Node[], count: number) => {
      schedules += count;
      if (seen.has(id)) return;
      seen.add(id);
      this.#end(...(nodes as [Node, Node, Node]));
    };
    type Level = Map<string, { readonly nodes: readonly Node[]; count: number }>;
    let level: Level = new Map([[idOf(first), { nodes: first, count: 1 }]]);
    arrive(idOf(first), first, 1);
    for (let length = 1; length <= depth; length++) {
      const next: Level = new Map();
      const add = (nodes: readonly Node[], count: number) => {
        const id = idOf(nodes);
        arrive(id, nodes, count);
        // Nothing follows on the last ones, which are most of all.
        if (length === depth) return;
        const known = next.get(id);
        if (known) known.count += count;
        else next.set(id, { nodes, count });
      };
      for (const { nodes, count } of level.values()) {
        for (const [n, node] of nodes.entries())
          for (const after of this.#writes(node)) add(nodes.with(n, after), count);
        for (const [from, to] of PAIRS) {
          const after = this.#deliver(nodes[from] as Node, nodes[to] as Node);
          if (after !== nodes[to]) add(nodes.with(to, after), count);
        }
      }
      level = next;
    }
    return { schedules, worlds: seen.size, ends: this.#ends.size };
  }
}
