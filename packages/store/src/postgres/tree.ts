// Trees of hashes on Postgres: brought up to date from the rows numbered since, and read.
import { HashGroup, type Interned, type Json, type StoredCell, wholeState } from "@grove-crdt/core";
import {
  groupPath,
  groupRange,
  groupsOf,
  moveRows,
  type Paths,
  questionOf,
  ROWS_PER_READ,
  ROWS_PER_STEP,
  shapeOfTree,
  type TableDigest,
  type Tree,
  type TreeRow,
  toTreeRow,
  treeOf,
} from "../tree";
import type { PostgresTransaction, RawRow } from "./driver";
import { addCell } from "./read";
import type { Session } from "./session";
import { type ListColumn, numbers, rowsFrom, toParams } from "./sql";
import { SHADOW_COLUMNS } from "./statements";
import { rawToCell, type Table } from "./table";

type Reader = Pick<PostgresTransaction, "rows">;

const TREE_ROWS =
  "SELECT r.id, r.leaf, r.pk, r.sum FROM unnest($1::text::bigint[]) ids(id) JOIN public._grove_tree_rows r ON r.id = ids.id";
const GROUPS = "SELECT id, leaves FROM public._grove_tree_groups";
const ROW_COLUMNS: ListColumn[] = [
  ["id", "bigint"],
  ["leaf", "bigint"],
  ["pk", "text"],
  ["sum", "text"],
];
const GROUP_COLUMNS: ListColumn[] = [
  ["id", "bigint"],
  ["rows", "integer"],
  ["sum", "text"],
  ["leaves", "text"],
];

async function readTree(tx: Reader, { model }: Table): Promise<Tree | null> {
  const [row] = await tx.rows("SELECT tree, shape, seq FROM public._grove_trees WHERE tbl = $1::text", [model.name]);
  return row ? { tree: Number(row[0]), shape: row[1] as string, seq: Number(row[2]) } : null;
}

/** A tree with nothing in it, in the place of the one there may be: what that one has counts no more. */
async function plantTree(session: Session, { model }: Table, old: Tree | null): Promise<Tree> {
  if (old) {
    const range = groupRange(old.tree).map(String);
    await session.rows(
      "DELETE FROM public._grove_tree_groups WHERE id BETWEEN $1::text::bigint AND $2::text::bigint",
      range,
    );
  }
  const [row] = await session.rows(
    "INSERT INTO public._grove_trees (tbl, tree, shape, seq) SELECT $1::text, coalesce(max(t.tree), 0) + 1, $2::text, 0 FROM public._grove_trees t ON CONFLICT (tbl) DO UPDATE SET tree = excluded.tree, shape = excluded.shape, seq = excluded.seq RETURNING tree",
    [model.name, shapeOfTree(model)],
  );
  return { tree: Number(row?.[0]), shape: shapeOfTree(model), seq: 0 };
}

/** The tree, unless it is of other columns, or of a table that was dropped and made again under the same name. */
async function soundTree(tx: Reader, table: Table): Promise<Tree | null> {
  const tree = await readTree(tx, table);
  if (tree?.shape !== shapeOfTree(table.model)) return null;
  const known = `SELECT 1 FROM ${table.shadow} WHERE seq <= $1::text::bigint LIMIT 1`;
  if ((await tx.rows(known, [String(tree.seq)])).length > 0) return tree;
  const groups =
    "SELECT 1 FROM public._grove_tree_groups WHERE id BETWEEN $1::text::bigint AND $2::text::bigint LIMIT 1";
  return (await tx.rows(groups, groupRange(tree.tree).map(String))).length > 0 ? null : tree;
}

/** The tree, if every row stands in it as it is. In the reader's snapshot the log must be empty. */
async function currentTree(tx: Reader, table: Table): Promise<Tree | null> {
  const tree = await soundTree(tx, table);
  if (!tree) return null;
  const since = `SELECT 1 FROM ${table.shadow} WHERE seq > $1::text::bigint LIMIT 1`;
  return (await tx.rows(since, [String(tree.seq)])).length > 0 ? null : tree;
}

const toRow = ([id, leaf, pk, sum]: RawRow): TreeRow => ({
  id: Number(id),
  leaf: Number(leaf),
  pk: pk as string,
  sum: sum as string,
});

const readTreeRows = async (tx: Reader, ids: readonly number[]): Promise<TreeRow[]> =>
  (await tx.rows(TREE_ROWS, [numbers(ids)])).map(toRow);

/** Takes rows out of a tree's groups and puts others in. */
async function move(
  session: Session,
  tree: number,
  before: readonly TreeRow[],
  after: readonly TreeRow[],
): Promise<void> {
  const ids = groupsOf(tree, [...before, ...after]);
  const stored = await session.rows(`${GROUPS} WHERE id = ANY($1::text::bigint[])`, [numbers(ids)]);
  const known = new Map(stored.map(([id, leaves]) => [Number(id), leaves as string]));
  const groups = new Map(ids.map((id) => [id, new HashGroup(id, known.get(id))]));
  moveRows(tree, groups, before, after);
  const full = [...groups].filter(([, { rows }]) => rows > 0);
  const empty = [...groups].flatMap(([id, { rows }]) => (rows > 0 ? [] : [id]));
  if (full.length > 0)
    await session.rows(
      `INSERT INTO public._grove_tree_groups (id, rows, sum, leaves) SELECT v.id, v.rows, v.sum, v.leaves FROM ${rowsFrom("v", GROUP_COLUMNS)} ON CONFLICT (id) DO UPDATE SET rows = excluded.rows, sum = excluded.sum, leaves = excluded.leaves`,
      toParams(
        4,
        full.map(([id, { rows, sum, leaves }]) => [id, rows, sum, leaves]),
      ),
    );
  if (empty.length > 0)
    await session.rows("DELETE FROM public._grove_tree_groups WHERE id = ANY($1::text::bigint[])", [numbers(empty)]);
}

/** The hashes of the rows numbered after `from` and up to `to`. */
async function hashRows(
  { tx, names }: { readonly tx: Reader; readonly names: Interned },
  table: Table,
  tree: number,
  from: number,
  to: number,
): Promise<TreeRow[]> {
  const { model } = table;
  const between = [String(from), String(to)];
  const cells = new Map<number, StoredCell[]>();
  for (const raw of await tx.rows(table.readPageCells([]), [...between, "-1"])) addCell(cells, rawToCell(raw));
  const keys = model.key.length;
  return (await tx.rows(table.readPage([]), between)).flatMap((raw) => {
    const stored = table.stored(raw, keys);
    if (!stored) return [];
    const pk = table.pk(raw, 0);
    const values = Number(raw[raw.length - 1]) === 1 ? table.values(raw, keys + SHADOW_COLUMNS) : {};
    const state = wholeState(model, pk, table.decode(stored, cells.get(stored.id), names), values);
    return state ? [toTreeRow(tree, stored.id, state)] : [];
  });
}

/** Looks at the next rows that were numbered since. In one snapshot with an empty log. @returns whether none is left */
export async function growTree(session: Session, table: Table): Promise<boolean> {
  const { tree, seq } =
    (await soundTree(session, table)) ?? (await plantTree(session, table, await readTree(session, table)));
  const before: TreeRow[] = [];
  const after: TreeRow[] = [];
  let [end, isDone, count] = [seq, false, 0];
  while (!isDone && count < ROWS_PER_STEP) {
    const [window] = await session.rows(
      `SELECT max(seq), count(*) FROM ${table.readNumbers([], 4, 3)} w`,
      [end, session.seq, ROWS_PER_READ].map(String),
    );
    const size = Number(window?.[1]);
    count += size;
    isDone = size < ROWS_PER_READ;
    const to = isDone ? session.seq : Number(window?.[0]);
    const hashed = size > 0 ? await hashRows(session, table, tree, end, to) : [];
    end = to;
    const old = new Map(
      (
        await readTreeRows(
          session,
          hashed.map(({ id }) => id),
        )
      ).map((row) => [row.id, row]),
    );
    for (const row of hashed) {
      const had = old.get(row.id);
      if (had?.leaf === row.leaf && had.sum === row.sum) continue;
      if (had) before.push(had);
      after.push(row);
    }
  }
  if (after.length > 0) {
    await session.rows(
      `INSERT INTO public._grove_tree_rows (id, leaf, pk, sum) SELECT v.id, v.leaf, v.pk, v.sum FROM ${rowsFrom("v", ROW_COLUMNS)} ON CONFLICT (id) DO UPDATE SET leaf = excluded.leaf, sum = excluded.sum`,
      toParams(
        4,
        after.map(({ id, leaf, pk, sum }) => [id, leaf, pk, sum]),
      ),
    );
    await move(session, tree, before, after);
  }
  await session.rows("UPDATE public._grove_trees SET seq = $1::text::bigint WHERE tbl = $2::text", [
    String(end),
    table.model.name,
  ]);
  return isDone;
}

/** What the trees say; null when one of them is not up to date. */
export async function readTrees(
  tx: Reader,
  asked: ReadonlyMap<Table, Paths>,
): Promise<ReadonlyMap<string, TableDigest> | null> {
  const found = new Map<string, TableDigest>();
  for (const [table, paths] of asked) {
    const tree = await currentTree(tx, table);
    if (!tree) return null;
    found.set(table.model.name, await readDigest(tx, tree.tree, paths));
  }
  return found;
}

async function readDigest(tx: Reader, tree: number, paths: Paths): Promise<TableDigest> {
  const groups = await tx.rows(
    "SELECT id, rows, sum FROM public._grove_tree_groups WHERE id BETWEEN $1::text::bigint AND $2::text::bigint",
    groupRange(tree).map(String),
  );
  const sums: Record<string, string> = {};
  const [asked, leaves]: [number[], number[]] = [[], []];
  for (const path of new Set(paths)) {
    const question = questionOf(tree, path);
    if (question.kind === "groups") for (const [id, , sum] of groups) sums[groupPath(Number(id))] = sum as string;
    else if (question.kind === "leaves") asked.push(question.group);
    else leaves.push(question.leaf);
  }
  const inner = asked.length > 0 ? await tx.rows(`${GROUPS} WHERE id = ANY($1::text::bigint[])`, [numbers(asked)]) : [];
  for (const [id, text] of inner) Object.assign(sums, new HashGroup(Number(id), text as string).below);
  const rows =
    leaves.length > 0
      ? await tx.rows("SELECT pk, sum FROM public._grove_tree_rows WHERE leaf = ANY($1::text::bigint[])", [
          numbers(leaves),
        ])
      : [];
  const found = rows.map(([pk, sum]) => [JSON.parse(pk as string) as Json[], sum as string] as const);
  return { rows: groups.reduce((sum, [, rows]) => sum + Number(rows), 0), sums, found };
}

/** Takes rows out that the shadow has no more. @param ids theirs in the shadow */
export async function forgetInTree(session: Session, { model }: Table, ids: readonly number[]): Promise<void> {
  const rows = await readTreeRows(session, ids);
  if (rows.length === 0) return;
  const [row] = await session.rows("SELECT tree FROM public._grove_trees WHERE tbl = $1::text", [model.name]);
  const tree = Number(row?.[0]);
  await move(
    session,
    tree,
    rows.filter(({ leaf }) => treeOf(leaf) === tree),
    [],
  );
  await session.rows("DELETE FROM public._grove_tree_rows WHERE id = ANY($1::text::bigint[])", [numbers(ids)]);
}

/** The trees are made anew when they are asked for again. */
export const distrustTrees = async (tx: Reader): Promise<void> =>
  void (await tx.rows("UPDATE public._grove_trees SET shape = ''"));
