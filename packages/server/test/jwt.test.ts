// JSON Web Tokens, really signed: who is let in, every way a token can be wrong, and what is a fault of ours instead.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { type Context, Hono } from "hono";
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  generateSecret,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from "jose";
import { afterEach, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import { jsonWebToken } from "../src/jwt";

const SECRET = "0123456789abcdef0123456789abcdef";
const secret = new TextEncoder().encode(SECRET);
const now = () => Math.floor(Date.now() / 1000);
const claims = (more: JWTPayload = {}): JWTPayload => ({ sub: "ann", aud: "sync", exp: now() + 60, ...more });
const sign = (payload: JWTPayload, key: CryptoKey | Uint8Array = secret, header: { alg?: string; kid?: string } = {}) =>
  new SignJWT(payload).setProtectedHeader({ alg: "HS256", ...header }).sign(key);

type Authenticate = (c: Context) => Promise<unknown>;
/** What `authenticate` says of a request with this token; rejects as it does. */
async function ask(authenticate: Authenticate, token: string, scheme = "Bearer "): Promise<unknown> {
  let asked: Promise<unknown> | undefined;
  const app = new Hono().get("/", async (c) => {
    asked = authenticate(c);
    await asked.catch(() => {});
    return c.text("");
  });
  await app.request("/", { headers: { authorization: scheme + token } });
  return asked;
}

const shared = { key: SECRET, algorithm: "HS256", audience: "sync" } as const;
const authenticate = jsonWebToken(shared);
const pairs = {} as Record<"RS256" | "ES256" | "EdDSA", Awaited<ReturnType<typeof generateKeyPair>>>;
beforeAll(async () => {
  for (const algorithm of ["RS256", "ES256", "EdDSA"] as const) {
    pairs[algorithm] = await generateKeyPair(algorithm, { extractable: true });
  }
});

describe("a token that is right", () => {
  test("calls as its claims", async () => {
    expect(await ask(authenticate, await sign(claims()))).toMatchObject({ sub: "ann", aud: "sync" });
    expect(await ask(authenticate, await sign(claims()), "bearer  ")).toMatchObject({ sub: "ann" });
  });

  test("calls as what `principal` makes of its claims", async () => {
    const named = jsonWebToken({ ...shared, principal: ({ sub }) => (sub === "ann" ? { user: sub } : null) });
    expect(await ask(named, await sign(claims()))).toEqual({ user: "ann" });
    expect(await ask(named, await sign(claims({ sub: "bob" })))).toBeNull();
    const later = jsonWebToken({ ...shared, principal: async ({ sub }) => sub ?? null });
    expect(await ask(later, await sign(claims()))).toBe("ann");
    expectTypeOf(named).returns.resolves.toEqualTypeOf<{ user: string } | null>();
    expectTypeOf(authenticate).returns.resolves.toEqualTypeOf<JWTPayload | null>();
  });

  test("may be meant for several, and several may be allowed", async () => {
    expect(await ask(authenticate, await sign(claims({ aud: ["mail", "sync"] })))).not.toBeNull();
    expect(await ask(authenticate, await sign(claims({ aud: ["mail", "chat"] })))).toBeNull();
    const either = jsonWebToken({ ...shared, audience: ["sync", "edge"] });
    expect(await ask(either, await sign(claims({ aud: "edge" })))).not.toBeNull();
    expect(await ask(either, await sign(claims({ aud: ["edge"] })))).not.toBeNull();
    expect(await ask(either, await sign(claims({ aud: "mail" })))).toBeNull();
  });

  test("comes from the issuer, where one is named", async () => {
    const issued = jsonWebToken({ ...shared, issuer: ["https://a.example", "https://b.example"] });
    expect(await ask(issued, await sign(claims({ iss: "https://b.example" })))).not.toBeNull();
    expect(await ask(issued, await sign(claims({ iss: "https://c.example" })))).toBeNull();
    expect(await ask(issued, await sign(claims()))).toBeNull();
  });

  test("may differ by five seconds of clock, or as many as were said", async () => {
    const strict = jsonWebToken({ ...shared, clockTolerance: 0 });
    for (const late of [{ exp: now() - 2 }, { nbf: now() + 3 }]) {
      expect(await ask(authenticate, await sign(claims(late)))).not.toBeNull();
      expect(await ask(strict, await sign(claims(late)))).toBeNull();
    }
  });

  test.each(["RS256", "ES256", "EdDSA"] as const)("is verified by %s, with a CryptoKey or a JWK", async (algorithm) => {
    const { publicKey, privateKey } = pairs[algorithm];
    const token = await sign(claims(), privateKey, { alg: algorithm });
    for (const key of [publicKey, await exportJWK(publicKey)]) {
      const verified = jsonWebToken({ key, algorithm, audience: "sync" });
      expect(await ask(verified, token)).toMatchObject({ sub: "ann" });
      expect(await ask(verified, await sign(claims()))).toBeNull();
    }
  });

  test("is verified by a secret as bytes, JWK or CryptoKey", async () => {
    const token = await sign(claims());
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const imported = await crypto.subtle.importKey("raw", secret, algorithm, false, ["verify"]);
    for (const key of [secret, { kty: "oct", k: base64url.encode(secret) }, imported]) {
      expect(await ask(jsonWebToken({ ...shared, key }), token)).toMatchObject({ sub: "ann" });
    }
  });
});

describe("nobody calls with", () => {
  const wrong: [string, () => Promise<string> | string][] = [
    ["a token that has expired", () => sign(claims({ exp: now() - 10 }))],
    ["a token without exp", () => sign({ sub: "ann", aud: "sync" })],
    ["an exp that is text", () => sign({ ...claims(), exp: String(now() + 60) as unknown as number })],
    ["a token that is not valid yet", () => sign(claims({ nbf: now() + 30 }))],
    ["another audience", () => sign(claims({ aud: "mail" }))],
    ["no audience", () => sign({ sub: "ann", exp: now() + 60 })],
    ["no audience in the list", () => sign(claims({ aud: [] }))],
    ["another secret", () => sign(claims(), new TextEncoder().encode(SECRET.replace("0", "1")))],
    ["another hash", async () => sign(claims(), await generateSecret("HS512"), { alg: "HS512" })],
    ["the right secret, and another algorithm", () => sign(claims(), secret, { alg: "HS384" })],
    ["alg none", () => new UnsecuredJWT(claims()).encode()],
    [
      "alg none and a signature",
      async () => `${new UnsecuredJWT(claims()).encode()}${(await sign(claims())).split(".")[2]}`,
    ],
    ["claims that were changed", async () => tampered(await sign(claims()), 1, JSON.stringify(claims({ sub: "bob" })))],
    ["a header that was changed", async () => tampered(await sign(claims()), 0, '{"alg":"HS256","kid":"1"}')],
    [
      "an extension that is critical",
      async () => tampered(await sign(claims()), 0, '{"alg":"HS256","crit":["x"],"x":1}'),
    ],
    ["no signature", async () => (await sign(claims())).split(".").slice(0, 2).join(".")],
    ["an empty signature", async () => `${(await sign(claims())).split(".").slice(0, 2).join(".")}.`],
    ["claims that are no object", () => signed("[]")],
    ["claims that are null", () => signed("null")],
    ["claims that are not JSON", () => signed("{")],
    ["nothing", () => ""],
    ["dots", () => ".."],
    ["a word", () => "garbage"],
    ["five parts", () => "a.b.c.d.e"],
  ];
  test.each(wrong)("%s", async (_, token) => {
    expect(await ask(authenticate, await token())).toBeNull();
  });

  test("no scheme, or another", async () => {
    const token = await sign(claims());
    expect(await ask(authenticate, token, "")).toBeNull();
    expect(await ask(authenticate, token, "Basic ")).toBeNull();
  });

  test("the public key as the secret", async () => {
    const { publicKey } = pairs.RS256;
    const verified = jsonWebToken({ key: publicKey, algorithm: "RS256", audience: "sync" });
    const pem = await exportSPKI(publicKey);
    for (const known of [pem, pem.trim(), JSON.stringify(await exportJWK(publicKey))]) {
      expect(await ask(verified, await sign(claims(), new TextEncoder().encode(known)))).toBeNull();
    }
  });

  test("whatever else there is, without an error", async () => {
    const good = (await sign(claims())).split(".");
    const part = fc.oneof(fc.constantFrom(...good, ""), fc.string(), fc.string().map(base64url.encode));
    const odd = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".").replace(/[^\x20-\x7e]/g, "?"));
    await fc.assert(
      fc.asyncProperty(odd, async (token) => {
        if (token !== good.join(".")) expect(await ask(authenticate, token)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

/** Another text in place of a part, under the old signature. */
function tampered(token: string, part: number, text: string): string {
  return token.split(".").with(part, base64url.encode(text)).join(".");
}
/** Any text as claims, rightly signed. */
async function signed(text: string): Promise<string> {
  const { CompactSign } = await import("jose");
  return new CompactSign(new TextEncoder().encode(text)).setProtectedHeader({ alg: "HS256" }).sign(secret);
}

describe("a fault of ours is no fault of the caller", () => {
  test("an error in `principal` comes out", async () => {
    const broken = jsonWebToken({
      ...shared,
      principal: () => {
        throw new Error("no database");
      },
    });
    await expect(ask(broken, await sign(claims()))).rejects.toThrow();
    expect(await ask(broken, "garbage")).toBeNull();
  });

  test("an error of jose's kind in `principal` comes out, too", async () => {
    const { errors } = await import("jose");
    const broken = jsonWebToken({ ...shared, principal: () => Promise.reject(new errors.JWTExpired("", {})) });
    await expect(ask(broken, await sign(claims()))).rejects.toThrow();
  });

  test("a key that does not fit the algorithm comes out", async () => {
    const { publicKey } = pairs.ES256;
    const mixed = jsonWebToken({ key: publicKey, algorithm: "RS256", audience: "sync" });
    await expect(ask(mixed, await sign(claims(), pairs.RS256.privateKey, { alg: "RS256" }))).rejects.toThrow();
  });
});

describe("a key set", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  async function serveText(text: string, status = 200) {
    const seen = { requests: 0 };
    const server = createServer((_, answer) => {
      seen.requests++;
      answer.writeHead(status, { "content-type": "application/json", connection: "close" }).end(text);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { seen, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`) };
  }
  const keySet = async (...keys: { key: CryptoKey; kid?: string }[]) =>
    JSON.stringify({ keys: await Promise.all(keys.map(async ({ key, kid }) => ({ ...(await exportJWK(key)), kid }))) });
  const verifier = (url: URL) => jsonWebToken({ key: url, algorithm: "RS256", audience: "sync" });
  const token = (kid?: string, pair = pairs.RS256) => sign(claims(), pair.privateKey, { alg: "RS256", kid });

  test("is fetched once, and has the key that the token names", async () => {
    const { url, seen } = await serveText(await keySet({ key: pairs.RS256.publicKey, kid: "1" }));
    const verified = verifier(url);
    expect(seen.requests).toBe(0);
    expect(await ask(verified, await token("1"))).toMatchObject({ sub: "ann" });
    expect(await ask(verified, await token("1"))).toMatchObject({ sub: "ann" });
    expect(seen.requests).toBe(1);
  });

  test("without the key that the token names: nobody calls, and it is not fetched again for each", async () => {
    const { url, seen } = await serveText(await keySet({ key: pairs.RS256.publicKey, kid: "1" }));
    const verified = verifier(url);
    for (let i = 0; i < 5; i++) expect(await ask(verified, await token("2"))).toBeNull();
    expect(seen.requests).toBe(1);
  });

  test("of several keys is tried through for a token that names none", async () => {
    const other = await generateKeyPair("RS256");
    const third = await generateKeyPair("RS256");
    const { url } = await serveText(
      await keySet({ key: other.publicKey, kid: "1" }, { key: pairs.RS256.publicKey, kid: "2" }),
    );
    const verified = verifier(url);
    expect(await ask(verified, await token())).toMatchObject({ sub: "ann" });
    expect(await ask(verified, await token(undefined, third))).toBeNull();
    const expired = await sign(claims({ exp: now() - 10 }), pairs.RS256.privateKey, { alg: "RS256" });
    expect(await ask(verified, expired)).toBeNull();
  });

  test("is not fetched for a token of another algorithm, or for garbage", async () => {
    const { url, seen } = await serveText("{}");
    expect(await ask(verifier(url), await sign(claims()))).toBeNull();
    expect(await ask(verifier(url), "garbage")).toBeNull();
    expect(seen.requests).toBe(0);
  });

  test("that cannot be had is our fault", async () => {
    const { url } = await serveText("gone", 503);
    await expect(ask(verifier(url), await token("1"))).rejects.toThrow();
    for (const text of ["no JSON", "{}", '{"keys":1}']) {
      await expect(ask(verifier((await serveText(text)).url), await token("1"))).rejects.toThrow();
    }
    servers.at(-1)?.close();
    await expect(ask(verifier(new URL("http://127.0.0.1:1/")), await token("1"))).rejects.toThrow();
  });
});
