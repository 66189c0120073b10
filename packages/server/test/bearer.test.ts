// Bearer tokens: who is let in, who is not, and which tables of tokens are refused at once.
import { isGroveError } from "@grove-crdt/core";
import { type Context, Hono } from "hono";
import { describe, expect, expectTypeOf, test } from "vitest";
import { bearerTokens } from "../src/bearer";

const SHOP = "shop-0123456789abcdef";
const TILL = "till-0123456789abcdef";
const CAFE = "cafe-0123456789abcdef";
const tokens = { [SHOP]: "shop", [TILL]: "till", [CAFE]: "cafe" };

/** What `authenticate` says of a request with this header. */
async function ask(authenticate: (c: Context) => unknown, authorization?: string): Promise<unknown> {
  const app = new Hono().get("/", (c) => c.json({ who: authenticate(c) }));
  const answer = await app.request("/", { headers: authorization === undefined ? {} : { authorization } });
  return ((await answer.json()) as { who: unknown }).who;
}
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isGroveError(error) ? error.code : String(error);
  }
  return undefined;
}

describe.each([
  ["a record", bearerTokens(tokens)],
  ["a map", bearerTokens(new Map(Object.entries(tokens)))],
])("bearer tokens in %s", (_, authenticate) => {
  test.each([
    [SHOP, "shop"],
    [TILL, "till"],
    [CAFE, "cafe"],
  ])("%s calls as %s", async (token, principal) => {
    expect(await ask(authenticate, `Bearer ${token}`)).toBe(principal);
  });

  test.each([`bearer ${SHOP}`, `BEARER ${SHOP}`, `Bearer   ${SHOP}`])(
    "the scheme may be written %j",
    async (header) => {
      expect(await ask(authenticate, header)).toBe("shop");
    },
  );

  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    SHOP,
    `Basic ${SHOP}`,
    `Bearer${SHOP}`,
    `Bearer: ${SHOP}`,
    `Bearer ${SHOP}0`,
    `Bearer ${SHOP.slice(0, -1)}`,
    `Bearer ${SHOP.toUpperCase()}`,
    `Bearer ${SHOP.slice(0, -1)}g`,
    `Bearer x${SHOP.slice(1)}`,
    `Bearer ${SHOP} ${SHOP}`,
    `Bearer ${SHOP}, Bearer ${SHOP}`,
    "Bearer __proto__",
    "Bearer constructor",
    `Bearer ${"x".repeat(100_000)}`,
  ])("nobody calls with %.40j", async (header) => {
    expect(await ask(authenticate, header)).toBeNull();
  });
});

test("the table is read once", async () => {
  const changing = new Map([[SHOP, "shop"]]);
  const authenticate = bearerTokens(changing);
  changing.set(TILL, "till").delete(SHOP);
  expect(await ask(authenticate, `Bearer ${SHOP}`)).toBe("shop");
  expect(await ask(authenticate, `Bearer ${TILL}`)).toBeNull();
});

test("only tokens of the record itself count, whatever their name is", async () => {
  const inherited = Object.assign(Object.create({ [TILL]: "till" }), { [SHOP]: "shop" }) as Record<string, string>;
  const authenticate = bearerTokens(inherited);
  expect(await ask(authenticate, `Bearer ${SHOP}`)).toBe("shop");
  expect(await ask(authenticate, `Bearer ${TILL}`)).toBeNull();
  // As a literal it sets the prototype, and there is no token left.
  expect(codeOf(() => bearerTokens({ __proto__: { [SHOP]: "shop" } } as unknown as Record<string, string>))).toBe(
    "bad_request",
  );
});

test("more tokens than a byte can count are told apart", async () => {
  const many = Array.from({ length: 300 }, (_, index): [string, number] => [`token-number-${1_000 + index}`, index]);
  const authenticate = bearerTokens(new Map(many));
  for (const [token, index] of many) expect(await ask(authenticate, `Bearer ${token}`)).toBe(index);
});

test.each([
  ["no tokens in a record", {}],
  ["no tokens in a map", new Map<string, string>()],
  ["an empty token", { "": "shop" }],
  ["an empty token beside a good one", { [SHOP]: "shop", "": "till" }],
  ["15 characters", { "0123456789abcde": "shop" }],
  ["a space in a token", { "0123456789 abcdef": "shop" }],
  ["a line break in a token", { "0123456789abcdef\n": "shop" }],
  ["letters that no header can carry", { "0123456789abcdefä": "shop" }],
  ["a token that is not text", new Map([[undefined as unknown as string, "shop"]])],
])("refused at once: %s", (_, table) => {
  expect(codeOf(() => bearerTokens(table as Record<string, string>))).toBe("bad_request");
});

test("16 characters are enough", () => {
  expect(codeOf(() => bearerTokens({ "0123456789abcdef": "shop" }))).toBeUndefined();
});

test("a refusal does not tell the token", () => {
  const secret = "hunter2";
  expect(() => bearerTokens({ [secret]: "shop" })).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining(secret) }),
  );
});

test("the principal has the type of the table's values", () => {
  expectTypeOf(bearerTokens({ [SHOP]: { tenant: 1 } })).returns.toEqualTypeOf<{ tenant: number } | null>();
  expectTypeOf(bearerTokens(new Map([[SHOP, 1]]))).returns.toEqualTypeOf<number | null>();
});
