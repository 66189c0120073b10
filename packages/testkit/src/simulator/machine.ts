// One simulated machine: a database, a clock, and the program that runs on them, which may die, start again, be put on an older
// image, or be given a newer schema. Nothing survives a program but what its database has committed.
import type { Only, Registry } from "@grove-crdt/core";
import { syncRouter } from "@grove-crdt/server";
import type { CollectionStep } from "@grove-crdt/store";
import {
  createNode,
  createSyncer,
  type GroveNode,
  type PeerReport,
  type Syncer,
  type Transport,
} from "@grove-crdt/sync";
import Database from "better-sqlite3";
import type { Hono } from "hono";
import { createRandom } from "../random";
import { NodeClock } from "./clock";
import { Process } from "./crash";
import { type openNew, setClock } from "./images";
import type { Narrowing, NodePlan } from "./plan";
import type { Version } from "./registries";
import type { Seen } from "./seen";
import { first } from "./writing";

export interface MachineOptions {
  readonly index: number;
  readonly id: string;
  /** What traces call it; two machines may have one id. */
  readonly label: string;
  readonly plan: NodePlan;
  readonly versions: readonly [Version, Version];
  readonly seed: number;
  readonly world: { readonly time: number };
  readonly pages: { readonly rows: number; readonly bytes: number };
  /** Indices of its peers. */
  readonly peers: readonly number[];
  readonly transport: (from: Machine, process: Process, to: number) => Transport;
  /** Told of each step that the node takes in rounds of collection. */
  readonly onRound: (<T>(machine: Machine, step: () => Promise<T>) => Promise<T>) | null;
  readonly onError: (error: unknown) => void;
}

/** A database as {@link openNew} gives it. */
type Fresh = Awaited<ReturnType<typeof openNew>>;

/** One program, from its start to its end. */
export interface Program {
  readonly process: Process;
  readonly node: GroveNode;
  /** One for each peer, in the order of peers. */
  readonly syncers: readonly Syncer[];
}

export class Machine {
  id: string;
  readonly label: string;
  readonly index: number;
  readonly peers: readonly number[];
  readonly clock: NodeClock;
  isOld: boolean;
  narrowed: Narrowing | null;
  database: Database.Database;
  /** A backup, taken some time ago. */
  backup: { readonly image: Buffer; readonly isOld: boolean } | null = null;
  /** Its clock has been out of bounds, so that it may give its writes other stamps. */
  isTainted = false;
  /** It has given up the id that it shared. */
  hasForked = false;
  /** It begins anew from a peer's rows, and its application waits. */
  rejoins = false;
  /** What it held before. */
  beforeRejoin: Seen | null = null;
  /** What it held before steps in rounds of which nothing is known yet. */
  readonly watched: Seen[] = [];
  /** Told what its streams say. */
  onReport: (report: PeerReport) => void = () => {};
  #fresh: Fresh | null;
  #program: Program;
  #router: Hono | null = null;
  #starts = 0;

  constructor(
    private readonly options: MachineOptions,
    image: Buffer | Fresh,
  ) {
    const { id, label, index, plan, world, peers } = options;
    this.id = id;
    this.label = label;
    this.index = index;
    this.peers = peers;
    this.clock = new NodeClock(world, plan.skew);
    this.isOld = plan.isOld;
    this.narrowed = plan.narrowed;
    this.#fresh = "release" in image ? image : null;
    this.database = this.#use("release" in image ? image.database : new Database(image));
    this.#program = this.#start();
  }

  get node(): GroveNode {
    return this.#program.node;
  }
  get process(): Process {
    return this.#program.process;
  }
  get syncers(): readonly Syncer[] {
    return this.#program.syncers;
  }
  /** Deletions stamped up to this are forgotten, microseconds since 1970; read beside the program, which may be dead. */
  get level(): number {
    return (
      (first(this.database, "SELECT max(upto) AS upto FROM _grove_collection") as { upto: number | null }).upto ?? 0
    );
  }
  /** It has begun to rejoin and not ended it. */
  get isRejoining(): boolean {
    return first(this.database, "SELECT 1 FROM _grove_collection WHERE rejoining = 1") !== undefined;
  }
  get registry(): Registry {
    const [old, current] = this.options.versions;
    return (this.isOld ? old : current).registry;
  }

  #use(database: Database.Database): Database.Database {
    database.pragma(`foreign_keys = ${this.options.plan.foreignKeys ? 1 : 0}`);
    setClock(database, this.clock.now);
    return database;
  }

  #start(): Program {
    const { seed, pages, transport } = this.options;
    const process = new Process();
    const random = createRandom(seed + 7919 * ++this.#starts);
    const node = createNode({
      db: { $client: process.guard(this.database) },
      registry: this.registry,
      nodeId: this.id,
      now: this.clock.now,
      random: () => random.next(),
    });
    const { onRound } = this.options;
    if (onRound) {
      const step = node.store.stepCollection;
      Object.assign(node.store, { stepCollection: (one: CollectionStep) => onRound(this, () => step(one)) });
    }
    const asks = { ...asked(node.tables, this.narrowed), onReport: (report: PeerReport) => this.onReport(report) };
    const syncers = this.peers.map((peer) =>
      createSyncer(node, {
        peers: [transport(this, process, peer)],
        pageRows: pages.rows,
        pageBytes: pages.bytes,
        ...asks,
      }),
    );
    this.#router = null;
    return { process, node, syncers };
  }

  /** A syncer with this machine alone, made if it has none. */
  syncerTo(index: number): Syncer {
    const { transport } = this.options;
    const known = this.syncers[this.peers.indexOf(index)];
    return known ?? createSyncer(this.node, { peers: [transport(this, this.process, index)] });
  }

  /** Made when it is asked for: most runs do without HTTP. */
  get router(): Hono {
    this.#router ??= syncRouter(this.node, {
      authenticate: () => "simulator",
      mayRelay: () => true,
      limits: { rate: { burst: 1_000_000, perSecond: 1_000_000 } },
      onAudit: () => {},
      onError: this.options.onError,
    });
    return this.#router;
  }

  /** The program ends, and another one starts on what is committed. */
  restart(): void {
    this.process.end();
    if (this.database.inTransaction) this.database.exec("ROLLBACK");
    this.#program = this.#start();
  }

  /**
   * The database as it is now, committed. What was written and not folded yet would be folded twice, here and where the image
   * is opened, under two incarnations: of it an increment counts twice. That is known (docs/reliability.md), so it is folded.
   */
  async image(): Promise<Buffer> {
    await this.node.fold();
    return this.database.serialize();
  }

  /** The database is put back to its backup. */
  restore(): void {
    const { image, isOld } = this.backup as NonNullable<Machine["backup"]>;
    this.process.end();
    this.#leave();
    this.isOld = isOld;
    this.database = this.#use(new Database(image));
    this.restart();
  }

  /** The schema's newer version, as its own migration and `ensureShadowTables` bring it. */
  async migrate(): Promise<void> {
    this.process.end();
    for (const sql of this.options.versions[1].migration) this.database.exec(sql);
    this.isOld = false;
    this.restart();
    await this.node.ensureShadowTables();
  }

  /** It asks for all from now on. */
  widen(): void {
    this.narrowed = null;
    this.restart();
  }

  /** It was refused, since another machine has its id, and takes another one. */
  async fork(id: string): Promise<void> {
    this.process.end();
    const random = createRandom(this.options.seed + 104_729 * ++this.#starts);
    const node = createNode({
      db: { $client: this.database },
      registry: this.registry,
      now: this.clock.now,
      random: () => random.next(),
    });
    this.id = await node.fork(id);
    this.hasForked = true;
    this.restart();
  }

  close(): void {
    this.process.end();
    this.#leave();
  }

  /** Gives the database back, if it is as one would have it at the start but for its rows. */
  #leave(): void {
    if (this.database.inTransaction) this.database.exec("ROLLBACK");
    if (this.#fresh && this.isOld === this.options.plan.isOld) this.#fresh.release();
    else this.database.close();
    this.#fresh = null;
  }
}

/** What a syncer is told to exchange. */
function asked(tables: readonly string[], narrowed: Narrowing | null): { tables?: string[]; only?: Only } {
  switch (narrowed) {
    case "documents alone":
      return { tables: ["documents"] };
    case "no linked tables":
      return { tables: tables.filter((table) => !["albums", "photos", "tracks"].includes(table)) };
    case "one key":
      return { only: { documents: { keys: [["k1"], ["d1"]] }, inventory: { keys: [["north", "apple"]] } } };
    case "one column":
      return { only: { documents: { fields: ["title", "tags"] }, plans: { fields: ["steps"] } } };
    default:
      return {};
  }
}
