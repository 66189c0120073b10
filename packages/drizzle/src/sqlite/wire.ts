// A stored constant as the wire carries it. The stores do the same with rows; here it is only defaults.
import type { Json } from "@grove-crdt/core";
import type { Kind } from "./kinds";
import { type Stored, toNumeric } from "./literal";

/** Undefined when a column of this kind cannot hold the value. NULL never gets here. */
export function storedToWire(stored: Exclude<Stored, null>, { kind, storage }: Kind): Json | undefined {
  switch (kind) {
    case "text":
      return typeof stored === "string" ? stored : undefined;
    case "json":
      return storage === "blob" && !(stored instanceof Uint8Array) ? undefined : parseJson(textOf(stored));
    case "integer":
      return storage === "blob" ? digitsToWire(stored) : wholeToWire(toNumeric(stored));
    case "boolean": {
      const number = toNumeric(stored);
      return number === 0 ? false : number === 1 ? true : undefined;
    }
    case "timestamp":
      return instantToWire(toNumeric(stored), storage === "seconds" ? 1000 : 1);
    case "real": {
      const number = toNumeric(stored);
      return typeof number === "number" || typeof number === "bigint" ? Number(number) : undefined;
    }
    case "numeric": {
      const number = toNumeric(stored);
      return typeof number === "number" || typeof number === "bigint" ? String(number) : undefined;
    }
    case "bytes":
      return stored instanceof Uint8Array ? Buffer.from(stored).toString("base64") : undefined;
  }
}

const textOf = (stored: Exclude<Stored, null>): string =>
  stored instanceof Uint8Array ? Buffer.from(stored).toString("utf8") : String(stored);

function digitsToWire(stored: Stored): Json | undefined {
  const digits = stored instanceof Uint8Array ? textOf(stored) : "";
  if (!/^(0|-?[1-9]\d*)$/.test(digits)) return undefined;
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : digits;
}

function wholeToWire(stored: Stored): Json | undefined {
  if (typeof stored === "bigint") return String(stored);
  return Number.isInteger(stored) ? (stored as number) : undefined;
}

function instantToWire(stored: Stored, milliseconds: number): Json | undefined {
  if (!Number.isInteger(stored)) return undefined;
  const date = new Date((stored as number) * milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().replace("Z", "000Z");
}

/** Only as Drizzle writes it: a row's JSON in another spelling would not count as the default. */
function parseJson(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
