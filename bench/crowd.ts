// Many light edges: each pushes one change a second over a connection of its own, as docs/protocol.md describes it, and keeps no
// database. What is measured is how long a push takes from the moment when it is due.
import { Agent, request } from "node:http";
import { PROTOCOL_VERSION, type PushResponse } from "@grove-crdt/core";
import { type BenchTable, itemsTable } from "./tables";

const SECOND = 1_000;
const table: BenchTable = itemsTable;

export interface Latencies {
  /** Milliseconds from when a push was due until it was answered. */
  readonly median: number;
  readonly p99: number;
  readonly pushes: number;
}

/** Opens a stream, counts what comes, and forgets it. */
export class Reader {
  pages = 0;
  readonly #agent = new Agent();

  constructor(hub: string, name: string) {
    const url = `${hub}/stream?protocol=${PROTOCOL_VERSION}&node=${name}`;
    const sent = request(url, { agent: this.#agent, headers: { authorization: name } }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        this.pages += part.split("event: page").length - 1;
      });
      response.on("error", () => {});
    });
    sent.on("error", () => {});
    sent.end();
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** One edge: a row of its own, which it inserts with its first push and changes with each further one. */
export class Edge {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #row = table.row(1);
  readonly #life = Date.now() * 1000;
  #seq = 0;
  #seen: unknown = null;

  constructor(
    readonly url: string,
    readonly name: string,
  ) {}

  async push(): Promise<void> {
    this.#seq++;
    const [id, ...values] = this.#row;
    const lww =
      this.#seq === 1
        ? Object.fromEntries(table.columns.slice(1).map((column, n) => [column, [values[n]]]))
        : { name: [`Written as number ${this.#seq}`, Date.now() * 1000, this.name] };
    const answer = await this.#post({
      protocol: PROTOCOL_VERSION,
      node: this.name,
      at: { incarnation: "c0", seq: this.#seq },
      seen: this.#seen,
      rows: [{ table: table.name, pk: [id], cl: 1, life: [this.#life, this.name], lww }],
    });
    this.#seen = answer.at;
    const [outcome] = answer.outcomes;
    if (outcome?.outcome !== "applied") throw new Error(`A push was ${outcome?.outcome}: ${outcome?.message}`);
  }

  #post(body: unknown): Promise<PushResponse> {
    const text = JSON.stringify(body);
    const headers = {
      authorization: this.name,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
    };
    return new Promise((resolve, reject) => {
      const sent = request(this.url, { method: "POST", agent: this.#agent, headers }, (response) => {
        let read = "";
        response.setEncoding("utf8");
        response.on("data", (part) => {
          read += part;
        });
        response.on("end", () => {
          if (response.statusCode === 200) resolve(JSON.parse(read));
          else reject(new Error(`The hub answered ${response.statusCode}: ${read}`));
        });
        response.on("error", reject);
      });
      // A server may close a connection that was silent for seconds just when it is used again.
      sent.on("error", (error) => (sent.reusedSocket ? this.#post(body).then(resolve, reject) : reject(error)));
      sent.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/**
 * Lets `count` edges push once a second for `seconds`, spread over the second. An edge whose push is late begins the next one at
 * once, and its wait counts.
 */
export async function pushFromMany(hub: string, count: number, seconds: number, begun: () => void): Promise<Latencies> {
  const edges = Array.from({ length: count }, (_, n) => new Edge(`${hub}/push`, `edge-${n}`));
  // Connections and first rows, some at a time: a crowd that arrives in one moment is another case.
  for (let from = 0; from < count; from += 50)
    await Promise.all(edges.slice(from, from + 50).map((edge) => edge.push()));
  begun();
  const start = performance.now() + 100;
  // A hub that does not keep up is not waited for: what was due and not pushed by then has waited until then.
  const end = start + 2 * seconds * SECOND;
  const delays: number[] = [];
  let pushes = 0;
  await Promise.all(
    edges.map(async (edge, n) => {
      for (let round = 0; round < seconds; round++) {
        const due = start + round * SECOND + (n * SECOND) / count;
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        if (performance.now() < end) {
          await edge.push();
          pushes++;
        }
        delays.push(performance.now() - due);
      }
    }),
  );
  for (const edge of edges) edge.close();
  delays.sort((a, b) => a - b);
  const at = (share: number) => delays[Math.floor((delays.length - 1) * share)] as number;
  return { median: at(0.5), p99: at(0.99), pushes };
}
