// A table as a tree of hashes: by which two nodes find the rows in which they differ without telling each other the others.
// A row stands in the leaf that two digits of the hash of its key name; a leaf is the sum of its rows, a group that of its
// leaves. After Merkle 1987, "A Digital Signature Based on a Conventional Encryption Function", with sums that do not depend on order.
import { canonicalize } from "./canonical";
import type { RowChange } from "./change";
import { digest } from "./digest";
import { emptySum, flipHash, flipSum, type HashSum, printSum } from "./hash-sum";
import type { Json } from "./model";
import { sortedState } from "./sorted";

/** Digits of a leaf's path. The root's is empty. */
export const LEAF_DEPTH = 2;

/** The leaf of a row. */
export const leafOf = (pk: readonly Json[]): string => digest(canonicalize(pk)).slice(0, LEAF_DEPTH);

/** What is known of a row, its life included; equal sums, equal states. */
export const stateSum = (state: RowChange): string => digest(canonicalize(sortedState(state) as unknown as Json));

/** Sums of rows, one for each leaf: 128 bits in which each row's bits are flipped. */
export class HashTree {
  readonly #leaves = new Map<string, HashSum>();
  rows = 0;

  add(state: RowChange): void {
    const leaf = leafOf(state.pk);
    const sum = this.#leaves.get(leaf) ?? emptySum();
    this.#leaves.set(leaf, sum);
    flipHash(sum, stateSum(state));
    this.rows++;
  }

  /** The sums below a path, by path; what has no rows is left out. */
  below(path: string): Record<string, string> {
    const sums = new Map<string, HashSum>();
    for (const [leaf, sum] of this.#leaves) {
      if (!leaf.startsWith(path)) continue;
      const child = leaf.slice(0, path.length + 1);
      const known = sums.get(child) ?? emptySum();
      sums.set(child, known);
      flipSum(known, sum);
    }
    return Object.fromEntries([...sums].map(([child, sum]) => [child, printSum(sum)]));
  }
}

/** The paths whose sums differ, those that only one side has included. */
export const unequalPaths = (
  ours: Readonly<Record<string, string>>,
  theirs: Readonly<Record<string, string>>,
): string[] =>
  [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].filter(
    (path) => !(Object.hasOwn(ours, path) && Object.hasOwn(theirs, path) && ours[path] === theirs[path]),
  );
