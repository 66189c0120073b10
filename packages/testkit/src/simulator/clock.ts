// A node's own clock: apart from the world's, and it may stop, jump ahead or fall back. Microseconds.

const LONGEST_STOP = 10_000_000;

export type ClockChange =
  /** From now on so far from the world's time. */
  { readonly offset: number } | "stop" | "go";

export class NodeClock {
  #stopped: number | null = null;
  constructor(
    private readonly world: { readonly time: number },
    private offset: number,
  ) {}

  /** A clock that stands still is set again before it is out of bounds. */
  now = (): number => {
    const right = this.world.time + this.offset;
    return this.#stopped === null ? right : Math.max(this.#stopped, right - LONGEST_STOP);
  };

  change(change: ClockChange): void {
    if (change === "stop") this.#stopped = this.now();
    else if (change === "go") this.#stopped = null;
    else {
      this.#stopped = null;
      this.offset = change.offset;
    }
  }
}
