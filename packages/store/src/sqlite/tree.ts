// Trees of hashes on SQLite: brought up to date from the rows numbered since, and read.
import { HashGroup, type Json, wholeState } from "@grove-crdt/core";
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
import type { Statements } from "./driver";
import { addCell } from "./read";
import type { Session } from "./session";
import { rawToCell, SHADOW_COLUMNS, type Table } from "./table";

const TREE_ROWS = "SELECT id, leaf, pk, sum FROM _grove_tree_rows";

function readTree(statements: Statements, { model }: Table): Tree | null {
  const row = statements.row("SELECT tree, shape, seq FROM _grove_trees WHERE tbl = ?", model.name);
  return row ? { tree: row[0] as number, shape: row[1] as string, seq: row[2] as number } : null;
}

/** A tree with nothing in it, in the place of the one there may be: what that one has counts no more. */
function plantTree(statements: Statements, { model }: Table, old: Tree | null): Tree {
  const tree = { tree: nextTree(statements), shape: shapeOfTree(model), seq: 0 };
  if (old) statements.run("DELETE FROM _grove_tree_groups WHERE id BETWEEN ? AND ?", ...groupRange(old.tree));
  statements.run(
    "INSERT INTO _grove_trees (tbl, tree, shape, seq) VALUES (?, ?, ?, ?) ON CONFLICT (tbl) DO UPDATE SET tree = excluded.tree, shape = excluded.shape, seq = excluded.seq",
    model.name,
    tree.tree,
    tree.shape,
    tree.seq,
  );
  return tree;
}
const nextTree = (statements: Statements): number =>
  ((statements.row("SELECT max(tree) FROM _grove_trees")?.[0] ?? 0) as number) + 1;

/** The tree, unless it is of other columns, or of a table that was dropped and made again under the same name. */
function soundTree(statements: Statements, table: Table): Tree | null {
  const tree = readTree(statements, table);
  if (tree?.shape !== shapeOfTree(table.model)) return null;
  if (statements.row(`SELECT 1 FROM ${table.shadow} WHERE seq <= ? LIMIT 1`, tree.seq)) return tree;
  const [first, last] = groupRange(tree.tree);
  const hasRows = statements.row("SELECT 1 FROM _grove_tree_groups WHERE id BETWEEN ? AND ? LIMIT 1", first, last);
  return hasRows ? null : tree;
}

/** The tree, if every row stands in it as it is. The log must be empty. */
function currentTree(statements: Statements, table: Table): Tree | null {
  const tree = soundTree(statements, table);
  if (!tree) return null;
  return statements.row(`SELECT 1 FROM ${table.shadow} WHERE seq > ? LIMIT 1`, tree.seq) ? null : tree;
}

function toRow([id, leaf, pk, sum]: readonly unknown[]): TreeRow {
  return { id: id as number, leaf: leaf as number, pk: pk as string, sum: sum as string };
}

/** Takes rows out of a tree's groups and puts others in. */
function move(statements: Statements, tree: number, before: readonly TreeRow[], after: readonly TreeRow[]): void {
  const numbers = groupsOf(tree, [...before, ...after]);
  const stored = new Map(
    statements
      .rows(
        "SELECT id, leaves FROM _grove_tree_groups WHERE id IN (SELECT value FROM json_each(?))",
        JSON.stringify(numbers),
      )
      .map(([id, leaves]) => [id as number, leaves as string]),
  );
  const groups = new Map(numbers.map((id) => [id, new HashGroup(id, stored.get(id))]));
  moveRows(tree, groups, before, after);
  const write = statements.writer(
    "INSERT INTO _grove_tree_groups (id, rows, sum, leaves) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET rows = excluded.rows, sum = excluded.sum, leaves = excluded.leaves",
  );
  for (const [id, group] of groups) {
    if (group.rows > 0) write.run(id, group.rows, group.sum, group.leaves);
    else statements.run("DELETE FROM _grove_tree_groups WHERE id = ?", id);
  }
}

/** The hashes of the rows numbered after `from` and up to `to`. */
function hashRows({ statements, names }: Session, table: Table, tree: number, from: number, to: number): TreeRow[] {
  const { model } = table;
  const cells = new Map<number, ReturnType<typeof rawToCell>[]>();
  for (const raw of statements.rows(table.readPageCells([]), from, to, -1, -1)) addCell(cells, rawToCell(raw));
  const keys = model.key.length;
  return statements.rows(table.readPage([]), from, to).flatMap((raw) => {
    const stored = table.stored(raw, keys);
    if (!stored) return [];
    const pk = table.pk(raw, 0);
    const values = raw[raw.length - 1] === 1 ? table.values(raw, keys + SHADOW_COLUMNS) : {};
    const state = wholeState(model, pk, table.decode(stored, cells.get(stored.id), names), values);
    return state ? [toTreeRow(tree, stored.id, state)] : [];
  });
}

/** Looks at the next rows that were numbered since; the log must be empty. @returns whether none is left */
export function growTree(session: Session, table: Table): boolean {
  const { statements } = session;
  const { tree, seq } = soundTree(statements, table) ?? plantTree(statements, table, readTree(statements, table));
  const write = statements.writer(
    "INSERT INTO _grove_tree_rows (id, leaf, pk, sum) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET leaf = excluded.leaf, sum = excluded.sum",
  );
  const before: TreeRow[] = [];
  const after: TreeRow[] = [];
  let [end, isDone, count] = [seq, false, 0];
  while (!isDone && count < ROWS_PER_STEP) {
    const numbers = statements.rows(`${table.readNumbers([])} ORDER BY seq LIMIT ?`, end, session.seq, ROWS_PER_READ);
    count += numbers.length;
    isDone = numbers.length < ROWS_PER_READ;
    const to = isDone ? session.seq : (numbers.at(-1)?.[0] as number);
    const hashed = numbers.length > 0 ? hashRows(session, table, tree, end, to) : [];
    end = to;
    const ids = JSON.stringify(hashed.map(({ id }) => id));
    const old = new Map(
      statements
        .rows(`${TREE_ROWS} WHERE id IN (SELECT value FROM json_each(?))`, ids)
        .map((raw) => [raw[0] as number, toRow(raw)]),
    );
    for (const row of hashed) {
      const had = old.get(row.id);
      if (had?.leaf === row.leaf && had.sum === row.sum) continue;
      if (had) before.push(had);
      after.push(row);
      write.run(row.id, row.leaf, row.pk, row.sum);
    }
  }
  if (after.length > 0) move(statements, tree, before, after);
  statements.run("UPDATE _grove_trees SET seq = ? WHERE tbl = ?", end, table.model.name);
  return isDone;
}

/** What the trees say; null when one of them is not up to date. */
export function readTrees(
  statements: Statements,
  asked: ReadonlyMap<Table, Paths>,
): ReadonlyMap<string, TableDigest> | null {
  const found = new Map<string, TableDigest>();
  for (const [table, paths] of asked) {
    const tree = currentTree(statements, table);
    if (!tree) return null;
    found.set(table.model.name, readDigest(statements, tree.tree, paths));
  }
  return found;
}

function readDigest(statements: Statements, tree: number, paths: Paths): TableDigest {
  const groups = statements.rows(
    "SELECT id, rows, sum FROM _grove_tree_groups WHERE id BETWEEN ? AND ?",
    ...groupRange(tree),
  );
  const sums: Record<string, string> = {};
  const found: (readonly [readonly Json[], string])[] = [];
  for (const path of new Set(paths)) {
    const question = questionOf(tree, path);
    if (question.kind === "groups") for (const [id, , sum] of groups) sums[groupPath(id as number)] = sum as string;
    else if (question.kind === "leaves") {
      const row = statements.row("SELECT leaves FROM _grove_tree_groups WHERE id = ?", question.group);
      if (row) Object.assign(sums, new HashGroup(question.group, row[0] as string).below);
    } else {
      const rows = statements.rows("SELECT pk, sum FROM _grove_tree_rows WHERE leaf = ?", question.leaf);
      for (const [pk, sum] of rows) found.push([JSON.parse(pk as string) as Json[], sum as string]);
    }
  }
  return { rows: groups.reduce((sum, [, rows]) => sum + (rows as number), 0), sums, found };
}

/** Takes rows out that the shadow has no more. @param ids theirs in the shadow */
export function forgetInTree({ statements }: Session, { model }: Table, ids: readonly number[]): void {
  const list = JSON.stringify(ids);
  const rows = statements.rows(`${TREE_ROWS} WHERE id IN (SELECT value FROM json_each(?))`, list).map(toRow);
  if (rows.length === 0) return;
  const tree = statements.row("SELECT tree FROM _grove_trees WHERE tbl = ?", model.name)?.[0] as number;
  move(
    statements,
    tree,
    rows.filter(({ leaf }) => treeOf(leaf) === tree),
    [],
  );
  statements.run("DELETE FROM _grove_tree_rows WHERE id IN (SELECT value FROM json_each(?))", list);
}

/** The trees are made anew when they are asked for again. */
export const distrustTrees = (statements: Statements): void =>
  void statements.run("UPDATE _grove_trees SET shape = ''");
