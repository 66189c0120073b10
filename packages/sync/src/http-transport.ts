// Transports over HTTP, as docs/protocol.md describes it: POST and JSON; and with server-sent events inbound.
import {
  type CollectionRequest,
  collectionResponseSchema,
  type DigestRequest,
  digestResponseSchema,
  errorResponseSchema,
  GroveError,
  isErrorCode,
  PROTOCOL_VERSION,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
  pullResponseSchema,
  pushResponseSchema,
} from "@grove-crdt/core";
import type { z } from "zod";
import { linked } from "./abort";
import type { CallOptions, Transport } from "./transport";

type Fetch = (input: string, init: RequestInit) => Promise<Response>;

/** How a peer is reached over HTTP. */
export interface HttpTransportOptions {
  /** Headers of every request; a function is called each time, so that a token may change. */
  readonly headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  /** Instead of the global `fetch`. */
  readonly fetch?: Fetch;
  /** Give up on a request after this many milliseconds (default 30,000). */
  readonly timeout?: number;
}

/** What both transports need to ask at an address. */
export class HttpClient {
  readonly root: string;
  readonly fetch: Fetch;
  readonly timeout: number;
  readonly #headers: HttpTransportOptions["headers"];

  constructor(url: string, { headers, fetch = globalThis.fetch, timeout = 30_000 }: HttpTransportOptions) {
    this.root = url.replace(/\/+$/, "");
    this.fetch = fetch;
    this.timeout = timeout;
    this.#headers = headers;
  }

  async headers(own: Record<string, string>): Promise<Record<string, string>> {
    return { ...own, ...(typeof this.#headers === "function" ? await this.#headers() : this.#headers) };
  }

  async post<Schema extends z.ZodType>(
    path: string,
    body: unknown,
    schema: Schema,
    { signal }: CallOptions,
    timeout = this.timeout,
  ): Promise<z.infer<Schema>> {
    const { root } = this;
    const deadline = linked(signal);
    deadline.within(timeout);
    let response: Response;
    let text: string;
    try {
      response = await this.fetch(`${root}${path}`, {
        method: "POST",
        headers: await this.headers({ "content-type": "application/json" }),
        body: JSON.stringify(body),
        signal: deadline.signal,
      });
      text = await response.text();
    } catch (cause) {
      if (signal?.aborted) throw new GroveError("aborted", `The request to ${root}${path} was aborted.`, { cause });
      const why = deadline.isLate() ? `gave no answer within ${timeout} ms` : `could not be reached (${reason(cause)})`;
      throw new GroveError("transport", `${root}${path} ${why}. It will be tried again.`, { cause });
    } finally {
      deadline.done();
    }
    const answer = parse(text);
    if (!response.ok) throw refusal(`${root}${path}`, response.status, answer);
    return check(`${root}${path}`, answer, schema);
  }
}

/** @throws GroveError `protocol_mismatch`, `transport` */
export function check<Schema extends z.ZodType>(url: string, answer: unknown, schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const version = (answer as { protocol?: unknown } | undefined)?.protocol;
  if (typeof version === "number" && version !== PROTOCOL_VERSION) {
    throw new GroveError(
      "protocol_mismatch",
      `${url} speaks protocol ${version}, this node speaks ${PROTOCOL_VERSION}. Upgrade the older one.`,
    );
  }
  throw new GroveError("transport", `${url} did not answer as a grove-crdt router does. Is the router mounted there?`, {
    details: parsed.error.issues.slice(0, 3),
  });
}

/**
 * A peer whose sync router is mounted at `url`.
 *
 * @param url up to and without `/pull`, for example `https://cloud.example.com/sync`
 */
export function httpTransport(url: string, options: HttpTransportOptions = {}): Transport {
  return overHttp(new HttpClient(url, options));
}

export const overHttp = (client: HttpClient): Transport => ({
  url: client.root,
  pull: (request: PullRequest, options: CallOptions = {}) =>
    client.post("/pull", request, pullResponseSchema, options) as Promise<PullResponse>,
  push: (request: PushRequest, options: CallOptions = {}) =>
    client.post("/push", request, pushResponseSchema, options) as Promise<PushResponse>,
  collection: (request: CollectionRequest, options: CallOptions = {}) =>
    client.post("/collection", request, collectionResponseSchema, options),
  // The peer reads every row.
  digest: (request: DigestRequest, options: CallOptions = {}) =>
    client.post("/digest", request, digestResponseSchema, options, client.timeout * 20),
});

export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function reason(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const code = (inner as { code?: unknown }).code;
  return typeof code === "string" ? code : inner instanceof Error ? inner.message : String(inner);
}

export function refusal(url: string, status: number, answer: unknown): GroveError {
  const parsed = errorResponseSchema.safeParse(answer);
  // A proxy in between has a limit of its own and an answer of its own.
  if (!parsed.success && status === 413)
    return new GroveError("payload_too_large", `${url} does not take a body of this size.`, { details: { status } });
  if (!parsed.success)
    return new GroveError("transport", `${url} answered with status ${status}. Is the sync router mounted there?`, {
      details: { status },
    });
  const { code, message, details } = parsed.data.error;
  return new GroveError(isErrorCode(code) ? code : "transport", `${url}: ${message}`, {
    details: { status, code, ...(typeof details === "object" ? details : {}) },
  });
}
