// Which item of an array is which of the one before: as many as can stay where they are, then those that moved, then those
// that became another.
// Source: Hunt and Szymanski 1977, "A fast algorithm for computing longest common subsequences".

/** Above so many pairs of equal items (all alike, say), equal ones are matched in their order. */
const MOST_PAIRS = 1_000_000;

export interface Match {
  /** By place in the new array: the place in the old one; -1 = the item is new. */
  readonly from: readonly number[];
  /** By place in the new array: the item stays, and others move around it. */
  readonly stays: readonly boolean[];
}

/**
 * @param before the old array's items, told apart by their texts
 * @param after the new one's
 * @param replaces an item that stands where another one was is that one with a new value
 */
export function matchItems(before: readonly string[], after: readonly string[], replaces: boolean): Match {
  const from = after.map(() => -1);
  const stays = after.map(() => false);
  const stay = (old: number, now: number) => {
    from[now] = old;
    stays[now] = true;
  };
  let start = 0;
  const least = Math.min(before.length, after.length);
  while (start < least && before[start] === after[start]) stay(start, start++);
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) stay(--oldEnd, --newEnd);

  const places = new Map<string, number[]>();
  for (let n = oldEnd - 1; n >= start; n--) {
    const known = places.get(before[n] as string);
    if (known) known.push(n);
    else places.set(before[n] as string, [n]);
  }
  for (const [old, now] of commonSubsequence(places, after, start, newEnd)) stay(old, now);

  const kept = new Set(from);
  const left = new Map<string, number[]>();
  for (const [text, all] of places) {
    const rest = all.filter((old) => !kept.has(old));
    if (rest.length > 0) left.set(text, rest);
  }
  for (let now = start; now < newEnd; now++) {
    if (from[now] !== -1) continue;
    const old = left.get(after[now] as string)?.pop();
    if (old === undefined) continue;
    from[now] = old;
    kept.add(old);
  }
  if (replaces) {
    // Between two items that stay, the first that is gone became the first that is new.
    const bounds = after.map(() => oldEnd);
    for (let now = newEnd - 2; now >= start; now--)
      bounds[now] = (stays[now + 1] ? from[now + 1] : bounds[now + 1]) as number;
    let old = start;
    for (let now = start; now < newEnd; now++) {
      if (stays[now]) old = (from[now] as number) + 1;
      if (from[now] !== -1) continue;
      while (kept.has(old)) old++;
      if (old >= (bounds[now] as number)) continue;
      stay(old, now);
      kept.add(old);
    }
  }
  return { from, stays };
}

/** The longest common subsequence, as pairs of places. `places`: by text, the old places, greatest first. */
function commonSubsequence(
  places: ReadonlyMap<string, readonly number[]>,
  after: readonly string[],
  start: number,
  end: number,
): [old: number, now: number][] {
  let pairs = 0;
  for (let now = start; now < end; now++) pairs += places.get(after[now] as string)?.length ?? 0;
  const used = new Map<string, number>();
  const candidates = (text: string): readonly number[] => {
    const all = places.get(text) ?? [];
    if (pairs <= MOST_PAIRS) return all;
    const n = used.get(text) ?? 0;
    used.set(text, n + 1);
    return all.slice(all.length - 1 - n, all.length - n || undefined).slice(0, 1);
  };
  // Patience sorting: `ends[k]` ends the subsequence of length k + 1 that ends soonest.
  const ends: { readonly old: number; readonly now: number; readonly previous: number }[] = [];
  const chain: (typeof ends)[number][] = [];
  const tops: number[] = [];
  for (let now = start; now < end; now++) {
    for (const old of candidates(after[now] as string)) {
      let [low, high] = [0, tops.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((chain[tops[middle] as number] as (typeof ends)[number]).old < old) low = middle + 1;
        else high = middle;
      }
      chain.push({ old, now, previous: low > 0 ? (tops[low - 1] as number) : -1 });
      tops[low] = chain.length - 1;
    }
  }
  const found: [number, number][] = [];
  for (let n = tops.at(-1) ?? -1; n >= 0; n = (chain[n] as (typeof ends)[number]).previous) {
    const { old, now } = chain[n] as (typeof ends)[number];
    found.push([old, now]);
  }
  return found;
}
