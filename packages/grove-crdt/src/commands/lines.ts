// How commands put things to people: columns that stand below each other, times, counts, values.
import type { Json } from "@grove-crdt/core";
import type { Terminal } from "./terminal";

const ESCAPE = String.fromCharCode(27);
const CODES = new RegExp(`${ESCAPE}\\[[0-9;]*m`, "g");
const widthOf = (text: string): number => [...text.replaceAll(CODES, "")].length;

/** Rows of cells, indented, each column as wide as its widest cell; the last one is not filled up. */
export function printRows(
  { print }: Pick<Terminal, "print">,
  rows: readonly (readonly string[])[],
  indent = "  ",
): void {
  const widths: number[] = [];
  for (const row of rows)
    row.slice(0, -1).forEach((cell, n) => {
      widths[n] = Math.max(widths[n] ?? 0, widthOf(cell));
    });
  for (const row of rows) {
    const cells = row.map((cell, n) =>
      n === row.length - 1 ? cell : cell + " ".repeat((widths[n] as number) - widthOf(cell)),
    );
    print((indent + cells.join("  ")).trimEnd());
  }
}

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

/** A span of milliseconds, by its largest unit. */
export function span(milliseconds: number): string {
  const [size, unit] = UNITS.find(([size]) => milliseconds >= size) ?? [1, "ms"];
  return `${Math.floor(milliseconds / size)} ${unit}`;
}

/** Microseconds since 1970 as people read them, in UTC and to the second. */
export const moment = (micros: number): string =>
  `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** The same for programs, to the microsecond. */
export const isoMoment = (micros: number): string =>
  new Date(Math.floor(micros / 1000)).toISOString().replace("Z", `${String(micros % 1000).padStart(3, "0")}Z`);

export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

const LONGEST = 72;

/** A value in one line, cut where it is long. */
export function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
