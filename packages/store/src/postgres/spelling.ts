// How Postgres writes the values of types that travel as text: one value has one spelling there. A value that another node
// spells otherwise comes out of the column different from what went in.

const DATE = String.raw`(?:\d{4}|[1-9]\d{4,})-\d\d-\d\d`;
const TIME = String.raw`\d\d:\d\d:\d\d(?:\.(\d{0,5}[1-9]))?`;
const ENDLESS = /^-?infinity$/;

const patterns: Readonly<Record<string, RegExp>> = {
  uuid: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/,
  macaddr: /^[\da-f]{2}(?::[\da-f]{2}){5}$/,
  macaddr8: /^[\da-f]{2}(?::[\da-f]{2}){7}$/,
  date: new RegExp(`^${DATE}(?: BC)?$`),
  time: new RegExp(`^${TIME}$`),
  "time with time zone": new RegExp(String.raw`^${TIME}(?!-00$)[+-]\d\d(?::[0-5]\d){0,2}$`),
  timestamp: new RegExp(`^${DATE} ${TIME}(?: BC)?$`),
  "timestamp with time zone": new RegExp(String.raw`^${DATE} ${TIME}\+00(?: BC)?$`),
};

/** Types that keep every text as it is, or refuse it; a name in quotes with its schema's is an enum's. */
const verbatim = /^(?:text|varchar|"(?:[^"]|"")+"\."(?:[^"]|"")+")$/;

interface SplitType {
  readonly name: string;
  readonly modifiers: readonly number[];
}

/** Asked for every value; a schema has few types. */
const known = new Map<string, SplitType>();

/** A type's name without its precision, and that. */
export function splitType(sqlType: string): SplitType {
  let split = known.get(sqlType);
  if (!split) {
    split = parseType(sqlType);
    known.set(sqlType, split);
  }
  return split;
}

function parseType(sqlType: string): SplitType {
  const [, head = sqlType, inside, rest = ""] = /^([\w ]+?)\((\d+(?:,-?\d+)?)\)(.*)$/.exec(sqlType) ?? [];
  return { name: head + rest, modifiers: inside === undefined ? [] : inside.split(",").map(Number) };
}

/** Whether a column of this type writes the text just so, or refuses it. */
export function isSpelledAs(sqlType: string, text: string): boolean {
  if (verbatim.test(sqlType)) return true;
  const { name, modifiers } = splitType(sqlType);
  if (name === "bpchar") return !text.endsWith(" ");
  if (name === "inet" || name === "cidr") return spellAddress(text) === text;
  const match = patterns[name]?.exec(text);
  if (!match) return /^(?:date|timestamp)/.test(name) && ENDLESS.test(text);
  return (match[1]?.length ?? 0) <= (modifiers[0] ?? 6);
}

/** Every address with its mask; undefined for what is none. */
function spellAddress(text: string): string | undefined {
  const [, address = "", mask = ""] = /^([\da-f.:]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  if (mask === "") return undefined;
  if (!address.includes(":")) return isV4(address) && Number(mask) <= 32 ? text : undefined;
  try {
    const short = new URL(`http://[${address}]/`).hostname.slice(1, -1);
    return Number(mask) <= 128 ? `${withV4(short)}/${mask}` : undefined;
  } catch {
    return undefined;
  }
}

const isV4 = (text: string): boolean =>
  /^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text) && text.split(".").every((part) => Number(part) <= 255);

/** Of addresses of version 6 that hold one of version 4, Postgres writes that one with dots. */
function withV4(text: string): string {
  const [, head = "", high, low] = /^(::(?:ffff:)?)([\da-f]{1,4}):([\da-f]{1,4})$/.exec(text) ?? [];
  if (high === undefined || low === undefined) return text;
  return (
    head + [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join(".")
  );
}
