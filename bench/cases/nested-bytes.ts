// Bytes that each entry of a list or a set takes beside the table, after many single writes: the same wherever they went.
// Against as many entries that were written in one go.

import { type Board, itemsNamed } from "../board";
import { openBoard } from "../boards";
import type { Bench, Case, OpenNode } from "../harness";

const SIZES = `SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE '\\_boards\\_%' ESCAPE '\\' AND aggregate = 1`;

function sizeOf({ database }: Pick<OpenNode, "database">): number {
  database.exec("VACUUM");
  return (database.prepare(SIZES).get() as { bytes: number }).bytes;
}

/** Each position of a list, each element that a node ever added to a set. */
const countOf = ({ database }: Pick<OpenNode, "database">): number =>
  (database.prepare("SELECT count(*) AS entries FROM _boards_crdt_cells").get() as { entries: number }).entries;

interface Manner {
  readonly column: "items" | "members";
  /** How many there are before the first write. */
  readonly start: number;
  change(board: Board, n: number): void;
}

async function run(bench: Bench, { column, start, change }: Manner) {
  const writes = bench.size(2_000, 300, 10_000);
  const ours = await openBoard(bench, column, itemsNamed(start));
  for (let n = 0; n < writes; n++) {
    change(ours.board, n);
    ours.board.write();
    await ours.node.fold();
  }
  const entries = countOf(ours);
  const [empty, once] = [await openBoard(bench, column, []), await openBoard(bench, column, itemsNamed(entries))];
  // Even empty tables take a page each.
  const [size, floor] = [ours, once].map((one) => (sizeOf(one) - sizeOf(empty)) / entries) as [number, number];
  return [{ ours: size, floor }];
}

const bytes = (id: string, goal: number | null, about: string, manner: Manner): Case => ({
  id: `${id}.sqlite`,
  goal,
  better: "lower",
  unit: "bytes/entry",
  about,
  run: (bench) => run(bench, manner),
});

const ONCE = "as many written in one go";
const onList = (start: number, change: Manner["change"]): Manner => ({ column: "items", start, change });

export const nestedBytesCases: readonly Case[] = [
  bytes(
    "list-bytes-append",
    1.1,
    `bytes per position, 2,000 items appended one by one / ${ONCE}`,
    onList(0, (board) => board.insert(board.items.length)),
  ),
  bytes(
    "list-bytes-prepend",
    1.1,
    `the same, each before all others / ${ONCE}`,
    onList(0, (board) => board.insert(0)),
  ),
  bytes(
    "list-bytes-random",
    1.1,
    `the same, each anywhere / ${ONCE}`,
    onList(0, (board) => board.insert()),
  ),
  bytes(
    "list-bytes-move",
    1.25,
    `the same, 100 items with 2,000 moves from one end to the other and back / ${ONCE}`,
    // A move names its item, which an item need not.
    onList(100, (board, n) => board.swing(n % 2 === 0)),
  ),
  bytes("set-bytes-add", 1.1, `bytes per element, 2,000 added one by one / ${ONCE}`, {
    column: "members",
    start: 0,
    change: (board) => board.insert(board.items.length),
  }),
  bytes("set-bytes-worn", null, `the same, 1,000 elements, each removed and added again / ${ONCE}`, {
    column: "members",
    start: 1_000,
    // Out, and in again with the next write.
    change: (board, n) => (n % 2 === 0 ? hold(board) : release(board)),
  }),
];

const held = new WeakMap<Board, string>();
function hold(board: Board): void {
  held.set(board, board.items.shift() as string);
}
function release(board: Board): void {
  board.items.push(held.get(board) as string);
}
