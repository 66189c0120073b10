// Writes to rows that come and go: inserts, upserts, replacements, changed keys, deletions, whole transactions.

import type { Database } from "./intents";
import type { Machine } from "./machine";
import { first, fleetingIds, run, TAGS, WORDS, type Writing } from "./writing";

/** A text of a transaction that was rolled back: nobody may ever see it. */
export const TAKEN_BACK = "TAKEN BACK";

export function changeTags({ random }: Writing, database: Database, id: string, tag: string): unknown {
  const row = first(database, "SELECT tags FROM documents WHERE id = ?", id) as { tags: string } | undefined;
  if (!row) return undefined;
  const tags = JSON.parse(row.tags) as string[];
  const victim = random.chance(0.4) && tags.length > 0 ? random.pick(tags) : tag;
  const next = tags.includes(victim) ? tags.filter((other) => other !== victim) : [...tags, victim];
  if (random.chance(0.1)) next.reverse();
  return run(database, "UPDATE documents SET tags = ? WHERE id = ?", JSON.stringify(next), id);
}

export function writeFleeting(writing: Writing, { database }: Machine): unknown {
  const { random } = writing;
  const ids = fleetingIds(writing.rows);
  const id = random.pick(ids);
  const word = random.pick(WORDS);
  switch (random.below(11)) {
    case 0:
    case 1:
      return run(
        database,
        "INSERT INTO documents (id, title, view_count, tags) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        id,
        word,
        random.pick([0, 0, 7]),
        random.pick(["[]", '["x"]', '["y", "x"]']),
      );
    case 2:
      return run(database, "DELETE FROM documents WHERE id = ?", id);
    case 3:
      return run(database, "UPDATE documents SET title = ? WHERE id = ?", word, id);
    case 4:
      return run(database, "UPDATE documents SET body = ?, view_count = view_count + 1 WHERE id = ?", word, id);
    case 5:
      return changeTags(writing, database, id, random.pick(TAGS));
    case 6:
      return run(
        database,
        "INSERT INTO documents (id, title) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title, view_count = view_count + 1",
        id,
        word,
      );
    case 7:
      return run(
        database,
        "INSERT OR REPLACE INTO documents (id, title, view_count) VALUES (?, ?, ?)",
        id,
        word,
        random.below(3),
      );
    case 8:
      return run(database, "UPDATE OR IGNORE documents SET id = ? WHERE id = ?", random.pick(ids), id);
    case 9:
      return run(database, "UPDATE documents SET view_count = ? WHERE id = ?", random.below(10), id);
    default:
      // Deleted and inserted again within one transaction.
      return database.transaction(() => {
        run(database, "DELETE FROM documents WHERE id = ?", id);
        run(database, "INSERT INTO documents (id, title) VALUES (?, ?)", id, word);
      })();
  }
}

export function writeOrder({ random, rows }: Writing, { database }: Machine): unknown {
  const id = random.pick(["o1", "o2", "o3"].slice(0, rows));
  switch (random.below(4)) {
    case 0:
      return run(
        database,
        "INSERT INTO orders (id, total, placed_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        id,
        random.below(1000),
        1_700_000_000_000 + random.below(1000),
      );
    case 1:
      return run(database, "UPDATE orders SET note = ? WHERE id = ?", random.pick([null, "n", "m"]), id);
    case 2:
      return run(
        database,
        "UPDATE orders SET status = ?, total = total + 1 WHERE id = ?",
        random.pick(["open", "paid"]),
        id,
      );
    default:
      return run(database, "DELETE FROM orders WHERE id = ?", id);
  }
}

/** A transaction over many rows; sometimes taken back, and then nothing of it may ever be seen. */
export function writeBatch({ random, rows }: Writing, { database, label }: Machine): void {
  const back = random.chance(0.3);
  database.exec("BEGIN");
  run(database, "UPDATE documents SET body = ?", back ? TAKEN_BACK : `batch ${label}`);
  run(database, "DELETE FROM documents WHERE id = ?", random.pick(fleetingIds(rows)));
  database.exec(back ? "ROLLBACK" : "COMMIT");
}

/** A transaction whose program dies before it commits. */
export function leaveBatch({ random, rows }: Writing, { database }: Machine): void {
  database.exec("BEGIN");
  run(database, "UPDATE documents SET body = ?, view_count = view_count + 1000", TAKEN_BACK);
  run(database, "UPDATE inventory SET quantity = quantity + 1000, name = ?", TAKEN_BACK);
  run(database, "DELETE FROM documents WHERE id = ?", random.pick(fleetingIds(rows)));
}
