// Sums of hashes: 128 bits as 22 digits of base64url, in which the bits of each row's hash are flipped. Which rows were added, and
// whether a row was taken out again, says the sum; in which order, it does not.

export const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LENGTH = 22;
/** By code of the digit. */
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, DIGITS.indexOf(String.fromCharCode(code))));

/** The digits of a sum as numbers of six bits. */
export type HashSum = Uint8Array;

export const emptySum = (): HashSum => new Uint8Array(LENGTH);

/** Adds a hash, or takes it out: the same. */
export function flipHash(sum: HashSum, hash: string): void {
  for (let n = 0; n < LENGTH; n++) sum[n] = (sum[n] as number) ^ (VALUES[hash.charCodeAt(n)] ?? 0);
}

export function flipSum(sum: HashSum, other: HashSum): void {
  for (let n = 0; n < LENGTH; n++) sum[n] = (sum[n] as number) ^ (other[n] as number);
}

export const printSum = (sum: HashSum): string => Array.from(sum, (digit) => DIGITS[digit]).join("");
