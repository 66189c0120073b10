// How much one caller may ask for: requests by a token bucket each, streams by their number. Pure: who the keys are, and what
// an excess is answered with, the router decides.
import { GroveError } from "@grove-crdt/core";

export interface Rate {
  /** Requests that may come at once. */
  readonly burst: number;
  /** Requests per second in the long run. */
  readonly perSecond: number;
}

/** Buckets that each request looks at, to forget those that are full again. More than the one that it may add. */
const SWEPT = 4;

/** A token bucket per key. Over any t seconds it allows burst + perSecond · t requests at most. */
export class RateLimiter {
  /**
   * Key to when its bucket is full again, in milliseconds: the whole state of a bucket (the generic cell rate algorithm,
   * ITU-T I.371). One that is full is as good as none.
   */
  readonly #fullAt = new Map<string, number>();
  #sweep = this.#fullAt.entries();
  /** Milliseconds until a token is back. */
  readonly #interval: number;
  readonly #burst: number;
  readonly #now: () => number;

  /**
   * @param now milliseconds, of a clock that nobody sets (default `performance.now`)
   * @throws GroveError `bad_request` when burst is no whole number from 1 on, or perSecond not above 0
   */
  constructor({ burst, perSecond }: Rate, now: () => number = () => performance.now()) {
    if (!Number.isSafeInteger(burst) || burst < 1) {
      throw new GroveError("bad_request", "The burst of a rate must be a whole number from 1 on.");
    }
    if (!(Number.isFinite(perSecond) && perSecond > 0)) {
      throw new GroveError("bad_request", "perSecond of a rate must be a number above 0.");
    }
    this.#burst = burst;
    this.#interval = 1_000 / perSecond;
    this.#now = now;
  }

  /** Buckets that are remembered now. */
  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes a token out of the bucket of `key`.
   *
   * @returns 0 when there was one: go on. Else whole milliseconds until there is one, and nothing was taken.
   */
  take(key: string): number {
    const now = this.#now();
    this.#forget(now);
    const known = this.#fullAt.get(key) ?? now;
    const fullAt = this.#isFull(known, now) ? now : known;
    const wait = fullAt - (this.#burst - 1) * this.#interval - now;
    if (wait > 0) return Math.ceil(wait);
    this.#fullAt.set(key, fullAt + this.#interval);
    return 0;
  }

  #isFull(fullAt: number, now: number): boolean {
    // Emptier than empty, by more than rounding makes it: the clock went back, and the caller would be kept out for as long.
    return fullAt <= now || fullAt > now + (this.#burst + 1) * this.#interval;
  }

  /** A few at a time, round and round, so that no request pays for all. */
  #forget(now: number): void {
    for (let left = SWEPT; left > 0; left--) {
      const { done, value } = this.#sweep.next();
      if (done) {
        this.#sweep = this.#fullAt.entries();
        return;
      }
      if (this.#isFull(value[1], now)) this.#fullAt.delete(value[0]);
    }
  }
}

/** Counts what each caller has open at the same time. */
export class StreamCount {
  readonly #open = new Map<string, number>();

  /** @throws GroveError `bad_request` when `most` is no whole number from 1 on */
  constructor(readonly most: number) {
    if (!Number.isSafeInteger(most) || most < 1) {
      throw new GroveError("bad_request", "The most streams of a caller must be a whole number from 1 on.");
    }
  }

  /** Callers that have one open. */
  get size(): number {
    return this.#open.size;
  }

  /** @returns what to call when it ends, as often as one likes; null when `key` has as many open as it may */
  enter(key: string): (() => void) | null {
    const open = this.#open.get(key) ?? 0;
    if (open >= this.most) return null;
    this.#open.set(key, open + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const rest = this.#open.get(key)! - 1;
      if (rest === 0) this.#open.delete(key);
      else this.#open.set(key, rest);
    };
  }
}
