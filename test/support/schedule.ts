// Schedules of connections to one Postgres: several actors, each cut at its statements, and one who says whose statement goes next. A
// statement that waits for a lock is noticed, and the others go on meanwhile.
import type { PostgresClient } from "@grove-crdt/store";
import type { Sql } from "postgres";

/** Works through statements, each of which waits to be let go. */
export class Actor {
  /** Statements that wait, in their order: a driver may have several ready. */
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;
  #done = false;
  /** Set while its statement waits for a lock that somebody holds. */
  blocked = false;
  readonly ended: Promise<unknown>;
  #arrived: () => void = () => {};

  /** @param name the `application_name` of its connections, by which the server's waits are told apart */
  constructor(
    readonly name: string,
    /** Its place among the parts of the schedule. */
    readonly place: number,
    work: (actor: Actor) => Promise<unknown>,
  ) {
    // Not before all actors are there.
    this.ended = Promise.resolve()
      .then(() => work(this))
      .finally(() => {
        this.#done = true;
        this.#arrived();
      });
    this.ended.catch(() => {});
  }

  get done(): boolean {
    return this.#done;
  }
  /** It stands before a statement, and nothing of it is under way. */
  get ready(): boolean {
    return !this.#done && this.#inFlight === 0 && this.#waiting.length > 0;
  }
  get running(): boolean {
    return !this.#done && !this.ready;
  }

  /** Lets its next statement go. */
  go(): void {
    this.#inFlight++;
    this.#waiting.shift()?.();
  }
  /** Resolves when it stands or has ended, at the latest after so many milliseconds. */
  arrives(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#arrived = () => {
        if (this.running) return;
        clearTimeout(timer);
        resolve();
      };
      this.#arrived();
    });
  }

  async statement<T>(run: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#arrived();
    });
    try {
      return await run();
    } finally {
      this.#inFlight--;
      // What it does with the answer comes first.
      setImmediate(() => this.#arrived());
    }
  }
}

/** Stands in front of postgres.js for a store: what that runs is an actor's, while there is one. */
export class Gate {
  actor: Actor | null = null;
  readonly client: PostgresClient;
  constructor(pool: Sql) {
    const cut = (connection: Pick<Sql, "unsafe">) => ({
      unsafe: (sql: string, params: unknown[] = [], options?: { prepare?: boolean }) => ({
        values: () => {
          const run = async () => [...(await connection.unsafe(sql, params as string[], options).values())];
          return this.actor ? this.actor.statement(run) : run();
        },
      }),
    });
    const reserve = async () => {
      const connection = await pool.reserve();
      return { ...cut(connection), release: () => connection.release() };
    };
    this.client = { ...cut(pool), reserve };
  }
}

/** One decision: which of the actors that could go went. */
export interface Turn {
  readonly took: number;
  readonly of: number;
  readonly name: string;
}

/** Picks one of those that could go; or none where others wait for a lock, until one of them has got it or given it up. */
export type Choice = (turn: number, ready: readonly Actor[], blocked: boolean) => number;

const WAITS =
  "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
/** Longest time that anything may take, in milliseconds: all locks are given up before. */
const LIMIT = 20_000;

/** Runs actors to their end, one statement at a time. @returns what was decided */
export async function runSchedule(actors: readonly Actor[], watch: Sql, choose: Choice): Promise<Turn[]> {
  const turns: Turn[] = [];
  /** Until each stands before a statement, has ended, or waits for a lock. */
  const settle = async () => {
    const begin = performance.now();
    for (const actor of actors) actor.blocked = false;
    for (;;) {
      const moving = actors.filter((actor) => actor.running && !actor.blocked);
      if (moving.length === 0) return;
      await Promise.all(moving.map((actor) => actor.arrives(3)));
      const left = moving.filter((actor) => actor.running);
      if (left.length === 0) return;
      const waits = new Set((await watch.unsafe(WAITS)).map((row) => row.application_name as string));
      for (const actor of left) actor.blocked = actor.running && waits.has(actor.name);
      if (performance.now() - begin > LIMIT) throw new Error(`${left.map(({ name }) => name)} did not come to an end`);
    }
  };
  for (;;) {
    await settle();
    const ready = actors.filter((actor) => actor.ready);
    const blocked = actors.filter((actor) => actor.running);
    if (ready.length === 0 && blocked.length === 0) break;
    // Where each waits for another, who gives way does so after a while.
    const took = ready.length > 0 ? Math.min(choose(turns.length, ready, blocked.length > 0), ready.length - 1) : -1;
    if (took < 0) {
      await Promise.race(blocked.map((actor) => actor.arrives(1_000)));
      continue;
    }
    const actor = ready[took] as Actor;
    turns.push({ took, of: ready.length, name: actor.name });
    actor.go();
  }
  await Promise.all(actors.map((actor) => actor.ended));
  return turns;
}

/**
 * Every schedule, one after the other: each repeats the decisions of the last one up to the latest that had an alternative, and takes
 * that. Calls `run` with the choice for each, until it returns null.
 *
 * @returns whether these were all
 */
export async function everySchedule(
  run: (choose: Choice) => Promise<readonly Turn[] | null>,
  limit: number,
): Promise<boolean> {
  let prefix: readonly number[] = [];
  for (let count = 0; count < limit; count++) {
    const turns = await run((turn) => prefix[turn] ?? 0);
    if (turns === null) return false;
    const last = turns.findLastIndex(({ took, of }) => took + 1 < of);
    if (last < 0) return true;
    prefix = [...turns.slice(0, last).map(({ took }) => took), (turns[last]?.took ?? 0) + 1];
  }
  return false;
}
