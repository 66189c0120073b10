// What docs/errors.md says of each code beyond its sentence in core: who meets it, whether it passes by itself, and what to do.
// A code without an entry does not compile.
import type { ErrorCode } from "@grove-crdt/core";

/** Who meets an error, and how. */
export type Meeting =
  /** A command prints it and ends with another exit code than 0. */
  | "command"
  /** A call of the program throws it. */
  | "call"
  /** A router answers a request with it. */
  | "answer"
  /** It is the error of an exchange: in reports, `syncer.status()` and the log. */
  | "exchange"
  /** It is the outcome of one change, for whoever sent it. */
  | "outcome";

export interface Entry {
  readonly group: "Generating" | "Opening a database" | "Peers and exchanges" | "Requests" | "Changes" | "At work";
  readonly met: readonly Meeting[];
  /** Whether waiting is enough: the syncer tries again, or the row is shown when it can be. */
  readonly passes: boolean;
  /** What to do, step by step; more than the sentence says. */
  readonly cure: string;
}

export const errorEntries = {
  schema_invalid: {
    group: "Generating",
    met: ["command"],
    passes: false,
    cure: "All problems are listed at once, each with its cure. Change the schema and run `npx grove-crdt generate` again; nothing was written.",
  },
  schema_load_failed: {
    group: "Generating",
    met: ["command"],
    passes: false,
    cure: "Look at the cause below the message: most often a syntax error, a package that is not installed, or a wrong path in `drizzle.config.ts`.",
  },
  generated_stale: {
    group: "Generating",
    met: ["command"],
    passes: false,
    cure: "In CI this means that somebody changed the schema and did not commit `generated/`. Generate, look at the difference, commit it.",
  },
  kit_failed: {
    group: "Generating",
    met: ["command"],
    passes: false,
    cure: "Run drizzle-kit by itself to see all that it says. The generated files are written already; the migrations are not.",
  },
  migrations_invalid: {
    group: "Generating",
    met: ["command"],
    passes: false,
    cure: "Mend the named file by hand or by drizzle-kit. [migrations.md](migrations.md) says how the two work together.",
  },
  capture_missing: {
    group: "Opening a database",
    met: ["command", "call", "answer"],
    passes: false,
    cure: "Most often the program opened another database than the migrations did, or a table was made anew. On a node that serves, answers are 503 until then.",
  },
  capture_stale: {
    group: "Opening a database",
    met: ["call", "answer"],
    passes: false,
    cure: "The program and the database are of different releases. Migrate the database first, then start the program; the message names tables and triggers that differ.",
  },
  not_adopted: {
    group: "Opening a database",
    met: ["call", "answer"],
    passes: false,
    cure: "Adopting runs beside the application and may be interrupted: [adopting.md](adopting.md).",
  },
  unsupported_database: {
    group: "Opening a database",
    met: ["call", "command"],
    passes: false,
    cure: "Upgrade the server, or change the named setting. Postgres 14 or later is needed.",
  },
  unsupported_table: {
    group: "Opening a database",
    met: ["call", "command"],
    passes: false,
    cure: "Change each named table as the message says, or leave it out of `tables`.",
  },
  node_id_invalid: {
    group: "Opening a database",
    met: ["call", "command"],
    passes: false,
    cure: "Use small letters, digits, `.`, `_` and `-`, at most 63 of them, a letter or digit first. Or leave the id out: then one is drawn.",
  },
  node_id_mismatch: {
    group: "Opening a database",
    met: ["call", "command"],
    passes: false,
    cure: "A database keeps its id for good. If it is a copy that should be a node of its own: `npx grove-crdt fork`.",
  },
  unknown_table: {
    group: "Opening a database",
    met: ["call", "answer", "exchange", "outcome"],
    passes: false,
    cure: "Compare the name with `node.tables`; it is the database's name, not the property of the schema. A principal gets this answer as well for a table that it may not see.",
  },
  bad_request: {
    group: "Requests",
    met: ["call", "command", "answer"],
    passes: false,
    cure: "From a call or a command: an option is missing or does not go with another. From a router: the client is not written after [protocol.md](protocol.md).",
  },
  bad_change: {
    group: "Changes",
    met: ["outcome", "call"],
    passes: false,
    cure: "Of a grove-crdt node this is a bug worth a report. In a client of your own, compare the change with [protocol.md](protocol.md).",
  },
  bad_value: {
    group: "Changes",
    met: ["outcome", "call"],
    passes: false,
    cure: "The two schemas declare the column differently, or a counter went out of its range. Make the schemas equal; then `node.retry(id)` sends the change again, or `node.revert(id)` takes the peer's value.",
  },
  bad_cursor: {
    group: "Requests",
    met: ["answer", "exchange"],
    passes: false,
    cure: "A client sent as its cursor what no node gave it. Cursors are opaque: keep them as they come.",
  },
  protocol_mismatch: {
    group: "Peers and exchanges",
    met: ["exchange", "answer"],
    passes: false,
    cure: "Nothing is lost meanwhile: each node goes on by itself, and what it wrote goes out once both speak the same version.",
  },
  payload_too_large: {
    group: "Requests",
    met: ["answer", "outcome"],
    passes: false,
    cure: "A syncer halves its pages by itself. One row that is still too large is kept as rejected; raise `limits` of the router, then `node.retry(id)`.",
  },
  timeout: {
    group: "Requests",
    met: ["answer", "exchange"],
    passes: true,
    cure: "If it comes again and again, the line is too slow for the pages: lower `pageBytes` of the syncer, or raise `limits.bodyTimeout` of the router.",
  },
  rate_limited: {
    group: "Requests",
    met: ["answer", "exchange"],
    passes: true,
    cure: "`retry-after` says how long to wait. Where a principal stands for many devices, give each its own, or raise `limits.rate` and `limits.streams`.",
  },
  unauthenticated: {
    group: "Requests",
    met: ["answer", "exchange"],
    passes: false,
    cure: "Give the transport `headers`, as a function, so that a token which expires is replaced. Streams end when their principal does.",
  },
  forbidden: {
    group: "Changes",
    met: ["outcome", "answer", "call"],
    passes: false,
    cure: "`node.rejected()` at the writer lists the changes. Widen the principal's scope and `node.retry(id)`, or give it up by `node.revert(id)`: [security.md](security.md). From a Postgres of your own: the role lacks a privilege that the message names.",
  },
  node_id_taken: {
    group: "Peers and exchanges",
    met: ["exchange", "answer"],
    passes: false,
    cure: "Two devices under one node id: give one a database of its own. A device that changed hands: `node.release(id)` at the peer.",
  },
  hook_failed: {
    group: "Changes",
    met: ["outcome"],
    passes: false,
    cure: "The peer's log has what the hook threw. When it is mended, `node.retry(id)` at the writer sends the change again: [hooks.md](hooks.md).",
  },
  skipped: {
    group: "Changes",
    met: ["outcome"],
    passes: false,
    cure: "Nothing, if the hook is meant to leave it out. `node.rejected()` at the writer lists what was skipped.",
  },
  not_connected: {
    group: "Peers and exchanges",
    met: ["call"],
    passes: false,
    cure: "Create a syncer with a transport to that peer in the same process, call `syncer.sync()` once, then call again.",
  },
  no_rejection: {
    group: "Changes",
    met: ["call", "command"],
    passes: false,
    cure: "List `node.rejected()` again: the row may have been written anew since, and taken.",
  },
  not_found: {
    group: "Requests",
    met: ["answer", "exchange"],
    passes: false,
    cure: 'Compare the transport\'s address with the path under which the router is mounted: `httpTransport("https://host/sync")` for `app.route("/sync", …)`.',
  },
  clock_drift: {
    group: "Peers and exchanges",
    met: ["outcome", "exchange"],
    passes: true,
    cure: "Turn on time synchronisation at the node whose clock is ahead; the message says by how much. What it wrote meanwhile gets stamps of its true time, and goes out.",
  },
  wrong_node: {
    group: "Peers and exchanges",
    met: ["exchange"],
    passes: true,
    cure: "Where another database was put behind the address on purpose, nothing: the next exchange begins with it anew. Several hubs behind one address must share one database.",
  },
  self_peer: {
    group: "Peers and exchanges",
    met: ["exchange", "answer"],
    passes: false,
    cure: "Take the node's own address out of `peers`. If one database is a copy of the other: `npx grove-crdt fork` on the copy.",
  },
  forked: {
    group: "Peers and exchanges",
    met: ["exchange", "answer"],
    passes: false,
    cure: "Stop both programs, run `npx grove-crdt fork` on the copy, start both. What either wrote is kept: [backups.md](backups.md).",
  },
  collecting: {
    group: "Peers and exchanges",
    met: ["exchange", "answer", "call", "command"],
    passes: true,
    cure: "A node that stays away holds a collection up; strike it off where it will not be back: [collections.md](collections.md).",
  },
  not_collected: {
    group: "Peers and exchanges",
    met: ["exchange", "answer"],
    passes: true,
    cure: "Nothing between grove-crdt nodes. A client of your own asks `POST /collection` first: [protocol.md](protocol.md).",
  },
  struck_off: {
    group: "Peers and exchanges",
    met: ["exchange", "answer", "call"],
    passes: false,
    cure: "Call `syncer.rejoin()` at the node that was struck off, while its application writes nothing. If all who carried the collection out are gone, `npx grove-crdt gc --cancel` on those that are left: [collections.md](collections.md).",
  },
  no_history: {
    group: "At work",
    met: ["call", "answer"],
    passes: false,
    cure: "History is kept from the moment on at which it is asked for. Until then `node.inspect()` says who wrote a column last, and when.",
  },
  history_gone: {
    group: "At work",
    met: ["call", "answer"],
    passes: false,
    cure: "What was dropped does not come back. Keep more: by age or by depth, in `groveCrdt({ history })`.",
  },
  constraint: {
    group: "Changes",
    met: ["outcome"],
    passes: true,
    cure: "`node.parked()` has the database's message. A CHECK or trigger that one database has and the other has not is the usual reason: make the schemas equal.",
  },
  unique: {
    group: "Changes",
    met: ["outcome"],
    passes: true,
    cure: "Change the key in one of the two rows, on any node. The one that took the key first is shown everywhere.",
  },
  reference: {
    group: "Changes",
    met: ["outcome"],
    passes: true,
    cure: "Most often the other row is on its way. If it was deleted, give this one another parent, or delete it.",
  },
  busy: {
    group: "At work",
    met: ["call", "outcome", "answer"],
    passes: true,
    cure: "Look for a transaction that stays open: an idle one in Postgres, another process that writes to the SQLite file.",
  },
  slow_reader: {
    group: "At work",
    met: ["answer"],
    passes: true,
    cure: "It resumes by itself. If it never catches up, its line is slower than what is written: narrow `tables`, or raise `streamBuffer` of the router.",
  },
  transport: {
    group: "Peers and exchanges",
    met: ["exchange", "call"],
    passes: true,
    cure: "The cause says what the line or the answer was. A proxy in between that answers in HTML, or holds events back, shows here.",
  },
  aborted: {
    group: "At work",
    met: ["call", "answer"],
    passes: true,
    cure: "Nothing: whoever aborted knows why. As an answer (503) the node is stopping; the caller tries again.",
  },
  internal: {
    group: "At work",
    met: ["answer", "exchange", "call"],
    passes: false,
    cure: "Read the log of the node that answered so: `logger`, or `onError` of the router ([observability.md](observability.md)). A peer's syncer tries again meanwhile.",
  },
} as const satisfies Record<ErrorCode, Entry>;
