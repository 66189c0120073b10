// The schema of wire/row.ts as plain comparisons, for the many rows that are as they should be. It accepts nothing that
// the schema refuses (test/wire-row.test.ts compares the two), and what it does not accept goes to the schema.
import { isIllFormed, isMeasurable, isTooDeep } from "../canonical";
import { FIELD_PARTS, type RowChange } from "../change";
import { MAX_ENDS } from "../ends";
import { MAX_CAUSAL_LENGTH } from "../row";
import { NODE_ID } from "../stamp";
import { stampOfId } from "../types/list";
import { compareIds } from "../types/list-order";

const NAME_LENGTH = 256;
const KEY_COLUMNS = 32;
const DIGITS = 64;
/** Eleven digits of base 36 hold 2^53; then a dot and a node. */
const ID_LENGTH = 75;
/** A document may be as deep as any value, but for the entries' own nesting. */
const MAX_PATH_LENGTH = 900;
const DECIMAL = /^-?(0|[1-9]\d*)$/;
const TOTAL = /^(0|[1-9]\d*)$/;
const INCARNATION = /^[a-z0-9]{1,32}$/;
/** Property of a row to whether it is one of the format. */
const PROPERTIES = new Set<string>(["table", "pk", "cl", "life", "ends", ...FIELD_PARTS]);

type Check = (value: unknown) => boolean;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
// The schema does not see a property named __proto__.
const isName: Check = (value) =>
  typeof value === "string" &&
  value.length > 0 &&
  value.length <= NAME_LENGTH &&
  value !== "__proto__" &&
  !value.includes("\0") &&
  !isIllFormed(value);
const isHlc: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isEnd: Check = (value) => value === null || isHlc(value);
const isNode: Check = (value) => value === "" || (typeof value === "string" && NODE_ID.test(value));
const isDecimal: Check = (value) => typeof value === "string" && value.length <= DIGITS && DECIMAL.test(value);
const isTotal: Check = (value) => typeof value === "string" && value.length <= DIGITS && TOTAL.test(value);
const isJson: Check = (value) => value !== undefined && isMeasurable(value);

/** A list in which every value passes. */
function isArrayOf(value: unknown, check: Check): value is unknown[] {
  if (!Array.isArray(value)) return false;
  for (let n = 0; n < value.length; n++) if (!check(value[n])) return false;
  return true;
}

/** Absent, or fields by name that all pass. */
function isFields(value: unknown, check: Check): boolean {
  if (value === undefined) return true;
  if (!isRecord(value)) return false;
  for (const name of Object.keys(value)) if (!isName(name) || !check(value[name])) return false;
  return true;
}

const isRegister: Check = (value) =>
  Array.isArray(value) &&
  isJson(value[0]) &&
  (value.length === 1 || (value.length === 3 && isHlc(value[1]) && isNode(value[2])));

const isBirth: Check = (value) =>
  Array.isArray(value) && value.length === 3 && isDecimal(value[0]) && isHlc(value[1]) && isNode(value[2]);

const isWireTotal: Check = (value) =>
  Array.isArray(value) &&
  value.length === 5 &&
  typeof value[0] === "string" &&
  INCARNATION.test(value[0]) &&
  isNode(value[1]) &&
  isTotal(value[2]) &&
  isTotal(value[3]) &&
  isHlc(value[4]);

export const isCounter: Check = (value) =>
  isRecord(value) &&
  Object.keys(value).every((name) => name === "birth" || name === "totals") &&
  (value.birth === undefined || isBirth(value.birth)) &&
  (value.totals === undefined || isArrayOf(value.totals, isWireTotal));

export const isElement: Check = (value) =>
  Array.isArray(value) &&
  isJson(value[0]) &&
  (value.length === 3 || (value.length === 4 && isHlc(value[3]))) &&
  isHlc(value[1]) &&
  isNode(value[2]);

const isSet: Check = (value) => isArrayOf(value, isElement);

/** The id of a position: its stamp, spelled in the one way that sorts like it. */
const isId = (value: unknown): value is string => {
  const stamp = typeof value === "string" && value.length <= ID_LENGTH ? stampOfId(value) : null;
  return stamp !== null && isNode(stamp.node);
};

/** What a position refers to was there before it, so no walk along parents goes round. */
const isEarlier = (other: unknown, id: string): boolean => isId(other) && compareIds(other, id) < 0;

export const isItem: Check = (value) => {
  if (!Array.isArray(value)) return false;
  const [id, parent, side, own, extra, node] = value;
  if (!isId(id) || !(parent === null || isEarlier(parent, id)) || !(side === 0 || side === 1)) return false;
  switch (value.length) {
    case 3:
      return true;
    case 4:
      return isJson(own);
    case 5:
      return own === null && isEarlier(extra, id);
    case 6:
      return isJson(own) && isHlc(extra) && isNode(node);
    default:
      return false;
  }
};

const isList: Check = (value) => isArrayOf(value, isItem);

const isPath = (value: unknown): value is string[] =>
  isArrayOf(value, (name) => typeof name === "string" && !isIllFormed(name)) &&
  value.length > 0 &&
  value.length <= MAX_PATH_LENGTH;

const isWirePath: Check = (value) =>
  Array.isArray(value) &&
  value.length >= 3 &&
  value.length <= 5 &&
  (value.length < 5 || value[4] === 1) &&
  isPath(value[0]) &&
  isHlc(value[1]) &&
  isNode(value[2]) &&
  (value.length === 3 || (isJson(value[3]) && !isTooDeep(value[3], value[0].length)));

const isPart =
  (check: Check): Check =>
  (value) =>
    isArrayOf(value, (part) => Array.isArray(part) && part.length === 2 && isPath(part[0]) && check(part[1]));

const DOCUMENT_PARTS: Readonly<Record<string, Check>> = {
  values: (value) => isArrayOf(value, isWirePath),
  counter: isPart(isCounter),
  set: isPart(isSet),
  list: isPart(isList),
};

export const isDocument: Check = (value) =>
  isRecord(value) &&
  Object.keys(value).every(
    (name) => Object.hasOwn(DOCUMENT_PARTS, name) && (DOCUMENT_PARTS[name] as Check)(value[name]),
  );

/** Whether the value is certainly a row's changes. `false` means that the schema is to say. */
export function isRowChange(value: unknown): value is RowChange {
  if (!isRecord(value)) return false;
  for (const name of Object.keys(value)) if (!PROPERTIES.has(name)) return false;
  const { table, pk, cl, life, ends, lww, counter, set, list, document } = value;
  return (
    isName(table) &&
    isArrayOf(pk, isJson) &&
    pk.length > 0 &&
    pk.length <= KEY_COLUMNS &&
    isHlc(cl) &&
    cl !== 0 &&
    (cl as number) <= MAX_CAUSAL_LENGTH &&
    Array.isArray(life) &&
    life.length === 2 &&
    isHlc(life[0]) &&
    isNode(life[1]) &&
    (ends === undefined || (isArrayOf(ends, isEnd) && ends.length > 0 && ends.length <= MAX_ENDS)) &&
    isFields(lww, isRegister) &&
    isFields(counter, isCounter) &&
    isFields(set, isSet) &&
    isFields(list, isList) &&
    isFields(document, isDocument)
  );
}
