// What a node tells of itself: lines to a logger, figures to a meter. With pino and OpenTelemetry's own SDK, on either dialect.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  createNode,
  createSyncer,
  GroveError,
  type NodeOptions,
  PROTOCOL_VERSION,
  streamingTransport,
} from "grove-crdt";
import pino from "pino";
import { describe, expect, test, vi } from "vitest";
import { describeOnEach } from "./support/dialects";
import { link, request, sync } from "./support/network";
import { TOKEN } from "./support/node";
import { repository } from "./support/project";
import { until } from "./support/streams";

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}
const LEVELS: Record<number, string> = { 20: "debug", 30: "info", 40: "warn", 50: "error" };

/** A pino logger and what it wrote, as `level sentence`. */
function recordLog() {
  const lines: Line[] = [];
  const logger = pino(
    { level: "debug", base: null },
    { write: (text: string) => lines.push(JSON.parse(text) as Line) },
  );
  const told = (least = "info") =>
    lines
      .filter(({ level }) => least === "debug" || level > 20)
      .map(({ level, msg }) => `${LEVELS[level]} ${msg.replace("grove-crdt: ", "")}`);
  return { logger, lines, told, text: () => JSON.stringify(lines) };
}

/** A meter of the SDK and what it has collected: by instrument, each point as `attributes → value`. */
function recordMetrics() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const collect = async () => {
    exporter.reset();
    await provider.forceFlush();
    const found = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    return Object.fromEntries(
      found.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        Object.fromEntries(
          (dataPoints as DataPoint<number | Histogram>[]).map(({ attributes, value }) => [
            Object.values(attributes).join(" "),
            typeof value === "number" ? value : value.count,
          ]),
        ),
      ]),
    );
  };
  return { meter: provider.getMeter("grove-crdt"), collect };
}

describeOnEach("what a node logs", ({ openNode, openNodes }) => {
  test("that it is open, the first exchange, a failure once, and that it goes well again; each further exchange only to those who debug", async () => {
    const { logger, lines, told } = recordLog();
    const hub = await openNode("hub");
    const edge = await openNode("edge", { logger });
    let isDown = false;
    const syncer = link(edge, hub, {}, (path, body, forward) => {
      if (isDown) throw new TypeError("fetch failed");
      return forward(path, body);
    });
    await syncer.sync();
    await syncer.sync();
    isDown = true;
    await syncer.sync();
    await syncer.sync();
    isDown = false;
    await syncer.sync();
    expect(told()).toEqual([
      "info the node is open",
      "info first exchange with the peer",
      "warn an exchange failed",
      "info exchanges go well again",
    ]);
    expect(told("debug").filter((line) => line === "debug an exchange failed")).toHaveLength(1);
    expect(lines.find(({ msg }) => msg.includes("failed"))).toMatchObject({
      node: "edge",
      peer: "hub",
      code: "transport",
    });
  });

  test("what is rejected, parked and refused: by table and code, without keys and values, unless they are asked for", async () => {
    const quiet = recordLog();
    const chatty = recordLog();
    const hour = 3_600_000;
    const [hub, edge] = [
      await openNode("hub", { logger: quiet.logger, maxClockDrift: 1_000, hooks: [refuseSecrets] }),
      await openNode("edge", { logger: chatty.logger, logValues: true, maxClockDrift: 2 * hour }),
    ];
    await edge.sql("INSERT INTO documents (id, title) VALUES ('4711', 'secret'), ('4712', 'open')");
    await sync(edge, hub);
    const line = { table: "documents", code: "forbidden", rows: 1 };
    expect(quiet.lines.find(({ msg }) => msg.includes("rejected"))).toMatchObject({
      peer: "edge",
      direction: "in",
      ...line,
    });
    expect(chatty.lines.find(({ msg }) => msg.includes("rejected"))).toMatchObject({
      peer: "hub",
      direction: "out",
      ...line,
      keys: [["4711"]],
    });
    edge.clock.advance(hour);
    await edge.sql("UPDATE documents SET title = 'early' WHERE id = '4712'");
    await sync(edge, hub).catch(() => {});
    expect(quiet.told()).toContain("warn changes are refused for now");
    expect(chatty.told()).toContain("warn an exchange failed");
    expect(quiet.text()).not.toMatch(/\b471\b|secret|early/);
  });

  test("that a database was restored, on both sides", async () => {
    const logs = [recordLog(), recordLog()];
    const [hub, edge] = [
      await openNode("hub", { logger: logs[0]!.logger }),
      await openNode("edge", { logger: logs[1]!.logger }),
    ];
    await edge.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await sync(edge, hub);
    // As if the edge's backup were older than what the hub has seen of it.
    await hub.node.store.savePeer("edge", { seen: { incarnation: "gone", seq: 99 } });
    await sync(edge, hub).catch(() => {});
    const resets = logs.map(({ told }) => told().filter((line) => line.endsWith("everything is exchanged anew")));
    expect(resets[1]).toContain("warn this database was restored, or is another: everything is exchanged anew");
    expect(resets[0]).toContain("warn the peer was restored, or is another: everything is exchanged anew");
  });

  test("why it cannot be opened, once for each reason", async () => {
    const { logger, lines, told } = recordLog();
    const other = await openNode("a");
    const node = createNode({ db: other.database.db, registry: other.registry, nodeId: "b", logger } as NodeOptions);
    for (let n = 0; n < 3; n++) await expect(node.ready()).rejects.toMatchObject({ code: "node_id_mismatch" });
    expect(told()).toEqual(["error the node cannot be opened"]);
    expect(lines[0]).toMatchObject({ code: "node_id_mismatch" });
  });

  test("that it refuses a peer, once for each reason, however often the peer asks", async () => {
    const { logger, lines, told } = recordLog();
    const hub = await openNode("hub", { logger });
    const ask = (asked: object) => request(hub, "/pull", JSON.stringify({ node: "old", cursor: null, ...asked }));
    for (let n = 0; n < 3; n++) expect((await ask({ protocol: 99 })).status).toBe(400);
    expect(told().filter((line) => line.includes("refused"))).toEqual(["warn a peer is refused"]);
    expect(lines.at(-1)).toMatchObject({ peer: "old", code: "protocol_mismatch" });
    // A request that is merely wrong is its sender's affair.
    await ask({ protocol: PROTOCOL_VERSION, rows: "many" });
    expect(lines.at(-1)).toMatchObject({ code: "protocol_mismatch" });
    await ask({ protocol: PROTOCOL_VERSION, node: "hub" });
    expect(lines.at(-1)).toMatchObject({ peer: "hub", code: "self_peer" });
  });

  test("what nobody expected, without what the database said of values; and nothing on the console", async () => {
    const { logger, lines, text } = recordLog();
    const shout = vi.spyOn(console, "error").mockImplementation(() => {});
    const broken = Object.assign(new Error("invalid input: 'my password'"), { code: "22P02", table: "documents" });
    const [hub, edge] = await openNodes(["hub", "edge"], {
      logger,
      hooks: [{ beforeInboundChange: () => Promise.reject(broken) }],
    });
    await edge!.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await sync(edge!, hub!);
    const failed = lines.find(({ msg }) => msg === "grove-crdt: a hook failed");
    expect(failed).toMatchObject({ node: "hub", err: { name: "Error", code: "22P02", table: "documents" } });
    expect(text()).not.toContain("my password");
    expect(shout).not.toHaveBeenCalled();
    shout.mockRestore();
  });

  test("nothing by default; and a logger or a meter that throws stops nothing", async () => {
    const throwing = () => {
      throw new Error("disk full");
    };
    const logger = { debug: throwing, info: throwing, warn: throwing, error: throwing };
    const said = (["log", "info", "warn", "error"] as const).map((name) => vi.spyOn(console, name));
    const instrument = { add: throwing, record: throwing };
    const meter = {
      createCounter: () => instrument,
      createUpDownCounter: () => instrument,
      createHistogram: () => instrument,
      createObservableGauge: () => ({}),
      addBatchObservableCallback: () => {},
      removeBatchObservableCallback: throwing,
    };
    const [hub, edge] = [await openNode("hub"), await openNode("edge", { logger, meter })];
    await edge.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await sync(edge, hub);
    expect(await hub.row("SELECT title FROM documents")).toEqual({ title: "t" });
    await Promise.all([hub.node.close(), edge.node.close()]);
    for (const spy of said) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

const refuseSecrets: NonNullable<NodeOptions["hooks"]>[number] = {
  beforeInboundChange: (change) => {
    if (change.value !== "secret") return change;
    throw Object.assign(new Error("nobody may know that"), { name: "GroveError", code: "forbidden" });
  },
};

describeOnEach("what a node measures", ({ openNode }) => {
  test("pages, rows and outcomes of either direction, how long it took, and what waits", async () => {
    const { meter, collect } = recordMetrics();
    const cloud = recordMetrics();
    const [hub, edge] = [
      await openNode("hub", { hooks: [refuseSecrets], meter: cloud.meter }),
      await openNode("edge", { meter }),
    ];
    await edge.sql("INSERT INTO documents (id, title) VALUES ('1', 'secret'), ('2', 'open')");
    expect(await collect()).toMatchObject({ "grove.log.rows": { "": 2 } });
    await sync(edge, hub);
    await hub.sql("INSERT INTO documents (id, title) VALUES ('3', 'from above')");
    await sync(edge, hub);
    expect(await collect()).toMatchObject({
      "grove.rows": { "in pull": 1, "out push": 2 },
      "grove.outcomes": { "in applied": 1, "out applied": 1, "out rejected forbidden": 1 },
      "grove.exchange.duration": { "hub ok": 2 },
      "grove.merge.duration": { "": 1 },
      "grove.log.rows": { "": 0 },
      "grove.rejected": { out: 1, in: 0 },
      "grove.lag.rows": { hub: 0 },
    });
    expect(await cloud.collect()).toMatchObject({
      "grove.rows": { "in push": 2, "out pull": 1 },
      "grove.outcomes": { "in applied": 1, "in rejected forbidden": 1 },
    });
  });

  test("how far behind each peer is, in rows and in seconds", async () => {
    const { meter, collect } = recordMetrics();
    const [hub, edge] = [await openNode("hub"), await openNode("edge", { meter })];
    await edge.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await sync(edge, hub);
    await edge.sql("INSERT INTO documents (id, title) VALUES ('2', 't'), ('3', 't')");
    await edge.node.fold();
    edge.clock.advance(5_000);
    const { "grove.lag.rows": rows, "grove.lag.seconds": seconds } = await collect();
    expect(rows).toEqual({ hub: 2 });
    expect(seconds?.hub).toBeGreaterThanOrEqual(5);
  });

  test("how many readers follow it, until they leave", async () => {
    const { meter, collect } = recordMetrics();
    const [hub, edge] = [await openNode("hub", { meter }), await openNode("edge")];
    const peer = streamingTransport("http://hub.test/sync", {
      headers: { authorization: TOKEN },
      fetch: async (url, init) => hub.app.request(String(url).replace("http://hub.test/sync", ""), init as RequestInit),
    });
    const running = createSyncer(edge.node, { peers: [peer] }).start();
    await until(async () => (await collect())["grove.streams"]?.[""] === 1);
    await hub.sql("INSERT INTO documents (id, title) VALUES ('1', 't')");
    await until(async () => ((await collect())["grove.rows"]?.["out stream"] ?? 0) > 0);
    await running.stop();
    await until(async () => (await collect())["grove.streams"]?.[""] === 0);
  });

  test("nothing once it is closed, and no name that a stranger makes up", async () => {
    const { meter, collect } = recordMetrics();
    const { logger, lines } = recordLog();
    const codes = Array.from({ length: 20 }, (_, n) => `code${n}`);
    const makesUp = () => Promise.reject(new GroveError(codes.pop() as "internal", "no"));
    const hub = await openNode("hub", { meter, logger, hooks: [{ beforeInboundChange: makesUp }] });
    const rows = codes.map((id) => ({ table: "documents", pk: [id], cl: 1, life: [1, "x"], lww: { title: ["t"] } }));
    await hub.node.merge("stranger", [...rows, { table: "made up", pk: [1] }]);
    expect((await collect())["grove.outcomes"]).toEqual({ "in rejected other": 20, "in rejected bad_change": 1 });
    expect(lines.at(-1)).toMatchObject({ table: null, code: "bad_change" });
    await hub.node.close();
    const status = vi.spyOn(hub.node, "status");
    await collect();
    expect(status).not.toHaveBeenCalled();
  });
});

describe("docs/observability.md", () => {
  test("names every instrument and every sentence that there is, and no other", () => {
    const page = readFileSync(join(repository, "docs/observability.md"), "utf8");
    const [metrics, observer] = ["metrics", "observer"].map((name) =>
      readFileSync(join(repository, `packages/sync/src/${name}.ts`), "utf8"),
    ) as [string, string];
    const said = [
      ...observer.matchAll(/"((?:the node|this database|the peer was|an? |first|exchanges|changes)[^"]*)"/g),
    ].map(([, sentence]) =>
      / was restored/.test(sentence as string) ? `${sentence}: everything is exchanged anew` : sentence,
    );
    const tables = page.split("\n").filter((line) => line.startsWith("| `"));
    const sentences = tables.flatMap((line) => [...(line.split("|")[1] as string).matchAll(/`([a-z][^`]* [^`]+)`/g)]);
    // Of what fails unexpectedly the place is said by whoever calls.
    const others = ["a hook failed", "an answer failed"];
    expect(sentences.map(([, sentence]) => sentence).sort()).toEqual([...new Set(said), ...others].sort());
    const made = [...metrics.matchAll(/(?:counter|gauge|histogram|createUpDownCounter)\("(?:grove\.)?([a-z.]+)"/g)].map(
      ([, name]) => `grove.${name}`,
    );
    const documented = [...page.matchAll(/^\| `(grove\.[a-z.]+)` /gm)].map(([, name]) => name);
    expect(documented.sort()).toEqual(made.sort());
  });
});
