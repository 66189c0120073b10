// What the codecs of both dialects share: the canonical forms of docs/protocol.md that are more than a JSON value, and how
// a value is told that is malformed from one that is well-formed and that a column cannot hold.
import { type ColumnModel, GroveError, isIllFormed, type Json } from "@grove-crdt/core";

type Named = Partial<Pick<ColumnModel, "name">> & Pick<ColumnModel, "kind" | "sqlType">;

const WHOLE = /^-?\d+$/;
/** Whether these are the digits of an integer of 64 bits. */
export const isInt64 = (text: string): boolean =>
  WHOLE.test(text) && text.length <= 20 && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

/** What a stored value is that has no canonical form of its column's kind. */
export type TagClass = "text" | "number" | "bytes";
const TAG = "$grove";
export interface Tagged {
  readonly [TAG]: TagClass;
  readonly value: string;
}

export const tagged = (kind: TagClass, value: string): Json => ({ [TAG]: kind, value });

/** Whether an object goes for a tagged value; one of the user's own that looks like it travels tagged as text. */
export const looksTagged = (value: Json): value is { readonly [TAG]: Json; readonly value: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && TAG in value;

/** The tagged value, if it is a well-formed one. */
export function asTagged({ [TAG]: kind, value }: { readonly [TAG]: Json; readonly value: Json }): Tagged | undefined {
  if (typeof value !== "string" || isIllFormed(value)) return undefined;
  const isNumber = WHOLE.test(value) ? isInt64(value) : !Number.isNaN(Number(value));
  return kind === "text" || kind === "bytes" || (kind === "number" && isNumber) ? { [TAG]: kind, value } : undefined;
}
export const tagOf = (value: Tagged): TagClass => value[TAG];

/** A value that is well-formed and that this column cannot hold: the row is kept out, the change is not refused. */
export class UnfitValue extends GroveError {
  constructor(message: string) {
    super("bad_value", message);
  }
}

const show = ({ name = "An element" }: Named, value: Json) => `${name}: ${JSON.stringify(value)?.slice(0, 80)}`;

export const malformed = (column: Named, value: Json, cure = ""): GroveError =>
  new GroveError("bad_value", `${show(column, value)} is not a value of kind ${column.kind}.${cure}`, {
    details: { column: column.name, kind: column.kind },
  });

export const unfit = (column: Named, value: Json): UnfitValue =>
  new UnfitValue(`${show(column, value)} does not fit ${column.sqlType}.`);

export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

/** Undefined for what is no base64, or not the one spelling of its bytes. */
export function fromBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  // The last character of a padded text has bits to spare.
  return text.at(-1) === "=" && bytes.toString("base64") !== text ? undefined : bytes;
}

/** Real numbers, and decimals of Postgres, that are no numbers of JSON. */
export const NOT_FINITE: ReadonlySet<Json> = new Set(["NaN", "Infinity", "-Infinity"]);
/** Beyond every time; Postgres has them. */
export const ENDLESS: ReadonlySet<Json> = new Set(["infinity", "-infinity"]);

const INTEGER = /^(?:[1-9]|-[1-9])\d*$/;

/** The digits of a whole number in its one form: a number while that is safe, else text. */
export function parseWhole(value: Json): string | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value + 0) : undefined;
  return typeof value === "string" && INTEGER.test(value) && !Number.isSafeInteger(Number(value)) ? value : undefined;
}
export const printWhole = (digits: string): Json => (Number.isSafeInteger(Number(digits)) ? Number(digits) : digits);

/** A decimal as somebody may have written it. */
export const isDecimal = (value: Json): value is string =>
  typeof value === "string" && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value);

/** A finite number as a decimal without exponent. */
export function plain(value: number): string {
  const [, sign = "", whole = "", fraction = "", exponent] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(
    String(value),
  ) as RegExpExecArray;
  if (exponent === undefined) return String(value);
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return point >= digits.length
    ? sign + digits.padEnd(point, "0")
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const ISO = /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)\.(\d{3})(\d{3})Z$/;

/** A moment on the wire: its parts, and whole milliseconds since 1970. */
export interface Moment {
  readonly year: number;
  /** `01-31T23:59:59.123456Z` */
  readonly rest: string;
  readonly milliseconds: bigint;
  readonly micros: number;
}

/** Dates repeat after 400 years, in which JavaScript's fit however far they lie. */
const CYCLE = 146_097n * 86_400_000n;

/** Undefined for what is no ISO 8601 in UTC with microseconds, or no day of the calendar. */
export function parseIso(text: string): Moment | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, spelled = "", month, day, hour, minute, second, milli, micro] = match;
  const year = Number(spelled);
  if (isoYear(year) !== spelled) return undefined;
  const cycles = Math.floor(year / 400);
  const date = new Date(Date.UTC(2000 + year - cycles * 400, Number(month) - 1, Number(day)));
  if (date.getUTCDate() !== Number(day)) return undefined;
  const time = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + Number(milli);
  const milliseconds = BigInt(date.getTime() + time) + BigInt(cycles - 5) * CYCLE;
  return { year, rest: text.slice(spelled.length + 1), milliseconds, micros: Number(micro) };
}

/** A sign and six digits for years that do not have four. */
export function isoYear(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, "0");
  return `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
}

/** ISO 8601 in UTC with microseconds; undefined for a year of more than six digits. */
export function printIso(milliseconds: bigint): string | undefined {
  const rest = ((milliseconds % CYCLE) + CYCLE) % CYCLE;
  const date = new Date(Number(rest));
  const year = date.getUTCFullYear() + 400 * Number((milliseconds - rest) / CYCLE);
  return Math.abs(year) > 999_999 ? undefined : `${isoYear(year)}${date.toISOString().slice(4, -1)}000Z`;
}

/** Whether JSON survives being printed and parsed: no number past a double's range, no half of a surrogate pair. */
export function isSound(value: Json): boolean {
  if (typeof value === "string") return !isIllFormed(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(isSound);
  return Object.entries(value).every(([key, item]) => !isIllFormed(key) && isSound(item));
}
