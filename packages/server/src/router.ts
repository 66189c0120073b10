// The Hono router that serves a node: POST /pull, POST /push and GET /stream under the path where it is mounted.
import {
  checkProtocol,
  type ErrorCode,
  errorCodes,
  GroveError,
  isGroveError,
  pullRequestSchema,
  pushRequestSchema,
  type StreamRequest,
  streamRequestSchema,
} from "@grove-crdt/core";
import type { GroveNode } from "@grove-crdt/sync";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";
import { eventStream } from "./event-stream";

interface CommonOptions {
  /** Largest request body in bytes (default 8 MiB). */
  readonly maxBodyBytes?: number;
  /** Longest wait between two looks at the database while a stream is open and nothing is written, in milliseconds (default 1,000). */
  readonly streamPollInterval?: number;
  /** Milliseconds in silence after which a stream gets a sign of life (default 15,000). */
  readonly streamKeepAlive?: number;
  /** Bytes of pages that may wait for the reader of a stream (default 4 MiB). One that falls behind is closed, and resumes. */
  readonly streamBuffer?: number;
  /** Receives what went wrong inside; answers never carry it. Default: console.error. */
  readonly onError?: (error: unknown) => void;
}

/** Who may sync is never left open by accident: one of the two must be said. */
export type SyncRouterOptions<Principal> = CommonOptions &
  (
    | {
        /** Yields who calls, or null for nobody: then the answer is 401. */
        readonly authenticate: (c: Context) => Principal | null | Promise<Principal | null>;
        readonly insecureAllowAnonymous?: false;
      }
    | {
        /** Lets everybody read and write everything. Warns at start. */
        readonly insecureAllowAnonymous: true;
        readonly authenticate?: undefined;
      }
  );

type Status = 400 | 401 | 403 | 404 | 409 | 413 | 500 | 503;

const STATUS: Partial<Record<ErrorCode, Status>> = {
  bad_request: 400,
  bad_cursor: 400,
  unknown_table: 400,
  protocol_mismatch: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  self_peer: 409,
  payload_too_large: 413,
  aborted: 503,
  busy: 503,
  capture_missing: 503,
  capture_stale: 503,
  not_adopted: 503,
};

const answer = (c: Context, code: ErrorCode, message: string, details?: unknown) =>
  c.json({ error: { code, message, ...(details !== undefined && { details }) } }, STATUS[code] ?? 500);

async function body<Schema extends z.ZodType>(c: Context, schema: Schema): Promise<z.infer<Schema>> {
  let json: unknown;
  try {
    json = await c.req.json();
  } catch (cause) {
    if ((cause as Error).name === "BodyLimitError") throw cause;
    throw new GroveError("bad_request", "The request body is not JSON.", { cause });
  }
  return checkShape(schema, json);
}

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

/** The query of a stream; lists and positions in it are JSON. The cursor is the last event's id. */
function streamRequest(c: Context): StreamRequest {
  const { protocol, node, seen, tables, cursor } = c.req.query();
  const json = (name: string, text: string | undefined) => {
    try {
      return text === undefined ? undefined : (JSON.parse(text) as unknown);
    } catch (cause) {
      throw new GroveError("bad_request", `${name}: no JSON.`, { cause });
    }
  };
  return checkShape(streamRequestSchema, {
    protocol: json("protocol", protocol),
    node,
    cursor: c.req.header("last-event-id") ?? cursor ?? null,
    seen: json("seen", seen),
    tables: json("tables", tables),
  });
}

/**
 * A Hono app with the sync endpoints of `node`.
 *
 * @example
 * app.route("/sync", syncRouter(node, { authenticate: (c) => tokens.get(c.req.header("authorization") ?? "") ?? null }));
 */
export function syncRouter<Principal>(node: GroveNode, options: SyncRouterOptions<Principal>): Hono {
  const {
    maxBodyBytes = 8 * 1024 * 1024,
    streamPollInterval = 1_000,
    streamKeepAlive = 15_000,
    streamBuffer = 4 * 1024 * 1024,
    onError = (error) => console.error("grove-crdt:", error),
  } = options;
  const authenticate = options.authenticate;
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

  const app = new Hono();
  app.onError((error, c) => {
    if (isGroveError(error) && STATUS[error.code] !== undefined)
      return answer(c, error.code, error.message, error.details);
    onError(error);
    return answer(c, "internal", "Something failed inside the node. Its log has the cause.");
  });
  app.use(async (c, next) => {
    if (authenticate && (await authenticate(c)) == null) {
      return answer(c, "unauthenticated", "No valid credentials came with this request.");
    }
    return next();
  });
  app.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (c) => answer(c, "payload_too_large", `The body is larger than ${maxBodyBytes} bytes.`),
    }),
  );
  app.post("/pull", async (c) => c.json(await node.pull(await body(c, pullRequestSchema))));
  app.post("/push", async (c) => c.json(await node.push(await body(c, pushRequestSchema))));
  app.get("/stream", async (c) => {
    const request = streamRequest(c);
    const closed = new AbortController();
    const pages = await node.follow(request, {
      idle: streamPollInterval,
      keepAlive: streamKeepAlive,
      maxBuffer: streamBuffer,
      signal: closed.signal,
      onFail: (error) => {
        if (!isGroveError(error) || error.code !== "slow_reader") onError(error);
        closed.abort(error);
      },
    });
    // Before the answer begins, so that a refusal still has a status.
    const { value: first } = await pages.next();
    if (!first) return answer(c, "aborted", "The node is stopping.");
    return c.body(eventStream(pages, first, closed), 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      // Proxies of nginx's kind would hold events back.
      "x-accel-buffering": "no",
    });
  });
  app.all("*", (c) => answer(c, "not_found", `No ${c.req.method} ${c.req.path} here. ${errorCodes.not_found}`));
  return app;
}
