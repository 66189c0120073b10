// Bearer tokens that the operator hands out: an `authenticate` for the router. What an answer took tells nothing about them:
// digests of one length are compared, all of them each time.
import { GroveError } from "@grove-crdt/core";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Context } from "hono";

/** Guessing a token of fewer characters is within reach. */
const SHORTEST = 16;
/** What a header can carry between two spaces. RFC 6750 allows less, but its clients send this. */
const SENDABLE = /^[\x21-\x7e]+$/;

const digest = (token: string) => sha256(new TextEncoder().encode(token));

/** The token of `Authorization: Bearer <token>`; null when there is none. The scheme is case-insensitive (RFC 6750, 9110). */
export function readBearer(c: Context): string | null {
  return /^Bearer +([\x21-\x7e]+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? null;
}

/**
 * An `authenticate` for the router: who calls is the principal of the token that came, or null.
 *
 * @param tokens token to principal, read once. A token has at least 16 characters, all printable ASCII without spaces.
 * @throws GroveError `bad_request` at once when there are no tokens, or one is empty, too short or cannot be sent
 * @example
 * syncRouter(node, { authenticate: bearerTokens({ [process.env.SHOP_TOKEN]: "shop" }) });
 */
export function bearerTokens<Principal>(
  tokens: Readonly<Record<string, Principal>> | ReadonlyMap<string, Principal>,
): (c: Context) => Principal | null {
  const entries = tokens instanceof Map ? [...tokens] : Object.entries(tokens as Readonly<Record<string, Principal>>);
  if (entries.length === 0) {
    throw new GroveError(
      "bad_request",
      "bearerTokens: no tokens. Name at least one, with the principal that it stands for.",
    );
  }
  const known = entries.map(([token, principal], index) => {
    check(token, `token ${index + 1} of ${entries.length}`);
    return { digest: digest(token), principal };
  });
  return (c) => {
    const token = readBearer(c);
    if (token === null) return null;
    const given = digest(token);
    // Neither a branch nor an early end: the time is the same for each token, and for none.
    let found = 0;
    for (let index = 0; index < known.length; index++) {
      found |= (index + 1) & allOnesIfEqual(known[index]!.digest, given);
    }
    return found === 0 ? null : known[found - 1]!.principal;
  };
}

/** The message says which token it is by its place: its text is a secret. */
function check(token: unknown, which: string): void {
  const cure = `Use at least ${SHORTEST} random characters, for example \`openssl rand -hex 32\`.`;
  if (typeof token !== "string" || token.length < SHORTEST) {
    throw new GroveError("bad_request", `bearerTokens: ${which} is ${token === "" ? "empty" : "too short"}. ${cure}`);
  }
  if (!SENDABLE.test(token)) {
    throw new GroveError("bad_request", `bearerTokens: ${which} has characters that no header can carry. ${cure}`);
  }
}

/** -1, which has every bit set, for equal digests; else 0. */
function allOnesIfEqual(a: Uint8Array, b: Uint8Array): number {
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!;
  // Between 0 and 255, so that only 0 becomes negative.
  return (difference - 1) >> 31;
}
