// Work in slices: while the database writes some rows, those after them are decided.

/** Lets what was sent get on its way. Where nothing but this program runs, there is nothing to wait for. */
const turn = () => new Promise<void>((resolve) => (globalThis.setImmediate ?? queueMicrotask)(resolve));

/**
 * Runs `write` on one slice after the other. It decides at once and waits only for what it writes; at most two slices are
 * being written. All are over when this is, also when one fails.
 */
export async function inSlices<T>(
  items: readonly T[],
  size: number,
  write: (slice: readonly T[]) => Promise<void>,
): Promise<void> {
  const writing: Promise<void>[] = [];
  try {
    for (let first = 0; first < items.length; first += size) {
      await writing.at(-2);
      const written = write(items.slice(first, first + size));
      // Looked at below, however the next slice ends.
      written.catch(() => {});
      writing.push(written);
      if (first + size < items.length) await turn();
    }
  } finally {
    await Promise.allSettled(writing);
  }
  await Promise.all(writing);
}
