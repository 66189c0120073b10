// Messages of the sync protocol, version 1. docs/protocol.md says the same in prose.
//
//   POST /pull   what has the peer that I do not know?
//   POST /push   here is what you do not know; what became of it?
//   POST /digest do we hold the same?
//   POST /collection how far are we with forgetting deletions?
//   GET /stream  like a pull that never ends: pages as server-sent events, the cursor as event id
import { z } from "zod";
import { isMeasurable, isTooDeep } from "../canonical";
import type { RowChange } from "../change";
import { positionSchema } from "../cursor";
import { type ErrorCode, errorCodes, GroveError } from "../errors";
import type { Json } from "../model";
import { NODE_ID } from "../stamp";
import { MAX_ROUNDS, roundSchema } from "./rounds";

/** Raised when a message changes in a way that an older peer would misread. 1: first version. */
export const PROTOCOL_VERSION = 1;

/** Most rows and bytes (of JSON text) of a page, whoever asks. A single larger row still travels, alone. */
export const MAX_PAGE_ROWS = 10_000;
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;
export const DEFAULT_PAGE_ROWS = 1_000;
export const DEFAULT_PAGE_BYTES = 1024 * 1024;

/** Most former node ids that a push names: the latest ones. */
export const MAX_FORMER_IDS = 16;

const protocol = z.int();
const node = z.string().regex(NODE_ID);
/** Deletions stamped up to this, microseconds since 1970, are forgotten where the message comes from; omitted = 0, none are. */
const collected = z.int().min(0).optional();
const tables = z.array(z.string().min(1).max(256)).min(1).max(10_000);

// Rows come out of JSON.parse, so any value that is there is JSON; whatever is done with one later on is recursive.
const key = z
  .array(
    z.custom<Json>((value) => value !== undefined && !isTooDeep(value) && isMeasurable(value), "no value of a key"),
  )
  .min(1)
  .max(32)
  .readonly();
const table = z.string().min(1).max(256);
const rowKey = z.tuple([table, key]).readonly();
/** 128 bits as base64url: see {@link sumOf}. */
const sum = z.string().regex(/^[A-Za-z0-9_-]{22}$/);
const rowSum = z.tuple([table, key, sum]).readonly();

/** Of these tables only some rows, or some columns. */
const only = z
  .record(
    table,
    z.strictObject({
      keys: z.array(key).max(MAX_PAGE_ROWS).readonly().optional(),
      fields: z.array(z.string().min(1).max(256)).max(2_000).readonly().optional(),
    }),
  )
  .readonly();
export type Only = z.infer<typeof only>;

export const pullRequestSchema = z.strictObject({
  protocol,
  /** Who asks. */
  node,
  /** As the last answer gave it; null at first contact. */
  cursor: z
    .string()
    .max(1024 * 1024)
    .nullable(),
  collected,
  /** Where the asking node saw the answering one last; null or omitted at first contact. */
  seen: positionSchema.nullable().optional(),
  /** Where it had seen it before, in a history that the answering node turned out not to hold. */
  displaced: positionSchema.optional(),
  /** The asking node's clock, microseconds since 1970: said where it refused stamps of the answering one that lie ahead of it. */
  now: z.int().min(0).optional(),
  /** Names of the tables wanted; omitted = all. */
  tables: tables.optional(),
  /** Narrows what comes of a table; may change from one pull to the next, and what it left out before then comes. */
  only: only.optional(),
  /** Page bounds wanted; the peer may give less. `rows: 0` asks who is there and moves nothing. */
  rows: z.int().min(0).max(MAX_PAGE_ROWS).optional(),
  bytes: z.int().min(1).max(MAX_PAGE_BYTES).optional(),
  /** The asking node compares sums: rows that the answering one adopted may come as such. */
  sums: z.boolean().optional(),
  /** These rows whole, and nothing else; the cursor stays where it is. `more` in the answer: some did not fit. */
  want: z.array(rowKey).max(MAX_PAGE_ROWS).readonly().optional(),
});
/** The body of `POST /pull`. */
export type PullRequest = z.infer<typeof pullRequestSchema>;

/** What a stream is asked for, in the query; the cursor in `Last-Event-ID`, or in the query at first. */
export const streamRequestSchema = pullRequestSchema.pick({
  protocol: true,
  node: true,
  collected: true,
  cursor: true,
  seen: true,
  tables: true,
  only: true,
});
/** What opens an event stream, `GET /stream`: where to begin, and what of. */
export type StreamRequest = z.infer<typeof streamRequestSchema>;

/** Rows are checked one by one, so that one bad change never holds back its neighbours. */
export const pushRequestSchema = z.strictObject({
  protocol,
  node,
  collected,
  /** The ids that the pusher had before this one. */
  formerly: z.array(node).max(MAX_FORMER_IDS).readonly().optional(),
  /** Where the pusher stands in its own order of writes after this page. */
  at: positionSchema,
  /** Where the pusher saw the receiver last; null at first contact. */
  seen: positionSchema.nullable(),
  /** As in a pull. */
  displaced: positionSchema.optional(),
  /** The receiver has seen the pusher in a history that it does not hold: it was restored from a backup. */
  restored: z.literal(true).optional(),
  rows: z.array(z.unknown()).max(MAX_PAGE_ROWS),
  /** Rows that the pusher adopted and nobody has written since. */
  sums: z.array(rowSum).max(MAX_PAGE_ROWS).readonly().optional(),
});
/** The body of `POST /push`: a page of changed rows. */
export type PushRequest = Omit<z.infer<typeof pushRequestSchema>, "rows"> & { rows: readonly RowChange[] };

const answer = {
  protocol,
  /** Who answers. */
  node,
  at: positionSchema,
  /** Where the answering node saw the asking one last; null if never. */
  seen: positionSchema.nullable(),
  /** Where it had seen it before, in a history that the asking node turned out not to hold. */
  displaced: positionSchema.optional(),
  /** The answering node's clock, microseconds since 1970. */
  now: z.int().min(0),
  /** Names of all tables that the answering node syncs. */
  tables: z.array(z.string()),
  /** It keeps rows of tables that it does not have, and these are the tables of which it has some. */
  kept: z.array(z.string()).optional(),
  collected,
  /** A collection is under way: ask by `POST /collection`. */
  rounds: z.literal(true).optional(),
};

export const pullResponseSchema = z.object({
  ...answer,
  cursor: z.string(),
  /** Pull again at once: there is more. */
  more: z.boolean(),
  /** The cursor was of a history that this database no longer has; the answer begins anew. */
  reset: z.boolean().optional(),
  /** `seen` was of a history that this database does not hold: it was restored from a backup. */
  restored: z.literal(true).optional(),
  rows: z.array(z.unknown()),
  /** Rows that the answering node adopted and nobody has written since, if the request said that it compares them. */
  sums: z.array(rowSum).readonly().optional(),
});
/** The answer to `POST /pull`: a page of changed rows, and the cursor behind it. */
export type PullResponse = Omit<z.infer<typeof pullResponseSchema>, "rows"> & { rows: readonly RowChange[] };

/**
 * applied: changed this node. superseded: known already, or overruled. parked: kept, waits for something.
 * rejected: final, not kept. refused: not kept, and may be sent again later.
 */
export const outcomeSchema = z.object({
  outcome: z.enum(["applied", "superseded", "parked", "rejected", "refused"]),
  code: z.string().optional(),
  message: z.string().optional(),
  /** Of a rejection: the columns that it is about; the rest of the row was merged. Omitted = the whole row. */
  fields: z.array(z.string()).readonly().optional(),
});
/** What became of one row of a push. */
export type Outcome = z.infer<typeof outcomeSchema>;

export const pushResponseSchema = z.object({
  ...answer,
  /** `seen` was of a history that the receiver no longer has: push everything again. */
  reset: z.boolean().optional(),
  /** One for each row pushed, in order. */
  outcomes: z.array(outcomeSchema),
  /** Rows whose sums the receiver does not have: push them whole. */
  want: z.array(rowKey).readonly().optional(),
});
/** The answer to `POST /push`: what became of each of its rows, in their order, and which of them to send whole. */
export type PushResponse = z.infer<typeof pushResponseSchema>;

/** Digits of a hash tree's path: the root, a group, a leaf. */
const path = z.string().regex(/^[A-Za-z0-9_-]{0,2}$/);

export const digestRequestSchema = z.strictObject({
  protocol,
  node,
  collected,
  tables: tables.optional(),
  only: only.optional(),
  /** By table: what is asked for below these paths. Omitted = the groups of every table. */
  below: z.record(table, z.array(path).max(64 * 64)).optional(),
  /** Every row is read for the answer, whatever hashes the answering node keeps. */
  recount: z.boolean().optional(),
});
export type DigestRequest = z.infer<typeof digestRequestSchema>;

export const digestResponseSchema = z.object({
  ...answer,
  /** By table: the sums below the paths that were asked for, by path. */
  sums: z.record(table, z.record(path, sum)),
  /** By table: the rows in the leaves that were asked for, each with the sum of its state. */
  rows: z.record(table, z.array(z.tuple([key, sum]))),
  /** By table: the columns that the asking node sees, where it does not see all. */
  fields: z.record(table, z.array(z.string())).optional(),
});
export type DigestResponse = z.infer<typeof digestResponseSchema>;

const rounds = z.array(roundSchema).max(MAX_ROUNDS).readonly();

export const collectionRequestSchema = z.strictObject({
  protocol,
  node,
  collected,
  rounds,
  /** By round the closing states that the asking node has pushed everything of. */
  gave: z
    .array(z.tuple([z.string().max(64), z.array(z.string().max(64)).max(10_000).readonly()]).readonly())
    .max(MAX_ROUNDS)
    .readonly()
    .optional(),
});
export type CollectionRequest = z.infer<typeof collectionRequestSchema>;

export const collectionResponseSchema = z.object({
  ...answer,
  rounds,
  /** What a pull brings the asking node: all there is, what it may see of it, or what hooks leave of it. */
  view: z.enum(["whole", "part", "filtered"]),
});
export type CollectionResponse = z.infer<typeof collectionResponseSchema>;

export const errorResponseSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
});
export type ErrorResponse = z.infer<typeof errorResponseSchema>;

/** @throws GroveError `protocol_mismatch`, naming both versions */
export function checkProtocol(version: unknown): void {
  if (version === PROTOCOL_VERSION) return;
  throw new GroveError(
    "protocol_mismatch",
    `The peer speaks protocol ${String(version)}, this node speaks ${PROTOCOL_VERSION}. Upgrade the older one.`,
    {
      details: { theirs: version, ours: PROTOCOL_VERSION },
    },
  );
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code);
