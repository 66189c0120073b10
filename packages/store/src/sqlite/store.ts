// The Store over better-sqlite3: puts fold, serve, merge and install together. Each write is one BEGIN IMMEDIATE,
// read, decided and written without an await in between.
import {
  type Admittance,
  acknowledgedUpTo,
  admits,
  type Collection,
  type Discrepancy,
  type HistoryRecord,
  isKnownPosition,
  isLinked,
  type Json,
  type Outcome,
  type Position,
  type Registry,
  type RejoinPeer,
  type Round,
  type RowChange,
  type RowKey,
  type View,
} from "@grove-crdt/core";
import { ADOPT_CHUNK, adoptInChunks } from "../adoption";
import { type CollectionStep, checkCollected } from "../collection";
import { decodeRecord } from "../decoding";
import { NO_ROWS, otherRows, takeArrivals, withKept, withOthers } from "../elsewhere";
import type { Examined, ExamineOptions } from "../examined";
import { boundRow, checkHistory, presentAlone } from "../history";
import { decideFork, FORGET_CURSORS } from "../identity";
import type { RejectedChange, Rejection } from "../rejection";
import type { StatusOptions, StoredStatus } from "../status";
import type {
  Activity,
  AdoptOptions,
  DigestOptions,
  MergeRequest,
  MergeResult,
  ParkedRow,
  PeerState,
  PeerUpdate,
  SeenRow,
  Served,
  ServeQuery,
  Store,
  StoreOptions,
} from "../store";
import { chooseTables, neighboursOf, tableNamed } from "../tables";
import type { Paths, TableDigest } from "../tree";
import { mergeWaiting } from "../waiting";
import { type Adopted, adoptColumns, adoptRows, readUnadopted, refuseUnfit } from "./adoption";
import { collectionOf, stepCollection } from "./collection";
import { compareTable } from "./comparison";
import { type RawRow, type SqliteDatabase, Statements } from "./driver";
import { forgetElsewhere, mergeElsewhere, readArrivals, readElsewhereStates, readElsewhereTables } from "./elsewhere";
import { examine } from "./examined";
import { activityProbe, foldTable, pendingProbe, pendingTables } from "./fold";
import { readHistory, recordHistory, walkHistory } from "./history";
import { installCapture, settleIdentity, verifyCapture } from "./install";
import { lookAt } from "./look";
import { mergePage } from "./merge";
import { readAllParked, readParked } from "./parking";
import { readPeer, writePeer } from "./peers";
import { project } from "./projection";
import { anyRejected, forgetRejection, readRejections, renumber, revert, settleRejections } from "./rejections";
import { beginRejoin, endRejoin } from "./rejoin";
import { restamp } from "./restamp";
import { restore } from "./restored-row";
import { servePage } from "./serve";
import { Connection, type Session } from "./session";
import { readStates } from "./states";
import { readStatus } from "./status";
import { Table } from "./table";
import { distrustTrees, growTree, readTrees } from "./tree";
import { fromJson } from "./values";
import { readWaiting } from "./waiting";

export class SqliteStore implements Store {
  readonly #statements: Statements;
  readonly #connection: Connection;
  readonly #tables: readonly Table[];
  readonly #byName: ReadonlyMap<string, Table>;
  readonly keeps: boolean;
  readonly polling = { active: 10, slows: false };
  readonly #probe: string;
  readonly #activity: string;

  constructor(
    database: SqliteDatabase,
    private readonly registry: Registry,
    private readonly options: StoreOptions,
    tables?: readonly string[],
  ) {
    this.#statements = new Statements(database);
    this.#connection = new Connection(database, this.#statements, options);
    this.#tables = chooseTables(registry, tables).map((model) => new Table(model));
    this.#byName = new Map(this.#tables.map((table) => [table.model.name, table]));
    this.#connection.historied = this.#tables.filter(({ model }) => model.history !== undefined);
    this.keeps = tables === undefined;
    this.#probe = pendingProbe(this.#tables);
    this.#activity = activityProbe(this.#tables);
  }

  get tables(): readonly string[] {
    return this.#tables.map(({ model }) => model.name);
  }

  async verify() {
    return this.#connection.read(() => verifyCapture(this.#statements, this.#registry()));
  }

  async examine(options: ExamineOptions = {}): Promise<Examined> {
    return this.#connection.read(() => examine(this.#statements, options));
  }

  async status({ counts = false }: StatusOptions = {}): Promise<StoredStatus> {
    return this.#connection.read(() => readStatus(this.#connection, this.#tables, counts));
  }

  #registry(): Registry {
    return { ...this.registry, tables: this.#tables.map(({ model }) => model) };
  }

  async install(): Promise<void> {
    // One transaction: capture begins and what there is to adopt is recorded, or nothing happens.
    await this.#connection.write(
      (session) => {
        this.#foldRest(session);
        // The rules may have changed with the schema, and with the tables what may be shown.
        for (const row of readAllParked(session)) if (this.#byName.has(row.table)) session.touch(row);
        project(session, this.#byName);
      },
      () => {
        installCapture(this.#statements, this.registry, this.#tables);
        settleIdentity(this.#statements, this.options.nodeId, this.options.random);
      },
    );
  }

  async adopt(options: AdoptOptions = {}): Promise<void> {
    const unadopted = await this.#connection.read(() => readUnadopted(this.#statements, this.#tables));
    for (const { table, rows, added } of unadopted) {
      const total = await this.#connection.read(() => {
        refuseUnfit(this.#statements, table);
        return this.#statements.row(`SELECT count(*) FROM ${table.name}`)?.[0] as number;
      });
      const inChunks = (adopt: (session: Session, after: RawRow | null) => Adopted) =>
        adoptInChunks<RawRow>(table.model.name, total, options, (after) =>
          this.#connection.write((session) => {
            this.#foldRest(session);
            return adopt(session, after);
          }),
        );
      if (rows) await inChunks((session, after) => adoptRows(session, table, after, ADOPT_CHUNK));
      await this.#mergeWaiting(table);
      if (added !== null) await inChunks((session, after) => adoptColumns(session, table, added, after, ADOPT_CHUNK));
    }
    await this.#beginHistory(options.signal);
  }

  /** Gives rows from before their history its first record. */
  async #beginHistory(signal?: AbortSignal): Promise<void> {
    for (const table of this.#connection.historied) {
      const walk = (session: Session) => {
        this.#foldRest(session);
        return walkHistory(session, table);
      };
      while (!(await this.#connection.write(walk))) signal?.throwIfAborted();
    }
  }

  async history(name: string, pk: readonly Json[]): Promise<readonly HistoryRecord[]> {
    const { model } = checkHistory(this.#table(name));
    const key = this.#table(name).canonicalKey(this.#table(name).keyParams(pk));
    await this.fold();
    return this.#connection.read(() => {
      const records = readHistory(this.#connection, name, key);
      if (records.length > 0) return boundRow(model, records, this.options.now()).records;
      const [state] = readStates(this.#connection, this.#byName, [[name, key]]);
      return presentAlone(state ?? null, this.options.now());
    });
  }

  async restore(name: string, pk: readonly Json[], values: Readonly<Record<string, Json>>): Promise<void> {
    const table = this.#table(name);
    await this.#connection.write(({ statements }) => restore(statements, table, pk, values));
  }

  /** What rows were told of columns that the table did not have yet. */
  async #mergeWaiting(table: Table): Promise<void> {
    const from = await this.identify();
    await mergeWaiting(table.model.name, {
      read: (after) => this.#connection.read(() => readWaiting(this.#connection, table, after)),
      merge: async (rows) => (await this.merge({ from, rows, ownFrom: 0, waited: true })).outcomes,
      forget: (cells) =>
        this.#connection.write(({ statements }) => {
          for (const cell of cells) statements.writer(table.deleteCell).run(cell);
        }),
    });
  }

  async identity(): Promise<string | null> {
    const sql = "SELECT node FROM _grove_node WHERE id = 1";
    return this.#connection.read(() => (this.#statements.row(sql)?.[0] ?? null) as string | null);
  }

  async formerly(): Promise<readonly string[]> {
    return this.#connection.read(() => this.#formerly());
  }
  #formerly(): readonly string[] {
    const stored = this.#statements.row("SELECT formerly FROM _grove_node WHERE id = 1")?.[0];
    return JSON.parse((stored ?? "[]") as string) as string[];
  }

  identify(): Promise<string> {
    const { nodeId, random } = this.options;
    return this.#connection.write(
      (session) => session.node,
      () => void settleIdentity(this.#statements, nodeId, random),
    );
  }

  async position(): Promise<Position> {
    return this.#connection.read(() => this.#position());
  }

  #position(): Position {
    const seq = (this.#statements.row("SELECT seq FROM _grove_node WHERE id = 1")?.[0] ?? 0) as number;
    return { incarnation: this.#connection.incarnations().at(-1)?.id ?? "", seq };
  }

  async knows(position: Position): Promise<boolean> {
    return this.#connection.read(() =>
      isKnownPosition(position, this.#connection.incarnations(), this.#position().seq),
    );
  }

  async pending(): Promise<boolean> {
    return this.#pending().length > 0;
  }

  async activity(): Promise<Activity> {
    const [pending, seq] = await this.#connection.read(() => this.#statements.row(this.#activity) ?? [0, 0]);
    return { pending: pending === 1, seq: seq as number };
  }

  async countAfter(position: number, names: readonly string[]): Promise<number> {
    const counts = names.map((name) => `(SELECT count(*) FROM ${this.#table(name).shadow} WHERE seq > ?)`);
    const [row] = await this.#connection.read(() =>
      this.#statements.rows(`SELECT ${counts.join(" + ")}`, ...names.map(() => position)),
    );
    return row?.[0] as number;
  }

  #pending(): Table[] {
    return pendingTables(this.#statements, this.#tables, this.#probe);
  }

  /** Folds what was there when it was called, in passes; what is written meanwhile may wait for the next call. */
  async fold(): Promise<number> {
    let folded = 0;
    for (let drained = !(await this.pending()); !drained; ) {
      const pass = await this.#connection.write((session) => {
        const pending = this.#pending();
        // What tables show of each other is only known once all that was written is folded.
        if (pending.some((table) => isLinked(neighboursOf(this.#byName, table))))
          return { folded: this.#foldRest(session), drained: true };
        const passes = pending.map((table) => foldTable(session, this.#byName, table));
        const count = passes.reduce((sum, { folded }) => sum + folded, 0);
        if (count > 0) project(session, this.#byName);
        recordHistory(session, null);
        return { folded: count, drained: passes.every(({ drained }) => drained) };
      });
      folded += pass.folded;
      drained = pass.drained;
      // Others have their turn, and so has the garbage collector, while nothing of a pass is in use.
      if (!drained) await new Promise((resolve) => setImmediate(resolve));
    }
    return folded;
  }

  /** Folds what was captured since the last look; the log is empty afterwards, until the transaction ends. */
  #foldRest(session: Session): number {
    let count = 0;
    for (const table of this.#pending()) {
      for (let drained = false; !drained; ) {
        const pass = foldTable(session, this.#byName, table);
        count += pass.folded;
        drained = pass.drained;
        recordHistory(session, null);
      }
    }
    project(session, this.#byName);
    return count;
  }

  async serve(query: ServeQuery): Promise<Served> {
    const others = this.#others(query.tables);
    const tables = [...new Set(query.tables)].filter((name) => !others.includes(name)).map((name) => this.#table(name));
    await this.fold();
    const page = (last: number) => ({
      ...servePage(this.#connection, tables, others, query, this.#connection.incarnations(), last),
      collected: collectionOf(this.#statements).upTo,
    });
    const served = await this.#connection.read(() => (this.#pending().length > 0 ? null : page(this.#position().seq)));
    if (served) return served;
    // Somebody wrote since: fold and read in one transaction, so that no row is served beside its unfolded writes.
    return this.#connection.write((session) => {
      this.#foldRest(session);
      session.flush();
      return page(session.seq);
    });
  }

  #table(name: string): Table {
    return tableNamed(this.#byName, name);
  }

  async elsewhere(): Promise<readonly string[]> {
    return this.#others(await this.#connection.read(() => readElsewhereTables(this.#statements)));
  }

  /** Those of the tables that are not here and of which rows may be kept. */
  #others(names: readonly string[]): string[] {
    return this.keeps ? [...new Set(names)].filter((name) => !this.#byName.has(name)) : [];
  }

  async arrive(): Promise<number> {
    const kept = await this.#connection.read(() => readElsewhereTables(this.#statements));
    const from = await this.identify();
    return takeArrivals(
      kept.filter((name) => this.#byName.has(name)),
      {
        read: (table, after) => this.#connection.read(() => readArrivals(this.#connection, table, after)),
        merge: async (rows) => (await this.merge({ from, rows, ownFrom: 0 })).outcomes,
        forget: (rows) => this.#connection.write(() => forgetElsewhere(this.#statements, rows)),
      },
    );
  }

  async merge({ from, rows, peer, access, ownFrom, waited, keep, collected }: MergeRequest): Promise<MergeResult> {
    await this.fold();
    return this.#connection.write((session) => {
      if (collected !== undefined) checkCollected(collectionOf(this.#statements).upTo, collected);
      this.#foldRest(session);
      const horizon = session.now + this.options.maxClockDrift * 1000;
      const options = { from, horizon, access, ownFrom, waited };
      const others = keep ? otherRows(rows, this.#others(rows.map(({ table }) => table))) : NO_ROWS;
      const page = mergePage(session, this.#byName, rows, options);
      const result = others.size > 0 ? withKept(page, mergeElsewhere(session, others, options)) : page;
      if (peer) writePeer(this.#statements, from, peer(result.outcomes));
      return result;
    });
  }

  async states(keys: readonly RowKey[], view?: View): Promise<(RowChange | null)[]> {
    await this.fold();
    return this.#connection.write((session) => {
      this.#foldRest(session);
      const states = readStates(session, this.#byName, keys, view);
      const others = this.#others(keys.map(([name]) => name));
      return others.length > 0
        ? withOthers(states, keys, others, (some) => readElsewhereStates(session, some))
        : states;
    });
  }

  async digest(
    asked: ReadonlyMap<string, Paths>,
    { signal }: DigestOptions = {},
  ): Promise<ReadonlyMap<string, TableDigest>> {
    const paths = new Map([...asked].map(([name, some]) => [this.#table(name), some]));
    const read = () => (this.#pending().length > 0 ? null : readTrees(this.#statements, paths));
    for (;;) {
      signal?.throwIfAborted();
      const found = await this.#connection.read(read);
      if (found) return found;
      // A step at a time, so that others have their turn; the last one tells what it made.
      const grown = await this.#connection.write((session) => {
        this.#foldRest(session);
        const ended = [...paths.keys()].map((table) => growTree(session, table));
        return ended.includes(false) ? null : read();
      });
      if (grown) return grown;
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  async peer(node: string): Promise<PeerState | null> {
    return this.#connection.read(() => readPeer(this.#statements, node));
  }

  async savePeer(node: string, update: PeerUpdate): Promise<void> {
    await this.#connection.write(() => writePeer(this.#statements, node, update));
  }

  async settleRejections(
    peer: string,
    sent: boolean,
    rows: readonly RowChange[],
    outcomes: readonly Outcome[],
  ): Promise<void> {
    const rejected = outcomes.some(({ outcome }) => outcome === "rejected");
    if (!rejected && !anyRejected(this.#statements, peer, sent)) return;
    await this.#connection.write((session) => settleRejections(session, peer, sent, rows, outcomes));
  }

  async rejections(id: number | null = null): Promise<readonly RejectedChange[]> {
    return this.#connection.read(() => readRejections(this.#statements, id));
  }

  async forgetRejection(id: number): Promise<void> {
    await this.#connection.write(() => forgetRejection(this.#statements, id));
  }

  async retry({ table, pk }: Rejection): Promise<void> {
    await this.#connection.write((session) => {
      this.#foldRest(session);
      renumber(session, this.#table(table), pk);
    });
  }

  async revert(rejection: RejectedChange, theirs: RowChange | null): Promise<void> {
    await this.#connection.write((session) => {
      this.#foldRest(session);
      if (forgetRejection(this.#statements, rejection.id) === 0) return;
      revert(session, this.#byName, this.#table(rejection.table), rejection, theirs);
    });
  }

  decode(name: string, pk: readonly Json[], field: string, value: Json | undefined): Record<string, unknown> {
    return decodeRecord(this.#table(name).model, pk, field, value, fromJson);
  }

  async secret(): Promise<string> {
    const read = () => this.#statements.row("SELECT secret FROM _grove_node WHERE id = 1")?.[0] as string | null;
    const stored = await this.#connection.read(read);
    if (stored !== null) return stored;
    return this.#connection.write(() => {
      this.#statements.run("UPDATE _grove_node SET secret = ? WHERE id = 1 AND secret IS NULL", this.options.secret());
      return read() as string;
    });
  }

  async bindPeer(node: string, principal: string): Promise<string> {
    const read = () => this.#statements.row("SELECT principal FROM _grove_peers WHERE peer = ?", node)?.[0];
    const known = await this.#connection.read(read);
    if (typeof known === "string") return known;
    return this.#connection.write(() => {
      this.#statements.run(
        "INSERT INTO _grove_peers (peer, principal) VALUES (?, ?) ON CONFLICT (peer) DO UPDATE SET principal = coalesce(principal, excluded.principal)",
        node,
        principal,
      );
      return read() as string;
    });
  }

  async releasePeer(node: string): Promise<void> {
    await this.#connection.write(() =>
      this.#statements.run("UPDATE _grove_peers SET principal = NULL WHERE peer = ?", node),
    );
  }

  restamp(): Promise<number> {
    return this.#connection.write((session) => {
      const horizon = session.now + this.options.maxClockDrift * 1000;
      if (session.clock <= horizon) return 0;
      this.#foldRest(session);
      const cursors = this.#statements.rows("SELECT push_cursor FROM _grove_peers WHERE push_cursor IS NOT NULL");
      return restamp(session, this.#tables, {
        horizon,
        now: session.now,
        own: new Set([session.node, ...this.#formerly()]),
        acknowledged: acknowledgedUpTo(cursors.map(([cursor]) => cursor as string)),
      });
    });
  }

  async isAhead(): Promise<boolean> {
    const { now, maxClockDrift } = this.options;
    const read = () => this.#statements.row("SELECT clock FROM _grove_node WHERE id = 1")?.[0] as number;
    return (await this.#connection.read(read)) > now() + maxClockDrift * 1000;
  }

  async collection(): Promise<Collection> {
    return this.#connection.read(() => collectionOf(this.#statements));
  }

  stepCollection(step: CollectionStep) {
    return this.#connection.write((session) => {
      this.#foldRest(session);
      return stepCollection(session, this.#tables, step, this.options);
    });
  }

  beginRejoin(collected: number, rounds: readonly Round[], at?: RejoinPeer): Promise<void> {
    return this.#connection.write((session) => {
      this.#foldRest(session);
      beginRejoin(session, this.#tables, collected, rounds, at ?? null);
    });
  }

  endRejoin(): Promise<number> {
    return this.#connection.write((session) => {
      this.#foldRest(session);
      const gone = endRejoin(session, this.#tables);
      project(session, this.#byName);
      return gone;
    });
  }

  async admit(peer: string): Promise<Admittance> {
    const knows = () => this.#statements.row("SELECT 1 FROM _grove_peers WHERE peer = ?", peer) !== undefined;
    const decide = (node: string) => admits(collectionOf(this.#statements), node, knows());
    const read = () => this.#statements.row("SELECT node FROM _grove_node WHERE id = 1")?.[0] as string;
    const [isKnown, answer] = await this.#connection.read(() => [knows(), decide(read())]);
    if (isKnown || answer !== "yes") return answer;
    return this.#connection.write(({ node }) => {
      const again = decide(node);
      if (again === "yes")
        this.#statements.run("INSERT INTO _grove_peers (peer) VALUES (?) ON CONFLICT (peer) DO NOTHING", peer);
      return again;
    });
  }

  async peersOf(principal: string): Promise<readonly string[]> {
    const sql = "SELECT peer FROM _grove_peers WHERE principal = ?";
    return this.#connection.read(() => this.#statements.rows(sql, principal).map(([peer]) => peer as string));
  }

  async fork(wanted?: string): Promise<string> {
    return this.#connection.write((session) => {
      this.#foldRest(session);
      const id = decideFork(session.node, wanted, this.options.random);
      const formerly = JSON.stringify([...this.#formerly(), session.node]);
      this.#statements.run("UPDATE _grove_node SET node = ?, formerly = ? WHERE id = 1", id, formerly);
      this.#statements.run(`UPDATE _grove_peers SET ${FORGET_CURSORS}`);
      session.renew();
      void session.incarnation;
      return id;
    });
  }

  async parked(): Promise<readonly ParkedRow[]> {
    return this.#connection.read(() => readParked(this.#statements));
  }

  async reconcile(): Promise<readonly Discrepancy[]> {
    return this.#connection.write((session) => {
      this.#foldRest(session);
      const found = this.#tables.flatMap((table) => compareTable(session, table));
      this.#foldRest(session);
      distrustTrees(this.#statements);
      return found;
    });
  }

  async look(name: string, pk: readonly Json[]): Promise<SeenRow> {
    const table = this.#table(name);
    table.keyParams(pk);
    return this.#connection.read(() => lookAt(this.#connection, table, pk));
  }

  async inspect(name: string, pk: readonly Json[]): Promise<RowChange | null> {
    const table = this.#table(name);
    table.keyParams(pk);
    return (await this.states([[name, pk]]))[0] ?? null;
  }
}
