// The Hono router that serves a node: POST /pull and POST /push under the path where it is mounted.
import {
  checkProtocol,
  type ErrorCode,
  GroveError,
  isGroveError,
  pullRequestSchema,
  pushRequestSchema,
} from "@grove-crdt/core";
import type { GroveNode } from "@grove-crdt/sync";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { z } from "zod";

interface CommonOptions {
  /** Largest request body in bytes (default 8 MiB). */
  readonly maxBodyBytes?: number;
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

/**
 * A Hono app with the sync endpoints of `node`.
 *
 * @example
 * app.route("/sync", syncRouter(node, { authenticate: (c) => tokens.get(c.req.header("authorization") ?? "") ?? null }));
 */
export function syncRouter<Principal>(node: GroveNode, options: SyncRouterOptions<Principal>): Hono {
  const { maxBodyBytes = 8 * 1024 * 1024, onError = (error) => console.error("grove-crdt:", error) } = options;
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
  app.all("*", (c) =>
    answer(c, "not_found", `No ${c.req.method} ${c.req.path} here. The router serves POST /pull and POST /push.`),
  );
  return app;
}
