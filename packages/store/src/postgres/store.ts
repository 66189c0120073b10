// The Store over Postgres: puts fold, serve, merge and install together. Any number of processes may serve one database;
// whoever gives numbers holds `_grove_lock`, and applications never wait for it.
import {
  GroveError,
  isKnownPosition,
  type Json,
  type Outcome,
  type Position,
  type Registry,
  type RowChange,
  rowToChange,
} from "@grove-crdt/core";
import type {
  MergeRequest,
  MergeResult,
  ParkedRow,
  PeerState,
  PeerUpdate,
  Served,
  ServeQuery,
  Store,
  StoreOptions,
} from "../store";
import { RowAppeared } from "./apply";
import { isLockTimeout, type PostgresDriver, type PostgresTransaction } from "./driver";
import { foldTable, pendingProbe, readPending } from "./fold";
import { adoptRows, installCapture, refuseUnfit, settleIdentity, verifyCapture } from "./install";
import { mergePage } from "./merge";
import { forgetBusy, readBusy, settleRejections } from "./parking";
import { readBase, readRows } from "./read";
import { servePage } from "./serve";
import { Connection, readIncarnations, type Session } from "./session";
import { Table } from "./table";

const PEER_COLUMNS = "url, pull_cursor, push_cursor, seen_incarnation, seen_seq, last_success, last_error";
const NUMBERS = new Set(["seen_seq", "last_success"]);
/** Times that a merge begins anew before it skips the rows that others hold. */
const PATIENCE = 2;
const ADOPT_CHUNK = 20_000;
const BUSY_CHUNK = 1_000;

export class PostgresStore implements Store {
  readonly #connection: Connection;
  readonly #tables: readonly Table[];
  readonly #byName: ReadonlyMap<string, Table>;
  readonly #probe: string;

  constructor(
    driver: PostgresDriver,
    private readonly registry: Registry,
    private readonly options: StoreOptions,
    tables?: readonly string[],
  ) {
    this.#connection = new Connection(driver, options);
    const wanted = tables ?? registry.tables.map(({ name }) => name);
    for (const name of wanted) {
      if (!registry.tables.some((model) => model.name === name)) {
        throw new GroveError(
          "unknown_table",
          `The table ${JSON.stringify(name)} is not in the registry. Annotate it and run \`npx grove-crdt generate\`, or leave it out of \`tables\`.`,
        );
      }
    }
    this.#tables = registry.tables.filter(({ name }) => wanted.includes(name)).map((model) => new Table(model));
    this.#byName = new Map(this.#tables.map((table) => [table.model.name, table]));
    this.#probe = pendingProbe(this.#tables);
  }

  get tables(): readonly string[] {
    return this.#tables.map(({ model }) => model.name);
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
    for (const table of this.#tables) await this.#adopt(table);
  }

  async #adopt(table: Table): Promise<void> {
    let after: readonly string[] | null = null;
    await this.#write((session) => refuseUnfit(session, table));
    do {
      const from: readonly string[] | null = after;
      after = (await this.#write((session) => adoptRows(session, table, from, ADOPT_CHUNK))).last;
    } while (after !== null);
  }

  identify(): Promise<string> {
    const { nodeId, random } = this.options;
    return this.#connection.driver.transaction(
      "READ COMMITTED",
      "LOCK TABLE public._grove_lock IN EXCLUSIVE MODE;",
      (tx) => settleIdentity(tx, nodeId, random),
    );
  }

  /** A write that gives way to the application and begins again. */
  #write<T>(work: (session: Session) => Promise<T>, isolation?: string): Promise<T> {
    return this.#connection.retry(() => this.#connection.write(work, isolation));
  }

  async #position(tx: PostgresTransaction): Promise<Position> {
    const [row] = await tx.rows("SELECT seq FROM public._grove_node WHERE id = 1");
    return { incarnation: (await readIncarnations(tx)).at(-1)?.id ?? "", seq: Number(row?.[0] ?? 0) };
  }

  position(): Promise<Position> {
    return this.#connection.read((tx) => this.#position(tx));
  }

  knows(position: Position): Promise<boolean> {
    return this.#connection.read(async (tx) =>
      isKnownPosition(position, await readIncarnations(tx), (await this.#position(tx)).seq),
    );
  }

  async pending(): Promise<boolean> {
    return (await this.#connection.read((tx) => readPending(tx, this.#tables, this.#probe))).tables.length > 0;
  }

  async fold(): Promise<number> {
    let folded = 0;
    for (;;) {
      const pending = await this.#connection.read((tx) => readPending(tx, this.#tables, this.#probe));
      if (pending.busy) await this.#mergeBusy();
      if (pending.tables.length === 0) return folded;
      folded += await this.#write(async (session) => {
        let count = 0;
        for (const table of pending.tables) count += (await foldTable(session, table)).folded;
        return count;
      });
    }
  }

  /** Folds what was captured since the last look; the log is empty afterwards as far as the transaction sees. */
  async #foldRest(session: Session): Promise<void> {
    const { tables } = await readPending(session.tx, this.#tables, this.#probe);
    for (const table of tables) while (!(await foldTable(session, table)).drained);
  }

  async serve(query: ServeQuery): Promise<Served> {
    const tables = [...new Set(query.tables)].map((name) => this.#table(name));
    const page = (reader: Parameters<typeof servePage>[0], last: number) =>
      readIncarnations(reader.tx).then((incarnations) => servePage(reader, tables, query, incarnations, last));
    const read = () =>
      this.#connection.readNamed(async (tx, names, seq) => {
        const pending = await readPending(tx, this.#tables, this.#probe);
        return pending.tables.length > 0 ? null : page({ tx, names }, seq);
      });
    const served = await read();
    if (served) return served;
    await this.fold();
    const folded = await read();
    if (folded) return folded;
    // Somebody wrote since: fold and read in one transaction, so that no row is served beside its unfolded writes.
    return this.#write(async (session) => {
      await this.#foldRest(session);
      await session.flush();
      return page(session, session.seq);
    }, "REPEATABLE READ");
  }

  #table(name: string): Table {
    const table = this.#byName.get(name);
    if (!table)
      throw new GroveError("unknown_table", `The table ${JSON.stringify(name)} is not synced by this node.`, {
        details: { table: name },
      });
    return table;
  }

  merge({ from, rows, peer }: MergeRequest): Promise<MergeResult> {
    return this.#merge(from, rows, async (session, { outcomes }) => {
      if (peer) await this.#savePeer(session.tx, from, peer(outcomes));
    });
  }

  /** Merges a page; `after` runs in the same transaction. Gives way to the application, then goes around it. */
  async #merge(
    from: string,
    rows: readonly RowChange[],
    after: (session: Session, result: MergeResult) => Promise<void>,
    patience = PATIENCE,
  ): Promise<MergeResult> {
    await this.fold();
    let timeouts = 0;
    let appeared = 0;
    return this.#connection.retry(async () => {
      for (;;) {
        try {
          return await this.#connection.write(async (session) => {
            const result = await mergePage(session, this.#byName, rows, {
              from,
              horizon: session.now + this.options.maxClockDrift * 1000,
              giveWay: timeouts >= patience || appeared >= 5,
              fold: () => this.#foldRest(session),
            });
            await after(session, result);
            return result;
          });
        } catch (error) {
          if (error instanceof RowAppeared && appeared < 5) appeared++;
          else if (isLockTimeout(error) && timeouts < patience) timeouts++;
          else throw error;
        }
      }
    });
  }

  /** Tries changes again whose rows somebody held. */
  async #mergeBusy(): Promise<void> {
    const waiting = await this.#connection.readNamed((tx) => readBusy(tx, BUSY_CHUNK));
    for (const [from, { ids, changes }] of waiting) {
      // What is still held is parked anew, under a later number and in the same order.
      await this.#mergeLocked(from, ids, changes);
    }
  }

  async #mergeLocked(from: string, ids: readonly number[], changes: readonly RowChange[]): Promise<void> {
    await this.#connection.retry(() =>
      this.#connection.write(async (session) => {
        const mine = await forgetBusy(session, ids);
        const rows = changes.filter((_, n) => mine.has(ids[n] as number));
        await mergePage(session, this.#byName, rows, {
          from,
          horizon: Number.MAX_SAFE_INTEGER,
          giveWay: true,
          fold: () => this.#foldRest(session),
        });
      }),
    );
  }

  peer(node: string): Promise<PeerState | null> {
    return this.#connection.read(async (tx) => {
      const [row] = await tx.rows(`SELECT ${PEER_COLUMNS} FROM public._grove_peers WHERE peer = $1::text`, [node]);
      if (!row) return null;
      const [url, pullCursor, pushCursor, incarnation, seq, lastSuccess, lastError] = row as (string | null)[];
      const seen = incarnation == null ? null : { incarnation, seq: Number(seq) };
      return {
        url: url ?? null,
        pullCursor: pullCursor ?? null,
        pushCursor: pushCursor ?? null,
        seen,
        lastSuccess: lastSuccess === null ? null : Number(lastSuccess),
        lastError: lastError ?? null,
      };
    });
  }

  async savePeer(node: string, update: PeerUpdate): Promise<void> {
    await this.#connection.driver.transaction("READ COMMITTED", "", (tx) => this.#savePeer(tx, node, update));
  }

  async #savePeer(tx: PostgresTransaction, node: string, update: PeerUpdate): Promise<void> {
    const columns: Record<string, string | number | null> = {
      ...(update.url !== undefined && { url: update.url }),
      ...(update.pullCursor !== undefined && { pull_cursor: update.pullCursor }),
      ...(update.pushCursor !== undefined && { push_cursor: update.pushCursor }),
      ...(update.seen !== undefined && {
        seen_incarnation: update.seen?.incarnation ?? null,
        seen_seq: update.seen?.seq ?? null,
      }),
      ...(update.lastSuccess !== undefined && { last_success: update.lastSuccess }),
      ...(update.lastError !== undefined && { last_error: update.lastError }),
    };
    const names = Object.keys(columns);
    if (names.length === 0) return;
    const values = names.map((name, n) => `$${n + 2}::text${NUMBERS.has(name) ? "::bigint" : ""}`);
    await tx.rows(
      `INSERT INTO public._grove_peers (peer, ${names.join(", ")}) VALUES ($1::text, ${values.join(", ")}) ON CONFLICT (peer) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}`,
      [node, ...Object.values(columns).map((value) => (value === null ? null : String(value)))],
    );
  }

  async settleRejections(peer: string, rows: readonly RowChange[], outcomes: readonly Outcome[]): Promise<void> {
    if (!outcomes.some(({ outcome }) => outcome === "rejected")) {
      const known = await this.#connection.read((tx) =>
        tx.rows("SELECT 1 FROM public._grove_parked WHERE peer = $1::text AND code <> 'busy' LIMIT 1", [peer]),
      );
      if (known.length === 0) return;
    }
    await this.#write((session) => settleRejections(session, peer, rows, outcomes));
  }

  parked(): Promise<readonly ParkedRow[]> {
    return this.#connection.read(async (tx) => {
      const rows = await tx.rows(
        "SELECT tbl, pk, code, message FROM public._grove_parked WHERE peer IS NULL OR code = 'busy' ORDER BY id",
      );
      return rows.map(([table, pk, code, message]) => ({
        table: table as string,
        pk: JSON.parse(pk as string) as Json[],
        code: code as string,
        message: message as string,
      }));
    });
  }

  async inspect(name: string, pk: readonly Json[]): Promise<RowChange | null> {
    const table = this.#table(name);
    await this.fold();
    return this.#write(async (session) => {
      const keys = [table.keyParams(pk)];
      const row = (await readRows(session, table, keys))[0]?.row;
      if (!row) return null;
      const values = (await readBase(session, table, keys, [0])).get(0) ?? {};
      return rowToChange(table.model, pk, row, values, { floor: -1, exclude: null });
    });
  }
}
