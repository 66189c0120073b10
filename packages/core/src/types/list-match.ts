// Which item of an array is which of the one before: as many as can stay where they are, then those that moved, then those
// that became another.
// Source: Hunt and Szymanski 1977, "A fast algorithm for computing longest common subsequences".
import type { Json } from "../model";

/** Above so many pairs of equal items (all alike, say), equal ones are matched in their order. */
const MOST_PAIRS = 1_000_000;

export interface Match {
  /** By place in the new array: the place in the old one; -1 = the item is new. */
  readonly from: readonly number[];
  /** By place in the new array: the item stays, and others move around it. */
  readonly stays: readonly boolean[];
  /** Places in the old array of the items that are not in the new one. */
  readonly gone: readonly number[];
}

/** What tells items apart. */
export interface Identity {
  isSame(a: Json, b: Json): boolean;
  /** The same text for what is the same. It takes its time: only what changed is asked for it. */
  textOf(item: Json): string;
}

/**
 * @param before the old array's items
 * @param after the new one's
 * @param replaces an item that stands where another one was is that one with a new value
 */
export function matchItems(
  before: readonly Json[],
  after: readonly Json[],
  { isSame, textOf }: Identity,
  replaces: boolean,
): Match {
  const from = after.map(() => -1);
  const stays = after.map(() => false);
  const kept = before.map(() => false);
  const keep = (old: number, now: number) => {
    from[now] = old;
    kept[old] = true;
  };
  const stay = (old: number, now: number) => {
    keep(old, now);
    stays[now] = true;
  };
  let start = 0;
  const least = Math.min(before.length, after.length);
  while (start < least && isSame(before[start] as Json, after[start] as Json)) stay(start, start++);
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > start && newEnd > start && isSame(before[oldEnd - 1] as Json, after[newEnd - 1] as Json))
    stay(--oldEnd, --newEnd);

  const places = new Map<string, number[]>();
  for (let old = oldEnd - 1; old >= start; old--) {
    const text = textOf(before[old] as Json);
    const known = places.get(text);
    if (known) known.push(old);
    else places.set(text, [old]);
  }
  const texts = after.slice(start, newEnd).map(textOf);
  for (const [old, now] of commonSubsequence(places, texts)) stay(old, start + now);

  const left = new Map<string, number[]>();
  for (const [text, all] of places) {
    const rest = all.filter((old) => !kept[old]);
    if (rest.length > 0) left.set(text, rest);
  }
  for (let now = start; now < newEnd; now++) {
    if (from[now] !== -1) continue;
    const old = left.get(texts[now - start] as string)?.pop();
    if (old !== undefined) keep(old, now);
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
      while (kept[old]) old++;
      if (old >= (bounds[now] as number)) continue;
      stay(old, now);
    }
  }
  const gone: number[] = [];
  for (let old = start; old < oldEnd; old++) if (!kept[old]) gone.push(old);
  return { from, stays, gone };
}

/** Whether two values are one: as their canonical texts would say, but no text is made. */
export function isSameValue(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isArray(a) || isArray(b))
    return isArray(a) && isArray(b) && a.length === b.length && a.every((item, n) => isSameValue(item, b[n] as Json));
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSameValue(a[name] as Json, b[name] as Json))
  );
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

/** The longest common subsequence, as pairs of places. `places`: by text, the old places, greatest first. */
function commonSubsequence(
  places: ReadonlyMap<string, readonly number[]>,
  after: readonly string[],
): [old: number, now: number][] {
  let pairs = 0;
  for (const text of after) pairs += places.get(text)?.length ?? 0;
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
  for (let now = 0; now < after.length; now++) {
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
