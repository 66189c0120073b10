// Injected time and randomness: tests decide when it is, and every run is the same.

/**
 * Physical time that stands still until it is told to move. It begins years ago: a captured write carries the real time,
 * and a fold never stamps later than its own clock, so that all stamps follow this clock.
 */
export class Clock {
  /** Microseconds since 1970. */
  micros = Date.UTC(2024, 0, 1) * 1000;
  readonly now = (): number => this.micros;
  /** By milliseconds, also backwards. */
  advance(milliseconds: number): void {
    this.micros += milliseconds * 1000;
  }
}

/** Numbers in [0, 1), the same in every run; different for each opening of a database. */
let openings = 0;
export function randomness(): () => number {
  let state = ++openings * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
