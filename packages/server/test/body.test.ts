// Reading a body as JSON, from streams that do what they like: limits of bytes and of time, encodings, and letting go.
import { deflateSync, gzipSync } from "node:zlib";
import { GroveError } from "@grove-crdt/core";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { type BodyLimits, readJson } from "../src/body";

const LIMITS: BodyLimits = { body: 10_000, inflated: 20_000, bodyTimeout: 5_000 };
const text = (value: string) => new TextEncoder().encode(value);
/** Text of this many bytes that gzip makes much smaller. */
const json = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));

/** What the source of a body does next: gives bytes, breaks, waits (milliseconds), says nothing any more, or ends. */
type Step = Uint8Array | Error | number | "silence" | undefined;

/** A request whose body is read step by step, and what became of the body. */
function request(next: (index: number) => Step, headers: Record<string, string> = {}) {
  const seen = { pulled: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let step = next(seen.pulled++);
        if (typeof step === "number") {
          await new Promise((resolve) => setTimeout(resolve, Number(step)));
          step = next(seen.pulled++);
        }
        if (step === undefined) return controller.close();
        if (step === "silence") return new Promise(() => {});
        if (step instanceof Error) return controller.error(step);
        return controller.enqueue(step as Uint8Array);
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: "POST", body, headers, duplex: "half" } as RequestInit;
  return { request: new Request("http://hub/push", init), seen };
}
const inChunks = (bytes: Uint8Array, size = bytes.length) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
const of = (bytes: Uint8Array, headers?: Record<string, string>, size?: number) => {
  const chunks: Step[] = inChunks(bytes, size);
  return request((index) => chunks[index], headers);
};
const read = ({ request }: { request: Request }, limits: Partial<BodyLimits> = {}) =>
  readJson(request, { ...LIMITS, ...limits });
async function codeOf(reading: Promise<unknown>): Promise<string | undefined> {
  try {
    await reading;
  } catch (error) {
    return error instanceof GroveError ? error.code : String(error);
  }
  return undefined;
}

const encodings: [string, Record<string, string>, (bytes: Uint8Array) => Uint8Array][] = [
  ["plain", {}, (bytes) => bytes],
  ["as identity", { "content-encoding": "identity" }, (bytes) => bytes],
  ["with gzip", { "content-encoding": "gzip" }, (bytes) => gzipSync(bytes)],
  ["with GZip and spaces", { "content-encoding": " GZip " }, (bytes) => gzipSync(bytes)],
  ["with x-gzip", { "content-encoding": "x-gzip" }, (bytes) => gzipSync(bytes)],
  ["with deflate", { "content-encoding": "deflate" }, (bytes) => deflateSync(bytes)],
];

describe.each(encodings)("a body that is sent %s", (_, headers, encode) => {
  test("is read, whatever its chunks are", async () => {
    const value = { rows: ["ä", "😀", null, 1.5, { __proto__x: true }], more: "y".repeat(5_000) };
    const bytes = encode(text(JSON.stringify(value)));
    for (const size of [1, 3, 1_000, bytes.length]) expect(await read(of(bytes, headers, size))).toEqual(value);
    expect(await read(of(bytes, { ...headers, "content-length": String(bytes.length) }))).toEqual(value);
  });

  test("is every JSON there is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 3 }), fc.integer({ min: 1, max: 50 }), async (value, size) => {
        expect(await read(of(encode(text(value)), headers, size))).toEqual(JSON.parse(value));
      }),
      { numRuns: 100 },
    );
  });

  test("must be UTF-8 and JSON, and there", async () => {
    const odd = [[], [0xff], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]].map((bytes) => Uint8Array.from(bytes));
    for (const bytes of [...odd, ...["{", "[1,]", "NaN", " ", "1 2", "'a'"].map(text)]) {
      expect(await codeOf(read(of(encode(bytes), headers)))).toBe("bad_request");
    }
  });

  test("must be complete in time, all in all", async () => {
    const bytes = encode(text(json(500)));
    const slow = request((index) => (index < 3 ? bytes.subarray(index, index + 1) : "silence"), headers);
    const start = performance.now();
    expect(await codeOf(read(slow, { bodyTimeout: 100 }))).toBe("timeout");
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(slow.seen.cancelled).toBe(true);
  });

  test("may break off", async () => {
    const bytes = encode(text(json(500)));
    const broken = request((index) => (index === 0 ? bytes.subarray(0, 5) : new Error("ECONNRESET")), headers);
    expect(await codeOf(read(broken))).toBe("bad_request");
  });

  test("is refused by its content-length before any of it is read", async () => {
    const large = of(text(json(100)), { ...headers, "content-length": "10001" });
    expect(await codeOf(read(large))).toBe("payload_too_large");
    expect(large.seen).toEqual({ pulled: 0, cancelled: true });
  });

  test("without end is let go at the limit, whatever its content-length says", async () => {
    // Not compressible, so that it is the limit of what is sent that ends it.
    const noise = encode(crypto.getRandomValues(new Uint8Array(60_000)));
    for (const lie of [headers, { ...headers, "content-length": "100" }]) {
      const endless = request((index) => noise.subarray(index * 1_000, (index + 1) * 1_000), lie);
      expect(await codeOf(read(endless, { inflated: 1_000_000 }))).toBe("payload_too_large");
      expect(endless.seen.cancelled).toBe(true);
      expect(endless.seen.pulled).toBeLessThanOrEqual(12);
    }
  });
});

describe("the limits", () => {
  test("are of bytes, to the byte", async () => {
    const bytes = text(json(1_000));
    expect(await codeOf(read(of(bytes), { body: 1_000 }))).toBeUndefined();
    expect(await codeOf(read(of(bytes), { body: 999 }))).toBe("payload_too_large");
    expect(await codeOf(read(of(bytes, { "content-length": "1000" }), { body: 1_000 }))).toBeUndefined();
    const zipped = gzipSync(bytes);
    const headers = { "content-encoding": "gzip" };
    for (const size of [1, zipped.length]) {
      expect(await codeOf(read(of(zipped, headers, size), { body: zipped.length, inflated: 1_000 }))).toBeUndefined();
      expect(await codeOf(read(of(zipped, headers, size), { inflated: 999 }))).toBe("payload_too_large");
      expect(await codeOf(read(of(zipped, headers, size), { body: zipped.length - 1 }))).toBe("payload_too_large");
    }
  });

  test("count letters by their bytes", async () => {
    expect(await codeOf(read(of(text(JSON.stringify("ä".repeat(500)))), { body: 1_001 }))).toBe("payload_too_large");
  });

  test("let nothing through when they are no numbers", async () => {
    expect(await codeOf(read(of(text("1")), { body: Number.NaN }))).toBe("payload_too_large");
  });

  test("of time may be as long as one likes", async () => {
    for (const bodyTimeout of [2 ** 31, Number.POSITIVE_INFINITY]) {
      const steps: Step[] = [text("[1"), 30, text("]")];
      expect(
        await read(
          request((index) => steps[index]),
          { bodyTimeout },
        ),
      ).toEqual([1]);
    }
  });

  test("leave no timer behind", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await read(of(text("[1]")));
      await codeOf(read(of(text("["))));
      await codeOf(read(of(text("1"), { "content-encoding": "br" })));
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("cost no more to keep when the bytes come one by one", async () => {
    const [space, one] = [text(" "), text("1")];
    const drops = request((index) => (index < 400_000 ? space : index === 400_000 ? one : undefined));
    const start = performance.now();
    expect(await read(drops, { body: 500_000 })).toBe(1);
    // Copying all that is there for each of them would take a minute.
    expect(performance.now() - start).toBeLessThan(8_000);
  });
});

describe("a compressed body", () => {
  const headers = { "content-encoding": "gzip" };

  test.each(["br", "compress", "zstd", "gzip, gzip", "gzip,deflate", "deflate-raw", "constructor"])(
    "in %s is refused before any of it is read",
    async (encoding) => {
      const odd = of(gzipSync("1"), { "content-encoding": encoding });
      expect(await codeOf(read(odd))).toBe("bad_request");
      expect(odd.seen).toEqual({ pulled: 0, cancelled: true });
    },
  );

  test("that is broken anywhere is refused", async () => {
    const whole = gzipSync(json(500));
    for (let cut = 0; cut < whole.length; cut++) {
      expect(await codeOf(read(of(whole.subarray(0, cut), headers)))).toBe("bad_request");
    }
    const check = Uint8Array.from(whole);
    check[whole.length - 6]! ^= 1;
    expect(await codeOf(read(of(check, headers)))).toBe("bad_request");
    expect(await codeOf(read(of(text("[1]"), headers)))).toBe("bad_request");
    expect(await codeOf(read(of(deflateSync("[1]"), headers)))).toBe("bad_request");
    expect(await codeOf(read(of(gzipSync("[1]"), { "content-encoding": "deflate" })))).toBe("bad_request");
  });

  test("that inflates without end is let go at the limit, and no more of it is taken in", async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000));
    // In one chunk, and in many that come as fast as they are taken.
    for (const size of [bomb.length, 1_000]) {
      const chunks = inChunks(bomb, size);
      const sent = request((index) => chunks[index % chunks.length], headers);
      const before = process.memoryUsage();
      expect(await codeOf(read(sent, { body: 1_000_000, inflated: 100_000 }))).toBe("payload_too_large");
      const after = process.memoryUsage();
      expect(after.arrayBuffers + after.external - before.arrayBuffers - before.external).toBeLessThan(16_000_000);
      expect(sent.seen.cancelled).toBe(true);
      expect(sent.seen.pulled).toBeLessThanOrEqual(20);
    }
  });

  test("is not taken in faster than it is inflated", async () => {
    // A thousand bombs of a kilobyte each: all of them within the limit of what is sent.
    const bomb = gzipSync(new Uint8Array(1_000_000));
    const sent = request(() => bomb, headers);
    expect(await codeOf(read(sent, { body: 1_000_000_000, inflated: 3_000_000 }))).toBe("payload_too_large");
    expect(sent.seen.pulled).toBeLessThanOrEqual(50);
  });

  test("that says no more is let go in time, wherever it stopped", async () => {
    const whole = gzipSync(json(5_000));
    for (const cut of [0, 5, 15, whole.length - 1]) {
      const stuck = request((index) => (index === 0 && cut > 0 ? whole.subarray(0, cut) : "silence"), headers);
      expect(await codeOf(read(stuck, { bodyTimeout: 50 }))).toBe("timeout");
      expect(stuck.seen.cancelled).toBe(true);
    }
  });
});

describe("every reading", () => {
  test("of no body is refused", async () => {
    expect(await codeOf(readJson(new Request("http://hub/push", { method: "POST" }), LIMITS))).toBe("bad_request");
  });

  test.each(["x", "-1", "1.5", "1e3", "0x10", "1, 1"])("with content-length %s is refused", async (length) => {
    expect(await codeOf(read(of(text("1"), { "content-length": length })))).toBe("bad_request");
  });

  test("copes with JSON 200,000 levels deep", async () => {
    const levels = 200_000;
    const [open, shut] = ["[".repeat(levels), "]".repeat(levels)];
    let value = await read(of(text(open + shut)), { body: 1_000_000 });
    let depth = 0;
    for (; Array.isArray(value); value = value[0]) depth++;
    expect(depth).toBe(levels);
    expect(await codeOf(read(of(text(open)), { body: 1_000_000 }))).toBe("bad_request");
    expect(await codeOf(read(of(text('{"a":'.repeat(100_000))), { body: 1_000_000 }))).toBe("bad_request");
  });

  test("takes a key __proto__ for a key", async () => {
    const value = (await read(of(text('{"__proto__":{"admin":true}}')))) as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect("admin" in value).toBe(false);
  });

  test("that fails tells nothing of what was sent or of what is inside", async () => {
    const secrets = [of(text('"hunter2')), of(text("hunter2")), of(Uint8Array.of(0x22, ...text("hunter2"), 0xff))];
    for (const sent of secrets) {
      const error = (await read(sent).catch((caught: unknown) => caught)) as GroveError;
      expect([error.code, error.details, error.cause]).toEqual(["bad_request", undefined, undefined]);
      expect(error.message).not.toContain("hunter2");
    }
  });

  test("of a body that somebody else reads is a fault of ours", async () => {
    const { request: taken } = of(text("1"));
    await taken.text();
    await expect(readJson(taken, LIMITS)).rejects.not.toBeInstanceOf(GroveError);
  });
});
