// Rounds of collection as they travel; see collection/round.ts.
import { z } from "zod";
import type { Round } from "../collection/round";
import { NODE_ID } from "../stamp";

const node = z.string().regex(NODE_ID);
const nodes = z.array(node).max(10_000).readonly();
const clock = z.int().min(0);
/** An incarnation, or a round's own name. */
const id = z.string().regex(/^[a-z0-9]{1,32}$/);
const name = z.string().min(1).max(256);
const names = z.array(name).max(2_000).readonly();

const member = z.strictObject({
  node,
  version: z.int().min(1),
  closing: z.union([id, z.literal("")]),
  clock,
  peers: nodes,
  has: z.array(id).max(10_000).readonly(),
  narrowed: z.boolean(),
  ready: z.boolean(),
  partial: z.literal(true).optional(),
  tables: z
    .array(z.tuple([name, names.nullable()]).readonly())
    .max(10_000)
    .readonly(),
});

const verdict = z.strictObject({
  tables: z
    .array(z.tuple([name, names]).readonly())
    .max(10_000)
    .readonly(),
  closings: z
    .array(z.tuple([node, id, clock]).readonly())
    .max(10_000)
    .readonly(),
});

export const roundSchema: z.ZodType<Round> = z.strictObject({
  id,
  by: node,
  began: clock,
  upTo: clock,
  struck: nodes,
  members: z.array(member).max(10_000).readonly(),
  verdict: verdict.optional(),
  cancelled: z.literal(true).optional(),
});

/** Most rounds that are told of at once: those under way, and the last one that ended. */
export const MAX_ROUNDS = 16;
