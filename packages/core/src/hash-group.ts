// A group of a tree of hashes (hash-tree.ts) as a database keeps it: the sums of its leaves, changed row by row, so that a
// comparison need not read the rows that were there at the last one.
import { DIGITS, emptySum, flipHash, flipSum, type HashSum, printSum } from "./hash-sum";

/** Leaves of a group, and groups of a tree. */
export const FAN_OUT = DIGITS.length;
/** Leaves of a tree. */
export const LEAVES = FAN_OUT * FAN_OUT;

/** A leaf, or a group, as a number from 0 on. */
export const pathToNumber = (path: string): number =>
  [...path].reduce((number, digit) => number * FAN_OUT + DIGITS.indexOf(digit), 0);

const digitOf = (number: number): string => DIGITS[number % FAN_OUT] as string;

interface Leaf {
  rows: number;
  readonly sum: HashSum;
}

/** Leaves by digit, each with its rows and their sum. */
type StoredLeaves = Readonly<Record<string, readonly [rows: number, sum: string]>>;

export class HashGroup {
  readonly #leaves = new Map<string, Leaf>();

  /**
   * @param number which group of its tree it is
   * @param stored as {@link leaves} gave it
   */
  constructor(
    readonly number: number,
    stored = "{}",
  ) {
    for (const [digit, [rows, hash]] of Object.entries(JSON.parse(stored) as StoredLeaves)) {
      const sum = emptySum();
      flipHash(sum, hash);
      this.#leaves.set(digit, { rows, sum });
    }
  }

  /** @param leaf its number in the tree */
  add(leaf: number, hash: string): void {
    this.#change(leaf, hash, 1);
  }
  remove(leaf: number, hash: string): void {
    this.#change(leaf, hash, -1);
  }
  #change(number: number, hash: string, rows: 1 | -1): void {
    const digit = digitOf(number);
    const leaf = this.#leaves.get(digit) ?? { rows: 0, sum: emptySum() };
    leaf.rows += rows;
    flipHash(leaf.sum, hash);
    // What has no rows has no sum.
    if (leaf.rows === 0) this.#leaves.delete(digit);
    else this.#leaves.set(digit, leaf);
  }

  get rows(): number {
    return [...this.#leaves.values()].reduce((sum, { rows }) => sum + rows, 0);
  }
  get sum(): string {
    const sum = emptySum();
    for (const leaf of this.#leaves.values()) flipSum(sum, leaf.sum);
    return printSum(sum);
  }
  get path(): string {
    return digitOf(this.number);
  }
  /** The sums of its leaves, by path. */
  get below(): Record<string, string> {
    return Object.fromEntries([...this.#leaves].map(([digit, { sum }]) => [this.path + digit, printSum(sum)]));
  }
  /** As text, to be kept. */
  get leaves(): string {
    const stored = [...this.#leaves].sort().map(([digit, { rows, sum }]) => [digit, [rows, printSum(sum)]]);
    return JSON.stringify(Object.fromEntries(stored));
  }
}
