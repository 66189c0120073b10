// The simulated world: nodes with real stores and real routers, clocks that disagree, and a network that loses,
// doubles and delays. Everything random comes from one seed.
import type { PullRequest, PullResponse, PushRequest, PushResponse, Registry } from "@grove-crdt/core";
import { syncRouter } from "@grove-crdt/server";
import { createNode, createSyncer, type GroveNode, httpTransport, type Syncer, type Transport } from "@grove-crdt/sync";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import type { Hono } from "hono";
import type { Random } from "../random";
import { referenceTables } from "../reference-tables";
import { linkedTables } from "./tables";

export interface Faults {
  /** Each a probability per request. */
  readonly requestLost: number;
  readonly answerLost: number;
  readonly doubled: number;
  readonly late: number;
}

export interface SimulatedNode {
  readonly name: string;
  readonly database: Database.Database;
  /** Microseconds that its clock is ahead of the world's. */
  readonly skew: number;
  readonly peers: number[];
  node: GroveNode;
  router: Hono;
  syncer: Syncer;
}

const START_TIME = 1_767_225_600_000_000;

export class World {
  readonly nodes: SimulatedNode[] = [];
  /** Microseconds since 1970. */
  time = START_TIME;
  healed = false;
  /** Rows that travelled, echoes included. */
  rowsSent = 0;
  readonly trace: string[] = [];
  /** Messages that arrive some time later, in any order. */
  readonly #late: (() => Promise<void>)[] = [];
  /** Called while a message is under way, so that writes fall between any two pages. */
  between: () => Promise<void> = async () => {};

  constructor(
    readonly random: Random,
    readonly registry: Registry,
    readonly faults: Faults,
    readonly pages: { readonly rows: number; readonly bytes: number },
  ) {}

  async addNode(
    name: string,
    skew: number,
    peers: number[],
    before?: (database: Database.Database) => void,
  ): Promise<void> {
    const database = new Database(":memory:");
    database.pragma("synchronous = off");
    // The machine's own clock, as triggers see it.
    database.function("unixepoch", { varargs: true, deterministic: false }, () => (this.time + skew) / 1e6);
    database.pragma(`foreign_keys = ${this.random.chance(0.7) ? 1 : 0}`);
    database.exec(referenceTables);
    database.exec(linkedTables);
    before?.(database);
    const simulated = { name, database, skew, peers } as unknown as SimulatedNode;
    this.nodes.push(simulated);
    this.#open(simulated);
    await simulated.node.store.install();
    await simulated.node.store.adopt();
    await simulated.node.ready();
  }

  /** A process starts on the database: nothing survives but what is stored. */
  #open(simulated: SimulatedNode): void {
    const { database, name, skew, peers } = simulated;
    const node = createNode({
      db: drizzle({ client: database }),
      registry: this.registry,
      nodeId: name,
      now: () => this.time + skew,
      random: () => this.random.next(),
    });
    simulated.node = node;
    simulated.router = syncRouter(node, {
      authenticate: () => "simulator",
      mayRelay: () => true,
      limits: { rate: { burst: 1_000_000, perSecond: 1_000_000 } },
      onAudit: () => {},
      onError: (error) => this.fail(error),
    });
    simulated.syncer = createSyncer(node, {
      peers: peers.map((peer) => this.#transport(simulated, peer)),
      pageRows: this.pages.rows,
      pageBytes: this.pages.bytes,
    });
  }

  restart(simulated: SimulatedNode): void {
    this.log(`${simulated.name} restarts`);
    this.#open(simulated);
  }

  failure: unknown = null;
  fail(error: unknown): void {
    this.failure ??= error;
  }

  log(line: string): void {
    this.trace.push(`${this.time - START_TIME} ${line}`);
  }

  #transport(from: SimulatedNode, to: number): Transport {
    const direct = httpTransport(`http://${to}.sim`, {
      fetch: async (url, init) => (this.nodes[to] as SimulatedNode).router.request(new URL(url).pathname, init),
    });
    const carry = async <Request, Answer>(
      kind: string,
      request: Request,
      call: (request: Request) => Promise<Answer>,
      replay: (answer: Answer) => Promise<unknown>,
    ): Promise<Answer> => {
      const { random, faults } = this;
      const on = (probability: number) => !this.healed && random.chance(probability);
      const line = `${from.name} ${kind} ${(this.nodes[to] as SimulatedNode).name}`;
      await this.between();
      if (on(faults.requestLost)) {
        this.log(`${line}: request lost`);
        throw new Error("request lost");
      }
      const copy = structuredClone(request);
      const answer = await call(request);
      this.log(line);
      if (on(faults.doubled)) {
        this.log(`${line}: doubled`);
        await call(structuredClone(copy));
      }
      if (on(faults.late)) {
        this.log(`${line}: a copy comes late`);
        const kept = structuredClone(answer);
        this.#late.push(async () => {
          await call(structuredClone(copy));
          await replay(structuredClone(kept));
        });
      }
      await this.between();
      if (on(faults.answerLost)) {
        this.log(`${line}: answer lost`);
        throw new Error("answer lost");
      }
      return answer;
    };
    return {
      url: direct.url,
      pull: (request: PullRequest) =>
        carry<PullRequest, PullResponse>(
          "pulls from",
          request,
          async (message) => {
            const answer = await direct.pull(message);
            this.rowsSent += answer.rows.length;
            return answer;
            // A page that arrives once more, long after newer ones, is merged once more.
          },
          (answer) => from.node.merge(answer.node, answer.rows),
        ),
      push: (request: PushRequest) =>
        carry<PushRequest, PushResponse>(
          "pushes to",
          request,
          (message) => {
            this.rowsSent += message.rows.length;
            return direct.push(message);
          },
          async () => {},
        ),
    };
  }

  /** Delivers some of the late messages, in random order. */
  async deliverLate(all: boolean): Promise<void> {
    while (this.#late.length > 0 && (all || this.random.chance(0.5))) {
      const [message] = this.#late.splice(this.random.below(this.#late.length), 1);
      await message?.();
    }
  }
}
