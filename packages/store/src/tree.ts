// Trees of hashes that a database keeps (core's hash-group.ts), the same in every dialect: when a tree has to be made anew, and
// what a step changes in it. A tree is brought up to date when it is asked for, from the rows that were numbered since: every
// change of a row moves its number. Writes pay nothing for it.
import {
  canonicalize,
  digest,
  FAN_OUT,
  HashGroup,
  type Json,
  LEAF_DEPTH,
  LEAVES,
  leafOf,
  pathToNumber,
  type RowChange,
  stateSum,
  type TableModel,
} from "@grove-crdt/core";

/** What is asked of a tree: paths below which sums are wanted, or of leaves, the rows. */
export type Paths = readonly string[];

export interface TableDigest {
  /** How many rows the tree has, deleted ones included. */
  readonly rows: number;
  /** The sums below the paths, by path. */
  readonly sums: Readonly<Record<string, string>>;
  /** The rows of the leaves, each with its hash. */
  readonly found: readonly (readonly [pk: readonly Json[], sum: string])[];
}

/** What `_grove_trees` has of a table. */
export interface Tree {
  readonly tree: number;
  readonly shape: string;
  readonly seq: number;
}

/** What `_grove_tree_rows` has of a row. */
export interface TreeRow {
  readonly id: number;
  /** Counted through all trees. */
  readonly leaf: number;
  readonly pk: string;
  readonly sum: string;
}

/** Rows that one transaction looks at, and that are in memory at a time. */
export const ROWS_PER_STEP = 1_000;
export const ROWS_PER_READ = 250;

/** Raised when the same rows get other hashes by a change of the code. */
const VERSION = 1;

/** Another one wherever the same rows may have other hashes: a column was added, or is of another kind. */
export function shapeOfTree(model: TableModel): string {
  const shape = shapes.get(model) ?? digest(`${VERSION} ${canonicalize(JSON.parse(JSON.stringify(model)) as Json)}`);
  shapes.set(model, shape);
  return shape;
}
const shapes = new WeakMap<TableModel, string>();

export function toTreeRow(tree: number, id: number, state: RowChange): TreeRow {
  const leaf = tree * LEAVES + pathToNumber(leafOf(state.pk));
  return { id, leaf, pk: JSON.stringify(state.pk), sum: stateSum(state) };
}

/** The numbers of the groups in which these rows stand; those of other trees were given up. */
export const groupsOf = (tree: number, rows: readonly TreeRow[]): number[] => [
  ...new Set(rows.filter(({ leaf }) => treeOf(leaf) === tree).map(({ leaf }) => groupOf(leaf))),
];
export const treeOf = (leaf: number): number => Math.floor(leaf / LEAVES);
const groupOf = (leaf: number): number => Math.floor(leaf / FAN_OUT);
/** All groups of a tree. */
export const groupRange = (tree: number): readonly [first: number, last: number] => [
  tree * FAN_OUT,
  (tree + 1) * FAN_OUT - 1,
];

/**
 * Takes rows out of their groups and puts others in.
 *
 * @param groups those of {@link groupsOf} both lists, by number
 */
export function moveRows(
  tree: number,
  groups: ReadonlyMap<number, HashGroup>,
  before: readonly TreeRow[],
  after: readonly TreeRow[],
): void {
  for (const { leaf, sum } of before) if (treeOf(leaf) === tree) groups.get(groupOf(leaf))?.remove(leaf, sum);
  for (const { leaf, sum } of after) groups.get(groupOf(leaf))?.add(leaf, sum);
}

/** What a path asks for. */
export type Question =
  | { readonly kind: "groups" }
  | { readonly kind: "leaves"; readonly group: number }
  | { readonly kind: "rows"; readonly leaf: number };

export function questionOf(tree: number, path: string): Question {
  if (path.length === LEAF_DEPTH) return { kind: "rows", leaf: tree * LEAVES + pathToNumber(path) };
  return path === "" ? { kind: "groups" } : { kind: "leaves", group: tree * FAN_OUT + pathToNumber(path) };
}

/** The path of a group, whichever tree's. */
export const groupPath = (id: number): string => new HashGroup(id).path;
