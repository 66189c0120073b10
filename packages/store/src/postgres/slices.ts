// Work in slices: while the database writes some rows, those after them are decided.

/** Lets what was sent get on its way. Where nothing but this program runs, there is nothing to wait for. */
const turn = () => new Promise<void>((resolve) => (globalThis.setImmediate ?? queueMicrotask)(resolve));

/**
 * Decides one slice after the other, and writes what was decided; at most two slices are being written. All are over when this is,
 * also when one fails.
 *
 * @returns what came of each slice
 */
export async function inSlices<Item, Decided, Written>(
  items: readonly Item[],
  size: number,
  decide: (slice: readonly Item[], first: number) => Decided,
  write: (decided: Decided) => Promise<Written>,
): Promise<Written[]> {
  const writing: Promise<Written>[] = [];
  try {
    for (let first = 0; first < items.length; first += size) {
      const decided = decide(items.slice(first, first + size), first);
      await writing.at(-2);
      const written = write(decided);
      // Looked at below, however the next slice ends.
      written.catch(() => {});
      writing.push(written);
      if (first + size < items.length) await turn();
    }
  } finally {
    await Promise.allSettled(writing);
  }
  return Promise.all(writing);
}
