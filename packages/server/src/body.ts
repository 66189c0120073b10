// The body of a request as JSON, when its sender may mean harm: bytes are counted as they come, before and after inflating,
// and the whole must be there in time. Whatever ends it early lets go of what is still to come.
import { GroveError } from "@grove-crdt/core";

export interface BodyLimits {
  /** Most bytes as they are sent. */
  readonly body: number;
  /** Most bytes once inflated, of a body with a `content-encoding`. */
  readonly inflated: number;
  /** Milliseconds until all of it must be here, from the call on. */
  readonly bodyTimeout: number;
}

/** As much goes into the inflater at a time, which makes a thousand times as much of it at worst. */
const PIECE = 4 * 1024;
/** Bytes of a body that is read in one piece. */
const SMALL = 8 * 1024;
/** A timer that is set for longer fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Encoding as it is sent to its name in DecompressionStream; null = as it is. */
const ENCODINGS: ReadonlyMap<string, "gzip" | "deflate" | null> = new Map([
  ["", null],
  ["identity", null],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
]);

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/**
 * Reads the body of `request` as JSON: UTF-8, plain or with `content-encoding` gzip or deflate. No more than about twice a
 * limit is ever held.
 *
 * @param isCounted a server sees to it that no more comes than `content-length` says
 * @throws GroveError `payload_too_large` when a limit is passed, or `content-length` says that it will be;
 *   `timeout` when the body is not complete in time; `bad_request` when there is none, its encoding is another or broken, it
 *   is not UTF-8 or not JSON, or the connection broke
 */
export async function readJson(request: Request, limits: BodyLimits, isCounted = false): Promise<unknown> {
  const length = Number(request.headers.get("content-length") ?? 0);
  const isSmall = isCounted && length > 0 && length <= Math.min(SMALL, limits.body);
  return isSmall && readEncoding(request) === null ? readSmall(request, limits) : readStream(request, limits);
}

/** Most edges push a row or two: servers hand over such a body without a stream, which takes a fifth of all their work. */
async function readSmall(request: Request, limits: BodyLimits): Promise<unknown> {
  const failure = late(limits);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const read = request.arrayBuffer();
    const end = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(failure), Math.min(limits.bodyTimeout, LONGEST_TIMER));
    });
    return parse(new Uint8Array(await Promise.race([read, end])));
  } catch (error) {
    throw toGroveError(error);
  } finally {
    clearTimeout(timer);
  }
}

async function readStream(request: Request, limits: BodyLimits): Promise<unknown> {
  if (!request.body) throw new GroveError("bad_request", "The request has no body. Send JSON.");
  const source = request.body.getReader() as Reader;
  let failure: GroveError | undefined;
  let inflater: Inflater | undefined;
  /** Ends every read that is waiting. The first failure is the one that is told. */
  const stop = (error?: GroveError) => {
    failure ??= error;
    source.cancel().catch(ignore);
    inflater?.stop();
  };
  const timer = setTimeout(() => stop(late(limits)), Math.min(limits.bodyTimeout, LONGEST_TIMER));
  try {
    checkLength(request, limits.body);
    const encoding = readEncoding(request);
    let bytes: Uint8Array;
    if (encoding === null) {
      bytes = await collect(source, limits.body);
    } else {
      inflater = createInflater(encoding);
      // Beside the reading, not before it: the inflater takes no more while nobody takes what it made.
      feed(source, inflater, limits.body).catch((error) => stop(toGroveError(error)));
      bytes = await collect(inflater.output, limits.inflated);
    }
    if (failure) throw failure;
    return parse(bytes);
  } catch (error) {
    throw failure ?? toGroveError(error);
  } finally {
    clearTimeout(timer);
    stop();
  }
}

const ignore = () => {};

/** What is not ours came from a stream: the connection broke, or the inflater could not go on. */
function toGroveError(cause: unknown): GroveError {
  if (cause instanceof GroveError) return cause;
  return new GroveError("bad_request", "The body broke off, or is not what its content-encoding says.", { cause });
}

const late = ({ bodyTimeout }: BodyLimits) =>
  new GroveError("timeout", `The body was not complete after ${bodyTimeout} ms.`);

const tooLarge = (limit: number) =>
  new GroveError(
    "payload_too_large",
    `The body, as sent or once inflated, has more than ${limit} bytes. Send less at once.`,
  );

function checkLength(request: Request, limit: number): void {
  const length = request.headers.get("content-length");
  if (length === null) return;
  if (!/^\d+$/.test(length)) throw new GroveError("bad_request", "content-length: not a number.");
  if (!(Number(length) <= limit)) throw tooLarge(limit);
}

function readEncoding(request: Request): "gzip" | "deflate" | null {
  const encoding = ENCODINGS.get((request.headers.get("content-encoding") ?? "").trim().toLowerCase());
  if (encoding !== undefined) return encoding;
  throw new GroveError("bad_request", "content-encoding: send the body plain, or with gzip or deflate.");
}

interface Inflater {
  readonly output: Reader;
  write(piece: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Frees it, from any state. */
  stop(): void;
}

function createInflater(encoding: "gzip" | "deflate"): Inflater {
  const { readable, writable } = new DecompressionStream(encoding);
  const output = readable.getReader() as Reader;
  const writer = writable.getWriter();
  // Who reads learns what went wrong.
  writer.closed.catch(ignore);
  return {
    output,
    write: (piece) => writer.write(piece),
    close: () => writer.close(),
    stop: () => {
      writer.abort().catch(ignore);
      output.cancel().catch(ignore);
    },
  };
}

/** No pipe: Node's inflater would let one pull thousands of chunks ahead. Waiting for each write does not. */
async function feed(source: Reader, inflater: Inflater, limit: number): Promise<void> {
  let count = 0;
  for (;;) {
    const { done, value } = await source.read();
    if (done) return inflater.close();
    count += value.length;
    if (!(count <= limit)) throw tooLarge(limit);
    for (let at = 0; at < value.length; at += PIECE) await inflater.write(value.subarray(at, at + PIECE));
  }
}

/** All bytes, in one place: a list of chunks would cost a hundred times its bytes when they come one by one. */
async function collect(reader: Reader, limit: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  let count = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes.subarray(0, count);
    const end = count + value.length;
    if (!(end <= limit)) throw tooLarge(limit);
    if (end > bytes.length) {
      const grown = new Uint8Array(Math.min(limit, Math.max(end, 2 * bytes.length)));
      grown.set(bytes.subarray(0, count));
      bytes = grown;
    }
    bytes.set(value, count);
    count = end;
  }
}

/** The causes stay out: they quote the body. */
function parse(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new GroveError("bad_request", "The request body is not UTF-8.");
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new GroveError("bad_request", "The request body is not JSON.");
  }
}
