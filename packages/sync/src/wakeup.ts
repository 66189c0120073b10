// Waiting until there is something to do. A ring while nobody waits is kept, so that none is missed.

export class Wakeup {
  #rung = false;
  #resolve: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  /** Resolves after a ring since the last wait (true), after `milliseconds` or once `signal` aborts (false). */
  async wait(milliseconds: number, signal?: AbortSignal): Promise<boolean> {
    if (!this.#rung && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", done);
          this.#resolve = null;
          resolve();
        };
        const timer = milliseconds === Number.POSITIVE_INFINITY ? undefined : setTimeout(done, milliseconds);
        signal?.addEventListener("abort", done);
        this.#resolve = done;
      });
    }
    const rung = this.#rung && !signal?.aborted;
    if (rung) this.#rung = false;
    return rung;
  }
}

/** Resolves after `milliseconds`, or as soon as `signal` aborts. */
export const sleep = (milliseconds: number, signal?: AbortSignal): Promise<unknown> =>
  new Wakeup().wait(milliseconds, signal);

/** A wait that differs each time by up to a fifth, so that many who wait for one thing do not all come at once. */
export const withJitter = (milliseconds: number, random: () => number): number => milliseconds * (0.8 + 0.4 * random());
