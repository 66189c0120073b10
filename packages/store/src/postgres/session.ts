// Transactions of the store. A write holds `_grove_lock`, so that numbers are given in the order of commits; a read is one
// snapshot. The node's row is read at the start of each: other processes serve the same database, so nothing that is
// remembered here counts.
import { type FoldClock, GroveError, type Incarnation, type Interned, type Touched } from "@grove-crdt/core";
import { Witness } from "../history";
import {
  isConflict,
  isLockTimeout,
  isRefusal,
  type PostgresDriver,
  type PostgresTransaction,
  type RawRow,
} from "./driver";
import { recordHistory } from "./history";
import { Names, SessionNames } from "./names";
import type { Table } from "./table";

/** Text forms do not depend on who connects; row security fails aloud instead of hiding rows. */
const FORMS = `SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL row_security = off;`;

/** Waiting for another merge is fine; waiting for the application's rows is not. In milliseconds, below deadlock_timeout. */
export const ROW_LOCK_TIMEOUT = 300;
const LOCK = `SET LOCAL lock_timeout = '60s';
SET LOCAL grove.capture = 'off';
SET CONSTRAINTS ALL IMMEDIATE;
LOCK TABLE public._grove_lock IN EXCLUSIVE MODE;
SET LOCAL lock_timeout = ${ROW_LOCK_TIMEOUT};`;

export interface SessionOptions {
  readonly now: () => number;
  readonly random: () => number;
}

/** Which server start and which database this is: an incarnation ends with either. */
const ORIGIN = `(SELECT system_identifier::text FROM pg_control_system()) || '/' ||
  extract(epoch FROM pg_postmaster_start_time())::text || '/' || (SELECT oid::text FROM pg_database WHERE datname = current_database())`;

const STATE = `SELECT n.node, n.clock, n.seq,
  coalesce((SELECT max(id) FROM public._grove_nodes), 0), coalesce((SELECT max(id) FROM public._grove_shapes), 0),
  (SELECT i.id FROM public._grove_incarnations i WHERE i.ordinal = (SELECT max(ordinal) FROM public._grove_incarnations) AND i.origin = ${ORIGIN}),
  coalesce((SELECT c.upto FROM public._grove_collection c WHERE c.id = 1), 0),
  floor(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint
FROM public._grove_node n WHERE n.id = 1 AND n.node IS NOT NULL`;

/** The incarnation before the present one, which may not be stored yet. */
const FORMER = "SELECT id FROM public._grove_incarnations WHERE id <> $1 ORDER BY ordinal DESC LIMIT 1";

/** What a store keeps between its transactions. Losing it costs time, never correctness. */
export class Connection {
  /** The tables of which history is kept. */
  historied: readonly Table[] = [];
  readonly #names = new Names();
  #writing: Promise<unknown> = Promise.resolve();
  constructor(
    readonly driver: PostgresDriver,
    readonly options: SessionOptions,
  ) {}

  /**
   * One write transaction. It gives way to the application: when the application holds a row it begins anew, and in the
   * end goes around that row. One writer at a time in this process: the others wait here rather than each on a connection.
   *
   * @throws GroveError `busy`
   */
  async write<T>(work: (session: Session) => Promise<T>, isolation = "READ COMMITTED"): Promise<T> {
    const manner = { careful: false, giveWay: false, appeared: 0 };
    let timeouts = 0;
    for (let conflicts = 1; ; ) {
      const turn = this.#writing.then(() => this.#write(work, isolation, manner));
      this.#writing = turn.catch(() => {});
      try {
        return await turn;
      } catch (error) {
        if (isRefusal(error) && !manner.careful) manner.careful = true;
        else if (error instanceof RowAppeared && manner.appeared < PATIENCE.appeared) manner.appeared++;
        else if (isLockTimeout(error) && timeouts < PATIENCE.timeouts) timeouts++;
        else if (isConflict(error) && conflicts < PATIENCE.conflicts) await this.#pause(conflicts++);
        else throw isConflict(error) || error instanceof RowAppeared ? busy(error) : error;
        manner.giveWay = timeouts >= PATIENCE.timeouts || manner.appeared >= PATIENCE.appeared;
        manner.careful ||= manner.giveWay;
      }
    }
  }

  #pause(attempt: number): Promise<unknown> {
    return new Promise((resolve) => setTimeout(resolve, 5 * 2 ** attempt * (0.5 + this.options.random())));
  }

  async #write<T>(work: (session: Session) => Promise<T>, isolation: string, manner: Manner): Promise<T> {
    const names = new SessionNames(this.#names);
    const result = await this.driver.transaction(isolation, FORMS + LOCK, async (tx) => {
      const session = await Session.open(tx, names, this.options, manner, this.historied);
      const done = await work(session);
      // What was neither folded nor merged: taken back, stamped anew, adopted.
      await recordHistory(session, null, false);
      await session.flush();
      return done;
    });
    names.settle();
    return result;
  }

  /** Runs what may meet other transactions again until it gets through. */
  async retry<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        if (!isConflict(error)) throw error;
        if (attempt === PATIENCE.conflicts) throw busy(error);
        await this.#pause(attempt);
      }
    }
  }

  /** Runs `work` on one snapshot. */
  read<T>(work: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    return this.driver.transaction("REPEATABLE READ, READ ONLY", FORMS, work);
  }

  /** Runs `work` on one snapshot, with the names that it needs. */
  readNamed<T>(
    work: (tx: PostgresTransaction, names: Interned, seq: number, collected: number) => Promise<T>,
  ): Promise<T> {
    return this.read(async (tx) => {
      const [state] = await tx.rows(STATE);
      if (!state) throw noIdentity();
      const names = new SessionNames(this.#names);
      await names.load(tx, Number(state[3]), Number(state[4]));
      return work(tx, names, Number(state[2]), Number(state[6]));
    });
  }
}

/** Somebody inserted or wrote a row after the transaction locked its rows: it begins anew. */
export class RowAppeared extends Error {}

/** Times that a write begins anew before it goes around rows that others hold, or gives up. */
const PATIENCE = { timeouts: 2, appeared: 5, conflicts: 8 } as const;

/** How a transaction deals with what it may meet. */
export interface Manner {
  /** What the database refuses is found and set apart, see {@link Session.inHalves}. */
  readonly careful: boolean;
  /** Rows that somebody holds, or has just inserted, are left out as busy; otherwise the transaction begins anew. */
  readonly giveWay: boolean;
  /** Times that it began anew since a row appeared. */
  readonly appeared: number;
}

const busy = (cause: unknown) =>
  new GroveError("busy", "The database's rows stayed locked by other transactions. Nothing was changed; try again.", {
    cause,
  });

const noIdentity = () =>
  new GroveError("capture_missing", "The database has no node identity. Call node.ensureShadowTables() first.");

export async function readIncarnations(tx: Pick<PostgresTransaction, "rows">): Promise<Incarnation[]> {
  const rows = await tx.rows("SELECT id, first FROM public._grove_incarnations ORDER BY ordinal");
  return rows.map(([id, first]) => ({ id: id as string, first: Number(first) }));
}

/** One write transaction: the node's clock and numbers, its incarnation, and what it interns. */
export class Session {
  readonly now: number;
  clock: number;
  /** What there is to tell to history; null where none is kept. */
  readonly history: Witness | null;
  #seq: number;
  #stored: readonly [clock: number, seq: number];
  #drawn: readonly [id: string, first: number] | null = null;
  /** The database writes for the first time since it was made, restored or copied, or since its server started. */
  readonly isFirst: boolean;
  /** Captured writes were folded: the base table may have rows that it did not have before. */
  folded = false;
  /** Rows whose standing in the base tables is to be decided before the transaction ends. */
  #touched: Touched[] = [];

  private constructor(
    readonly tx: PostgresTransaction,
    readonly names: SessionNames,
    readonly options: SessionOptions,
    readonly node: string,
    clock: number,
    seq: number,
    private known: string | null,
    readonly manner: Manner,
    /** Deletions stamped up to this are forgotten here. */
    readonly collected: number,
    /** When the server started, microseconds since 1970. */
    readonly since: number,
    /** The tables of which history is kept. */
    readonly historied: readonly Table[],
  ) {
    this.history = historied.length > 0 ? new Witness(seq) : null;
    this.isFirst = known === null;
    this.clock = clock;
    this.#seq = seq;
    this.#stored = [clock, seq];
    this.now = options.now();
  }

  static async open(
    tx: PostgresTransaction,
    names: SessionNames,
    options: SessionOptions,
    manner: Manner,
    historied: readonly Table[] = [],
  ): Promise<Session> {
    const [state] = await tx.rows(STATE);
    if (!state) throw noIdentity();
    const [node, clock, seq, lastNode, lastShape, incarnation, collected, since] = state as [string, ...unknown[]];
    await names.load(tx, Number(lastNode), Number(lastShape));
    return new Session(
      tx,
      names,
      options,
      node,
      Number(clock),
      Number(seq),
      (incarnation ?? null) as string | null,
      manner,
      Number(collected),
      Number(since),
      historied,
    );
  }

  rows(text: string, params?: readonly (string | null)[]): Promise<RawRow[]> {
    return this.tx.rows(text, params);
  }

  get seq(): number {
    return this.#seq;
  }
  /** The incarnation under which this database numbers and counts, until it is restored, copied or its server restarts. */
  get incarnation(): string {
    if (this.known === null) {
      const { random } = this.options;
      this.known = Array.from({ length: 12 }, () => Math.floor(random() * 36).toString(36)).join("");
      this.#drawn = [this.known, this.#seq + 1];
    }
    return this.known;
  }
  /** Under which incarnation the database counted before the server's start; see {@link FoldClock.former}. */
  async former(at: number): Promise<FoldClock["former"]> {
    if (at >= this.since) return undefined;
    const [row] = await this.rows(FORMER, [this.incarnation]);
    return row && { incarnation: row[0] as string, until: this.since };
  }
  /** From here on this database counts under another incarnation: its totals of the present one went back. */
  renew(): void {
    this.known = null;
  }
  /** The number that the next write will get. */
  get next(): number {
    return this.#seq + 1;
  }
  /** Takes {@link next}, or so many numbers from it on. */
  take(count = 1): void {
    void this.incarnation;
    this.#seq += count;
  }

  touch(row: Touched): void {
    this.#touched.push(row);
  }
  get hasTouched(): boolean {
    return this.#touched.length > 0;
  }
  takeTouched(): readonly Touched[] {
    const touched = this.#touched;
    this.#touched = [];
    return touched;
  }

  /** Stores clock, numbers and names. Called before every commit, and before a page is read in the same transaction. */
  async flush(): Promise<void> {
    await this.names.flush(this.tx);
    if (this.#drawn) {
      const [id, first] = this.#drawn;
      this.#drawn = null;
      await this.rows(
        `INSERT INTO public._grove_incarnations (id, first, origin) SELECT $1::text, $2::text::bigint, ${ORIGIN}`,
        [id, String(first)],
      );
    }
    const [clock, seq] = this.#stored;
    if (this.clock === clock && this.#seq === seq) return;
    this.#stored = [this.clock, this.#seq];
    await this.rows("UPDATE public._grove_node SET clock = $1::text::bigint, seq = $2::text::bigint WHERE id = 1", [
      String(this.clock),
      String(this.#seq),
    ]);
  }

  /**
   * Runs `work` on all items at once; where the database refuses, on each half, until every refused item stands alone.
   * `work` must have no effect but the statements that it runs. Unless it is careful, a refusal ends the transaction,
   * which is then run again with it: savepoints cost more than all else that a small page does.
   */
  async inHalves<T, R>(
    items: readonly T[],
    work: (items: readonly T[]) => Promise<R>,
    done: (items: readonly T[], result: R) => void,
    refused: (item: T, error: Error) => void,
    isRefused: (error: unknown) => boolean,
  ): Promise<void> {
    if (items.length === 0) return;
    if (!this.manner.careful) {
      done(items, await work(items));
      return;
    }
    await this.tx.exec("SAVEPOINT grove");
    let result: R;
    try {
      result = await work(items);
    } catch (error) {
      if (!isRefused(error)) throw error;
      await this.tx.exec("ROLLBACK TO SAVEPOINT grove; RELEASE SAVEPOINT grove");
      if (items.length === 1) {
        refused(items[0] as T, error as Error);
        return;
      }
      const middle = items.length >> 1;
      await this.inHalves(items.slice(0, middle), work, done, refused, isRefused);
      await this.inHalves(items.slice(middle), work, done, refused, isRefused);
      return;
    }
    await this.tx.exec("RELEASE SAVEPOINT grove");
    done(items, result);
  }
}
