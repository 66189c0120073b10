// A migration file as statements, each recognized as far as capture is concerned: which table it makes, drops, renames.
// drizzle-kit prints few shapes, and what is not recognized is kept as it is.

export type StatementKind =
  | "create table"
  | "drop table"
  | "rename table"
  | "rename column"
  | "add column"
  | "drop column"
  | "create index"
  | "create trigger"
  | "drop trigger"
  | "create function"
  | "drop function"
  | "other";

export interface Statement {
  /** As it stands in the file, without the blank lines around it. */
  readonly text: string;
  readonly kind: StatementKind;
  /** The table that it is about; empty for `other` and for `drop trigger` where the dialect does not name it. */
  readonly table: string;
  /** The column before, the index, the trigger or the function. */
  readonly name: string;
  /** The new name of a renamed table or column. */
  readonly to: string;
}

const MARK = "--> statement-breakpoint";

const bare = "[\\p{L}_][\\p{L}\\p{N}_$]*";
const quoted = '`(?:[^`]|``)+`|"(?:[^"]|"")+"';
/** A name, after its schema if there is one. */
const name = (group: string) => `(?:(?:${quoted}|${bare})\\.)?(?<${group}>${quoted}|${bare})`;
const pattern = (text: string) => new RegExp(`^${text.replaceAll(" ", "\\s+")}`, "iu");

const patterns: readonly (readonly [StatementKind, RegExp])[] = [
  ["create table", pattern(`CREATE TABLE (?:IF NOT EXISTS )?${name("table")}`)],
  ["drop table", pattern(`DROP TABLE (?:IF EXISTS )?${name("table")}`)],
  ["rename column", pattern(`ALTER TABLE ${name("table")} RENAME COLUMN ${name("name")} TO ${name("to")}`)],
  ["rename table", pattern(`ALTER TABLE ${name("table")} RENAME TO ${name("to")}`)],
  ["drop column", pattern(`ALTER TABLE ${name("table")} DROP COLUMN (?:IF EXISTS )?${name("name")}`)],
  [
    "add column",
    pattern(`ALTER TABLE ${name("table")} ADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT\\b)${name("name")}`),
  ],
  ["create index", pattern(`CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?${name("name")} ON ${name("table")}`)],
  [
    "create trigger",
    pattern(`CREATE TRIGGER (?:IF NOT EXISTS )?${name("name")}(?:[^"\`]|${quoted})*?\\sON ${name("table")}`),
  ],
  ["drop trigger", pattern(`DROP TRIGGER (?:IF EXISTS )?${name("name")}(?: ON ${name("table")})?`)],
  ["create function", pattern(`CREATE (?:OR REPLACE )?FUNCTION ${name("name")}`)],
  ["drop function", pattern(`DROP FUNCTION (?:IF EXISTS )?${name("name")}`)],
];

function unquote(text: string | undefined): string {
  if (text === undefined) return "";
  const quote = text[0];
  return quote === "`" || quote === '"' ? text.slice(1, -1).replaceAll(quote + quote, quote) : text;
}

/** Comments above the statement do not count. */
const withoutComments = (text: string): string => text.replace(/^(?:\s*--[^\n]*(?:\n|$))+/, "").trimStart();

export function readStatement(source: string): Statement {
  const text = source.trim();
  const code = withoutComments(text);
  for (const [kind, regex] of patterns) {
    const groups = regex.exec(code)?.groups;
    if (groups) return { text, kind, table: unquote(groups.table), name: unquote(groups.name), to: unquote(groups.to) };
  }
  return { text, kind: "other", table: "", name: "", to: "" };
}

/** The statements of a migration file. Line ends count as one character, however the checkout turned them. */
export const readStatements = (file: string): Statement[] =>
  file
    .replaceAll("\r\n", "\n")
    .split(MARK)
    .map(readStatement)
    .filter(({ text }) => text !== "");

/** The file of the statements: one to a chunk, since some drivers refuse several. */
export const printStatements = (texts: readonly string[]): string =>
  `${texts.map((text) => (text.endsWith(";") ? text : `${text};`)).join(`\n${MARK}\n`)}\n`;
