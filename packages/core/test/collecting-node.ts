// A node of one row, in memory, twice: once it forgets what rounds agree on, and once it never forgets. Whatever is done to both,
// the row must read the same.
import {
  type Collection,
  collectable,
  collectRow,
  decideFold,
  decideMerge,
  type FoldClock,
  givenBy,
  isAlive,
  type Json,
  joinRoundsOf,
  masksOf,
  materializeState,
  mergeStates,
  NO_COLLECTION,
  noTouch,
  type Round,
  type Row,
  type RowChange,
  rowToChange,
  rowValues,
  stepRounds,
  type TableModel,
} from "../src/index";

const column = { property: "x", storage: "text", sqlType: "text", notNull: false } as const;

export const model: TableModel = {
  name: "things",
  exportName: "things",
  key: [{ ...column, name: "id", kind: "text" }],
  fields: [
    { ...column, name: "title", kind: "text", type: "lww", default: "" },
    { ...column, name: "stock", kind: "integer", storage: "integer", type: "counter", default: "0" },
    { ...column, name: "tags", kind: "json", type: "set", default: [] },
  ],
  local: [],
  uniques: [],
};
const PK = ["r"];

export type Values = Readonly<Record<string, Json>>;

const whole = (row: Row, values: Values) =>
  rowToChange(model, PK, row, values, { floor: -1, exclude: null }) as RowChange;

function load(state: RowChange): { readonly row: Row; readonly values: Values } {
  const { row, base } = decideMerge(model, { row: null, present: false }, state, { seq: 1, from: null });
  return { row, values: base.op === "insert" ? base.values : {} };
}

/** The state after the row was written; `values` null = deleted. */
function written(state: RowChange | null, values: Values | null, names: readonly string[], clock: FoldClock) {
  const known = state && load(state);
  const before = known && isAlive(known.row) ? known.values : null;
  const touch = noTouch(1);
  touch.at = clock.now;
  if (values && !before) touch.inserted = true;
  else if (values) touch.masks[0] = masksOf(model, names)[0] as number;
  else touch.deleted = true;
  if (before) touch.before = Object.fromEntries(names.map((name) => [name, before[name] as Json]));
  const change = decideFold(model, known?.row ?? null, touch, values && { values }, false, clock, 1);
  if (!change) return state;
  return whole(change.row, values ?? {});
}

/** What is left of a state once a round's verdict is carried out. */
export function collected(state: RowChange, round: Round): RowChange | null {
  const { row, values } = load(state);
  const changes = collectRow(model, row, round);
  if (changes === "forgotten") return null;
  const after = changes?.row ?? row;
  return whole(after, rowValues(model, after, values));
}

export class CollectingNode {
  state: RowChange | null = null;
  /** Of the twin that never forgets. */
  full: RowChange | null = null;
  clock = 0;
  collection: Collection = NO_COLLECTION;
  readonly peers = new Set<string>();
  isStruck = false;
  /** It has never exchanged anything. */
  isNew = true;
  #opened = 1;

  constructor(
    readonly name: string,
    readonly now: () => number,
  ) {}

  get incarnation(): string {
    return `${this.name}${this.#opened}`;
  }
  reopen(): void {
    this.#opened++;
  }

  read(state = this.state): Record<string, Json> | null {
    return state && materializeState(model, state);
  }

  write(values: Values | null, names: readonly string[]): void {
    const clock = (): FoldClock => ({
      node: this.name,
      incarnation: this.incarnation,
      now: this.now(),
      clock: this.clock,
    });
    const [one, two] = [clock(), clock()];
    this.state = written(this.state, values, names, one);
    this.full = written(this.full, values, names, two);
    this.clock = Math.max(one.clock, two.clock);
  }

  step(took: readonly (readonly [string, readonly string[]])[] = []): void {
    const open = this.collection.rounds.filter(({ verdict, cancelled }) => !verdict && !cancelled);
    this.clock = Math.max(this.clock, ...open.map(({ upTo }) => upTo + 1));
    const { collection, collect, isStruck } = stepRounds(this.collection, {
      node: this.name,
      incarnation: this.incarnation,
      clock: this.clock,
      peers: [...this.peers],
      lacks: false,
      tables: [[model.name, collectable(model)]],
      isNew: this.isNew,
      took,
    });
    this.collection = collection;
    this.isStruck ||= isStruck;
    if (collect && this.state) this.state = collected(this.state, collect);
  }

  begin(id: string, struck: readonly string[] = []): void {
    const round: Round = {
      id,
      by: this.name,
      began: this.now(),
      upTo: Math.max(this.now(), this.clock),
      struck,
      members: [],
    };
    this.collection = { ...this.collection, rounds: [...this.collection.rounds, round] };
    this.step();
  }

  hear(rounds: readonly Round[]): void {
    this.collection = joinRoundsOf(this.collection, rounds, this.name);
    this.step();
  }

  take(state: RowChange | null, full: RowChange | null): void {
    const join = (mine: RowChange | null, theirs: RowChange | null) =>
      mine && theirs ? mergeStates(model, mine, theirs) : (mine ?? theirs);
    this.state = join(this.state, state);
    this.full = join(this.full, full);
    for (const { life, counter, set } of [state, full].filter((one) => one !== null)) {
      this.clock = Math.max(this.clock, life[0]);
      for (const { totals = [] } of Object.values(counter ?? {}))
        for (const total of totals) this.clock = Math.max(this.clock, total[4]);
      for (const elements of Object.values(set ?? {}))
        for (const [, hlc, , removed = 0] of elements) this.clock = Math.max(this.clock, hlc, removed);
    }
  }
}

/** What both know of rounds, as before an exchange that then fails. */
export function talk(from: CollectingNode, to: CollectingNode): void {
  from.peers.add(to.name);
  to.peers.add(from.name);
  to.hear(from.collection.rounds);
  from.hear(to.collection.rounds);
}

/** All that one node has, to another; false where they have not forgotten the same. */
export function deliver(from: CollectingNode, to: CollectingNode): boolean {
  talk(from, to);
  if (from.collection.upTo !== to.collection.upTo) return false;
  from.isNew = false;
  to.isNew = false;
  const given = from.collection.rounds.map((round) => [round.id, givenBy(round, from.name)] as const);
  to.take(from.state, from.full);
  to.step(given);
  return true;
}
