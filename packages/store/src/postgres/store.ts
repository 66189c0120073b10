// The Store over Postgres: puts fold, serve, merge and install together. Any number of processes may serve one database;
// whoever gives numbers holds `_grove_lock`, and applications never wait for it. Long, since the port has so many methods.
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
import { chooseTables, linksOf, neighboursOf, tableNamed } from "../tables";
import type { Paths, TableDigest } from "../tree";
import { mergeWaiting } from "../waiting";
import { type Adopted, adoptColumns, adoptRows, estimateRows, readUnadopted, refuseUnfit } from "./adoption";
import { forgetBusy, readBusy } from "./busy";
import { collectionOf, stepCollection } from "./collection";
import { compareTable } from "./comparison";
import { isRefusal, type PostgresDriver } from "./driver";
import { toDriver } from "./driver-value";
import { forgetElsewhere, mergeElsewhere, readArrivals, readElsewhereStates, readElsewhereTables } from "./elsewhere";
import { examine } from "./examined";
import { activityProbe, foldTable, pendingProbe, readPending } from "./fold";
import { readHistory, recordHistory, walkHistory } from "./history";
import { installCapture, settleIdentity, verifyCapture } from "./install";
import { lookAt } from "./look";
import { mergePage } from "./merge";
import { readAllParked, readParked } from "./parking";
import { readPeer, writePeer } from "./peers";
import { project } from "./projection";
import type { StateReader } from "./read";
import { anyRejected, forgetRejection, readRejections, renumber, revert, settleRejections } from "./rejections";
import { beginRejoin, endRejoin } from "./rejoin";
import { restamp } from "./restamp";
import { restore } from "./restored-row";
import { servePage } from "./serve";
import { Connection, readIncarnations, type Session } from "./session";
import { numbers } from "./sql";
import { readStates } from "./states";
import { readStatus } from "./status";
import { Table } from "./table";
import { distrustTrees, growTree, readTrees } from "./tree";
import { readWaiting } from "./waiting";

const BUSY_CHUNK = 1_000;

export class PostgresStore implements Store {
  readonly #connection: Connection;
  readonly #tables: readonly Table[];
  readonly #byName: ReadonlyMap<string, Table>;
  readonly keeps: boolean;
  readonly polling = { active: 50, slows: true };
  readonly #probe: string;
  readonly #activity: string;

  constructor(
    driver: PostgresDriver,
    private readonly registry: Registry,
    private readonly options: StoreOptions,
    tables?: readonly string[],
  ) {
    this.#connection = new Connection(driver, options);
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

  examine(options: ExamineOptions = {}): Promise<Examined> {
    return examine(this.#connection.driver, this.tables, options);
  }

  status({ counts = false }: StatusOptions = {}): Promise<StoredStatus> {
    return this.#connection.read((tx) => readStatus(tx, this.#tables, counts));
  }

  #registry(): Registry {
    return { ...this.registry, tables: this.#tables.map(({ model }) => model) };
  }

  verify() {
    return this.#connection.read((tx) => verifyCapture(tx, this.#registry()));
  }

  async install(): Promise<void> {
    const { driver } = this.#connection;
    await this.#connection.retry(() =>
      driver.transaction(
        "READ COMMITTED",
        "SET LOCAL lock_timeout = '5s'; SET LOCAL client_min_messages = warning;",
        async (tx) => {
          await installCapture(tx, this.#registry(), this.#tables);
          await settleIdentity(tx, this.options.nodeId, this.options.random);
        },
      ),
    );
    await this.fold();
    await this.#connection.write(async (session) => {
      // The rules may have changed with the schema, and with the tables what may be shown.
      for (const row of await readAllParked(session)) if (this.#byName.has(row.table)) session.touch(row);
      await project(session, this.#byName);
    });
  }

  async adopt(options: AdoptOptions = {}): Promise<void> {
    const unadopted = await this.#connection.read((tx) => readUnadopted(tx, this.#tables));
    for (const { table, rows, added } of unadopted) {
      const total = await this.#connection.read(async (tx) => {
        await refuseUnfit(tx, table);
        return estimateRows(tx, table);
      });
      // One snapshot of log, shadow and table: what is adopted is neither a write that waits nor changed by one.
      const inChunks = (adopt: (session: Session, after: readonly string[] | null) => Promise<Adopted>) =>
        adoptInChunks<readonly string[]>(table.model.name, total, options, (after) =>
          this.#connection.write(async (session) => {
            await this.#foldRest(session);
            return adopt(session, after);
          }, "REPEATABLE READ"),
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
      const walk = async (session: Session) => {
        await this.#foldRest(session);
        return walkHistory(session, table);
      };
      while (!(await this.#connection.write(walk, "REPEATABLE READ"))) signal?.throwIfAborted();
    }
  }

  async history(name: string, pk: readonly Json[]): Promise<readonly HistoryRecord[]> {
    const table = checkHistory(this.#table(name));
    const key = table.canonicalKey(table.keyParams(pk));
    return this.#folded(async (reader) => {
      const records = await readHistory(reader, name, key);
      if (records.length > 0) return boundRow(table.model, records, this.options.now()).records;
      const [state] = await readStates(reader, this.#byName, [[name, key]]);
      return presentAlone(state ?? null, this.options.now());
    });
  }

  async restore(name: string, pk: readonly Json[], values: Readonly<Record<string, Json>>): Promise<void> {
    const table = this.#table(name);
    await this.#connection.driver.transaction("READ COMMITTED", "", (tx) => restore(tx, table, pk, values));
  }

  /** What rows were told of columns that the table did not have yet. */
  async #mergeWaiting(table: Table): Promise<void> {
    const from = await this.identify();
    await mergeWaiting(table.model.name, {
      read: (after) => this.#connection.readNamed((tx, names) => readWaiting(tx, names, table, after)),
      merge: async (rows) => (await this.merge({ from, rows, ownFrom: 0, waited: true })).outcomes,
      forget: (cells) =>
        this.#connection.write(async (session) => void (await session.rows(table.deleteCells, [numbers(cells)]))),
    });
  }

  async identity(): Promise<string | null> {
    const [row] = await this.#connection.driver.rows("SELECT node FROM public._grove_node WHERE id = 1");
    return (row?.[0] ?? null) as string | null;
  }

  async formerly(): Promise<readonly string[]> {
    const [row] = await this.#connection.driver.rows("SELECT formerly FROM public._grove_node WHERE id = 1");
    return JSON.parse((row?.[0] ?? "[]") as string) as string[];
  }

  identify(): Promise<string> {
    const { nodeId, random } = this.options;
    return this.#connection.driver.transaction(
      "READ COMMITTED",
      "LOCK TABLE public._grove_lock IN EXCLUSIVE MODE;",
      (tx) => settleIdentity(tx, nodeId, random),
    );
  }

  async position(): Promise<Position> {
    const [row] = await this.#connection.driver.rows(
      "SELECT n.seq, (SELECT id FROM public._grove_incarnations ORDER BY ordinal DESC LIMIT 1) FROM public._grove_node n WHERE n.id = 1",
    );
    return { incarnation: (row?.[1] ?? "") as string, seq: Number(row?.[0] ?? 0) };
  }

  async knows(position: Position): Promise<boolean> {
    // In this order: what has been numbered since only makes more positions known.
    const incarnations = await readIncarnations(this.#connection.driver);
    return isKnownPosition(position, incarnations, (await this.position()).seq);
  }

  async pending(): Promise<boolean> {
    return (await readPending(this.#connection.driver, this.#tables, this.#probe)).tables.length > 0;
  }

  async activity(): Promise<Activity> {
    const [row] = await this.#connection.driver.rows(this.#activity);
    return { pending: Number(row?.[0]) === 1, seq: Number(row?.[1] ?? 0) };
  }

  async countAfter(position: number, names: readonly string[]): Promise<number> {
    const counts = names.map(
      (name) => `(SELECT count(*) FROM ${this.#table(name).shadow} WHERE seq > $1::text::bigint)`,
    );
    const [row] = await this.#connection.driver.rows(`SELECT ${counts.join(" + ")}`, [String(position)]);
    return Number(row?.[0]);
  }

  /** Folds what was there when it was called, in passes; what is written meanwhile may wait for the next call. */
  async fold(): Promise<number> {
    let folded = 0;
    for (let drained = false; !drained; ) {
      const pending = await readPending(this.#connection.driver, this.#tables, this.#probe);
      if (pending.busy) await this.#mergeBusy();
      if (pending.tables.length === 0) break;
      const pass = await this.#connection.write(async (session) => {
        // What tables show of each other is only known once all that was written is folded.
        if (pending.tables.some((table) => isLinked(neighboursOf(this.#byName, table))))
          return { folded: await this.#foldRest(session), drained: true };
        const passes = [];
        for (const table of pending.tables) passes.push(await foldTable(session, this.#byName, table));
        await project(session, this.#byName);
        await recordHistory(session, null);
        const count = passes.reduce((sum, { folded }) => sum + folded, 0);
        return { folded: count, drained: passes.every(({ drained }) => drained) };
      });
      folded += pass.folded;
      drained = pass.drained;
    }
    return folded;
  }

  /** Folds what was captured since the last look; the log is empty afterwards as far as the transaction sees. */
  async #foldRest(session: Session): Promise<number> {
    let count = 0;
    const { tables } = await readPending(session.tx, this.#tables, this.#probe);
    for (const table of tables) {
      for (let drained = false; !drained; ) {
        const pass = await foldTable(session, this.#byName, table);
        count += pass.folded;
        drained = pass.drained;
        await recordHistory(session, null);
      }
    }
    if (tables.length > 0) await project(session, this.#byName);
    return count;
  }

  serve(query: ServeQuery): Promise<Served> {
    const others = this.#others(query.tables);
    const tables = [...new Set(query.tables)].filter((name) => !others.includes(name)).map((name) => this.#table(name));
    return this.#folded(async (reader, last, collected) => {
      const page = await servePage(reader, tables, others, query, await readIncarnations(reader.tx), last);
      return { ...page, collected };
    });
  }

  /** Runs `work` on a snapshot in which every write is folded. */
  async #folded<T>(work: (reader: StateReader, last: number, collected: number) => Promise<T>): Promise<T> {
    const read = () =>
      this.#connection.readNamed(async (tx, names, seq, collected) => {
        const pending = await readPending(tx, this.#tables, this.#probe);
        if (pending.tables.length > 0) return null;
        return { result: await work({ tx, names, rows: (text, params) => tx.rows(text, params) }, seq, collected) };
      });
    const quiet = await read();
    if (quiet) return quiet.result;
    await this.fold();
    const folded = await read();
    if (folded) return folded.result;
    // Somebody wrote since: fold and read in one transaction, so that no row is served beside its unfolded writes.
    return this.#connection.write(async (session) => {
      await this.#foldRest(session);
      await session.flush();
      return work(session, session.seq, session.collected);
    }, "REPEATABLE READ");
  }

  async states(keys: readonly RowKey[], view?: View): Promise<(RowChange | null)[]> {
    try {
      return await this.#folded(async (reader) => {
        const states = await readStates(reader, this.#byName, keys, view);
        const others = this.#others(keys.map(([name]) => name));
        if (others.length === 0) return states;
        const kept = keys.filter(([name]) => others.includes(name));
        const found = await readElsewhereStates(reader, kept);
        return withOthers(states, keys, others, () => found);
      });
    } catch (error) {
      // A key that its column cannot hold; the others are found without it.
      if (!isRefusal(error)) throw error;
      if (keys.length <= 1) return keys.map(() => null);
      const middle = keys.length >> 1;
      return [...(await this.states(keys.slice(0, middle), view)), ...(await this.states(keys.slice(middle), view))];
    }
  }

  async digest(
    asked: ReadonlyMap<string, Paths>,
    { signal }: DigestOptions = {},
  ): Promise<ReadonlyMap<string, TableDigest>> {
    const paths = new Map([...asked].map(([name, some]) => [this.#table(name), some]));
    for (;;) {
      signal?.throwIfAborted();
      const found = await this.#connection.read(async (tx) => {
        const pending = await readPending(tx, this.#tables, this.#probe);
        return pending.tables.length > 0 ? null : readTrees(tx, paths);
      });
      if (found) return found;
      await this.fold();
      // A step at a time, so that others have their turn; the last one tells what it made.
      const grown = await this.#connection.write(async (session) => {
        await this.#foldRest(session);
        let isDone = true;
        for (const table of paths.keys()) isDone = (await growTree(session, table)) && isDone;
        return isDone ? readTrees(session, paths) : null;
      }, "REPEATABLE READ");
      if (grown) return grown;
    }
  }

  #table(name: string): Table {
    return tableNamed(this.#byName, name);
  }

  async elsewhere(): Promise<readonly string[]> {
    return this.#others(await readElsewhereTables(this.#connection.driver));
  }

  /** Those of the tables that are not here and of which rows may be kept. */
  #others(names: readonly string[]): string[] {
    return this.keeps ? [...new Set(names)].filter((name) => !this.#byName.has(name)) : [];
  }

  async arrive(): Promise<number> {
    const { driver } = this.#connection;
    const kept = await readElsewhereTables(driver);
    const from = await this.identify();
    return takeArrivals(
      kept.filter((name) => this.#byName.has(name)),
      {
        read: (table, after) => readArrivals(driver, table, after),
        merge: async (rows) => (await this.merge({ from, rows, ownFrom: 0 })).outcomes,
        forget: (rows) => this.#connection.write((session) => forgetElsewhere(session, rows)),
      },
    );
  }

  merge({ from, rows, peer, access, ownFrom, waited, keep, collected }: MergeRequest): Promise<MergeResult> {
    return this.#connection.write(async (session) => {
      checkCollected(session.collected, collected);
      const horizon = session.now + this.options.maxClockDrift * 1000;
      const fold = () => this.#foldRest(session);
      const options = { from, horizon, access, ownFrom, waited };
      const others = keep ? otherRows(rows, this.#others(rows.map(({ table }) => table))) : NO_ROWS;
      const page = await mergePage(session, this.#byName, rows, { ...options, fold });
      const result = others.size > 0 ? withKept(page, await mergeElsewhere(session, others, options)) : page;
      if (peer) await writePeer(session.tx, from, peer(result.outcomes));
      return result;
    });
  }

  /** Tries changes again whose rows somebody held. */
  async #mergeBusy(): Promise<void> {
    const waiting = await this.#connection.readNamed((tx) => readBusy(tx, BUSY_CHUNK));
    // What is still held is kept anew, under a later number and in the same order.
    for (const { peer: from, access, waited, ids, changes } of waiting) {
      await this.#connection.write(async (session) => {
        const mine = await forgetBusy(session, ids);
        const rows = changes.filter((_, n) => mine.has(ids[n] as number));
        const fold = () => this.#foldRest(session);
        const horizon = Number.MAX_SAFE_INTEGER;
        const { outcomes } = await mergePage(session, this.#byName, rows, { from, horizon, fold, access, waited });
        // The sender was told that it waits: what cannot be taken after all is on record here.
        if (outcomes.some(({ outcome }) => outcome === "rejected"))
          await settleRejections(session, from, false, rows, outcomes);
      });
    }
  }

  peer(node: string): Promise<PeerState | null> {
    return readPeer(this.#connection.driver, node);
  }

  async savePeer(node: string, update: PeerUpdate): Promise<void> {
    await this.#connection.driver.transaction("READ COMMITTED", "", (tx) => writePeer(tx, node, update));
  }

  async settleRejections(
    peer: string,
    sent: boolean,
    rows: readonly RowChange[],
    outcomes: readonly Outcome[],
  ): Promise<void> {
    const rejected = outcomes.some(({ outcome }) => outcome === "rejected");
    if (!rejected && !(await anyRejected(this.#connection.driver, peer, sent))) return;
    await this.#connection.write((session) => settleRejections(session, peer, sent, rows, outcomes));
  }

  rejections(id: number | null = null): Promise<readonly RejectedChange[]> {
    return readRejections(this.#connection.driver, id);
  }

  async forgetRejection(id: number): Promise<void> {
    await forgetRejection(this.#connection.driver, id);
  }

  retry({ table, pk }: Rejection): Promise<void> {
    return this.#connection.write(async (session) => {
      await this.#foldRest(session);
      await renumber(session, this.#table(table), pk);
    });
  }

  revert(rejection: RejectedChange, theirs: RowChange | null): Promise<void> {
    return this.#connection.write(async (session) => {
      if (!(await forgetRejection(session, rejection.id))) return;
      const fold = () => this.#foldRest(session);
      await revert(session, this.#byName, this.#table(rejection.table), rejection, theirs, fold);
    });
  }

  decode(name: string, pk: readonly Json[], field: string, value: Json | undefined): Record<string, unknown> {
    return decodeRecord(this.#table(name).model, pk, field, value, toDriver);
  }

  async secret(): Promise<string> {
    const { driver } = this.#connection;
    const [row] = await driver.rows(
      "UPDATE public._grove_node SET secret = $1::text WHERE id = 1 AND secret IS NULL RETURNING secret",
      [this.options.secret()],
    );
    const [stored] = row ? [row] : await driver.rows("SELECT secret FROM public._grove_node WHERE id = 1");
    return stored?.[0] as string;
  }

  async bindPeer(node: string, principal: string): Promise<string> {
    const [row] = await this.#connection.driver.rows(
      "INSERT INTO public._grove_peers (peer, principal) VALUES ($1::text, $2::text) ON CONFLICT (peer) DO UPDATE SET principal = coalesce(_grove_peers.principal, excluded.principal) RETURNING principal",
      [node, principal],
    );
    return row?.[0] as string;
  }

  async releasePeer(node: string): Promise<void> {
    await this.#connection.driver.rows("UPDATE public._grove_peers SET principal = NULL WHERE peer = $1::text", [node]);
  }

  restamp(): Promise<number> {
    return this.#connection.write(async (session) => {
      const horizon = session.now + this.options.maxClockDrift * 1000;
      if (session.clock <= horizon) return 0;
      await this.#foldRest(session);
      const cursors = await session.rows("SELECT push_cursor FROM public._grove_peers WHERE push_cursor IS NOT NULL");
      return restamp(session, this.#tables, {
        horizon,
        now: session.now,
        own: new Set([session.node, ...(await this.formerly())]),
        acknowledged: acknowledgedUpTo(cursors.map(([cursor]) => cursor as string)),
      });
    });
  }

  async isAhead(): Promise<boolean> {
    const { now, maxClockDrift } = this.options;
    const [row] = await this.#connection.driver.rows("SELECT clock FROM public._grove_node WHERE id = 1");
    return Number(row?.[0]) > now() + maxClockDrift * 1000;
  }

  collection(): Promise<Collection> {
    return collectionOf(this.#connection.driver);
  }

  stepCollection(step: CollectionStep) {
    return this.#connection.write(async (session) => {
      await this.#foldRest(session);
      return stepCollection(session, this.#tables, step, this.options);
    });
  }

  beginRejoin(collected: number, rounds: readonly Round[], at?: RejoinPeer): Promise<void> {
    return this.#connection.write(async (session) => {
      await this.#foldRest(session);
      await beginRejoin(session, this.#tables, collected, rounds, at ?? null);
    });
  }

  endRejoin(): Promise<number> {
    return this.#connection.write(async (session) => {
      await this.#foldRest(session);
      const gone = await endRejoin(session, this.#tables, linksOf(this.#byName));
      await project(session, this.#byName);
      return gone;
    });
  }

  async admit(peer: string): Promise<Admittance> {
    return this.#connection.driver.transaction("READ COMMITTED", "", async (tx) => {
      const [state] = await tx.rows(
        "SELECT n.node, EXISTS (SELECT 1 FROM public._grove_peers p WHERE p.peer = $1::text)::int FROM public._grove_node n WHERE n.id = 1",
        [peer],
      );
      const isKnown = Number(state?.[1]) === 1;
      const answer = admits(await collectionOf(tx), state?.[0] as string, isKnown);
      if (answer === "yes" && !isKnown)
        await tx.rows("INSERT INTO public._grove_peers (peer) VALUES ($1::text) ON CONFLICT (peer) DO NOTHING", [peer]);
      return answer;
    });
  }

  async peersOf(principal: string): Promise<readonly string[]> {
    const sql = "SELECT peer FROM public._grove_peers WHERE principal = $1::text";
    return (await this.#connection.driver.rows(sql, [principal])).map(([peer]) => peer as string);
  }

  fork(wanted?: string): Promise<string> {
    return this.#connection.write(async (session) => {
      await this.#foldRest(session);
      const id = decideFork(session.node, wanted, this.options.random);
      await session.rows(
        "UPDATE public._grove_node SET node = $1::text, formerly = (coalesce(formerly, '[]')::jsonb || to_jsonb(node))::text WHERE id = 1",
        [id],
      );
      await session.rows(`UPDATE public._grove_peers SET ${FORGET_CURSORS}`);
      session.renew();
      void session.incarnation;
      return id;
    });
  }

  parked(): Promise<readonly ParkedRow[]> {
    return readParked(this.#connection.driver);
  }

  /** In one snapshot, with the log empty in it: what the application writes meanwhile is no difference. */
  reconcile(): Promise<readonly Discrepancy[]> {
    return this.#connection.write(async (session) => {
      await this.#foldRest(session);
      const found: Discrepancy[] = [];
      for (const table of this.#tables) found.push(...(await compareTable(session, table)));
      await this.#foldRest(session);
      await distrustTrees(session);
      return found;
    }, "REPEATABLE READ");
  }

  async look(name: string, pk: readonly Json[]): Promise<SeenRow> {
    const table = this.#table(name);
    table.keyParams(pk);
    return this.#connection.readNamed((tx, names) =>
      lookAt({ tx, names, rows: (text, params) => tx.rows(text, params) }, table, pk),
    );
  }

  async inspect(name: string, pk: readonly Json[]): Promise<RowChange | null> {
    this.#table(name).keyParams(pk);
    return (await this.states([[name, pk]]))[0] ?? null;
  }
}
