// A table as a tree of hashes: by which two nodes find the rows in which they differ without telling each other the others.
// A row stands in the leaf that two digits of the hash of its key name; a leaf is the sum of its rows, a group that of its
// leaves. After Merkle 1987, "A Digital Signature Based on a Conventional Encryption Function", with sums that do not depend on order.
import { canonicalize } from "./canonical";
import type { RowChange } from "./change";
import { digest } from "./digest";
import type { Json } from "./model";
import { sortedState } from "./sorted";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Digits of a leaf's path. The root's is empty. */
export const LEAF_DEPTH = 2;

/** The leaf of a row. */
export const leafOf = (pk: readonly Json[]): string => digest(canonicalize(pk)).slice(0, LEAF_DEPTH);

/** What is known of a row, its life included; equal sums, equal states. */
export const stateSum = (state: RowChange): string => digest(canonicalize(sortedState(state) as unknown as Json));

/** Sums of rows, one for each leaf: 128 bits in which each row's bits are flipped. */
export class HashTree {
  readonly #leaves = new Map<string, Uint8Array>();
  rows = 0;

  add(state: RowChange): void {
    const leaf = leafOf(state.pk);
    const sum = this.#leaves.get(leaf) ?? new Uint8Array(22);
    this.#leaves.set(leaf, sum);
    flip(sum, stateSum(state));
    this.rows++;
  }

  /** The sums below a path, by path; what has no rows is left out. */
  below(path: string): Record<string, string> {
    const sums = new Map<string, Uint8Array>();
    for (const [leaf, sum] of this.#leaves) {
      if (!leaf.startsWith(path)) continue;
      const child = leaf.slice(0, path.length + 1);
      const known = sums.get(child) ?? new Uint8Array(22);
      sums.set(child, known);
      for (let n = 0; n < known.length; n++) known[n] = (known[n] as number) ^ (sum[n] as number);
    }
    return Object.fromEntries([...sums].map(([child, sum]) => [child, print(sum)]));
  }
}

/** The digits of a sum as numbers of six bits, one after the other. */
function flip(sum: Uint8Array, digits: string): void {
  for (let n = 0; n < sum.length; n++) sum[n] = (sum[n] as number) ^ DIGITS.indexOf(digits[n] as string);
}
const print = (sum: Uint8Array): string => Array.from(sum, (digit) => DIGITS[digit]).join("");

/** The paths whose sums differ, those that only one side has included. */
export const unequalPaths = (
  ours: Readonly<Record<string, string>>,
  theirs: Readonly<Record<string, string>>,
): string[] =>
  [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].filter(
    (path) => !(Object.hasOwn(ours, path) && Object.hasOwn(theirs, path) && ours[path] === theirs[path]),
  );
