// Every error that grove-crdt throws or answers carries one of these codes. Tests check codes, never texts.

/** Code to the sentence that says what it means and what to do. The documentation page is made from this list. */
export const errorCodes = {
  schema_invalid: "The schema cannot be replicated as it is. Each problem names table, column and cure.",
  schema_load_failed: "The config or schema file could not be loaded. Fix the file named in the message.",
  generated_stale: "The files in generated/ do not match the schema. Run `npx grove-crdt generate`.",
  kit_failed: "drizzle-kit failed. The message says how; mend it, then run `npx grove-crdt generate` again.",
  migrations_invalid: "The migrations cannot carry the capture as they are. The message names the file and the cure.",
  capture_missing:
    "Shadow tables or capture triggers are missing. Call `node.ensureShadowTables()` or run the generated migrations.",
  capture_stale:
    "The installed capture is not the generated one. Call `node.ensureShadowTables()` or run the generated migrations.",
  not_adopted:
    "Tables hold rows from before capture, or values of a column that was added since, which were never looked at. Run `npx grove-crdt adopt`, or call `node.adopt()`.",
  unsupported_database: "The database server cannot be a node as it is. The message names what it lacks.",
  unsupported_table: "A table of this database cannot be synced as it is. The message names each and its cure.",
  node_id_invalid: "A node id matches [a-z0-9][a-z0-9._-]{0,62}.",
  node_id_mismatch: "The database belongs to another node id. Drop the configured id, or open the right database.",
  unknown_table: "The table is not in the registry. Annotate it and generate, or leave it out of `tables`.",
  bad_request: "The request is not of the documented shape. `details` names the path.",
  bad_change: "The change is not of the documented shape. It was not applied; `details` names the path.",
  bad_value: "The value does not fit the column's kind. It was not applied.",
  bad_cursor: "The cursor was not issued by a grove-crdt node. Start again without one.",
  protocol_mismatch: "The peers speak different protocol versions. Upgrade the older one.",
  payload_too_large: "The request, or a value in it, is larger than the router accepts. Send smaller pages.",
  timeout: "The request did not arrive in time. Send it again.",
  rate_limited: "This principal asks too often, or has too many streams. Wait as long as the answer says.",
  unauthenticated: "`authenticate` returned no principal for this request.",
  forbidden: "The principal may not do this. The change is kept where it was written.",
  node_id_taken: "The node id belongs to another principal. Use the database's own id, or release the id at the peer.",
  hook_failed: "A hook threw, took too long, or returned what is no change. The change was not applied; the rest was.",
  skipped: "A hook of the peer does not take this change. It is kept where it was written.",
  not_connected: "No syncer of this process has met the peer. Create one with its transport and let it sync first.",
  no_rejection: "There is no such rejected change; it may have been settled meanwhile. See node.rejected().",
  not_found:
    "No such endpoint. The router serves POST /pull, POST /push, POST /digest, POST /collection, GET /stream, GET /history and GET /field-history.",
  clock_drift:
    "A stamp lies further ahead than `maxClockDrift`. Correct the clock of the node that wrote it; the change is kept there, and sent once the clock is right.",
  wrong_node: "The peer at this address is not the node that it was. Check the address.",
  self_peer: "The peer is this very node, or a copy of its database. Give the copy an identity of its own.",
  forked:
    "Two databases sync under one node id: one is a copy of the other. Give the copy an id of its own: `npx grove-crdt fork`, or `node.fork()`.",
  collecting:
    "Deletions are being collected, and this has to wait until that has ended. `npx grove-crdt gc --status` tells for whom it waits.",
  not_collected:
    "The two nodes have not forgotten the same deletions. The next exchange settles it; a client tells by `POST /collection` what it knows.",
  struck_off:
    "Deletions were forgotten that this node has not heard of, so what it holds would bring deleted rows back. Call `syncer.rejoin()`: it begins anew from a peer's rows and keeps what was never sent.",
  no_history:
    "No history is kept of this table. Ask for it in drizzle.config.ts, groveCrdt({ history: { … } }), and run `npx grove-crdt generate`.",
  history_gone:
    "What is kept of the row's history does not reach so far back: it was bounded, or begun later. Ask for a later time.",
  constraint: "A constraint of the user's table keeps the row out. It waits in the shadow and is tried again.",
  unique:
    "Another row took a unique key first and keeps it, on every node. The row waits in the shadow and is shown when the key is free.",
  reference:
    "A row that this one refers to is not there: not yet, or no more. The row waits in the shadow and is shown when it can be.",
  busy: "The database stayed locked. The operation was rolled back and may be tried again.",
  slow_reader: "The reader of a stream did not keep up and was let go. It resumes where it was.",
  transport: "The peer could not be reached or did not answer as documented.",
  aborted: "The operation was aborted by its signal.",
  internal: "Something failed inside the node. The cause is in its log, never in the answer.",
} as const;

/** One of the stable codes above: programs decide by it, people read the message beside it. Each has an entry in docs/errors.md. */
export type ErrorCode = keyof typeof errorCodes;

/** An error with a code from {@link errorCodes}; `details` is plain data that may be shown to the caller. */
export class GroveError extends Error {
  override readonly name = "GroveError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { details?: unknown; cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.details = options?.details;
  }
  readonly details?: unknown;
}

/** True for an error of ours, also when a second copy of the package is loaded. */
export function isGroveError(error: unknown): error is GroveError {
  return (
    error instanceof Error && error.name === "GroveError" && typeof (error as { code?: unknown }).code === "string"
  );
}
