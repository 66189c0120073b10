// SQL text is put together here and nowhere else: a `sql` template that takes identifiers, literals and other `sql`, so
// that a name from the user's schema can never be read as SQL. A bare string does not type-check.

interface Piece {
  readonly text: string;
  /** Names and literals are copied as they are; only our own text is indented. */
  readonly verbatim: boolean;
}

/** A piece of SQL. Made by {@link sql}, {@link ident}, {@link literal}, {@link comment} and {@link join} only. */
export class Sql {
  readonly #pieces: readonly Piece[];
  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }
  /** The pieces, with what follows a line break indented by `indent`. */
  pieces(indent = ""): readonly Piece[] {
    if (indent === "") return this.#pieces;
    return this.#pieces.map((piece) =>
      piece.verbatim ? piece : { ...piece, text: piece.text.replaceAll("\n", `\n${indent}`) },
    );
  }
  get isEmpty(): boolean {
    return this.#pieces.every((piece) => piece.text === "");
  }
  toString(): string {
    return this.#pieces.map((piece) => piece.text).join("");
  }
}

const own = (text: string): Piece => ({ text, verbatim: false });

/** Nothing at all. */
export const empty = new Sql([]);

/** A name, quoted. SQLite and Postgres both double a quote inside. */
export const ident = (name: string): Sql => new Sql([{ text: `"${name.replaceAll('"', '""')}"`, verbatim: true }]);

/** A constant, quoted where it is text. */
export function literal(value: string | number | null): Sql {
  if (value === null) return new Sql([own("NULL")]);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`not an SQL number: ${value}`);
    return new Sql([own(String(value))]);
  }
  return new Sql([{ text: `'${value.replaceAll("'", "''")}'`, verbatim: true }]);
}

/** A text constant that means the same whatever the session's `standard_conforming_strings` says. Postgres only. */
export const escaped = (value: string): Sql =>
  value.includes("\\")
    ? new Sql([{ text: `E'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`, verbatim: true }])
    : literal(value);

/** `-- text` to the end of the line; line breaks inside the text become spaces. */
export const comment = (text: string): Sql => new Sql([{ text: `-- ${text.replace(/\s+/g, " ")}`, verbatim: true }]);

/** The parts with `separator` between them; empty ones are left out. */
export function join(parts: readonly Sql[], separator: Sql): Sql {
  const pieces: Piece[] = [];
  for (const part of parts.filter((part) => !part.isEmpty)) {
    if (pieces.length > 0) pieces.push(...separator.pieces());
    pieces.push(...part.pieces());
  }
  return new Sql(pieces);
}

/** A line break. (Written as `\n` inside a template it would count as layout.) */
export const newline = new Sql([own("\n")]);

/** A column's declared type, which no quoting exists for: words, perhaps with one or two numbers in parentheses. */
export function declaredType(text: string): Sql {
  if (!/^[a-z_][\w ]*(\( *\d+ *(, *\d+ *)?\))?[\w ]*$/i.test(text))
    throw new RangeError(`not a declared type: ${text}`);
  return new Sql([own(text)]);
}

/** A type's name in Postgres: as {@link declaredType}, or a quoted name, with or without its schema; `[]` for arrays. */
export function typeName(text: string): Sql {
  const [, name = "", brackets = ""] = /^(.*?)((?:\[\d*\])*)$/s.exec(text) ?? [];
  if (/^(?:"(?:[^"\0]|"")+"\.)?"(?:[^"\0]|"")+"$/.test(name)) return new Sql([{ text, verbatim: true }]);
  return new Sql([...declaredType(name).pieces(), own(brackets)]);
}

/** Parts with commas between them, on one line. */
export const list = (parts: readonly Sql[]): Sql => join(parts, new Sql([own(", ")]));

/** One part to a line; empty ones are left out. */
export const lines = (...parts: readonly Sql[]): Sql => join(parts, newline);

/** SQL with parts in it. A part of several lines is indented as the line that it stands on. */
export function sql(strings: TemplateStringsArray, ...parts: readonly Sql[]): Sql {
  const texts = dedent(strings);
  const pieces: Piece[] = [];
  let indent = "";
  texts.forEach((text, n) => {
    pieces.push(own(text));
    const line = text.lastIndexOf("\n");
    if (line >= 0 || n === 0) indent = /^ */.exec(text.slice(line + 1))?.[0] ?? "";
    const part = parts[n];
    if (part) pieces.push(...part.pieces(indent));
  });
  return new Sql(pieces);
}

/** A template that begins with a line break is laid out: its outer blank lines and shared indentation are taken off. */
function dedent(strings: readonly string[]): string[] {
  const joined = strings.join("\0");
  if (!joined.startsWith("\n")) return [...strings];
  const body = joined.slice(1).replace(/\n *$/, "");
  const indents = body.split("\n").flatMap((line) => (line.trim() === "" ? [] : [/^ */.exec(line)?.[0].length ?? 0]));
  return body.replaceAll(new RegExp(`^ {${Math.min(...indents)}}`, "gm"), "").split("\0");
}
