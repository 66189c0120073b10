// The order in which a database takes what was decided: rows go before the rows that need their unique keys come, children
// go before their parents, parents come before their children. So no constraint is broken on the way and no action of a
// foreign key ever fires: what CASCADE or SET NULL means was decided already.
import type { Json } from "../model";
import { keyOf, type Link, type Neighbours, PRIMARY, targetOf, type Values } from "./link";

/** One write to the base table: `out` takes the row away, `in` puts it there, `set` changes the row that is there. */
export interface Move {
  readonly kind: "out" | "in" | "set";
  readonly id: string;
  /** All of the row's columns, key included; what goes for `out`. */
  readonly values: Values;
  /** Places of the moves without which this one must not be made. */
  readonly after: readonly number[];
}

/** What the base table has of a row and what it shall have; null = nothing. */
export interface Step {
  readonly id: string;
  readonly around: Neighbours;
  readonly from: Values | null;
  readonly to: Values | null;
  /** It stays as it is unless it is in the way of another one. */
  readonly still?: boolean;
}

interface Op extends Omit<Move, "after"> {
  readonly around: Neighbours;
  /** Keys that the row has only before, and only after, this write. */
  readonly releases: readonly string[];
  readonly takes: readonly string[];
  /** Keys to which it refers only before, and only after. */
  readonly drops: readonly string[];
  readonly needs: readonly string[];
}

const keysOf = ({ model }: Neighbours, values: Values | null): string[] =>
  values === null ? [] : [PRIMARY, ...model.uniques.keys()].flatMap((place) => keyOf(model, place, values) ?? []);
const targetsOf = ({ out }: Neighbours, values: Values | null): string[] =>
  values === null ? [] : out.flatMap((link) => targetOf(link, values) ?? []);
const without = (names: readonly string[], others: readonly string[]) => names.filter((name) => !others.includes(name));

function makeOp({ id, around }: Step, from: Values | null, to: Values | null): Op {
  const [had, has] = [keysOf(around, from), keysOf(around, to)];
  const [referred, refers] = [targetsOf(around, from), targetsOf(around, to)];
  return {
    kind: from === null ? "in" : to === null ? "out" : "set",
    id,
    values: (to ?? from) as Values,
    around,
    releases: without(had, has),
    takes: without(has, had),
    drops: without(referred, refers),
    needs: without(refers, referred),
  };
}

const isNullable = ({ child, columns }: Link): boolean =>
  columns.every((name) => child.fields.some((field) => field.name === name && !field.notNull));

/** What had to be done in two steps, since no order of single ones exists. */
interface Detours {
  /** Rows that leave and come back. */
  readonly reseated: Set<string>;
  /** Rows that come or change with NULL in these references and get them afterwards, or that lose them before they go. */
  readonly arriving: Map<string, Link[]>;
  readonly leaving: Map<string, Link[]>;
}

/** The row with NULL in these references. */
function detach(values: Values, links: readonly Link[]): Values {
  const loose = links.flatMap(({ columns }) => columns.map((name): [string, Json] => [name, null]));
  return { ...values, ...Object.fromEntries(loose) };
}

function makeOps(steps: readonly Step[], { reseated, arriving, leaving }: Detours): Op[] {
  return steps.flatMap((step): Op[] => {
    const { id, from, to, still } = step;
    const stays = from && to && !reseated.has(id);
    if (stays && still) return [];
    const states: (Values | null)[] = [from];
    if (from && !stays && leaving.has(id)) states.push(detach(from, leaving.get(id) as Link[]));
    if (from && !stays) states.push(null);
    if (to) states.push(...(arriving.has(id) ? [detach(to, arriving.get(id) as Link[])] : []), to);
    return states.slice(1).map((state, n) => makeOp(step, states[n] as Values | null, state));
  });
}

function index(ops: readonly Op[], names: (op: Op) => readonly string[]): (name: string) => readonly Op[] {
  const map = new Map<string, Op[]>();
  for (const op of ops) {
    for (const name of names(op)) {
      const known = map.get(name);
      if (known) known.push(op);
      else map.set(name, [op]);
    }
  }
  return (name) => map.get(name) ?? [];
}

/** For each op, those that must come before it. */
function predecessors(ops: readonly Op[]): Map<Op, Set<Op>> {
  const releasing = index(ops, (op) => op.releases);
  const taking = index(ops, (op) => op.takes);
  const dropping = index(ops, (op) => op.drops);
  const before = new Map<Op, Set<Op>>();
  ops.forEach((op) => {
    const first = new Set([
      ...op.takes.flatMap(releasing),
      ...op.needs.flatMap(taking),
      ...op.releases.flatMap(dropping),
    ]);
    first.delete(op);
    before.set(op, first);
  });
  // A row leaves before it comes back, and comes before it is changed.
  ops.forEach((op, n) => {
    const previous = ops[n - 1];
    if (previous?.id === op.id) before.get(op)?.add(previous);
  });
  return before;
}

/** A ring of ops that all wait for each other. */
function ring(waiting: ReadonlyMap<Op, ReadonlySet<Op>>): Op[] {
  const path: Op[] = [];
  for (let [op] = waiting.keys() as IterableIterator<Op | undefined>; op; [op] = waiting.get(op) as ReadonlySet<Op>) {
    const start = path.indexOf(op);
    if (start >= 0) return path.slice(start);
    path.push(op);
  }
  return path;
}

/** Opens a ring by a detour; false when it cannot be opened. */
function open(ops: readonly Op[], { reseated, arriving, leaving }: Detours): boolean {
  for (const op of ops) {
    const detached = op.kind === "out" ? leaving : arriving;
    const known = detached.get(op.id) ?? [];
    const others = ops.filter((other) => other !== op);
    const names = new Set(others.flatMap(({ takes, releases }) => (op.kind === "out" ? releases : takes)));
    const links = op.around.out.filter(
      (link) => isNullable(link) && !known.includes(link) && names.has(targetOf(link, op.values) ?? ""),
    );
    if (links.length === 0) continue;
    detached.set(op.id, [...known, ...links]);
    return true;
  }
  for (const { kind, id } of ops) {
    if (kind !== "set" || reseated.has(id)) continue;
    reseated.add(id);
    return true;
  }
  return false;
}

/**
 * Puts the steps into an order. A swap of unique keys takes one of the rows out and in again, and with it the rows that
 * refer to it: these must be among the steps, `still`.
 *
 * @param children asks for the rows that refer to a row which leaves and comes back, and returns whether they are known
 * @returns null while some are not known
 */
export function orderMoves(steps: readonly Step[], children: (id: string) => boolean): Move[] | null {
  const detours: Detours = { reseated: new Set(), arriving: new Map(), leaving: new Map() };
  for (;;) {
    let complete = true;
    for (const id of detours.reseated) complete = children(id) && complete;
    if (!complete) return null;
    const ops = makeOps(steps, detours);
    const released = new Set(ops.flatMap(({ releases }) => releases));
    // A row cannot go on referring to one that is not there for a moment.
    const stranded = steps.filter(({ id, around, from, to }) => {
      if (!from || !to || detours.reseated.has(id)) return false;
      const refers = targetsOf(around, to);
      return targetsOf(around, from).some((name) => released.has(name) && refers.includes(name));
    });
    if (stranded.length > 0) {
      for (const { id } of stranded) detours.reseated.add(id);
      continue;
    }
    const waiting = predecessors(ops);
    const followers = new Map<Op, Op[]>();
    for (const [op, others] of waiting) {
      for (const other of others) {
        const known = followers.get(other);
        if (known) known.push(op);
        else followers.set(other, [op]);
      }
    }
    const first = new Map([...waiting].map(([op, others]) => [op, [...others]]));
    const places = new Map<Op, number>();
    const moves: Move[] = [];
    const ready = ops.filter((op) => waiting.get(op)?.size === 0);
    let opened = false;
    while (waiting.size > 0) {
      if (ready.length === 0) {
        const stuck = ring(waiting);
        opened = open(stuck, detours);
        if (opened) break;
        // No way around: the database is asked, and what it says is kept.
        ready.push(stuck[0] as Op);
      }
      const op = ready.shift() as Op;
      if (!waiting.delete(op)) continue;
      const after = (first.get(op) ?? []).flatMap((other) => places.get(other) ?? []);
      places.set(op, moves.length);
      moves.push({ kind: op.kind, id: op.id, values: op.values, after });
      for (const other of followers.get(op) ?? []) {
        const rest = waiting.get(other);
        if (rest?.delete(op) && rest.size === 0) ready.push(other);
      }
    }
    if (!opened) return moves;
  }
}
