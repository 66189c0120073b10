// SQLite constants: what a DEFAULT clause says, read without a database.

/** A stored value, by SQLite's storage classes. */
export type Stored = null | number | bigint | string | Uint8Array;

/** The value of a constant expression, in parentheses or not; undefined when the database would have to compute it. */
export function parseLiteral(text: string): Stored | undefined {
  const source = text.trim();
  const inner = /^\(([\s\S]*)\)$/.exec(source)?.[1];
  if (inner !== undefined) return parseLiteral(inner);
  if (/^null$/i.test(source)) return null;
  if (/^true$/i.test(source)) return 1;
  if (/^false$/i.test(source)) return 0;
  if (/^'(?:[^']|'')*'$/.test(source)) return source.slice(1, -1).replaceAll("''", "'");
  if (/^x'(?:[0-9a-f]{2})*'$/i.test(source)) return Buffer.from(source.slice(2, -1), "hex");
  return parseNumber(source.replace(/^([+-])\s+/, "$1"));
}

/** A number as SQLite reads it: integers of 64 bits keep their digits. */
function parseNumber(text: string): Stored | undefined {
  if (/^[+-]?\d+$/.test(text)) {
    const exact = BigInt(text.replace(/^\+/, ""));
    if (BigInt.asIntN(64, exact) !== exact) return Number(text);
    return narrow(exact);
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

const narrow = (exact: bigint): number | bigint =>
  BigInt(Number(exact)) === exact && Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;

/** What a column that prefers numbers makes of a value: text that reads as one becomes one, 5.0 becomes 5. */
export function toNumeric(stored: Stored): Stored {
  return typeof stored === "string" ? (parseNumber(stored.trim()) ?? stored) : stored;
}

/** The constant as SQL, to be shown in a cure. */
export function printLiteral(stored: Stored): string {
  if (stored instanceof Uint8Array) return `X'${Buffer.from(stored).toString("hex")}'`;
  return typeof stored === "string" ? `'${stored.replaceAll("'", "''")}'` : String(stored);
}
