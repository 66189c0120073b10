// The Hono router that serves a node: POST /pull, POST /push and GET /stream under the path where it is mounted, and beside them
// what tells whether the node is up and ready.
import {
  checkProtocol,
  collectionRequestSchema,
  digestRequestSchema,
  type ErrorCode,
  errorCodes,
  type FieldHistoryRequest,
  fieldHistoryRequestSchema,
  GroveError,
  type HistoryRequest,
  historyRequestSchema,
  isGroveError,
  MAX_JSON_DEPTH,
  MAX_PAGE_ROWS,
  type Outcome,
  pullRequestSchema,
  pushRequestSchema,
  type Registry,
  type StreamRequest,
  streamRequestSchema,
} from "@grove-crdt/core";
import type { Caller, GroveNode, SyncHook } from "@grove-crdt/sync";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { type AccessOptions, accessOf } from "./access";
import { type Audit, printAudit, refusedPush, refusedRows } from "./audit";
import { readJson } from "./body";
import { eventStream } from "./event-stream";
import { healthRouter } from "./health";
import { expired, expiryOf, nameOf, whenExpired } from "./principal";
import { RateLimiter, StreamCount } from "./rate";

/** What one request, and one principal, may ask of the node. Beyond it the answer is 413 or 429. */
export interface Limits {
  /** Bytes of a request's body (default 8 MiB). */
  readonly body: number;
  /** Bytes of a body that comes compressed, once it is inflated (default 32 MiB). */
  readonly inflated: number;
  /** Milliseconds until a body must have arrived (default 30,000). */
  readonly bodyTimeout: number;
  /** Rows of a push (default 10,000). */
  readonly changes: number;
  /** Characters of what a change says of one column, as JSON (default 8 Mi). Of a push that one change is rejected. */
  readonly value: number;
  /** Levels that a value is nested (default 1,000). Of a push that one change is rejected. */
  readonly depth: number;
  /** Streams that a principal has open at a time (default 100). */
  readonly streams: number;
  /** Requests of a principal: so many at once, and so many a second over time (defaults 1,000 and 100). */
  readonly rate: { readonly burst: number; readonly perSecond: number };
}

export const DEFAULT_LIMITS: Limits = {
  body: 8 * 1024 * 1024,
  inflated: 32 * 1024 * 1024,
  bodyTimeout: 30_000,
  changes: MAX_PAGE_ROWS,
  value: 8 * 1024 * 1024,
  depth: MAX_JSON_DEPTH,
  streams: 100,
  rate: { burst: 1_000, perSecond: 100 },
};

interface CommonOptions<Principal, R extends Registry> {
  /** What changes pass on their way in and out here, besides the node's own hooks. */
  readonly hooks?: readonly SyncHook<R, NoInfer<Principal>>[];
  readonly limits?: Partial<Limits>;
  /** Longest wait between two looks at the database while a stream is open and nothing is written, in milliseconds (default 1,000). */
  readonly streamPollInterval?: number;
  /** Milliseconds in silence after which a stream gets a sign of life (default 15,000). */
  readonly streamKeepAlive?: number;
  /** Bytes of pages that may wait for the reader of a stream (default 4 MiB). One that falls behind is closed, and resumes. */
  readonly streamBuffer?: number;
  /** Receives what went wrong inside; answers never carry it. Default: the node's logger; without one, console.error. */
  readonly onError?: (error: unknown) => void;
  /** Receives a line for each push that was refused, in whole or in part. Default: JSON to console.warn. */
  readonly onAudit?: Audit;
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
}

/** Who may sync is never left open by accident: one of the two must be said. */
export type SyncRouterOptions<Principal, R extends Registry = Registry> = CommonOptions<Principal, R> &
  (
    | (AccessOptions<Principal, R> & {
        /** Yields who calls, or null for nobody: then the answer is 401. */
        readonly authenticate: (c: Context) => Principal | null | Promise<Principal | null>;
        /**
         * Names a principal for good. A peer's node id is bound to it at first contact, and refused from every other one. Default: a
         * text as it is, or the principal's `id` or `sub`.
         */
        readonly principalId?: (principal: Principal) => string;
        /** When it stops being valid: then its streams end. Default: `exp` of the principal, in seconds since 1970 as in a JWT. */
        readonly expiresAt?: (principal: Principal) => Date | null;
        readonly insecureAllowAnonymous?: false;
      })
    | {
        /** Lets everybody read and write everything. Warns at start. */
        readonly insecureAllowAnonymous: true;
        readonly authenticate?: undefined;
      }
  );

type Status = 400 | 401 | 403 | 404 | 408 | 409 | 410 | 413 | 429 | 500 | 503;

/** The status of an answer with this code; 500 for the others, which say nothing but `internal`. */
export const STATUS: Partial<Record<ErrorCode, Status>> = {
  bad_request: 400,
  bad_cursor: 400,
  unknown_table: 400,
  protocol_mismatch: 400,
  unauthenticated: 401,
  forbidden: 403,
  node_id_taken: 403,
  not_found: 404,
  no_history: 404,
  history_gone: 410,
  self_peer: 409,
  forked: 409,
  not_collected: 409,
  struck_off: 409,
  payload_too_large: 413,
  timeout: 408,
  rate_limited: 429,
  aborted: 503,
  busy: 503,
  collecting: 503,
  capture_missing: 503,
  capture_stale: 503,
  not_adopted: 503,
};

const answer = (c: Context, code: ErrorCode, message: string, details?: unknown) =>
  c.json({ error: { code, message, ...(details !== undefined && { details }) } }, STATUS[code] ?? 500);

function checkShape<Schema extends z.ZodType>(schema: Schema, json: unknown): z.infer<Schema> {
  // Before the shape, which may be another in another version.
  const version = (json as { protocol?: unknown } | null)?.protocol;
  if (Number.isInteger(version)) checkProtocol(version);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new GroveError("bad_request", `${issue?.path.join(".") || "body"}: ${issue?.message}`, {
    details: parsed.error.issues.slice(0, 5).map(({ path, message }) => ({ path: path.join("."), message })),
  });
}

/** A part of a query that is JSON. */
function json(name: string, text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch (cause) {
    throw new GroveError("bad_request", `${name}: no JSON.`, { cause });
  }
}

/** The query of a stream; lists and positions in it are JSON. The cursor is the last event's id. */
function streamRequest(c: Context): StreamRequest {
  const { protocol, node, collected, seen, tables, only, cursor } = c.req.query();
  return checkShape(streamRequestSchema, {
    protocol: json("protocol", protocol),
    node,
    collected: json("collected", collected),
    cursor: c.req.header("last-event-id") ?? cursor ?? null,
    seen: json("seen", seen),
    tables: json("tables", tables),
    only: json("only", only),
  });
}

function historyRequest(c: Context): HistoryRequest {
  const { pk, at = "", ...query } = c.req.query();
  const time = /^\d+$/.test(at) ? Number(at) : Date.parse(at) * 1000 + 999;
  return checkShape(historyRequestSchema, { ...query, pk: json("pk", pk), at: time });
}

function fieldHistoryRequest(c: Context): FieldHistoryRequest {
  const { pk, limit, ...query } = c.req.query();
  return checkShape(fieldHistoryRequestSchema, { ...query, pk: json("pk", pk), limit: json("limit", limit) });
}

/** What a database says of its constraints is nothing for strangers. */
const withoutInternals = (outcome: Outcome): Outcome =>
  outcome.outcome === "parked" && outcome.code !== undefined
    ? { ...outcome, message: errorCodes[outcome.code as ErrorCode] ?? "The row waits." }
    : outcome;

/** Who calls, as the requests of one principal share it. */
interface Called {
  readonly caller: Caller;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly expiry: number | null;
}

/**
 * A Hono app with the sync endpoints of `node`.
 *
 * @example
 * app.route("/sync", syncRouter(node, { authenticate: bearerTokens({ [process.env.TILL_TOKEN]: { id: "till" } }) }));
 * @throws GroveError `bad_request` without `authenticate`, or for a table that the node does not sync
 */
export function syncRouter<Principal, const R extends Registry = Registry>(
  node: GroveNode<R>,
  options: SyncRouterOptions<Principal, R>,
): Hono {
  const {
    hooks = [],
    streamPollInterval = 1_000,
    streamKeepAlive = 15_000,
    streamBuffer = 4 * 1024 * 1024,
    onError = (error) => {
      if (node.observer.isHeard) node.observer.failed(error, "an answer");
      else console.error("grove-crdt:", error);
    },
    onAudit = printAudit,
    now = Date.now,
  } = options;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { authenticate } = options;
  if (!authenticate) {
    if (options.insecureAllowAnonymous !== true) {
      throw new GroveError(
        "bad_request",
        "syncRouter: `authenticate` is missing. Return who calls, or null; or say insecureAllowAnonymous: true.",
      );
    }
    console.warn(
      "grove-crdt: the sync router lets anybody read and write every synced table (insecureAllowAnonymous).",
    );
  }
  const access = authenticate ? accessOf(node, options) : undefined;
  const rate = new RateLimiter(limits.rate, now);
  const streams = new StreamCount(limits.streams);

  async function identify(c: Context): Promise<Called | null> {
    const request = c.req.raw;
    const common = { request, hooks, limits: { value: limits.value, depth: limits.depth } };
    if (!authenticate) return { caller: { ...common, principal: undefined, id: null }, name: "", expiry: null };
    const principal = await authenticate(c);
    if (principal == null) return null;
    const id = options.principalId ? options.principalId(principal) : nameOf(principal);
    const expiry = options.expiresAt ? (options.expiresAt(principal)?.getTime() ?? null) : expiryOf(principal);
    if (expiry !== null && expiry <= now()) return null;
    return { caller: { ...common, principal, id, access: access?.(principal) }, name: id, expiry };
  }

  const app = new Hono<{ Variables: { called: Called; node: string } }>();
  /** The request is answered with an error. */
  const refuse = (c: Context, code: ErrorCode, message: string, details?: unknown) => {
    if (c.req.method === "POST" && c.req.path.endsWith("/push") && code !== "internal")
      onAudit(refusedPush((c.get("called") as Called | undefined)?.caller.id ?? null, c.get("node") ?? null, code));
    return answer(c, code, message, details);
  };
  app.onError((error, c) => {
    if (isGroveError(error) && STATUS[error.code] !== undefined) {
      node.observer.refused(c.get("node") ?? c.req.query("node") ?? "", error);
      return refuse(c, error.code, error.message, error.details);
    }
    onError(error);
    return answer(c, "internal", "Something failed inside the node. Its log has the cause.");
  });
  // Before anybody is asked who calls: whoever watches processes has no credentials.
  app.route("/", healthRouter(node));
  app.use(async (c, next) => {
    const called = await identify(c);
    if (!called) return refuse(c, "unauthenticated", "No valid credentials came with this request.");
    c.set("called", called);
    const wait = rate.take(called.name);
    if (wait === 0) return next();
    c.header("retry-after", String(Math.ceil(wait / 1000)));
    return refuse(c, "rate_limited", "Too many requests. Wait before the next.", { milliseconds: Math.ceil(wait) });
  });
  async function read<Schema extends z.ZodType>(
    c: Context,
    schema: Schema,
    check?: (json: unknown) => void,
  ): Promise<z.infer<Schema>> {
    // @hono/node-server hands over Node's own request, of which HTTP's parser counts the bytes.
    const isCounted = Boolean((c.env as { incoming?: unknown } | undefined)?.incoming);
    const json = await readJson(c.req.raw, limits, isCounted);
    const { node: named } = (json ?? {}) as { node?: unknown };
    if (typeof named === "string") c.set("node", named.slice(0, 64));
    check?.(json);
    return checkShape(schema, json);
  }
  app.post("/pull", async (c) => c.json(await node.pull(await read(c, pullRequestSchema), c.get("called"))));
  app.post("/digest", async (c) => c.json(await node.digest(await read(c, digestRequestSchema), c.get("called"))));
  app.post("/collection", async (c) =>
    c.json(await node.exchangeRounds(await read(c, collectionRequestSchema), c.get("called"))),
  );
  app.post("/push", async (c) => {
    const { caller } = c.get("called");
    const request = await read(c, pushRequestSchema, (json) => {
      const { rows } = (json ?? {}) as { rows?: unknown };
      if (!Array.isArray(rows) || rows.length <= limits.changes) return;
      const message = `The push has ${rows.length} rows; ${limits.changes} are taken at once.`;
      throw new GroveError("payload_too_large", message);
    });
    const onRefused: Caller["onRefused"] = (refused) => {
      if (refused.length > 0) onAudit(refusedRows(caller.id, request.node, refused));
    };
    const pushed = await node.push(request, { caller: { ...caller, onRefused } });
    return c.json({ ...pushed, outcomes: pushed.outcomes.map(withoutInternals) });
  });
  app.get("/stream", async (c, next) => {
    // Hono answers HEAD by what GET would answer, and drops the body: nobody could ever close that stream.
    if (c.req.method === "HEAD") return next();
    const { caller, name, expiry } = c.get("called");
    const request = streamRequest(c);
    const leave = streams.enter(name);
    if (!leave) return answer(c, "rate_limited", `${limits.streams} streams are open already. Close one of them.`);
    const closed = new AbortController();
    const stay = whenExpired(expiry, now, () => closed.abort(expired()));
    const end = () => {
      stay();
      leave();
    };
    closed.signal.addEventListener("abort", end, { once: true });
    try {
      const pages = await node.follow(request, {
        idle: streamPollInterval,
        keepAlive: streamKeepAlive,
        maxBuffer: streamBuffer,
        signal: closed.signal,
        caller,
        onFail: (error) => {
          if (!isGroveError(error) || error.code !== "slow_reader") onError(error);
          closed.abort(error);
        },
      });
      // Before the answer begins, so that a refusal still has a status.
      const { value: first } = await pages.next();
      if (first) {
        return c.body(eventStream(pages, first, closed, end), 200, {
          "content-type": "text/event-stream",
          "cache-control": "no-cache, no-transform",
          // Proxies of nginx's kind would hold events back.
          "x-accel-buffering": "no",
        });
      }
    } catch (error) {
      end();
      throw error;
    }
    end();
    return answer(c, "aborted", "The node is stopping.");
  });
  app.get("/history", async (c) => c.json(await node.history(historyRequest(c), c.get("called"))));
  app.get("/field-history", async (c) => c.json(await node.historyOfField(fieldHistoryRequest(c), c.get("called"))));
  app.all("*", (c) => answer(c, "not_found", `No ${c.req.method} ${c.req.path} here. ${errorCodes.not_found}`));
  return app as unknown as Hono;
}
