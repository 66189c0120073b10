// What a driver gives of a value that travels as canonical JSON: for hooks, which read it with Drizzle's columns.
import type { FieldModel, Json } from "@grove-crdt/core";
import { type ArrayValue, parseArray } from "./array";
import { splitType } from "./spelling";
import { fromJson, type ValueType } from "./values";

type Column = ValueType & Partial<Pick<FieldModel, "name" | "type">>;

/** What drivers give of a value, which Drizzle's columns read. */
export function toDriver(column: Column, value: Json): unknown {
  const text = fromJson(column, value);
  return text === null ? null : textToDriver(column, text);
}

/** Types whose values drivers give as numbers; of what may not fit, they leave the text. */
const NUMBERS = new Set(["smallint", "integer", "real", "double precision"]);

function textToDriver(column: ValueType, text: string): unknown {
  const { name } = splitType(column.sqlType);
  if (NUMBERS.has(name)) return Number(text);
  switch (column.kind) {
    case "boolean":
      return text === "true";
    case "bytes":
      return Buffer.from(text.slice(2), "hex");
    case "timestamp":
      return timestampToDriver(name, text);
    case "json":
      return column.storage === "array" ? arrayToDriver(column, text) : parsed(text);
    case "text":
      // The text form of an address has its mask also where that goes without saying.
      return name === "inet" ? text.replace(text.includes(":") ? /\/128$/ : /\/32$/, "") : text;
    default:
      return text;
  }
}

/** A date has no time, and a timestamp without a zone has none. */
function timestampToDriver(name: string, text: string): string {
  const short = text.replace(/\.?0+(?=\+00)/, "");
  if (name === "date") return text.replace(/ \d\d:[^ ]*/, "");
  return name.endsWith("with time zone") ? short : short.replace("+00", "");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function arrayToDriver({ element }: ValueType, text: string): unknown {
  const values = element && parseArray(text);
  const each = (value: ArrayValue[number]): unknown =>
    value === null ? null : typeof value === "string" ? textToDriver(element as ValueType, value) : value.map(each);
  return values ? values.map(each) : text;
}
