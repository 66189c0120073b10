// What a look at a SQLite database finds: its version, its clock, its migrations. It has no roles.
import type { Examined, ExamineOptions } from "../examined";
import type { Statements } from "./driver";
import { ident } from "./sql";

/** The first with `->>`, which the store's statements use. */
const OLDEST = [3, 38] as const;

export function examine(statements: Statements, { migrations = {} }: ExamineOptions): Examined {
  const [version] = statements.row("SELECT sqlite_version()") as [string];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [julian] = statements.row("SELECT julianday('now')") as [number];
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  const { table = "__drizzle_migrations" } = migrations;
  const noted = statements.row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", table);
  return {
    product: `SQLite ${version}`,
    now: Math.round((julian - 2_440_587.5) * 86_400_000) * 1000,
    problems: isOld
      ? [{ what: `SQLite ${version} is older than ${OLDEST.join(".")}`, cure: "Upgrade better-sqlite3." }]
      : [],
    applied: noted
      ? statements.rows(`SELECT created_at FROM ${ident(table)} ORDER BY created_at`).map(([at]) => Number(at))
      : null,
  };
}
