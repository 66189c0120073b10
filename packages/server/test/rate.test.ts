// How much a caller may ask for, on a clock of our own.
import { isGroveError } from "@grove-crdt/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Rate, RateLimiter, StreamCount } from "../src/rate";

/** A limiter, and its clock. */
function limiter(rate: Rate) {
  const clock = { now: 0 };
  return { clock, limiter: new RateLimiter(rate, () => clock.now) };
}
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isGroveError(error) ? error.code : String(error);
  }
  return undefined;
}

describe("a rate", () => {
  test("lets a burst pass, then says how long to wait", () => {
    const { limiter: rate } = limiter({ burst: 3, perSecond: 2 });
    expect([1, 2, 3, 4, 5].map(() => rate.take("a"))).toEqual([0, 0, 0, 500, 500]);
  });

  test("gives a token back after each interval, and a whole burst after a rest", () => {
    const { clock, limiter: rate } = limiter({ burst: 3, perSecond: 2 });
    for (let i = 0; i < 3; i++) rate.take("a");
    clock.now = 499;
    expect(rate.take("a")).toBe(1);
    clock.now = 500;
    expect([rate.take("a"), rate.take("a")]).toEqual([0, 500]);
    clock.now = 60_000;
    expect([1, 2, 3, 4].map(() => rate.take("a"))).toEqual([0, 0, 0, 500]);
  });

  test("counts each key by itself", () => {
    const { limiter: rate } = limiter({ burst: 1, perSecond: 1 });
    expect(["a", "b", "__proto__", "a", "b", "__proto__"].map((key) => rate.take(key))).toEqual([
      0, 0, 0, 1000, 1000, 1000,
    ]);
  });

  test("takes nothing from who must wait", () => {
    const { clock, limiter: rate } = limiter({ burst: 1, perSecond: 1 });
    rate.take("a");
    for (clock.now = 1; clock.now < 1000; clock.now++) expect(rate.take("a")).toBe(1000 - clock.now);
    expect(rate.take("a")).toBe(0);
  });

  test("survives a clock that goes back", () => {
    const { clock, limiter: rate } = limiter({ burst: 2, perSecond: 1 });
    clock.now = 1e9;
    rate.take("a");
    rate.take("b");
    clock.now = 0;
    expect([1, 2, 3].map(() => rate.take("a"))).toEqual([0, 0, 1000]);
    clock.now = 1000;
    expect(rate.take("a")).toBe(0);
    expect(rate.size).toBe(1);
  });

  test("runs on a clock by itself", () => {
    const rate = new RateLimiter({ burst: 1, perSecond: 0.001 });
    expect(rate.take("a")).toBe(0);
    expect(rate.take("a")).toBeGreaterThan(900_000);
  });

  test.each([
    { burst: 0, perSecond: 1 },
    { burst: 1.5, perSecond: 1 },
    { burst: Number.NaN, perSecond: 1 },
    { burst: 1, perSecond: 0 },
    { burst: 1, perSecond: -1 },
    { burst: 1, perSecond: Number.POSITIVE_INFINITY },
    { burst: 1, perSecond: Number.NaN },
  ])("of %j is refused", (rate) => {
    expect(codeOf(() => new RateLimiter(rate))).toBe("bad_request");
  });
});

const rates = fc.record({
  burst: fc.integer({ min: 1, max: 20 }),
  perSecond: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0.01, max: 1000, noNaN: true })),
});
/** Milliseconds between requests; most come at once. */
const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 5_000 })), {
  maxLength: 120,
});

describe("whatever comes when", () => {
  test("over any t seconds at most burst + perSecond · t requests are allowed", () => {
    fc.assert(
      fc.property(rates, gaps, (rate, waits) => {
        const { clock, limiter: bucket } = limiter(rate);
        const allowed: number[] = [];
        for (const wait of waits) {
          clock.now += wait;
          if (bucket.take("a") === 0) allowed.push(clock.now);
        }
        allowed.forEach((from, first) => {
          for (let last = first; last < allowed.length; last++) {
            const most = rate.burst + (rate.perSecond * (allowed[last]! - from)) / 1000;
            expect(last - first + 1).toBeLessThanOrEqual(most + 1e-6);
          }
        });
      }),
      { numRuns: 2_000 },
    );
  });

  test("who waits as long as was said is let in, and no sooner", () => {
    fc.assert(
      fc.property(rates, gaps, (rate, waits) => {
        const { clock, limiter: bucket } = limiter(rate);
        for (const gap of waits) {
          clock.now += gap;
          const wait = bucket.take("a");
          if (wait === 0) continue;
          expect(Number.isInteger(wait)).toBe(true);
          clock.now += wait - 1;
          expect(bucket.take("a")).toBe(1);
          clock.now += 1;
          expect(bucket.take("a")).toBe(0);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("forgetting changes no answer", () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 400 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(rates, steps, (rate, list) => {
        const { clock, limiter: shared } = limiter(rate);
        // One of its own for each key has nothing to forget while others ask.
        const own = Array.from({ length: 10 }, () => new RateLimiter(rate, () => clock.now));
        for (const [key, gap] of list) {
          clock.now += gap;
          expect(shared.take(String(key))).toBe(own[key]!.take("only"));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("memory", () => {
  test("stays with who asked of late, however many ask once", () => {
    const { clock, limiter: rate } = limiter({ burst: 5, perSecond: 10 });
    let most = 0;
    for (let caller = 0; caller < 200_000; caller++) {
      clock.now++;
      rate.take(`caller ${caller}`);
      most = Math.max(most, rate.size);
    }
    // A hundred are not full again at any time.
    expect(most).toBeLessThan(500);
  });

  test("no single request pays for the forgetting of all", () => {
    const { clock, limiter: rate } = limiter({ burst: 1, perSecond: 1 });
    for (let caller = 0; caller < 50_000; caller++) rate.take(`caller ${caller}`);
    expect(rate.size).toBe(50_000);
    clock.now = 10_000;
    for (let asked = 0; asked < 50_000; asked++) {
      const before = rate.size;
      rate.take("another");
      expect(before - rate.size).toBeLessThanOrEqual(100);
    }
    expect(rate.size).toBe(1);
  });
});

describe("open streams", () => {
  test("are as many per caller as are allowed", () => {
    const count = new StreamCount(2);
    expect(count.enter("a")).not.toBeNull();
    const leave = count.enter("a");
    expect(count.enter("a")).toBeNull();
    expect(count.enter("b")).not.toBeNull();
    leave?.();
    expect(count.enter("a")).not.toBeNull();
    expect(count.enter("a")).toBeNull();
  });

  test("count as ended once, however often it is said", () => {
    const count = new StreamCount(1);
    const leave = count.enter("a");
    leave?.();
    leave?.();
    count.enter("a");
    leave?.();
    expect(count.enter("a")).toBeNull();
  });

  test("leave nothing behind", () => {
    const count = new StreamCount(3);
    const leaves = Array.from({ length: 1_000 }, (_, caller) => count.enter(`caller ${caller % 500}`));
    expect(count.size).toBe(500);
    for (const leave of leaves) leave?.();
    expect(count.size).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN])("cannot be limited to %d", (most) => {
    expect(codeOf(() => new StreamCount(most))).toBe("bad_request");
  });
});
