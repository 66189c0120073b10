// JSON Web Tokens as credentials: an `authenticate` for the router. jose verifies them; here is what must never be left to
// the token, its algorithm before all, and which failures are the caller's.
import { GroveError } from "@grove-crdt/core";
import type { Context } from "hono";
import {
  base64url,
  createRemoteJWKSet,
  errors,
  type JWK,
  type JWSAlgorithm,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
  type KeyInput,
} from "jose";
import { readBearer } from "./bearer";

interface CommonOptions {
  /**
   * HS*: the shared secret, as text or bytes, at least 32 bytes. Else the public key, as CryptoKey, KeyObject or JWK, or the
   * https address of a JSON Web Key Set. It is fetched when a token needs it, kept for ten minutes, and for an unknown key
   * asked again twice a minute at most.
   */
  readonly key: string | URL | KeyInput;
  /** The one algorithm that tokens are signed with. A token of another is refused, whatever its header says. */
  readonly algorithm: JWSAlgorithm;
  /** Whom a token must be meant for: one of these is among its `aud`. */
  readonly audience: string | readonly string[];
  /** Who must have issued it: its `iss` is one of these. Omitted = anybody who has the key. */
  readonly issuer?: string | readonly string[];
  /** Seconds that the clock of the issuer may differ from ours (default 5). */
  readonly clockTolerance?: number;
}

/** Which tokens are taken, and what is a principal in them. */
export interface JsonWebTokenOptions<Principal> extends CommonOptions {
  /** Claims that were verified to who calls; null for nobody. Default: the claims themselves. */
  readonly principal: (claims: JWTPayload) => Principal | null | Promise<Principal | null>;
}

/** Every algorithm that jose verifies; a type says nothing to who writes JavaScript. */
const ALGORITHMS: Record<JWSAlgorithm, "secret" | "public"> = {
  HS256: "secret",
  HS384: "secret",
  HS512: "secret",
  RS256: "public",
  RS384: "public",
  RS512: "public",
  PS256: "public",
  PS384: "public",
  PS512: "public",
  ES256: "public",
  ES384: "public",
  ES512: "public",
  EdDSA: "public",
  Ed25519: "public",
  "ML-DSA-44": "public",
  "ML-DSA-65": "public",
  "ML-DSA-87": "public",
};
/** Bytes; a shorter secret can be found from one token, at leisure. */
const SHORTEST_SECRET = 32;

/** What a token can be wrong in. All else is a fault of ours, or of the key set. */
const REFUSALS = [
  errors.JWSInvalid,
  errors.JWTInvalid,
  errors.JOSEAlgNotAllowed,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWKSNoMatchingKey,
  // An extension that the token calls critical.
  errors.JOSENotSupported,
];
const isRefusal = (error: unknown) => REFUSALS.some((refusal) => error instanceof refusal);

/**
 * An `authenticate` for the router: verifies the token of `Authorization: Bearer <token>`. Signature, algorithm, `aud`, `exp`
 * (which must be there), `nbf` and `iss` must be right, else nobody calls. It rejects, so that the router answers 500 and
 * tells `onError`, when `principal` does, when the key set cannot be fetched, and when the key does not fit the algorithm.
 *
 * @throws GroveError `bad_request` at once when an option is missing or unsafe; the message names the cure
 * @example
 * const key = new URL("https://login.example.com/.well-known/jwks.json");
 * const principal = ({ sub }) => (sub ? { user: sub } : null);
 * syncRouter(node, { authenticate: jsonWebToken({ key, algorithm: "RS256", audience: "sync", principal }) });
 */
export function jsonWebToken(
  options: CommonOptions & { readonly principal?: undefined },
): (c: Context) => Promise<JWTPayload | null>;
export function jsonWebToken<Principal>(
  options: JsonWebTokenOptions<Principal>,
): (c: Context) => Promise<Principal | null>;
export function jsonWebToken(
  options: CommonOptions & Partial<JsonWebTokenOptions<unknown>>,
): (c: Context) => Promise<unknown> {
  const { algorithm, principal = (claims) => claims } = options;
  if (typeof algorithm !== "string" || !Object.hasOwn(ALGORITHMS, algorithm)) {
    throw refuse(`\`algorithm\` must be one of ${Object.keys(ALGORITHMS).join(", ")}.`);
  }
  const checks: JWTVerifyOptions = {
    algorithms: [algorithm],
    audience: names("audience", options.audience),
    issuer: options.issuer === undefined ? undefined : names("issuer", options.issuer),
    clockTolerance: tolerance(options.clockTolerance),
    requiredClaims: ["exp"],
  };
  const verify = verifier(options.key, algorithm, checks);
  return async (c) => {
    const token = readBearer(c);
    if (token === null) return null;
    let claims: JWTPayload;
    try {
      claims = await verify(token);
    } catch (error) {
      if (isRefusal(error)) return null;
      throw error;
    }
    return (await principal(claims)) ?? null;
  };
}

type Verify = (token: string) => Promise<JWTPayload>;

function verifier(key: CommonOptions["key"], algorithm: JWSAlgorithm, checks: JWTVerifyOptions): Verify {
  const needed = ALGORITHMS[algorithm];
  const kind = kindOf(key);
  if (kind !== needed && !(kind === "remote" && needed === "public")) {
    throw refuse(
      needed === "secret"
        ? `${algorithm} needs \`key\` to be the shared secret. For a key pair or a key set name its own algorithm.`
        : `${algorithm} needs \`key\` to be the public key: a CryptoKey (see importSPKI of jose), a JWK, or the URL of a key set.`,
    );
  }
  if (key instanceof URL) return remoteVerifier(key, checks);
  const usable = typeof key === "string" ? new TextEncoder().encode(key) : isJwk(key) ? { ...key } : key;
  if (needed === "secret") checkSecret(usable);
  return async (token) => (await jwtVerify(token, usable, checks)).payload;
}

function remoteVerifier(url: URL, checks: JWTVerifyOptions): Verify {
  if (!/^https?:$/.test(url.protocol)) throw refuse("`key` must be an https address.");
  const keys = createRemoteJWKSet(url);
  return async (token) => {
    try {
      return (await jwtVerify(token, keys, checks)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // A token need not name its key. Then each that it could be signed with is tried.
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, checks)).payload;
        } catch (wrong) {
          if (!(wrong instanceof errors.JWSSignatureVerificationFailed)) throw wrong;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  };
}

const isJwk = (key: object): key is JWK => "kty" in key;

function kindOf(key: CommonOptions["key"] | null | undefined): string {
  if (key === null || key === undefined || key === "")
    throw refuse("`key` is missing. Is its environment variable set?");
  if (key instanceof URL) return "remote";
  if (typeof key === "string" || key instanceof Uint8Array) return "secret";
  if (typeof key !== "object") return typeof key;
  if (!isJwk(key)) return key.type;
  if (key.kty === "oct") return "secret";
  return "d" in key || "priv" in key ? "private" : "public";
}

function checkSecret(key: KeyInput): void {
  // A public key in its place is known to everybody, who could then sign.
  if (key instanceof Uint8Array && new TextDecoder().decode(key).includes("-----BEGIN ")) {
    throw refuse("`key` is a PEM key, not a shared secret. Name the algorithm of the key pair and import it first.");
  }
  if (!(secretLength(key) >= SHORTEST_SECRET)) {
    throw refuse(
      `\`key\` must be a secret of at least ${SHORTEST_SECRET} bytes. Make one, for example by \`openssl rand -hex 32\`.`,
    );
  }
}

/** Bytes; NaN when it cannot be told. */
function secretLength(key: KeyInput): number {
  if (key instanceof Uint8Array) return key.length;
  if (isJwk(key)) return typeof key.k === "string" ? base64url.decode(key.k).length : Number.NaN;
  const { symmetricKeySize, algorithm } = key as { symmetricKeySize?: number; algorithm?: { length?: number } };
  return symmetricKeySize ?? Number(algorithm?.length) / 8;
}

function names(option: string, value: unknown): string[] {
  const list = Array.isArray(value) ? [...value] : [value];
  if (list.length === 0 || list.some((name) => typeof name !== "string" || name === "")) {
    throw refuse(`\`${option}\` must be a name, or a list of names, none of them empty.`);
  }
  return list;
}

function tolerance(seconds = 5): number {
  if (!(Number.isFinite(seconds) && seconds >= 0)) throw refuse("`clockTolerance` must be seconds, 0 or more.");
  return seconds;
}

const refuse = (text: string) => new GroveError("bad_request", `jsonWebToken: ${text}`);
