// Which item of an array is which of the one before: never more deletions, insertions and moves than there must be, held against
// every way to match two small arrays.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import { canonicalize, type Json } from "../src/index";
import { type Identity, isSameValue, type Match, matchItems } from "../src/types/list-match";

const RUNS = Number(process.env.GROVE_RUNS ?? effort(1_000));
const byValue: Identity = { isSame: isSameValue, textOf: canonicalize };

interface Cost {
  readonly deleted: number;
  readonly inserted: number;
  readonly moved: number;
}
const sum = ({ deleted, inserted, moved }: Cost) => deleted + inserted + moved;

/** How many of these can stay where they are, so that the others move around them. */
function longestRise(places: readonly number[]): number {
  const best = places.map(() => 1);
  for (let n = 0; n < places.length; n++)
    for (let m = 0; m < n; m++)
      if ((places[m] as number) < (places[n] as number)) best[n] = Math.max(best[n] as number, (best[m] as number) + 1);
  return Math.max(0, ...best);
}

/** The least that turns one array into the other, over all ways to say which equal item is which. */
function least(before: readonly string[], after: readonly string[]): number {
  let found = Number.POSITIVE_INFINITY;
  const from: number[] = [];
  const tryAll = (now: number, used: number): void => {
    if (now === after.length) {
      const matched = from.filter((old) => old !== -1);
      const [deleted, inserted] = [before.length - matched.length, after.length - matched.length];
      found = Math.min(found, sum({ deleted, inserted, moved: matched.length - longestRise(matched) }));
      return;
    }
    for (let old = -1; old < before.length; old++) {
      if (old !== -1 && (used & (1 << old) || before[old] !== after[now])) continue;
      from[now] = old;
      tryAll(now + 1, old === -1 ? used : used | (1 << old));
    }
  };
  tryAll(0, 0);
  return found;
}

const costOf = ({ from, stays, gone }: Match): Cost => ({
  deleted: gone.length,
  inserted: from.filter((old) => old === -1).length,
  moved: from.filter((old, now) => old !== -1 && !stays[now]).length,
});

/** Each old item is one new one or gone, and those that stay are in their order. Without `expect`, which is slow. */
function checkSound(before: readonly Json[], after: readonly Json[], { from, stays, gone }: Match): void {
  const used = [...from.filter((old) => old !== -1), ...gone].sort((a, b) => a - b);
  const kept = from.filter((_, now) => stays[now]);
  const rises = kept.every((old, n) => old > (kept[n - 1] ?? -1));
  if (from.length === after.length && used.length === before.length && used.every((old, n) => old === n) && rises)
    return;
  throw new Error(`${JSON.stringify([before, after])} are matched ${JSON.stringify({ from, stays, gone })}`);
}

/** All arrays of these letters up to a length. */
function arraysOf(letters: string, length: number): string[][] {
  const all: string[][] = [[]];
  for (let start = 0, n = 0; n < length; n++) {
    const end = all.length;
    for (; start < end; start++) for (const letter of letters) all.push([...(all[start] as string[]), letter]);
  }
  return all;
}

describe("a changed array is taken for the fewest changes", () => {
  test("all pairs of arrays of up to four of three letters, against every way to match them (lineage 27)", () => {
    const all = arraysOf("abc", 4);
    for (const before of all)
      for (const after of all) {
        const match = matchItems(before, after, byValue, false);
        checkSound(before, after, match);
        const [cost, wanted] = [sum(costOf(match)), least(before, after)];
        if (cost !== wanted) expect(cost, `${before.join("")} to ${after.join("")}`).toBe(wanted);
      }
    expect(all).toHaveLength(121);
  });

  test("random arrays of up to seven, against every way to match them", () => {
    const items = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 7 });
    fc.assert(
      fc.property(items, items, (before, after) => {
        const match = matchItems(before, after, byValue, false);
        checkSound(before, after, match);
        expect(sum(costOf(match))).toBe(least(before, after));
      }),
      { numRuns: RUNS },
    );
  });

  test("long arrays, of which any part was moved, deleted or inserted: nothing else changes", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.integer({ min: 1, max: 20 }), fc.nat(200), (length, at, count, to) => {
        const before = Array.from({ length: length + 30 }, (_, n) => `${n}`);
        const from = at % (before.length - count + 1);
        const run = before.slice(from, from + count);
        const rest = before.toSpliced(from, count);
        expect(costOf(matchItems(before, rest, byValue, false))).toEqual({ deleted: count, inserted: 0, moved: 0 });
        expect(costOf(matchItems(rest, before, byValue, false))).toEqual({ deleted: 0, inserted: count, moved: 0 });
        const place = to % (rest.length + 1);
        const moved = costOf(matchItems(before, rest.toSpliced(place, 0, ...run), byValue, false));
        // Of a run and what it jumped over, the shorter one moves.
        expect(moved).toEqual({ deleted: 0, inserted: 0, moved: Math.min(count, Math.abs(place - from)) });
      }),
      { numRuns: Math.min(RUNS, 1_000) },
    );
  });
});

test("where an item went and another came at one place, the one became the other; nowhere else", () => {
  const all = arraysOf("abc", 4);
  for (const before of all)
    for (const after of all) {
      const match = matchItems(before, after, byValue, true);
      checkSound(before, after, match);
      const { from, stays, gone } = match;
      const replaced = from.filter((old, now) => old !== -1 && before[old] !== after[now]);
      const fail = () => new Error(`${before.join("")} to ${after.join("")}: ${JSON.stringify(match)}`);
      for (const [now, old] of from.entries()) if (replaced.includes(old) && !stays[now]) throw fail();
      // Between two that stay there is not one that went and one that came.
      const bounds = [-1, ...from.filter((_, now) => stays[now]), before.length];
      let gap = 0;
      const came = bounds.map(() => 0);
      for (const [now, old] of from.entries()) {
        if (stays[now]) gap++;
        else if (old === -1) came[gap] = (came[gap] as number) + 1;
      }
      for (let n = 0; n + 1 < bounds.length; n++) {
        const left = gone.filter((old) => old > (bounds[n] as number) && old < (bounds[n + 1] as number));
        if (left.length > 0 && came[n]) throw fail();
      }
      // What is equal is one item as before: replacing adds to what is matched and takes nothing away.
      const plain = matchItems(before, after, byValue, false);
      plain.from.forEach((old, now) => {
        if (old !== -1 && (from[now] !== old || stays[now] !== plain.stays[now])) throw fail();
      });
    }
});

test("arrays of which too many items are alike are matched in their order, and still none is lost", () => {
  for (const [one, other] of [
    [1_100, 1_000],
    [1_000, 1_100],
  ] as const) {
    const before = ["x", ...Array<string>(one).fill("same"), "y"];
    const after = ["u", ...Array<string>(other).fill("same"), "v"];
    const match = matchItems(before, after, byValue, false);
    checkSound(before, after, match);
    const [deleted, inserted] = [Math.max(0, one - other), Math.max(0, other - one)];
    expect(costOf(match)).toEqual({ deleted: deleted + 2, inserted: inserted + 2, moved: 0 });
  }
});
