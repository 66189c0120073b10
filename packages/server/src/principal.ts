// Principal: who calls. What the router needs to know of one: a name that stays, and until when it is valid.
import { GroveError } from "@grove-crdt/core";

/** A text that names the principal for good: itself, or its `id` or `sub`. @throws Error when it has none */
export function nameOf(principal: unknown): string {
  if (typeof principal === "string" || typeof principal === "number") return String(principal);
  const { id, sub } = (principal ?? {}) as { id?: unknown; sub?: unknown };
  for (const name of [id, sub]) if (typeof name === "string" || typeof name === "number") return String(name);
  throw new Error(
    "syncRouter: the principal is no text and has neither `id` nor `sub`. Say how it is named: `principalId: (principal) => …`.",
  );
}

/** Milliseconds since 1970: a JWT's `exp`, which is in seconds; null = it does not expire. */
export function expiryOf(principal: unknown): number | null {
  const { exp } = (typeof principal === "object" && principal !== null ? principal : {}) as { exp?: unknown };
  return typeof exp === "number" ? exp * 1000 : null;
}

/** Longest that a timer runs. */
const MAX_TIMEOUT = 2 ** 31 - 1;

export const expired = (): GroveError => new GroveError("unauthenticated", "The credentials have expired.");

/** Calls `end` once the time has come. Returns how to call it off. */
export function whenExpired(expiry: number | null, now: () => number, end: () => void): () => void {
  if (expiry === null) return () => {};
  let timer: ReturnType<typeof setTimeout>;
  const wait = () => {
    const left = expiry - now();
    if (left <= 0) return end();
    timer = setTimeout(wait, Math.min(left, MAX_TIMEOUT));
    (timer as { unref?: () => void }).unref?.();
  };
  wait();
  return () => clearTimeout(timer);
}
