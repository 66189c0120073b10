// The databases side by side, one document a line; a line that differs is marked.
import { isDeepStrictEqual } from "node:util";
import type { DocumentsRow } from "../../generated/sqlite";
import type { Database } from "./verdict";

type Cells = readonly [title: string, views: string, tags: string];
const HEAD: Cells = ["title", "views", "tags"];
const ABSENT: Cells = ["–", "–", "–"];

const toCells = (row: DocumentsRow | undefined): Cells =>
  row ? [row.title, String(row.viewCount), row.tags.join(" ")] : ABSENT;

export function renderTable(databases: readonly Database[]): string {
  const ids = [...new Set(databases.flatMap(({ rows }) => [...rows.keys()]))].sort();
  const columns = databases.map(({ name, rows }) => {
    const cells = [HEAD, ...ids.map((id) => toCells(rows.get(id)))];
    const width = (index: number) => Math.max(...cells.map((cell) => (cell[index] as string).length));
    const [title, views, tags] = [width(0), width(1), width(2)];
    const texts = cells.map((cell) => `${cell[0].padEnd(title)} ${cell[1].padStart(views)} ${cell[2].padEnd(tags)}`);
    return [name.padEnd(title + views + tags + 2), ...texts];
  });
  const differs = (id: string) =>
    databases.some(({ rows }) => !isDeepStrictEqual(rows.get(id), databases[0]?.rows.get(id)));
  return [null, null, ...ids]
    .map((id, line) => [id !== null && differs(id) ? "≠ " : "  ", columns.map((column) => column[line]).join(" │ ")])
    .map((parts) => parts.join("").trimEnd())
    .join("\n");
}
