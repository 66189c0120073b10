// Who may sync: whoever knows the token that all nodes of an example share.
import { timingSafeEqual } from "node:crypto";
import type { Context } from "hono";

if (!process.env.SYNC_TOKEN) throw new Error("SYNC_TOKEN is not set.");
const bearer = `Bearer ${process.env.SYNC_TOKEN}`;

export const headers = () => ({ authorization: bearer });

export function authenticate(c: Context) {
  const [given, expected] = [Buffer.from(c.req.header("authorization") ?? ""), Buffer.from(bearer)];
  return given.length === expected.length && timingSafeEqual(given, expected) ? "node" : null;
}
