// Random writes of an application: plain SQL, as any program would send it, and Drizzle with helpers, mixed.
import type { Random } from "../random";
import { type Card, type Database, Intents } from "./intents";
import type { Oracle } from "./oracle";
import type { SimulatedNode, World } from "./world";

/** Rows with these keys are never deleted, so the oracle can say what they must become. */
const KEPT = ["k1", "k2"];
/** Rows with these keys come, go, come again and change their key. */
const FLEETING = ["d1", "d2", "d3", "d4"];
const STOCK = [
  ["north", "apple"],
  ["north", "pear"],
  ["south", "apple"],
] as const;
const WORDS = ["alpha", "beta", "gamma", "", "ünï", "😀"];
const TAGS = ["x", "y", "z"];

type Tagged = { tags: string } | undefined;
/** A row of `plans` as its application has it. */
interface Plan {
  steps: string[];
  cards: Card[];
  data: Record<string, unknown>;
}
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export class Workload {
  #unique = 0;
  readonly #intents: Intents;
  constructor(
    private readonly world: World,
    private readonly oracle: Oracle,
  ) {
    this.#intents = new Intents(world.random, () => `i${++this.#unique}`);
  }

  get #random(): Random {
    return this.world.random;
  }

  /** Rows that are there from the start: before capture, or inserted on every node at once. */
  insertSeed(database: SimulatedNode["database"], title: string, count: number): void {
    const stock = database.prepare("INSERT INTO inventory (store, sku, name, quantity) VALUES (?, ?, ?, ?)");
    for (const [store, sku] of STOCK) stock.run(store, sku, title, count);
    const documents = database.prepare("INSERT INTO documents (id, title, view_count) VALUES (?, ?, ?)");
    for (const id of KEPT) documents.run(id, title, count);
    const plans = database.prepare("INSERT INTO plans (id, steps, cards, data) VALUES (?, ?, ?, ?)");
    // What is there before capture is the same everywhere; what each node inserts is its own.
    const own = count > 0 ? "s" : title;
    const cards = [1, 2].map((n) => ({ id: `${own} ${n}` }));
    for (const id of KEPT) {
      plans.run(id, JSON.stringify([own]), JSON.stringify(cards), JSON.stringify({ stats: { views: count } }));
      this.oracle.carded(`plans ${id}`, [], cards);
    }
  }

  /** All nodes hold these rows before capture, with one count: increments add to it once. */
  adopt(simulated: Pick<SimulatedNode, "database" | "name">): void {
    this.insertSeed(simulated.database, simulated.name, 100);
    for (const [store, sku] of STOCK) this.oracle.counted.set(`inventory ${store} ${sku}`, 100);
    for (const id of KEPT) for (const table of ["documents", "plans"]) this.oracle.counted.set(`${table} ${id}`, 100);
  }

  async seed(simulated: SimulatedNode): Promise<void> {
    this.insertSeed(simulated.database, simulated.name, 0);
    for (const id of KEPT) await this.#wroteTitle(simulated, id, simulated.name);
  }

  /** One random write on one node. */
  async write(simulated: SimulatedNode): Promise<void> {
    const kinds = [
      "count",
      "count",
      "keptTitle",
      "keptTags",
      "keptTags",
      "fleeting",
      "fleeting",
      "fleeting",
      "order",
      "batch",
      "linked",
      "linked",
      "linked",
      "keptPlan",
      "keptPlan",
      "keptPlan",
      "fleetingPlan",
    ] as const;
    const kind = this.#random.pick(kinds);
    this.world.log(`${simulated.name} writes ${kind}`);
    await this[kind](simulated);
  }

  async count({ database }: SimulatedNode): Promise<void> {
    const delta = this.#random.between(-3, 5);
    const meant = this.#random.chance(0.5);
    if (this.#random.chance(0.5)) {
      const [store, sku] = this.#random.pick(STOCK);
      this.oracle.count(`inventory ${store} ${sku}`, delta);
      if (meant) return this.#intents.stock(database, store, sku, delta);
      database
        .prepare("UPDATE inventory SET quantity = quantity + ? WHERE store = ? AND sku = ?")
        .run(delta, store, sku);
    } else {
      const id = this.#random.pick(KEPT);
      this.oracle.count(`documents ${id}`, delta);
      if (meant) return this.#intents.views(database, id, delta);
      database.prepare("UPDATE documents SET view_count = view_count + ? WHERE id = ?").run(delta, id);
    }
  }

  async keptTitle(simulated: SimulatedNode): Promise<void> {
    const id = this.#random.pick(KEPT);
    const title = `t${++this.#unique}`;
    simulated.database.prepare("UPDATE documents SET title = ? WHERE id = ?").run(title, id);
    await this.#wroteTitle(simulated, id, title);
  }

  /** Tells the oracle under which stamp the title was written. */
  async #wroteTitle({ node }: SimulatedNode, id: string, title: string): Promise<void> {
    const state = await node.inspect("documents", [id]);
    const [value, hlc = state!.life[0], writer = state!.life[1]] = state!.lww!.title!;
    if (value === title) this.oracle.wrote(`documents ${id}`, [hlc, writer], title);
    // A merge may have come in between, with a later write of another node.
    else if (!this.oracle.knows(`documents ${id}`, [hlc, writer], value))
      throw new Error(`${id}: wrote ${title}, the shadow says ${String(value)}`);
  }

  async keptTags({ database, node }: SimulatedNode): Promise<void> {
    const id = this.#random.pick(KEPT);
    const before = await this.#settled(database, () => node.inspect("documents", [id]));
    const tag = this.#random.chance(0.3) ? `u${++this.#unique}` : this.#random.pick(TAGS);
    if (this.#random.chance(0.4)) this.#intents.tags(database, id, tag);
    else this.#changeTags(database, id, tag);
    this.oracle.tagged(`documents ${id}`, before, await node.inspect("documents", [id]));
  }

  /** What a look returns while nothing is merged: several exchanges are under way at once. */
  async #settled<T>(database: SimulatedNode["database"], look: () => Promise<T>): Promise<T> {
    const read = database.prepare("SELECT seq FROM _grove_node").pluck();
    for (;;) {
      const before = read.get();
      const seen = await look();
      if (read.get() === before) return seen;
    }
  }

  #changeTags(database: SimulatedNode["database"], id: string, tag: string): void {
    const row = database.prepare("SELECT tags FROM documents WHERE id = ?").get(id) as Tagged;
    if (!row) return;
    const tags = JSON.parse(row.tags) as string[];
    const victim = this.#random.chance(0.4) && tags.length > 0 ? this.#random.pick(tags) : tag;
    const next = tags.includes(victim) ? tags.filter((other) => other !== victim) : [...tags, victim];
    if (this.#random.chance(0.1)) next.reverse();
    database.prepare("UPDATE documents SET tags = ? WHERE id = ?").run(JSON.stringify(next), id);
  }

  /** Lists and documents are read whole, changed and written whole, as applications do, or changed by helpers. */
  async keptPlan({ database, node }: SimulatedNode): Promise<void> {
    const id = this.#random.pick(KEPT);
    const row = `plans ${id}`;
    const before = await this.#settled(database, () => node.inspect("plans", [id]));
    for (let n = this.#random.pick([1, 1, 1, 3]); n > 0; n--) {
      const plan = this.#readPlan(database, id) as Plan;
      if (this.#random.chance(0.4)) {
        this.#meanPlan(database, id, plan);
        continue;
      }
      switch (this.#random.below(4)) {
        case 0:
          plan.steps = this.#changeItems(plan.steps, (fresh) => fresh);
          break;
        case 1: {
          const cards = this.#changeItems(plan.cards, (fresh, old) => ({ id: old?.id ?? fresh, text: fresh }));
          this.oracle.carded(row, plan.cards, cards);
          plan.cards = cards;
          break;
        }
        case 2: {
          const delta = this.#random.between(-3, 5);
          const stats = plan.data.stats as { views: number };
          plan.data.stats = { ...stats, views: stats.views + delta };
          this.oracle.count(row, delta);
          break;
        }
        default:
          this.#changeData(plan.data);
      }
      this.#writePlan(database, id, plan);
    }
    this.oracle.listed(row, before, await node.inspect("plans", [id]));
  }

  #meanPlan(database: Database, id: string, plan: Plan): void {
    const row = `plans ${id}`;
    switch (this.#random.below(4)) {
      case 0:
        this.#intents.steps(database, id, plan.steps.length);
        break;
      case 1:
        this.#intents.cards(database, id, plan.cards.length);
        this.oracle.carded(row, plan.cards, (this.#readPlan(database, id) as Plan).cards);
        break;
      case 2: {
        const delta = this.#random.between(-3, 5);
        this.oracle.count(row, delta);
        this.#intents.planViews(database, id, delta);
        break;
      }
      default:
        this.#intents.data(database, id);
    }
  }

  async fleetingPlan({ database }: SimulatedNode): Promise<void> {
    const random = this.#random;
    const id = random.pick(FLEETING);
    const plan = this.#readPlan(database, id);
    if (plan && random.chance(0.3)) {
      this.#intents.steps(database, id, plan.steps.length);
      this.#intents.cards(database, id, plan.cards.length);
      this.#intents.data(database, id);
      this.#intents.planViews(database, id, 1);
    } else if (!plan || random.chance(0.1)) {
      database
        .prepare("INSERT OR REPLACE INTO plans (id, steps, data) VALUES (?, ?, ?)")
        .run(id, random.pick(["[]", '["x", "y"]']), random.pick(["{}", '{"a":{"b":1},"stops":["x"]}']));
    } else if (random.chance(0.2)) database.prepare("DELETE FROM plans WHERE id = ?").run(id);
    else {
      plan.steps = this.#changeItems(plan.steps, () => random.pick(TAGS));
      plan.cards = this.#changeItems(plan.cards, (fresh) => (random.chance(0.2) ? "no card" : { id: fresh }) as Card);
      this.#changeData(plan.data);
      // What is counted, collected and listed may be something else for a while.
      if (random.chance(0.2)) plan.data[random.pick(["stats", "labels", "stops"])] = random.pick([1, "text", {}, [1]]);
      if (random.chance(0.1)) delete plan.data[random.pick(["stats", "labels", "stops"])];
      if (random.chance(0.2)) plan.data.stats = { views: random.below(9) };
      this.#writePlan(database, id, plan);
    }
  }

  #readPlan(database: SimulatedNode["database"], id: string): Plan | undefined {
    const row = database.prepare("SELECT steps, cards, data FROM plans WHERE id = ?").get(id);
    if (!row) return undefined;
    const { steps, cards, data } = row as Record<keyof Plan, string>;
    return { steps: JSON.parse(steps), cards: JSON.parse(cards), data: JSON.parse(data) };
  }

  #writePlan(database: SimulatedNode["database"], id: string, { steps, cards, data }: Plan): void {
    database
      .prepare("UPDATE plans SET steps = ?, cards = ?, data = ? WHERE id = ?")
      .run(JSON.stringify(steps), JSON.stringify(cards), JSON.stringify(data), id);
  }

  /** Inserts one, takes one away, moves one, or gives one another value. */
  #changeItems<T>(items: readonly T[], make: (fresh: string, old?: T) => T): T[] {
    const random = this.#random;
    const fresh = `i${++this.#unique}`;
    const kind = random.next();
    const rest = [...items];
    const at = random.below(items.length + 1);
    if (kind < 0.4 || items.length === 0) rest.splice(at, 0, make(fresh));
    else if (kind < 0.55) rest.splice(at, 1);
    else if (kind < 0.85) rest.splice(at, 0, ...rest.splice(random.below(items.length), 1));
    else {
      const own = random.below(items.length);
      rest[own] = make(fresh, items[own]);
    }
    return rest;
  }

  /** Beside the paths with types, anything may come and go. */
  #changeData(data: Plan["data"]): void {
    const random = this.#random;
    const listed = (name: string) => (Array.isArray(data[name]) ? (data[name] as string[]) : []);
    switch (random.below(5)) {
      case 0:
        data.stops = this.#changeItems(listed("stops"), (fresh) => fresh);
        break;
      case 1: {
        const tag = random.pick(TAGS);
        const labels = listed("labels");
        data.labels = labels.includes(tag) ? labels.filter((other) => other !== tag) : [...labels, tag];
        break;
      }
      case 2:
        if (random.chance(0.5)) delete data.a;
        else data.a = random.pick<unknown>([1, {}, { b: 2 }, { b: { c: 3 }, d: 4 }, [5]]);
        break;
      case 3:
        data.a = { ...(isObject(data.a) ? data.a : {}), [random.pick(["b", "d", "e.f", ""])]: ++this.#unique };
        break;
      default:
        if (isObject(data.stats)) data.stats = { ...data.stats, owner: random.pick(WORDS) };
    }
  }

  async fleeting({ database }: SimulatedNode): Promise<void> {
    const random = this.#random;
    const id = random.pick(FLEETING);
    const word = random.pick(WORDS);
    switch (random.below(11)) {
      case 0:
      case 1:
        database
          .prepare("INSERT INTO documents (id, title, view_count, tags) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
          .run(id, word, random.pick([0, 0, 7]), random.pick(["[]", '["x"]', '["y", "x"]']));
        break;
      case 2:
        database.prepare("DELETE FROM documents WHERE id = ?").run(id);
        break;
      case 3:
        database.prepare("UPDATE documents SET title = ? WHERE id = ?").run(word, id);
        break;
      case 4:
        database.prepare("UPDATE documents SET body = ?, view_count = view_count + 1 WHERE id = ?").run(word, id);
        break;
      case 5:
        this.#changeTags(database, id, random.pick(TAGS));
        break;
      case 6:
        database
          .prepare(
            "INSERT INTO documents (id, title) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title, view_count = view_count + 1",
          )
          .run(id, word);
        break;
      case 7:
        database
          .prepare("INSERT OR REPLACE INTO documents (id, title, view_count) VALUES (?, ?, ?)")
          .run(id, word, random.below(3));
        break;
      case 8:
        database.prepare("UPDATE OR IGNORE documents SET id = ? WHERE id = ?").run(random.pick(FLEETING), id);
        break;
      case 9:
        database.prepare("UPDATE documents SET view_count = ? WHERE id = ?").run(random.below(10), id);
        break;
      default:
        // Deleted and inserted again within one transaction.
        database.transaction(() => {
          database.prepare("DELETE FROM documents WHERE id = ?").run(id);
          database.prepare("INSERT INTO documents (id, title) VALUES (?, ?)").run(id, word);
        })();
    }
  }

  async order({ database }: SimulatedNode): Promise<void> {
    const random = this.#random;
    const id = random.pick(["o1", "o2", "o3"]);
    switch (random.below(4)) {
      case 0:
        database
          .prepare("INSERT INTO orders (id, total, placed_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
          .run(id, random.below(1000), 1_700_000_000_000 + random.below(1000));
        break;
      case 1:
        database.prepare("UPDATE orders SET note = ? WHERE id = ?").run(random.pick([null, "n", "m"]), id);
        break;
      case 2:
        database
          .prepare("UPDATE orders SET status = ?, total = total + 1 WHERE id = ?")
          .run(random.pick(["open", "paid"]), id);
        break;
      default:
        database.prepare("DELETE FROM orders WHERE id = ?").run(id);
    }
  }

  /** Rows that refer to each other. What SQLite refuses, the application gives up. */
  async linked({ database }: SimulatedNode): Promise<void> {
    const random = this.#random;
    const album = () => random.pick(["a1", "a2", "a3"]);
    const photo = () => random.pick(["p1", "p2", "p3"]);
    const track = () => random.pick(["t1", "t2", "t3"]);
    const slug = () => random.pick([null, "x", "y", "z"]);
    const maybe = (value: string) => (random.chance(0.3) ? null : value);
    const run = (sql: string, ...params: unknown[]) => {
      try {
        database.prepare(sql).run(...params);
      } catch (error) {
        if (!String((error as { code?: unknown }).code).startsWith("SQLITE_CONSTRAINT")) throw error;
      }
    };
    switch (random.below(19)) {
      case 0:
      case 1:
      case 2:
        run("INSERT INTO albums (id, name, slug) VALUES (?, ?, ?)", album(), random.pick(WORDS), slug());
        break;
      case 3:
        run("INSERT INTO photos (id, album, up) VALUES (?, ?, ?)", photo(), maybe(album()), maybe(photo()));
        break;
      case 4:
      case 5:
        run(
          "INSERT INTO tracks (id, album, slug, cover, shelf) VALUES (?, ?, ?, ?, ?)",
          track(),
          maybe(album()),
          slug(),
          maybe(photo()),
          maybe(album()),
        );
        break;
      case 6:
        run("DELETE FROM albums WHERE id = ?", album());
        break;
      case 7:
        run("DELETE FROM photos WHERE id = ?", photo());
        break;
      case 8:
        run("DELETE FROM tracks WHERE id = ?", track());
        break;
      case 9:
        run("UPDATE albums SET slug = ?, plays = plays + 1 WHERE id = ?", slug(), album());
        break;
      case 10:
        run("UPDATE photos SET album = ?, up = ?, caption = ?", maybe(album()), maybe(photo()), random.pick(WORDS));
        break;
      case 11:
        run("UPDATE tracks SET album = ?, slug = ?, cover = ? WHERE id = ?", maybe(album()), slug(), photo(), track());
        break;
      case 12:
        run("UPDATE tracks SET title = ?, shelf = ?", random.pick(WORDS), maybe(album()));
        break;
      case 13:
        run("UPDATE albums SET name = ? WHERE id = ?", random.pick(WORDS), album());
        break;
      case 14:
      case 15: {
        const table = random.pick(["albums", "tracks"]);
        const id = table === "albums" ? album() : track();
        const row = database.prepare(`SELECT songs, facts FROM ${table} WHERE id = ?`).get(id);
        if (!row) break;
        const { songs, facts } = row as Record<string, string>;
        const items = this.#changeItems(JSON.parse(songs as string) as string[], (fresh) => fresh);
        const own = JSON.parse(facts as string) as Record<string, unknown>;
        const name = random.pick(["n", "labels", "steps", "a"]);
        own[name] = random.pick<unknown>([random.below(9), [random.pick(TAGS)], { b: random.below(9) }]);
        if (random.chance(0.2)) delete own[random.pick(["n", "labels", "steps", "a"])];
        run(`UPDATE ${table} SET songs = ?, facts = ? WHERE id = ?`, JSON.stringify(items), JSON.stringify(own), id);
        break;
      }
      case 16:
        run(
          "INSERT INTO tracks (id, slug, songs, facts) VALUES (?, ?, ?, ?)",
          track(),
          slug(),
          JSON.stringify([random.pick(TAGS)]),
          JSON.stringify({ n: random.below(9), a: { b: 1 }, steps: ["x"] }),
        );
        break;
      case 17:
        run("INSERT OR REPLACE INTO tracks (id, slug, cover) VALUES (?, ?, ?)", track(), slug(), maybe(photo()));
        break;
      default:
        run("INSERT OR REPLACE INTO albums (id, name, slug) VALUES (?, ?, ?)", album(), random.pick(WORDS), slug());
    }
  }

  /** A transaction over many rows; sometimes taken back, and then nothing of it may ever be seen. */
  async batch({ database, name }: SimulatedNode): Promise<void> {
    const back = this.#random.chance(0.3);
    const run = database.transaction(() => {
      database.prepare("UPDATE documents SET body = ?").run(back ? "TAKEN BACK" : `batch ${name}`);
      database.prepare("DELETE FROM documents WHERE id = ?").run(this.#random.pick(FLEETING));
      if (back) throw new Error("taken back");
    });
    try {
      run();
    } catch (error) {
      if ((error as Error).message !== "taken back") throw error;
    }
  }
}

export { KEPT, STOCK };
