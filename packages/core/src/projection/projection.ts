// One recomputation of what the base table shows, after a fold or a merge. It begins at the rows that changed and walks
// along their keys and references only as far as something may differ; it asks for the rows that it needs, so that any
// store can run it, and ends with an ordered list of moves.
//
// Rows that show are found in the base table by their columns. The others are found under the names of keys that the
// store keeps for them (`hiddenKeys`): `=` the keys they claim, `>` the keys they wait for.

import { sameValue } from "../canonical";
import { mayShow } from "../hidden";
import type { Json } from "../model";
import { isAlive } from "../row";
import { type Candidate, type Decision, decideShown } from "./decision";
import {
  isKeeping,
  keyColumns,
  keyName,
  keyOf,
  type Links,
  type Neighbours,
  PRIMARY,
  type Values,
  valuesOf,
  withoutParent,
} from "./link";
import { type Move, orderMoves, type Step } from "./move";
import type { Placed, Query, Touched } from "./query";
import { look, type Refused, type Standing, standingOf } from "./standing";

export interface Plan {
  readonly moves: readonly Move[];
  /** Of every row that was looked into. */
  readonly standings: readonly Standing[];
}

/** Whether the rows that answer are looked into again, only the deleted ones of them, or none: they are only asked for. */
type Effect = "again" | "deleted again" | "ask";

interface Node extends Placed {
  readonly id: string;
  readonly around: Neighbours;
  /** It changed, or something did on which it depends. */
  dirty: boolean;
  inputs: boolean;
  outputs: boolean;
  /** How many children of a deleted row were asked for, and whether there may be more. */
  limit: number;
  more: boolean;
}

const NOTHING: Refused = { rows: new Map(), stuck: new Map() };
const FIRST_LIMIT = 4;

/** The name under which {@link Plan} speaks of a row. */
export const rowName = (table: string, pk: readonly Json[]): string => keyName(table, PRIMARY, pk);

export class Projection {
  readonly #links: Links;
  readonly #refused: Refused;
  readonly #hidden: boolean;
  readonly #nodes = new Map<string, Node>();
  readonly #touched = new Map<string, Touched>();
  readonly #asked = new Set<string>();
  #pending: { query: Query; effect: Effect; node?: Node }[] = [];
  #decision: Decision = { shown: new Map(), hidden: new Map(), keptBy: new Map() };
  #moves: Move[] | null = null;

  /** @param hidden false where the store keeps no hidden keys at all, so that none need be asked for */
  constructor(links: Links, touched: Iterable<Touched>, refused: Refused = NOTHING, hidden = true) {
    this.#links = links;
    this.#refused = refused;
    this.#hidden = hidden;
    const byTable = new Map<string, (readonly Json[])[]>();
    for (const row of touched) {
      const id = rowName(row.table, row.pk);
      const known = this.#touched.get(id);
      const stale = [...(known?.stale ?? []), ...(row.stale ?? [])];
      this.#touched.set(id, { ...row, before: known?.before ?? row.before, stale });
      if (known) continue;
      const pks = byTable.get(row.table);
      if (pks) pks.push(row.pk);
      else byTable.set(row.table, [row.pk]);
    }
    for (const [table, pks] of byTable) this.#ask({ ask: "rows", table, pks }, "again");
  }

  /** What must be known next; empty when {@link plan} can be made. */
  next(): readonly Query[] {
    while (this.#pending.length === 0) {
      for (const node of this.#nodes.values()) this.#explore(node);
      if (this.#pending.length > 0) break;
      this.#decision = decideShown(this.#links, this.#candidates());
      for (const node of this.#nodes.values()) if (this.#isOpen(node)) this.#follow(node);
      if (this.#pending.length > 0) break;
      this.#moves = orderMoves(this.#steps(), (id) => this.#childrenOf(id));
      if (this.#moves) return [];
    }
    return this.#pending.map(({ query }) => query);
  }

  /** The rows that answer each query of {@link next}, in its order. */
  answer(answers: readonly (readonly Placed[])[]): void {
    const pending = this.#pending;
    this.#pending = [];
    pending.forEach(({ effect, node, query }, n) => {
      const rows = answers[n] ?? [];
      for (const placed of rows) this.#add(placed, effect);
      if (node && query.ask === "shown") node.more = rows.length >= (query.limit ?? Number.POSITIVE_INFINITY);
    });
  }

  plan(): Plan {
    const open = [...this.#nodes.values()].filter((node) => this.#isOpen(node));
    const surroundings = look(this.#nodes.values(), open);
    return {
      moves: this.#moves ?? [],
      standings: open.map((node) =>
        standingOf(node, this.#isCandidate(node), this.#decision, this.#refused, surroundings),
      ),
    };
  }

  #ask(query: Query, effect: Effect, node?: Node): void {
    const text = `${effect} ${JSON.stringify(query)}`;
    if (this.#asked.has(text)) return;
    this.#asked.add(text);
    this.#pending.push({ query, effect, node });
  }

  /** Every row that has this key, as the shadow or as the base table says. */
  #askKey(around: Neighbours, place: number, values: readonly Json[], effect: Effect): void {
    const table = around.model.name;
    if (place === PRIMARY) {
      this.#ask({ ask: "rows", table, pks: [values] }, effect);
      return;
    }
    this.#ask({ ask: "shown", table, columns: keyColumns(around.model, place), values }, effect);
    if (this.#hidden) this.#ask({ ask: "named", name: `=${keyName(table, place, values)}` }, effect);
  }

  #add(placed: Placed, effect: Effect): void {
    const around = this.#links.get(placed.table);
    if (!around) return;
    const id = rowName(placed.table, placed.pk);
    let node = this.#nodes.get(id);
    if (!node) {
      node = { ...placed, id, around, dirty: false, inputs: false, outputs: false, limit: 0, more: true };
      this.#nodes.set(id, node);
    }
    // A row that no shadow knows yet stays as it is.
    if (placed.row.id === 0) return;
    if (effect === "again" || (effect === "deleted again" && !isAlive(node.row))) node.dirty = true;
  }

  /** How the row stands is to be decided; else it is as the base table shows it. */
  #isOpen(node: Node): boolean {
    return node.dirty || (node.shown === null && this.#isCandidate(node));
  }

  #isCandidate({ row, around }: Node): boolean {
    return mayShow(around.model, row);
  }

  *#candidates(): Iterable<Candidate> {
    for (const node of this.#nodes.values()) {
      if (!this.#isCandidate(node)) continue;
      const { id, table, row, values } = node;
      yield { id, table, row, values, settled: !this.#isOpen(node), refused: this.#refused.rows.has(id) };
    }
  }

  #explore(node: Node): void {
    const { around, values, dirty } = node;
    if (!this.#isOpen(node)) return;
    if (this.#isCandidate(node) && !(dirty ? node.outputs : node.inputs)) {
      for (const link of around.out) {
        const parent = this.#links.get(link.parent.name) as Neighbours;
        const effect = dirty && isKeeping(link) ? "deleted again" : "ask";
        const target = valuesOf(values, link.columns);
        if (target) this.#askKey(parent, link.place, target, effect);
        if (link.reference.onDelete !== "set default") continue;
        const fallback = valuesOf({ ...values, ...withoutParent(link) }, link.columns);
        if (fallback) this.#askKey(parent, link.place, fallback, "ask");
      }
      for (const [place, columns] of around.model.uniques.entries()) {
        const claimed = valuesOf(values, columns);
        if (claimed) this.#askKey(around, place, claimed, dirty ? "again" : "ask");
      }
    }
    // Of a deleted row that does not show, the rows that refer to it say whether it may hold its keys.
    const kept = !node.inputs && this.#isCandidate(node) && !isAlive(node.row);
    if (this.#hidden && ((dirty && !node.outputs) || kept)) {
      const effect = dirty ? "again" : "ask";
      for (const name of this.#names(node)) this.#ask({ ask: "named", name: `>${name}` }, effect);
    }
    node.inputs = true;
    node.outputs ||= dirty;
  }

  /** Names of the keys that the row has or had, under which others may wait for it. */
  #names({ id, around, values, shown }: Node): Set<string> {
    const names = new Set([id]);
    for (const place of around.model.uniques.keys()) {
      for (const state of [values, shown, this.#touched.get(id)?.before]) {
        const name = state && keyOf(around.model, place, state);
        if (name) names.add(name);
      }
    }
    return names;
  }

  #target({ id }: Node): Values | null {
    return this.#decision.shown.get(id)?.values ?? null;
  }

  /** Asks for the shown rows that refer to a key which the row has no more, and for those that keep a deleted row. */
  #follow(node: Node): void {
    const { id, around, shown, values } = node;
    const target = this.#target(node);
    const before = shown ?? this.#touched.get(id)?.before;
    const reason = this.#decision.hidden.get(id);
    if (reason?.code === "deleted" && node.more) {
      const limit = node.limit === 0 ? FIRST_LIMIT : node.limit * 4;
      node.limit = limit;
      for (const link of around.in) {
        // Whoever refers to a unique key may show for the sake of another row that has it.
        const possible = isKeeping(link) && (before || link.place !== PRIMARY);
        const key = possible && valuesOf(values, keyColumns(around.model, link.place));
        if (key)
          this.#ask({ ask: "shown", table: link.child.name, columns: link.columns, values: key, limit }, "ask", node);
      }
      if (this.#pending.length > 0) return;
    }
    if (!before) return;
    for (const link of around.in) {
      const columns = keyColumns(around.model, link.place);
      const had = valuesOf(before, columns);
      if (!had || (target && keyOf(around.model, link.place, target) === keyName(around.model.name, link.place, had)))
        continue;
      this.#ask({ ask: "shown", table: link.child.name, columns: link.columns, values: had }, "again");
    }
  }

  /** Rows that refer to one which leaves for a moment; true when they are known. */
  #childrenOf(id: string): boolean {
    const { around, shown } = this.#nodes.get(id) as Node;
    for (const { child, place, columns } of around.in) {
      const key = shown && valuesOf(shown, keyColumns(around.model, place));
      if (key) this.#ask({ ask: "shown", table: child.name, columns, values: key }, "ask");
    }
    return this.#pending.length === 0;
  }

  #steps(): Step[] {
    return [...this.#nodes.values()].flatMap((node): Step[] => {
      const { id, around, shown } = node;
      if (!this.#isOpen(node)) return [{ id, around, from: shown, to: shown, still: true }];
      const to = this.#target(node);
      if (shown && !to && this.#refused.stuck.has(id)) return [];
      if (!shown && !to) return [];
      return [{ id, around, from: shown, to, still: shown !== null && to !== null && !this.#differs(node, to) }];
    });
  }

  /** Whether the base table is to be written, in a column that this projection is responsible for. */
  #differs({ id, around, shown }: Node, to: Values): boolean {
    const stale = this.#touched.get(id)?.stale ?? [];
    return [...around.structural, ...stale].some(
      (name) => !sameValue((shown?.[name] ?? null) as Json, (to[name] ?? null) as Json),
    );
  }
}
