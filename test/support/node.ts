// Nodes for tests: a real store over a real database, behind a real router. Clock and randomness are injected.
import {
  createNode,
  type GroveNode,
  type NodeOptions,
  type Registry,
  type SyncRouterOptions,
  syncRouter,
} from "grove-crdt";
import { Clock, randomness } from "./clock";
import type { Param, Row, TestDatabase, TestDialect } from "./dialect";
import type { Recorder } from "./statements";

export const TOKEN = "Bearer test-token";

export type RouterSettings = Partial<Extract<SyncRouterOptions<string>, { authenticate: unknown }>>;

/** What went over the wire to and from a node as the answering side. */
export interface Traffic {
  requests: number;
  pulls: number;
  pushes: number;
  /** Rows that it served and rows that it received. */
  served: number;
  received: number;
}

export interface NodeSettings extends Partial<Omit<NodeOptions, "db" | "nodeId">> {
  readonly clock?: Clock;
  /** A database that is there already, instead of a new one; its tables are made if there are none. */
  readonly database?: TestDatabase;
  /** In a file where the dialect would otherwise keep it in memory: for a database that is opened again, or twice. */
  readonly durable?: boolean;
  /** Of the node's router. */
  readonly router?: RouterSettings;
  /** Keeps account of the store's statements. */
  readonly recorder?: Recorder;
  /** Statements that make the user's tables; by default the reference schema's. */
  readonly ddl?: readonly string[];
  /** Statements that run after the tables were made and before capture is installed. */
  readonly before?: readonly string[];
}

/** What exchanges and comparisons need of a node. */
export interface SyncingNode {
  readonly id: string;
  readonly database: TestDatabase;
  readonly dialect: TestDialect;
  readonly node: GroveNode;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly traffic: Traffic;
  readonly app: ReturnType<typeof syncRouter>;
}

export interface TestNode extends SyncingNode {
  /** Runs a statement of the application with parameters (`?`), or several without; returns how many rows the one changed. */
  sql(text: string, ...params: Param[]): Promise<number>;
  /** First row in canonical values: see {@link TestDatabase.rows}. */
  row<T = Row>(text: string, ...params: Param[]): Promise<T | undefined>;
  rows<T = Row>(text: string, ...params: Param[]): Promise<T[]>;
  close(): Promise<void>;
}

/** A node that is ready to sync. */
export async function openNode(dialect: TestDialect, id: string, settings: NodeSettings = {}): Promise<TestNode> {
  const {
    clock = new Clock(),
    database: given,
    durable,
    ddl = dialect.referenceTables,
    before = [],
    recorder,
    ...options
  } = settings;
  const { registry = dialect.registry } = options;
  const capture = before.length === 0 && options.tables === undefined ? registry.capture.hash : undefined;
  const database = given ?? (await dialect.open({ ddl, durable, capture }));
  if (given && (await given.isEmpty())) for (const statement of ddl) await given.run(statement);
  for (const statement of before) await database.run(statement);
  const node = await startNode(database, id, {
    ...options,
    db: recorder ? database.recorded(recorder) : database.db,
    registry,
    now: options.now ?? clock.now,
  });
  if (capture !== undefined && !given) await database.installed(capture);
  const rows = async <T>(text: string, ...params: Param[]) =>
    (await database.rows(text, params, registry.tables)) as unknown as T[];
  return {
    ...node,
    clock,
    sql: (text, ...params) => database.run(text, params),
    row: async <T>(text: string, ...params: Param[]) => (await rows<T>(text, ...params))[0],
    rows,
    close: () => database.close(),
  };
}

/** Node and router over a database that has its tables. */
export async function startNode(
  database: TestDatabase,
  id: string,
  {
    router,
    ...options
  }: Omit<NodeOptions, "db" | "nodeId"> & { readonly db?: NodeOptions["db"]; readonly router?: RouterSettings },
): Promise<Omit<SyncingNode, "clock">> {
  const node = createNode({ random: randomness(), db: database.db, ...options, nodeId: id });
  // A test may leave work behind that would find no database any more; some of it waits for what never comes.
  database.users.add(() => Promise.race([node.close(), new Promise((resolve) => setTimeout(resolve, 1_000))]));
  await node.ensureShadowTables();
  const traffic: Traffic = { requests: 0, pulls: 0, pushes: 0, served: 0, received: 0 };
  const app = syncRouter(node, {
    authenticate: (c) => (c.req.header("authorization") === TOKEN ? "peer" : null),
    mayRelay: () => true,
    onAudit: () => {},
    ...router,
  });
  return { id, database, dialect: database.dialect, node, registry: options.registry, traffic, app };
}
