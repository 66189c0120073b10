// Databases with one board, for the cases on lists and sets.
import type Database from "better-sqlite3";
import type { Sql } from "postgres";
import { Board } from "./board";
import type { Bench } from "./harness";
import { insertAll, boardsTable as table } from "./tables";

export type BoardColumn = "items" | "members";

/** The board of a SQLite database, in which this column has these values. */
export function insertBoard(database: Database.Database, column: BoardColumn, values: readonly string[]): Board {
  const [id, title] = table.row(1) as [string, string];
  const text = JSON.stringify(values);
  insertAll(database, table, [[id, title, column === "items" ? text : "[]", column === "members" ? text : "[]"]]);
  const update = database.prepare(`UPDATE boards SET ${column} = ? WHERE id = ?`);
  return new Board([...values], (written) => update.run(written, id));
}

/** The same with a node that has folded it. */
export async function openBoard(bench: Bench, column: BoardColumn, values: readonly string[]) {
  const { database, node } = await bench.node(table);
  const board = insertBoard(database, column, values);
  await node.fold();
  return { database, node, board };
}

/** The board of a Postgres database; a set's column it does not have. */
export async function insertPostgresBoard(sql: Sql, values: readonly string[]): Promise<Board> {
  const [id, title] = table.row(1) as [string, string];
  await sql.unsafe("INSERT INTO boards (id, title, items) VALUES ($1, $2, $3::text::jsonb)", [
    id,
    title,
    JSON.stringify(values),
  ]);
  const update = "UPDATE boards SET items = $1::text::jsonb WHERE id = $2";
  return new Board([...values], (written) => sql.unsafe(update, [written, id], { prepare: true }));
}
