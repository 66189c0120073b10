// Changes of a set of 10,000 elements, one per write and fold: an element comes, and goes again.

import { type Board, itemsNamed } from "../board";
import { insertBoard, openBoard } from "../boards";
import { type Case, timed } from "../harness";
import { boardsTable as table } from "../tables";

const ELEMENTS = 10_000;

/** Every second change takes away what the one before has brought. */
function change(board: Board, n: number): void {
  if (n % 2 === 0) board.insert(board.items.length);
  else board.items.pop();
}

export const setChange: Case = {
  id: "set-change.sqlite",
  goal: null,
  better: "lower",
  unit: "ms",
  about: "change a set of 10,000 elements, one change per write and fold / the same writes plainly",
  async run(bench) {
    const changes = bench.size(100, 10, 10_000);
    const ours = await openBoard(bench, "members", itemsNamed(ELEMENTS));
    const plain = bench.plain(table);
    const floor = insertBoard(plain, "members", itemsNamed(ELEMENTS));
    return bench.interleave(
      async () => {
        const work = async () => {
          for (let n = 0; n < changes; n++) {
            change(ours.board, n);
            ours.board.write();
            await ours.node.fold();
          }
        };
        return (await timed(ours.database, work)) / changes;
      },
      async () => {
        const work = () => {
          for (let n = 0; n < changes; n++) {
            change(floor, n);
            floor.write();
          }
        };
        return (await timed(plain, work)) / changes;
      },
    );
  },
};
