// Signals that abort with others or after a time. Not AbortSignal.any: in Node 20 what it returns may be collected as garbage
// while somebody waits for it, and the wait then never ends.

export interface Linked {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** Whether it aborted because the time was over. */
  readonly isLate: () => boolean;
  /** The time begins anew; without a time it stands still. */
  readonly within: (milliseconds?: number) => void;
  /** Lets go of what it listens to. */
  readonly done: () => void;
}

export function linked(...signals: readonly (AbortSignal | undefined)[]): Linked {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = false;
  const abort = () => controller.abort();
  for (const signal of signals) {
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  }
  const within = (milliseconds?: number) => {
    clearTimeout(timer);
    if (milliseconds === undefined) return;
    timer = setTimeout(() => {
      late = true;
      abort();
    }, milliseconds);
  };
  const done = () => {
    clearTimeout(timer);
    for (const signal of signals) signal?.removeEventListener("abort", abort);
  };
  return { signal: controller.signal, abort, isLate: () => late, within, done };
}
