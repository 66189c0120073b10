// Postgres's text forms in canonical values. Written apart from the store, to test it.
import type { ColumnModel, Json } from "@grove-crdt/core";

const whole = (text: string): Json => (Number.isSafeInteger(Number(text)) ? Number(text) : text);

const iso = (text: string): string => {
  const [, date, time = "00:00:00", fraction = ""] =
    /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?)?$/.exec(text) ?? [];
  return date === undefined ? text : `${date}T${time}.${fraction.padEnd(6, "0")}Z`;
};

/** Of a result column, by its type's oid; what is not named here is its own text. */
export function resultToWire(type: number, value: string | null | readonly string[]): Json {
  if (typeof value !== "string") return value;
  switch (type) {
    case 16:
      return value === "t";
    // Also what sum() makes of 64-bit numbers.
    case 20:
    case 21:
    case 23:
    case 1700:
      return whole(value);
    case 700:
    case 701:
      return Number(value);
    case 114:
    case 3802:
      return JSON.parse(value) as Json;
    case 1184:
      return iso(value);
    default:
      return value;
  }
}

/** Of a replicated column, by its model; an array comes as JSON. */
export function columnToWire({ kind }: ColumnModel, text: string | null): Json {
  if (text === null) return null;
  switch (kind) {
    case "integer":
      return whole(text);
    case "boolean":
      return text === "true";
    case "real":
      return Number.isFinite(Number(text)) ? Number(text) : text;
    case "timestamp":
      return iso(text);
    case "bytes":
      return Buffer.from(text.slice(2), "hex").toString("base64");
    case "json":
      return JSON.parse(text) as Json;
    default:
      return text;
  }
}
