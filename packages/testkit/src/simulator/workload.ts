// The simulated application: plain SQL, as any program would send it, and Drizzle with helpers, mixed.
import type { RowKey } from "@grove-crdt/core";
import type { Random } from "../random";
import { Intents } from "./intents";
import { writeLinked } from "./linked-writes";
import type { Machine } from "./machine";
import { FIRST_LIKES, KEPT_NOTE, writeNote } from "./note-writes";
import type { Oracle } from "./oracle";
import { writePassing } from "./passing";
import type { WriteKind } from "./plan";
import { writeFleetingPlan, writeKeptPlan } from "./plan-writes";
import { changeTags, leaveBatch, writeBatch, writeFleeting, writeOrder } from "./row-writes";
import type { Seen } from "./seen";
import type { World } from "./world";
import { keptIds, run, settled, stockKeys, TAGS, type Writing } from "./writing";

/** What was there before capture. */
const ADOPTED_COUNT = 100;

export class Workload implements Writing {
  #unique = 0;
  readonly intents: Intents;
  readonly fresh = (): string => `i${++this.#unique}`;

  constructor(
    private readonly world: World,
    readonly oracle: Oracle,
    readonly rows: number,
  ) {
    this.intents = new Intents(() => this.random, this.fresh);
  }

  get random(): Random {
    return this.world.random;
  }

  /** The rows that are never deleted, and those that never come again. */
  get tracked(): readonly RowKey[] {
    return [
      ...this.oracle.passing.keys,
      ...stockKeys(this.rows).map((pk): RowKey => ["inventory", pk]),
      ...keptIds(this.rows).flatMap((id): RowKey[] => [
        ["documents", [id]],
        ["plans", [id]],
      ]),
    ];
  }

  /** Rows that are there from the start: before capture, or inserted on every node at once. */
  #insert(database: Machine["database"], title: string, count: number, rows: number): void {
    for (const [store, sku] of stockKeys(rows))
      run(database, "INSERT INTO inventory (store, sku, name, quantity) VALUES (?, ?, ?, ?)", store, sku, title, count);
    // What is there before capture is the same everywhere; what each node inserts is its own.
    const own = count > 0 ? "s" : title;
    const plan = [JSON.stringify([own]), JSON.stringify(cardsOf(own)), JSON.stringify({ stats: { views: count } })];
    for (const id of keptIds(rows)) {
      run(database, "INSERT INTO documents (id, title, view_count) VALUES (?, ?, ?)", id, title, count);
      run(database, "INSERT INTO plans (id, steps, cards, data) VALUES (?, ?, ?, ?)", id, ...plan);
    }
    run(database, "INSERT INTO notes (id, title) VALUES (?, ?)", KEPT_NOTE, title);
  }

  /** All nodes hold these rows before capture, with one count: increments add to it once. */
  adopt({ database, id }: Pick<Machine, "database" | "id">): void {
    // Images are shared by all seeds.
    this.#insert(database, id, ADOPTED_COUNT, 3);
  }
  /** What has been adopted counts. */
  adopted(): void {
    for (const [store, sku] of stockKeys(3)) this.oracle.count(`inventory ${store} ${sku}`, ADOPTED_COUNT);
    for (const id of keptIds(3)) {
      for (const table of ["documents", "plans"]) this.oracle.count(`${table} ${id}`, ADOPTED_COUNT);
      this.oracle.carded(`plans ${id}`, [], cardsOf("s"));
    }
    this.oracle.count(`notes ${KEPT_NOTE}`, FIRST_LIKES);
  }

  async seed(machine: Machine): Promise<void> {
    const { oracle } = this;
    this.#insert(machine.database, machine.id, 0, this.rows);
    for (const id of keptIds(this.rows)) {
      oracle.carded(`plans ${id}`, [], cardsOf(machine.id));
      await this.#wroteTitle(machine, id, machine.id);
    }
    if (machine.index === 0) oracle.count(`notes ${KEPT_NOTE}`, FIRST_LIKES);
  }

  /** One random write on one machine. */
  async write(machine: Machine, wanted: WriteKind): Promise<void> {
    // Of writes that get other stamps later, what is told by stamps cannot be accounted for.
    const told: readonly WriteKind[] = ["title", "tags", "plan"];
    const kind = machine.isTainted && told.includes(wanted) ? "count" : wanted;
    // While a node begins anew, its application waits.
    if (machine.rejoins) return;
    this.world.log(`${machine.label} writes ${kind}`);
    this.world.writes[kind] = (this.world.writes[kind] ?? 0) + 1;
    await this.#kinds[kind](machine);
  }

  readonly #kinds: Readonly<Record<WriteKind, (machine: Machine) => unknown>> = {
    count: (machine) => this.#count(machine),
    title: (machine) => this.#title(machine),
    tags: (machine) => this.#tags(machine),
    plan: (machine) => writeKeptPlan(this, machine),
    fleeting: (machine) => writeFleeting(this, machine),
    fleetingPlan: (machine) => writeFleetingPlan(this, machine),
    order: (machine) => writeOrder(this, machine),
    batch: (machine) => writeBatch(this, machine),
    linked: (machine) => writeLinked(this, machine),
    note: (machine) => writeNote(this, machine),
    passing: (machine) => writePassing(this, machine),
  };

  /** A transaction that its program does not live to commit. */
  interrupt(machine: Machine): void {
    leaveBatch(this, machine);
  }

  /** What a machine holds of the rows that the oracle accounts for. */
  async seen({ node, level }: Machine): Promise<Seen> {
    const { tracked } = this;
    const states = await node.store.states(tracked);
    // A row that never lived is one that a node asks for when it begins anew.
    const known = states.map((state) => (state && state.cl > 0 ? state : null));
    return { level, states: new Map(tracked.map((key, n) => [nameOf(key), known[n] ?? null])) };
  }

  /** What a machine has set aside, to begin anew. */
  async aside({ node }: Machine): Promise<Seen[]> {
    const kept = (await node.store.rejections()).filter(({ code }) => code === "struck_off");
    return kept.map(({ change }) => ({ level: -1, states: new Map([[nameOf([change.table, change.pk]), change]]) }));
  }

  #count({ database }: Machine): unknown {
    const { random, oracle, intents } = this;
    const delta = random.between(-3, 5);
    const meant = random.chance(0.5);
    if (random.chance(0.5)) {
      const [store, sku] = random.pick(stockKeys(this.rows));
      oracle.count(`inventory ${store} ${sku}`, delta);
      if (meant) return intents.stock(database, store, sku, delta);
      run(database, "UPDATE inventory SET quantity = quantity + ? WHERE store = ? AND sku = ?", delta, store, sku);
    } else {
      const id = random.pick(keptIds(this.rows));
      oracle.count(`documents ${id}`, delta);
      if (meant) return intents.views(database, id, delta);
      run(database, "UPDATE documents SET view_count = view_count + ? WHERE id = ?", delta, id);
    }
  }

  async #title(machine: Machine): Promise<void> {
    const id = this.random.pick(keptIds(this.rows));
    const title = this.fresh();
    run(machine.database, "UPDATE documents SET title = ? WHERE id = ?", title, id);
    await this.#wroteTitle(machine, id, title);
  }

  /** Tells the oracle under which stamp the title was written. */
  async #wroteTitle({ node }: Machine, id: string, title: string): Promise<void> {
    const state = await node.inspect("documents", [id]);
    const [value, hlc = state!.life[0], writer = state!.life[1]] = state!.lww!.title!;
    if (value === title) this.oracle.wrote(`documents ${id}`, [hlc, writer], title);
    // A merge may have come in between, with a later write of another node.
    else if (!this.oracle.knows(`documents ${id}`, [hlc, writer], value))
      throw new Error(`${id}: wrote ${title}, the shadow says ${String(value)}`);
  }

  async #tags({ database, node }: Machine): Promise<void> {
    const { random, oracle } = this;
    const id = random.pick(keptIds(this.rows));
    const before = await settled(database, () => node.inspect("documents", [id]));
    const tag = random.chance(0.3) ? this.fresh() : random.pick(TAGS);
    if (random.chance(0.4)) this.intents.tags(database, id, tag);
    else changeTags(this, database, id, tag);
    oracle.tagged(`documents ${id}`, before, await node.inspect("documents", [id]));
  }
}

const nameOf = ([table, pk]: RowKey) => `${table} ${pk.join(" ")}`;
const cardsOf = (own: string) => [1, 2].map((n) => ({ id: `${own} ${n}` }));
