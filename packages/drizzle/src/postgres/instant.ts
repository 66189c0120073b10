// Points in time in a DEFAULT clause, and how Postgres gives them back in UTC.

interface Instant {
  /** As a timestamp on the wire. */
  readonly iso: string;
  /** As Postgres's own text form. */
  readonly text: string;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,6}))?(Z|\+00(?::?00)?)?)?$/;

/**
 * @param type `date`, `timestamp` or `timestamp with time zone`, with its precision
 * @returns undefined for no valid instant, for one that the precision would round, and for one that depends on the session's
 *   time zone
 */
export function instantOf(
  text: string,
  { name, modifiers }: { readonly name: string; readonly modifiers: readonly string[] },
): Instant | undefined {
  const [, day, minutes = "00:00", seconds = ":00", fraction = "", zone] = INSTANT.exec(text) ?? [];
  if (day === undefined || !isValid(`${day}T${minutes}${seconds}Z`)) return undefined;
  if (name === "date") return { iso: `${day}T00:00:00.000000Z`, text: day };
  const zoned = name === "timestamp with time zone";
  if (zoned && zone === undefined) return undefined;
  const places = Number(modifiers[0] ?? 6);
  if (/[1-9]/.test(fraction.slice(places))) return undefined;
  const time = `${minutes}${seconds}`;
  return {
    iso: `${day}T${time}.${fraction.padEnd(6, "0")}Z`,
    text: `${day} ${time}${trimmed(fraction)}${zoned ? "+00" : ""}`,
  };
}

/** A time of the day as Postgres gives it back. */
export function timeOf(text: string, places = 6): string | undefined {
  const [, minutes, seconds = ":00", fraction = ""] = /^(\d\d:\d\d)(:\d\d)?(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (minutes === undefined || !isValid(`2000-01-01T${minutes}${seconds}Z`)) return undefined;
  return /[1-9]/.test(fraction.slice(places)) ? undefined : `${minutes}${seconds}${trimmed(fraction)}`;
}

/** No 30th of February, no hour 24. */
function isValid(iso: string): boolean {
  const date = new Date(iso);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso.slice(0, -1));
}

const trimmed = (fraction: string): string => {
  const digits = fraction.replace(/0+$/, "");
  return digits === "" ? "" : `.${digits}`;
};
