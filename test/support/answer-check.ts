// What every answer of a router must be, whatever was asked: a documented status, JSON by the schemas of core, and nothing of
// what is inside. Plain code instead of `expect`: it runs for each of a hundred thousand answers.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  errorCodes,
  errorResponseSchema,
  parseRowChange,
  pullResponseSchema,
  pushResponseSchema,
  type RowChange,
} from "@grove-crdt/core";

/** Status to the codes that it may carry. */
const DOCUMENTED: Readonly<Record<number, readonly string[]>> = {
  400: ["bad_request", "bad_cursor", "unknown_table", "protocol_mismatch"],
  401: ["unauthenticated"],
  403: ["forbidden", "node_id_taken"],
  404: ["not_found"],
  408: ["timeout"],
  409: ["self_peer"],
  413: ["payload_too_large"],
  429: ["rate_limited"],
  503: ["busy"],
};

/** What only the inside knows: stacks, paths, SQL, tables of ours, and what databases say when they refuse. */
const INTERNALS =
  /\n\s+at |\.[cm]?[jt]s:\d|node_modules|file:\/\/|\/packages\/|\b(SELECT|INSERT INTO|UPDATE|DELETE FROM) |_grove_|_crdt\b|SQLITE_|PostgresError|constraint failed|violates|invalid input syntax|syntax error|index row|_pkey|\bpg_(catalog|class|toast)/;

export interface Answered {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** Of a stream, the data of its events so far; `text` is then all of it. */
  readonly events?: readonly string[];
}

/** The rows, and the keys of the sums, that an answer gave away. */
export interface Given {
  readonly rows: readonly RowChange[];
  readonly keys: readonly (readonly [table: string, pk: unknown])[];
  readonly cursors: readonly string[];
  /** Keys of rows whose sums the answer confirmed. */
  readonly sums: readonly (readonly [table: string, pk: unknown])[];
}
const NOTHING: Given = { rows: [], keys: [], cursors: [], sums: [] };

export const fail = (what: string): never => {
  throw new Error(what);
};

export interface Pushed {
  readonly rows: readonly unknown[];
  readonly sums?: readonly (readonly [table: string, pk: unknown, sum: string])[];
}

/**
 * @param sent what went out, as text: an answer may repeat it
 * @param pushed the body of a push that was answered with 200
 */
export function checkAnswer({ status, type, text, events }: Answered, sent: string, pushed?: Pushed): Given {
  const inside = INTERNALS.exec(text);
  if (inside && !sent.includes(inside[0].trim())) fail(`the answer tells ${JSON.stringify(inside[0])}`);
  if (events) {
    if (status !== 200 || type !== "text/event-stream") fail(`a stream answered ${status} as ${type}`);
    return events.map((event) => checkPage(JSON.parse(event))).reduce(both, NOTHING);
  }
  if (!/^application\/json/.test(type)) fail(`the answer is ${JSON.stringify(type)}`);
  const json: unknown = JSON.parse(text);
  if (status === 200) return pushed ? checkPushed(json, pushed) : checkPage(json);
  const { error } = errorResponseSchema.parse(json);
  if (!DOCUMENTED[status]?.includes(error.code)) fail(`${status} with the code ${error.code}`);
  return NOTHING;
}

const both = (a: Given, b: Given): Given => ({
  rows: [...a.rows, ...b.rows],
  keys: [...a.keys, ...b.keys],
  cursors: [...a.cursors, ...b.cursors],
  sums: [...a.sums, ...b.sums],
});

export function checkPage(json: unknown): Given {
  const { cursor, rows, sums = [] } = pullResponseSchema.parse(json);
  for (const row of rows) {
    const parsed = parseRowChange(row);
    if ("problem" in parsed) fail(`a row is served that is none (${parsed.problem})`);
  }
  return {
    ...NOTHING,
    rows: rows as readonly RowChange[],
    keys: sums.map(([table, pk]) => [table, pk] as const),
    cursors: [cursor],
  };
}

function checkPushed(json: unknown, { rows, sums = [] }: Pushed): Given {
  const { outcomes, want = [] } = pushResponseSchema.parse(json);
  if (outcomes.length !== rows.length) fail(`${outcomes.length} outcomes for ${rows.length} rows`);
  for (const { outcome, code } of outcomes) {
    const isCoded = outcome === "rejected" || outcome === "parked" || outcome === "refused";
    if (isCoded ? !Object.hasOwn(errorCodes, code ?? "") : code !== undefined) fail(`${outcome} with the code ${code}`);
    // The hub of these tests has no hooks, and no fault of its own.
    if (code === "internal" || code === "hook_failed") fail(`${outcome} with the code ${code}`);
  }
  // A row that is not asked for is one that the pusher was told is the same here.
  const wanted = new Set(want.map((key) => JSON.stringify(key)));
  const told = sums.map(([table, pk]) => [table, pk] as const);
  return { ...NOTHING, sums: told.filter((key) => !wanted.has(JSON.stringify(key))) };
}

const namesOfPrototypes = () =>
  [Object.prototype, Array.prototype, Function.prototype].map((some) => Object.getOwnPropertyNames(some).join());

/** Returns what looks whether a prototype has been touched since; what a test has loaded may have done so before. */
export function watchPrototypes(): () => void {
  const before = namesOfPrototypes().join();
  return () => {
    if (namesOfPrototypes().join() !== before || "polluted" in {}) fail("a prototype was touched");
  };
}

/** Of a stream, the data of the events in what came at once. */
export function readEvents(value: Uint8Array | undefined): {
  readonly text: string;
  readonly events: readonly string[];
} {
  const text = new TextDecoder().decode(value);
  return { text, events: [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data as string) };
}

/** A whole answer; of a stream, what comes at once: it stays open. */
export async function read(
  response: Response,
): Promise<Answered & { readonly reader?: ReadableStreamDefaultReader<Uint8Array> }> {
  const { status } = response;
  const type = response.headers.get("content-type") ?? "";
  if (type !== "text/event-stream" || !response.body) return { status, type, text: await response.text() };
  const reader = response.body.getReader();
  return { status, type, reader, ...readEvents((await reader.read()).value) };
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Bytes that are held, garbage left out. */
export async function memory(): Promise<number> {
  // What was let go may need a turn of the loop to be garbage.
  for (let n = 0; n < 3; n++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A request that takes longer has hung. */
const LATE = 20_000;
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} hangs`)), LATE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
