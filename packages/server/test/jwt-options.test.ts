// Which options of jsonWebToken are refused at once, because a server that runs with them lets in more than it should.
import { isGroveError } from "@grove-crdt/core";
import { base64url, exportJWK, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";
import { jsonWebToken } from "../src/jwt";

const SECRET = "0123456789abcdef0123456789abcdef";
const secret = new TextEncoder().encode(SECRET);
const shared = { key: SECRET, algorithm: "HS256", audience: "sync" } as const;
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isGroveError(error) ? error.code : String(error);
  }
  return undefined;
}

describe("refused at once:", () => {
  const good = { key: SECRET, algorithm: "HS256", audience: "sync" };
  test.each<[string, object]>([
    ["no key", { key: undefined }],
    ["a key that is null", { key: null }],
    ["a key that is empty", { key: "" }],
    ["31 bytes of secret", { key: SECRET.slice(1) }],
    ["31 bytes of secret as bytes", { key: secret.subarray(1) }],
    ["31 bytes of secret as JWK", { key: { kty: "oct", k: base64url.encode(secret.subarray(1)) } }],
    ["a JWK without a secret", { key: { kty: "oct" } }],
    ["a PEM key as a secret", { key: `-----BEGIN PUBLIC KEY-----\n${SECRET}\n-----END PUBLIC KEY-----` }],
    ["a secret for a key pair's algorithm", { algorithm: "RS256" }],
    ["a key set for a secret's algorithm", { key: new URL("https://login.example.com/jwks.json") }],
    ["a key set in a file", { key: new URL("file:///etc/jwks.json"), algorithm: "RS256" }],
    ["a key set by a string", { key: "https://login.example.com/jwks.json?padding=12345", algorithm: "ES256" }],
    ["a key that is a number", { key: 1 }],
    ["no algorithm", { algorithm: undefined }],
    ["algorithm none", { algorithm: "none" }],
    ["two algorithms", { algorithm: ["HS256", "RS256"] }],
    ["an algorithm of the prototype", { algorithm: "constructor" }],
    ["no audience", { audience: undefined }],
    ["an empty audience", { audience: "" }],
    ["no audience in the list", { audience: [] }],
    ["an empty audience in the list", { audience: ["sync", ""] }],
    ["an empty issuer", { issuer: "" }],
    ["no issuer in the list", { issuer: [] }],
    ["a tolerance below 0", { clockTolerance: -1 }],
    ["a tolerance that is text", { clockTolerance: "5s" }],
    ["a tolerance without end", { clockTolerance: Number.POSITIVE_INFINITY }],
  ])("%s", (_, change) => {
    expect(codeOf(() => jsonWebToken({ ...good, ...change } as never))).toBe("bad_request");
  });

  test("a private key, in any form, and a secret CryptoKey that is too short", async () => {
    const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
    const short = await crypto.subtle.importKey("raw", secret.subarray(1), { name: "HMAC", hash: "SHA-256" }, false, [
      "verify",
    ]);
    for (const key of [privateKey, await exportJWK(privateKey)]) {
      expect(codeOf(() => jsonWebToken({ key, algorithm: "RS256", audience: "sync" }))).toBe("bad_request");
    }
    expect(codeOf(() => jsonWebToken({ ...shared, key: short }))).toBe("bad_request");
    expect(codeOf(() => jsonWebToken({ ...shared, key: publicKey }))).toBe("bad_request");
  });

  test("32 bytes are enough, and letters count by their bytes", () => {
    expect(codeOf(() => jsonWebToken(shared))).toBeUndefined();
    expect(codeOf(() => jsonWebToken({ ...shared, key: "ä".repeat(16) }))).toBeUndefined();
  });
});
