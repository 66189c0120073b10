// Writes to a table of which some nodes have the older version: they know its title alone.
import type { Machine } from "./machine";
import { first, run, type Writing } from "./writing";

/** Never deleted: its likes are counted. */
export const KEPT_NOTE = "n1";
/** What a note has from the start. */
export const FIRST_LIKES = 10;

export function writeNote({ random, oracle, fresh }: Writing, { database, isOld }: Machine): unknown {
  const id = random.pick([KEPT_NOTE, KEPT_NOTE, "n2"]);
  const known = first(database, "SELECT * FROM notes WHERE id = ?", id) as Record<string, string> | undefined;
  if (!known) return run(database, "INSERT INTO notes (id, title) VALUES (?, ?)", id, fresh());
  if (id !== KEPT_NOTE && random.chance(0.2)) return run(database, "DELETE FROM notes WHERE id = ?", id);
  if (isOld || random.chance(0.2)) return run(database, "UPDATE notes SET title = ? WHERE id = ?", fresh(), id);
  const texts = (name: string) => JSON.parse(known[name] as string) as string[];
  switch (random.below(5)) {
    case 0:
      return run(database, "UPDATE notes SET color = ? WHERE id = ?", random.pick([null, "white", "red", fresh()]), id);
    case 1: {
      const delta = random.between(-3, 5);
      if (id === KEPT_NOTE) oracle.count(`notes ${id}`, delta);
      return run(database, "UPDATE notes SET likes = likes + ? WHERE id = ?", delta, id);
    }
    case 2: {
      const labels = random.chance(0.3) ? [] : [...texts("labels"), fresh()];
      return run(database, "UPDATE notes SET labels = ? WHERE id = ?", JSON.stringify(labels), id);
    }
    case 3: {
      const steps = random.chance(0.2) ? [] : [fresh(), ...texts("steps")];
      return run(database, "UPDATE notes SET steps = ? WHERE id = ?", JSON.stringify(steps), id);
    }
    default: {
      const data = random.pick<unknown>([{ a: fresh(), n: random.below(5) }, { b: { c: fresh() } }]);
      return run(database, "UPDATE notes SET data = ? WHERE id = ?", JSON.stringify(data), id);
    }
  }
}
