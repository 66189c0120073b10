// Writes to rows that refer to each other and share unique keys. What SQLite refuses, the application gives up.
import type { Machine } from "./machine";
import { changeItems, first, run, TAGS, WORDS, type Writing } from "./writing";

export function writeLinked(writing: Writing, { database }: Machine): void {
  const { random } = writing;
  const count = Math.max(2, writing.rows);
  const one = (letter: string) => `${letter}${1 + random.below(count)}`;
  const album = () => one("a");
  const photo = () => one("p");
  const track = () => one("t");
  const slug = () => random.pick([null, ...["x", "y", "z"].slice(0, count)]);
  const maybe = (value: string) => (random.chance(0.3) ? null : value);
  const attempt = (sql: string, ...params: unknown[]) => {
    try {
      run(database, sql, ...params);
    } catch (error) {
      if (!String((error as { code?: unknown }).code).startsWith("SQLITE_CONSTRAINT")) throw error;
    }
  };
  switch (random.below(19)) {
    case 0:
    case 1:
    case 2:
      attempt("INSERT INTO albums (id, name, slug) VALUES (?, ?, ?)", album(), random.pick(WORDS), slug());
      break;
    case 3:
      attempt("INSERT INTO photos (id, album, up) VALUES (?, ?, ?)", photo(), maybe(album()), maybe(photo()));
      break;
    case 4:
    case 5:
      attempt(
        "INSERT INTO tracks (id, album, slug, cover, shelf) VALUES (?, ?, ?, ?, ?)",
        track(),
        maybe(album()),
        slug(),
        maybe(photo()),
        maybe(album()),
      );
      break;
    case 6:
      attempt("DELETE FROM albums WHERE id = ?", album());
      break;
    case 7:
      attempt("DELETE FROM photos WHERE id = ?", photo());
      break;
    case 8:
      attempt("DELETE FROM tracks WHERE id = ?", track());
      break;
    case 9:
      attempt("UPDATE albums SET slug = ?, plays = plays + 1 WHERE id = ?", slug(), album());
      break;
    case 10:
      attempt("UPDATE photos SET album = ?, up = ?, caption = ?", maybe(album()), maybe(photo()), random.pick(WORDS));
      break;
    case 11:
      attempt(
        "UPDATE tracks SET album = ?, slug = ?, cover = ? WHERE id = ?",
        maybe(album()),
        slug(),
        photo(),
        track(),
      );
      break;
    case 12:
      attempt("UPDATE tracks SET title = ?, shelf = ?", random.pick(WORDS), maybe(album()));
      break;
    case 13:
      attempt("UPDATE albums SET name = ? WHERE id = ?", random.pick(WORDS), album());
      break;
    case 14:
    case 15: {
      const table = random.pick(["albums", "tracks"]);
      const id = table === "albums" ? album() : track();
      const row = first(database, `SELECT songs, facts FROM ${table} WHERE id = ?`, id);
      if (!row) break;
      const { songs, facts } = row as Record<string, string>;
      const items = changeItems(writing, JSON.parse(songs as string) as string[], (fresh) => fresh);
      const own = JSON.parse(facts as string) as Record<string, unknown>;
      const name = random.pick(["n", "labels", "steps", "a"]);
      own[name] = random.pick<unknown>([random.below(9), [random.pick(TAGS)], { b: random.below(9) }]);
      if (random.chance(0.2)) delete own[random.pick(["n", "labels", "steps", "a"])];
      attempt(`UPDATE ${table} SET songs = ?, facts = ? WHERE id = ?`, JSON.stringify(items), JSON.stringify(own), id);
      break;
    }
    case 16:
      attempt(
        "INSERT INTO tracks (id, slug, songs, facts) VALUES (?, ?, ?, ?)",
        track(),
        slug(),
        JSON.stringify([random.pick(TAGS)]),
        JSON.stringify({ n: random.below(9), a: { b: 1 }, steps: ["x"] }),
      );
      break;
    case 17:
      attempt("INSERT OR REPLACE INTO tracks (id, slug, cover) VALUES (?, ?, ?)", track(), slug(), maybe(photo()));
      break;
    default:
      attempt("INSERT OR REPLACE INTO albums (id, name, slug) VALUES (?, ?, ?)", album(), random.pick(WORDS), slug());
  }
}
