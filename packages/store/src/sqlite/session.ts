// One write transaction: the node's clock and numbers, its incarnation, and the short integers of `_grove_nodes`
// and `_grove_shapes`. What a session adds counts only once its transaction has committed.
import { statSync } from "node:fs";
import { type FoldClock, GroveError, type Incarnation, type Interned, type Touched } from "@grove-crdt/core";
import { Witness } from "../history";
import { drawName } from "../identity";
import type { SqliteDatabase, Statements } from "./driver";
import { recordHistory } from "./history";
import type { Table } from "./table";

const RESERVED = 0;

/** Interned names, remembered between transactions; forgotten when one rolls back. */
export class Names implements Interned {
  readonly #nodes = new Map<string, number>();
  readonly #nodeNames = new Map<number, string>([[RESERVED, ""]]);
  readonly #shapes = new Map<string, number>();
  readonly #shapeLists = new Map<number, readonly string[]>();
  readonly #shapeIds = new WeakMap<readonly string[], number>();
  constructor(private readonly statements: Statements) {}

  nodeId(node: string): number {
    if (node === "") return RESERVED;
    let id = this.#nodes.get(node);
    if (id === undefined) {
      this.statements.run("INSERT INTO _grove_nodes (node) VALUES (?) ON CONFLICT (node) DO NOTHING", node);
      id = this.statements.row("SELECT id FROM _grove_nodes WHERE node = ?", node)?.[0] as number;
      this.#nodes.set(node, id);
      this.#nodeNames.set(id, node);
    }
    return id;
  }

  nodeName(id: number): string {
    let node = this.#nodeNames.get(id);
    if (node === undefined) {
      node = this.statements.row("SELECT node FROM _grove_nodes WHERE id = ?", id)?.[0] as string;
      this.#nodeNames.set(id, node);
    }
    return node;
  }

  shapeId(fields: readonly string[]): number {
    const known = this.#shapeIds.get(fields);
    if (known !== undefined) return known;
    const text = JSON.stringify(fields);
    let id = this.#shapes.get(text);
    if (id === undefined) {
      this.statements.run("INSERT INTO _grove_shapes (fields) VALUES (?) ON CONFLICT (fields) DO NOTHING", text);
      id = this.statements.row("SELECT id FROM _grove_shapes WHERE fields = ?", text)?.[0] as number;
      this.#shapes.set(text, id);
      this.#shapeLists.set(id, fields);
    }
    this.#shapeIds.set(fields, id);
    return id;
  }

  shapeFields(id: number): readonly string[] {
    let fields = this.#shapeLists.get(id);
    if (!fields) {
      fields = JSON.parse(
        this.statements.row("SELECT fields FROM _grove_shapes WHERE id = ?", id)?.[0] as string,
      ) as string[];
      this.#shapeLists.set(id, fields);
    }
    return fields;
  }
}

/** Whether an incarnation is over: the database has closed in a collection under a later one, or knows it no more. */
const IS_OVER = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM _grove_incarnations i WHERE i.id = ? AND i.ordinal >= coalesce(
  (SELECT o.ordinal FROM _grove_collection c JOIN _grove_incarnations o ON o.id = c.closed WHERE c.id = 1), 0))`;

/** The incarnation before that of this process. */
const FORMER = `SELECT id FROM _grove_incarnations WHERE ordinal < (SELECT ordinal FROM _grove_incarnations WHERE id = ?)
  ORDER BY ordinal DESC LIMIT 1`;

/** Since when there is this file, microseconds since 1970, as exact as the triggers' clock: what was written before was written to another one. */
function birthOf({ name = "" }: SqliteDatabase): number {
  try {
    return Math.floor(statSync(name).birthtimeMs) * 1000;
  } catch {
    return 0;
  }
}

export interface SessionOptions {
  readonly now: () => number;
  readonly random: () => number;
}

/** What a store keeps between its transactions. Losing it costs time, never correctness. */
export class Connection {
  /** The tables of which history is kept. */
  historied: readonly Table[] = [];
  #names: Names;
  #incarnation: string | null = null;
  /** @see birthOf */
  readonly since: number;
  constructor(
    readonly database: SqliteDatabase,
    readonly statements: Statements,
    readonly options: SessionOptions,
  ) {
    this.#names = new Names(statements);
    this.since = birthOf(database);
  }
  get names(): Names {
    return this.#names;
  }

  /** Waits until the application has no transaction open on this connection: merges never nest in one. */
  async idle(): Promise<void> {
    for (let wait = 1; this.database.inTransaction; wait = Math.min(wait * 2, 50)) {
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /**
   * Runs `work` in one BEGIN IMMEDIATE, synchronously; waits for other writers, with bounds. `prepare` runs before
   * the session begins, in the same transaction.
   */
  async write<T>(work: (session: Session) => T, prepare?: () => void): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await this.idle();
      try {
        return this.#run(work, prepare);
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (attempt === 5) throw busy(error);
        await new Promise((resolve) => setTimeout(resolve, 20 * 2 ** attempt));
      }
    }
  }

  #run<T>(work: (session: Session) => T, prepare?: () => void): T {
    this.database.exec("BEGIN IMMEDIATE");
    const before = this.#incarnation;
    try {
      prepare?.();
      const session = new Session(this, this.#incarnation, (id) => {
        this.#incarnation = id;
      });
      const result = work(session);
      // What was neither folded nor merged: taken back, stamped anew, adopted.
      recordHistory(session, null, false);
      session.flush();
      this.database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#incarnation = before;
      this.#names = new Names(this.statements);
      if (this.database.inTransaction) this.database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Runs `work` on one snapshot. */
  async read<T>(work: () => T): Promise<T> {
    await this.idle();
    this.database.exec("BEGIN");
    try {
      return work();
    } catch (error) {
      throw isBusy(error) ? busy(error) : error;
    } finally {
      // An I/O error may have ended the transaction already; its own error is the one to show.
      if (this.database.inTransaction) this.database.exec("COMMIT");
    }
  }

  incarnations(): Incarnation[] {
    return this.statements
      .rows("SELECT id, first FROM _grove_incarnations ORDER BY ordinal")
      .map(([id, first]) => ({ id: id as string, first: first as number }));
  }
}

export class Session {
  readonly node: string;
  /** Physical time at the start of the transaction. */
  readonly now: number;
  clock: number;
  /** What there is to tell to history; null where none is kept. */
  readonly history: Witness | null;
  #seq: number;
  #stored: readonly [clock: number, seq: number];
  #capturing = true;
  #isChecked = false;
  /** Rows whose standing in the base tables is to be decided before the transaction ends. */
  #touched: Touched[] = [];

  constructor(
    private readonly connection: Connection,
    private known: string | null,
    private readonly draw: (id: string) => void,
  ) {
    const row = connection.statements.row("SELECT node, clock, seq FROM _grove_node WHERE id = 1");
    if (!row)
      throw new GroveError(
        "capture_missing",
        "The database has no node identity. Call node.ensureShadowTables() first.",
      );
    this.node = row[0] as string;
    this.clock = row[1] as number;
    this.#seq = row[2] as number;
    this.#stored = [this.clock, this.#seq];
    this.now = connection.options.now();
    this.history = connection.historied.length > 0 ? new Witness(this.#seq) : null;
  }
  get statements(): Statements {
    return this.connection.statements;
  }
  get names(): Names {
    return this.connection.names;
  }
  get historied(): readonly Table[] {
    return this.connection.historied;
  }
  get seq(): number {
    return this.#seq;
  }

  /** The incarnation under which this process numbers and counts; drawn at its first write. */
  get incarnation(): string {
    // Another process on this file has closed in a collection since: what this one counted stays as it was then.
    if (this.known !== null && !this.#isChecked && this.statements.row(IS_OVER, this.known)) this.known = null;
    this.#isChecked = true;
    if (this.known === null) {
      const { random } = this.connection.options;
      this.known = drawName(random, 12);
      this.statements.run("INSERT INTO _grove_incarnations (id, first) VALUES (?, ?)", this.known, this.#seq + 1);
      this.draw(this.known);
    }
    return this.known;
  }

  /** Under which incarnation it counted until this file came to be; see {@link FoldClock.former}. */
  former(at: number): FoldClock["former"] {
    const until = this.connection.since;
    if (at >= until) return undefined;
    const [incarnation] = this.statements.row(FORMER, this.incarnation) ?? [];
    return incarnation === undefined ? undefined : { incarnation: incarnation as string, until };
  }

  /** From here on this process counts under another incarnation: its totals of the present one went back. */
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
  takeTouched(): readonly Touched[] {
    const touched = this.#touched;
    this.#touched = [];
    return touched;
  }

  /** From here to {@link flush}, our own triggers do not capture what is written to user tables. */
  uncapture(): void {
    if (!this.#capturing) return;
    this.statements.run("UPDATE _grove_node SET capture = 0 WHERE id = 1");
    this.#capturing = false;
  }

  /** Stores clock and numbers and turns capture on again. Called before every commit. */
  flush(): void {
    const [clock, seq] = this.#stored;
    if (this.#capturing && this.clock === clock && this.#seq === seq) return;
    this.statements.run("UPDATE _grove_node SET clock = ?, seq = ?, capture = 1 WHERE id = 1", this.clock, this.#seq);
    this.#stored = [this.clock, this.#seq];
    this.#capturing = true;
  }
}

const busy = (cause: unknown) =>
  new GroveError("busy", "The SQLite file stayed locked by another writer. Nothing was changed; try again.", { cause });

export const isBusy = (error: unknown): boolean => {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED"));
};

export const isConstraint = (error: unknown): error is Error & { code: string } => {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && (code.startsWith("SQLITE_CONSTRAINT") || code === "SQLITE_MISMATCH");
};
