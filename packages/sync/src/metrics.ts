// What a node counts and measures, on a meter of OpenTelemetry's shape. Only that shape is named here: the library itself is
// loaded by the program that brings the meter, and by nobody else.

/** What a figure is about. Never a value of a row, and never an unbounded name. */
export type Attributes = Readonly<Record<string, string>>;

interface Instrument {
  readonly description: string;
  readonly unit: string;
  /** Bounds of a histogram's buckets. */
  readonly advice?: { explicitBucketBoundaries?: number[] };
}

/** What is read when somebody collects. */
export type Gauge = object;
type Collect = (result: {
  observe(gauge: Gauge, value: number, attributes?: Attributes): void;
}) => void | Promise<void>;

interface Adder {
  /** Adds to it; of a counter `value` is never below zero. */
  add(value: number, attributes?: Attributes): void;
}
interface Recorder {
  /** One measurement, in the instrument's unit. */
  record(value: number, attributes?: Attributes): void;
}

/** The slice of OpenTelemetry's `Meter` that a node needs: `metrics.getMeter("grove-crdt")` of @opentelemetry/api fits. */
export interface Meter {
  /** What only grows. */
  createCounter(name: string, options: Instrument): Adder;
  /** What grows and shrinks. */
  createUpDownCounter(name: string, options: Instrument): Adder;
  /** What is measured one by one and told by its distribution. */
  createHistogram(name: string, options: Instrument): Recorder;
  /** What is read when somebody collects. */
  createObservableGauge(name: string, options: Instrument): Gauge;
  /** From now on `collect` is asked for all of `gauges` at once. */
  addBatchObservableCallback(collect: Collect, gauges: Gauge[]): void;
  /** It is asked no more. */
  removeBatchObservableCallback(collect: Collect, gauges: Gauge[]): void;
}

/** What of a node's state is read at each collection. */
export interface Reading {
  /** Captured writes that no fold has looked at yet. */
  readonly log: number;
  readonly parked: number;
  readonly rejected: { readonly sent: number; readonly received: number };
  /** By peer: what it has not acknowledged, and for how many seconds. */
  readonly lag: ReadonlyMap<string, { readonly rows: number; readonly seconds: number }>;
}

/** Seconds; the default buckets are made for milliseconds. */
const SECONDS = { explicitBucketBoundaries: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100] };

/** A node's instruments. Their names and meaning are documented in docs/observability.md, which a test compares with this. */
export class Metrics {
  readonly pages;
  readonly rows;
  readonly outcomes;
  readonly streams;
  readonly exchanges;
  readonly merges;
  readonly #gauges;
  readonly #collect: Collect;

  constructor(
    private readonly meter: Meter,
    read: () => Promise<Reading | null>,
  ) {
    const counter = (name: string, unit: string, description: string) =>
      meter.createCounter(`grove.${name}`, { unit, description });
    const gauge = (name: string, unit: string, description: string) =>
      meter.createObservableGauge(`grove.${name}`, { unit, description });
    const histogram = (name: string, description: string) =>
      meter.createHistogram(`grove.${name}`, { unit: "s", description, advice: SECONDS });
    this.pages = counter("pages", "{page}", "Pages received and sent.");
    this.rows = counter("rows", "{row}", "Rows received and sent.");
    this.outcomes = counter("outcomes", "{row}", "What became of rows, here or at a peer.");
    this.streams = meter.createUpDownCounter("grove.streams", {
      unit: "{stream}",
      description: "Readers that follow this node.",
    });
    this.exchanges = histogram("exchange.duration", "How long an exchange with a peer took.");
    this.merges = histogram("merge.duration", "How long it took to merge a page.");
    const log = gauge("log.rows", "{row}", "Captured writes that wait to be folded.");
    const parked = gauge("parked", "{row}", "Rows that wait in the shadow.");
    const rejected = gauge("rejected", "{change}", "Changes that were rejected and not settled since.");
    const lagRows = gauge("lag.rows", "{row}", "Rows that a peer has not acknowledged.");
    const lagSeconds = gauge("lag.seconds", "s", "Since when the oldest of them waits.");
    this.#gauges = [log, parked, rejected, lagRows, lagSeconds];
    this.#collect = async (result) => {
      const reading = await read();
      if (!reading) return;
      result.observe(log, reading.log);
      result.observe(parked, reading.parked);
      result.observe(rejected, reading.rejected.sent, { direction: "out" });
      result.observe(rejected, reading.rejected.received, { direction: "in" });
      for (const [peer, { rows, seconds }] of reading.lag) {
        result.observe(lagRows, rows, { peer });
        result.observe(lagSeconds, seconds, { peer });
      }
    };
    meter.addBatchObservableCallback(this.#collect, this.#gauges);
  }

  /** Nobody reads the node's state through the meter any more. */
  close(): void {
    this.meter.removeBatchObservableCallback(this.#collect, this.#gauges);
  }
}
