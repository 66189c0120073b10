// Postgres type names, as Drizzle and custom types spell them: aliases, lengths, arrays and collations taken apart.

export interface SqlType {
  /** The type's one name: `bigint` for `int8` and `bigserial`. Of types that are not listed here, the name as declared. */
  readonly name: string;
  /** Ready to stand after `::`. */
  readonly text: string;
  /** What stands in parentheses. */
  readonly modifiers: readonly string[];
  /** How many pairs of brackets follow. */
  readonly dimensions: number;
  readonly collated: boolean;
  /** Draws from a sequence. */
  readonly serial: boolean;
}

const aliases: Readonly<Record<string, readonly string[]>> = {
  smallint: ["int2", "smallserial", "serial2"],
  integer: ["int", "int4", "serial", "serial4"],
  bigint: ["int8", "bigserial", "serial8"],
  numeric: ["decimal"],
  real: ["float4"],
  "double precision": ["float8", "float"],
  boolean: ["bool"],
  varchar: ["character varying"],
  char: ["character", "bpchar"],
  varbit: ["bit varying"],
  timestamp: ["timestamp without time zone"],
  "timestamp with time zone": ["timestamptz"],
  time: ["time without time zone"],
  "time with time zone": ["timetz"],
  ...Object.fromEntries(
    "text uuid bit date interval json jsonb bytea inet cidr macaddr macaddr8 point line tsvector tsquery"
      .split(" ")
      .map((name) => [name, []]),
  ),
};
const names = new Map(Object.entries(aliases).flatMap(([name, others]) => [name, ...others].map((key) => [key, name])));

/**
 * Types whose explicit cast cuts a value that is too long without a word, where storing it is an error: they stand
 * without their length. Bare, `char` and `bit` would mean a length of one.
 */
const unbounded: Readonly<Record<string, string>> = {
  varchar: "varchar",
  char: "bpchar",
  bit: '"bit"',
  varbit: "varbit",
};

const WORD = String.raw`(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+")`;
const COLLATION = new RegExp(String.raw`\s+collate\s+${WORD}(?:\.${WORD})?\s*$`, "iu");
const BRACKETS = /(?:\s*\[\s*\d*\s*\])+\s*$/;
const PARENTHESES = /\s*\(([\w\s,.-]*)\)/;
const NAME = new RegExp(`^${WORD}(?:\\.${WORD})?$`, "u");
const INTERVAL = /^interval(?: (?:year|month|day|hour|minute|second)(?: to (?:month|hour|minute|second))?)?$/;

/** Undefined for what is more than a type, or several words that are none. */
export function parseType(declared: string): SqlType | undefined {
  const collated = COLLATION.test(declared);
  const whole = declared.replace(COLLATION, "");
  const brackets = BRACKETS.exec(whole)?.[0] ?? "";
  const single = whole.slice(0, whole.length - brackets.length);
  const inside = PARENTHESES.exec(single)?.[1];
  const spelled = single.replace(PARENTHESES, "").trim().replace(/\s+/g, " ");
  const lower = spelled.toLowerCase();
  const isInterval = INTERVAL.test(lower);
  const known = isInterval || names.has(lower);
  if (!known && !NAME.test(spelled)) return undefined;
  const modifiers = inside === undefined ? [] : inside.split(",").map((part) => part.trim());
  const name = isInterval ? "interval" : (floatOf(lower, modifiers) ?? names.get(lower) ?? spelled);
  const length = lower === "float" || modifiers.length === 0 ? "" : `(${modifiers.join(",")})`;
  const dimensions = brackets.split("[").length - 1;
  return {
    name,
    text: unbounded[name] ?? printName(isInterval ? lower : name, known, length),
    modifiers,
    dimensions,
    collated,
    serial: /serial[248]?$/.test(lower) && known,
  };
}

/** `float(n)` is one of two types, by n. */
const floatOf = (name: string, [bits]: readonly string[]): string | undefined =>
  name === "float" && bits !== undefined && Number(bits) < 25 ? "real" : undefined;

/** A precision stands before the time zone. drizzle-kit quotes the names of types that it does not know. */
function printName(name: string, known: boolean, length: string): string {
  const [, type, zone] = /^(time|timestamp)( with time zone)$/.exec(name) ?? [];
  if (type !== undefined) return `${type}${length}${zone}`;
  if (known) return `${name}${length}`;
  return `${/[".]/.test(name) ? name : `"${name}"`}${length}`;
}
