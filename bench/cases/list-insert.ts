// Inserts into a list of 10,000 items at random places: one at a time, each folded, and as one array.

import { itemsNamed } from "../board";
import { insertBoard, insertPostgresBoard, openBoard } from "../boards";
import { type Case, stopwatch, timed } from "../harness";
import { postgresBoards } from "../postgres-tables";
import { boardsTable as table } from "../tables";
import { onPostgres } from "./postgres";

const ITEMS = 10_000;

export const listInsertSingle: Case = {
  id: "list-insert-single.sqlite",
  goal: null,
  better: "lower",
  unit: "ms",
  about: "insert into a list of 10,000 items, one item per write and fold / the same writes plainly",
  async run(bench) {
    const inserts = bench.size(100, 10, 10_000);
    const ours = await openBoard(bench, "items", itemsNamed(ITEMS));
    const plain = bench.plain(table);
    const floor = insertBoard(plain, "items", itemsNamed(ITEMS));
    return bench.interleave(
      async () => {
        const work = async () => {
          for (let n = 0; n < inserts; n++) {
            ours.board.insert();
            ours.board.write();
            await ours.node.fold();
          }
        };
        return (await timed(ours.database, work)) / inserts;
      },
      async () => {
        const work = () => {
          for (let n = 0; n < inserts; n++) {
            floor.insert();
            floor.write();
          }
        };
        return (await timed(plain, work)) / inserts;
      },
    );
  },
};

export const listInsertBulk: Case = {
  ...listInsertSingle,
  id: "list-insert-bulk.sqlite",
  about: "insert 10,000 items into a list of 10,000 by one write and fold / the same write plainly",
  async run(bench) {
    const inserts = bench.size(10_000, 2_000);
    return bench.interleave(
      async () => {
        const { database, node, board } = await openBoard(bench, "items", itemsNamed(ITEMS));
        for (let n = 0; n < inserts; n++) board.insert();
        return timed(database, async () => {
          board.write();
          await node.fold();
        });
      },
      async () => {
        const database = bench.plain(table);
        const board = insertBoard(database, "items", itemsNamed(ITEMS));
        for (let n = 0; n < inserts; n++) board.insert();
        return timed(database, () => board.write());
      },
    );
  },
};

export const listBeside: Case = {
  ...listInsertSingle,
  id: "list-beside.sqlite",
  about: "update the title of a row with a list of 10,000 items and fold it / of a row without items",
  async run(bench) {
    const writes = bench.size(100, 10);
    const side = async (items: readonly string[]) => {
      const { database, node } = await openBoard(bench, "items", items);
      const update = database.prepare("UPDATE boards SET title = ?");
      let round = 0;
      return async () => {
        const work = async () => {
          for (let n = 0; n < writes; n++) {
            update.run(`Written as number ${round++}`);
            await node.fold();
          }
        };
        return (await timed(database, work)) / writes;
      };
    };
    return bench.interleave(await side(itemsNamed(ITEMS)), await side([]));
  },
};

export const listInsertSinglePostgres: Case = {
  ...listInsertSingle,
  id: "list-insert-single.postgres",
  run: onPostgres(async (bench, server) => {
    const inserts = bench.size(20, 3);
    const ours = await server.node("ours", postgresBoards);
    const board = await insertPostgresBoard(ours.sql, itemsNamed(ITEMS));
    await ours.node.fold();
    const floor = await insertPostgresBoard(await server.plain(postgresBoards), itemsNamed(ITEMS));
    const side = async (write: () => Promise<unknown>) =>
      (await stopwatch(async () => {
        for (let n = 0; n < inserts; n++) await write();
      })) / inserts;
    return bench.interleave(
      () =>
        side(async () => {
          board.insert();
          await board.write();
          await ours.node.fold();
        }),
      () =>
        side(async () => {
          floor.insert();
          await floor.write();
        }),
      bench.size(5, 1),
    );
  }),
};
