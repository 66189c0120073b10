// The network between machines: it loses, doubles and delays messages, and may carry one direction of a link alone.
import {
  type CollectionRequest,
  type CollectionResponse,
  type DigestRequest,
  type DigestResponse,
  GroveError,
  isGroveError,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
  type StreamRequest,
} from "@grove-crdt/core";
import { httpTransport, type Transport } from "@grove-crdt/sync";
import type { Process } from "./crash";
import type { Machine } from "./machine";
import type { Faults } from "./plan";
import type { World } from "./world";

/** As JSON carries it. */
const copied = <T>(message: T): T => JSON.parse(JSON.stringify(message)) as T;

/** Turns of the microtask queue in which whatever was written is in a page, or never. */
const TURNS = 400;

export class Network {
  /** Messages from one machine to another that get lost. */
  readonly #cuts = new Map<string, "dead" | "flapping">();
  /** Messages that arrive some time later, in any order. */
  #late: (() => Promise<void>)[] = [];
  #flaps = 0;
  isHealed = false;
  /** Rows that travelled, echoes included. */
  rowsSent = 0;
  /** The machine that found itself to be one of two under one id. */
  forked: Machine | null = null;

  constructor(
    private readonly world: World,
    private readonly faults: Faults,
    private readonly http: boolean,
  ) {}

  cut(from: number, to: number, how: "dead" | "flapping"): void {
    this.#cuts.set(`${from} ${to}`, how);
  }
  join(from: number, to: number): void {
    this.#cuts.delete(`${from} ${to}`);
  }
  heal(): void {
    this.#cuts.clear();
    this.isHealed = true;
  }
  /** What is under way is gone. */
  forget(): void {
    this.#late = [];
  }

  #isCut(from: Machine, to: Machine): boolean {
    const how = this.#cuts.get(`${from.index} ${to.index}`);
    if (how === undefined || (how === "flapping" && this.#flaps++ % 2 === 0)) return false;
    this.world.count(how === "dead" ? "lost in a partition" : "lost on a flapping link");
    return true;
  }

  #lose(line: string, what: string): never {
    this.world.log(`${line}: ${what}`);
    throw new GroveError("transport", `${line}: ${what}`);
  }

  /** @throws GroveError `transport` for whatever the network does */
  async #carry<Request, Answer>(
    from: Machine,
    process: Process,
    to: Machine,
    kind: string,
    request: Request,
    call: (request: Request) => Promise<Answer>,
    replay: (answer: Answer) => Promise<unknown>,
  ): Promise<Answer> {
    const { world, faults } = this;
    const on = (probability: number) => !this.isHealed && probability > 0 && world.random.chance(probability);
    const line = `${from.label} ${kind} ${to.label}`;
    process.reach("send");
    await world.between();
    if (this.#isCut(from, to)) this.#lose(line, "request lost");
    if (on(faults.requestLost)) {
      world.count("request lost");
      this.#lose(line, "request lost");
    }
    const sent = copied(request);
    const server = to.process;
    const ask = async (message: Request): Promise<Answer> => {
      try {
        const answer = copied(await call(message));
        if (server.alive) return answer;
      } catch (error) {
        if (server.alive) {
          if (isGroveError(error) && error.code === "forked") this.forked = to;
          throw error;
        }
      }
      return this.#lose(line, `${to.label} died at ${server.died}`);
    };
    const answer = await ask(sent);
    world.log(line);
    if (on(faults.doubled)) {
      world.count("doubled");
      world.log(`${line}: doubled`);
      await ask(copied(request));
    }
    if (on(faults.late)) {
      world.count("late");
      world.log(`${line}: a copy comes late`);
      const [again, kept] = [copied(request), copied(answer)];
      this.#late.push(async () => {
        await ask(again);
        await replay(kept);
      });
    }
    await world.between();
    if (this.#isCut(to, from)) this.#lose(line, "answer lost");
    if (on(faults.answerLost)) {
      world.count("answer lost");
      this.#lose(line, "answer lost");
    }
    process.reach("acknowledge");
    return answer;
  }

  transport(from: Machine, process: Process, index: number): Transport {
    const to = () => this.world.machines[index] as Machine;
    const direct: Pick<Transport, "pull" | "push" | "digest" | "collection"> = this.http
      ? httpTransport(`http://${index}.sim`, {
          fetch: async (url, init) => to().router.request(new URL(url).pathname, init),
        })
      : {
          pull: (request) => to().node.pull(request),
          push: (request) => to().node.push(request),
          digest: (request) => to().node.digest(request),
          collection: (request) => to().node.exchangeRounds(request),
        };
    return {
      url: `sim:${index}`,
      pull: (request: PullRequest) =>
        this.#carry<PullRequest, PullResponse>(
          from,
          process,
          to(),
          "pulls from",
          request,
          async (message) => {
            const answer = await direct.pull(message);
            this.rowsSent += answer.rows.length;
            return answer;
          },
          // A page that arrives once more, long after newer ones, is merged once more.
          ({ node, rows, collected = 0 }) => from.node.merge(node, rows, undefined, { collected }),
        ),
      push: (request: PushRequest) =>
        this.#carry<PushRequest, PushResponse>(
          from,
          process,
          to(),
          "pushes to",
          request,
          (message) => {
            this.rowsSent += message.rows.length;
            return direct.push(message);
          },
          async () => {},
        ),
      digest: (request: DigestRequest) =>
        this.#carry<DigestRequest, DigestResponse>(
          from,
          process,
          to(),
          "compares with",
          request,
          (message) => direct.digest?.(message) as Promise<DigestResponse>,
          async () => {},
        ),
      collection: (request: CollectionRequest) =>
        this.#carry<CollectionRequest, CollectionResponse>(
          from,
          process,
          to(),
          "talks of rounds to",
          request,
          (message) => direct.collection?.(message) as Promise<CollectionResponse>,
          ({ rounds }) => from.node.store.stepCollection({ heard: rounds }),
        ),
      stream: (request, { signal } = {}) => this.#stream(from, process, to(), copied(request), signal),
      reconnect: 1,
    };
  }

  /** Pages as they are written, until so many have come, nothing more comes, or something breaks. */
  async *#stream(
    from: Machine,
    reader: Process,
    to: Machine,
    request: StreamRequest,
    signal?: AbortSignal,
  ): AsyncGenerator<PullResponse, void> {
    const { world } = this;
    const line = `${from.label} streams from ${to.label}`;
    const server = to.process;
    if (this.#isCut(from, to) || this.#isCut(to, from)) this.#lose(line, "no connection");
    const closing = new AbortController();
    const close = () => closing.abort();
    signal?.addEventListener("abort", close, { once: true });
    const never = 1e9;
    let pages: Awaited<ReturnType<Machine["node"]["follow"]>> | undefined;
    try {
      pages = await to.node.follow(request, {
        idle: never,
        keepAlive: never,
        maxBuffer: 1e9,
        signal: closing.signal,
      });
      for (let left = world.streaming; left > 0; left--) {
        const next = pages.next();
        let page: PullResponse | null = null;
        let failure: unknown;
        let isOver = false;
        next.then(
          ({ value }) => {
            page = value ?? null;
            isOver = true;
          },
          (error: unknown) => {
            failure = error;
            isOver = true;
          },
        );
        for (let turn = 0; turn < TURNS && !isOver; turn++) await null;
        if (failure !== undefined) throw failure;
        if (page === null) break;
        server.reach("frame");
        reader.reach("frame");
        world.log(line);
        world.count("frame");
        this.rowsSent += (page as PullResponse).rows.length;
        yield copied(page as PullResponse);
        reader.reach(null);
        await world.between(to);
        if (server.alive) to.node.notify();
      }
    } catch (error) {
      if (!reader.alive || server.alive) throw error;
      this.#lose(line, `${to.label} died at ${server.died}`);
    } finally {
      close();
      // Whoever serves it looks no longer for what is written.
      void pages?.return(undefined);
      signal?.removeEventListener("abort", close);
    }
    world.count("stream cut");
    this.#lose(line, "cut");
  }

  /** Delivers some of the late messages, in random order. */
  async deliverLate(all: boolean): Promise<void> {
    while (this.#late.length > 0 && (all || this.world.random.chance(0.5))) {
      const [message] = this.#late.splice(this.world.random.below(this.#late.length), 1);
      try {
        await message?.();
      } catch (error) {
        // It is nobody's answer any more.
        if (!isGroveError(error)) throw error;
      }
    }
  }
}
