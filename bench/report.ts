// What the rounds say: medians, spread, and whether the goal is met; as a table or as JSON.
import { type Case, median, type Round } from "./harness";

export interface Figure {
  readonly ratio: number;
  readonly goal: number | null;
  readonly better: "lower" | "higher";
  readonly unit: string;
  readonly ours: number;
  readonly floor: number;
}

export interface Result {
  readonly figure: Figure;
  /** Smallest and greatest ratio of a round. */
  readonly spread: readonly [least: number, most: number];
}

/** Three significant digits. */
const round = (value: number) => Number(value.toPrecision(3));

/** The ratio is the median of the rounds' own ratios: a machine that slows down for a while slows both sides. */
export function summarize({ goal, better, unit }: Case, rounds: readonly Round[]): Result {
  const ratios = rounds.map(({ ours, floor }) => ours / floor);
  const side = (name: keyof Round) => round(median(rounds.map((result) => result[name])));
  return {
    figure: { ratio: round(median(ratios)), goal, better, unit, ours: side("ours"), floor: side("floor") },
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

export const isMet = ({ ratio, goal, better }: Figure): boolean =>
  goal === null || (better === "lower" ? ratio <= goal : ratio >= goal);

const COLUMNS = ["case", "ratio", "least", "most", "goal", "", "ours", "floor", "unit", "ours per second"] as const;

function cells(id: string, { figure, spread }: Result): string[] {
  const { ratio, goal, unit, ours, floor } = figure;
  const number = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  const fixed = (value: number) => value.toFixed(2);
  const verdict = goal === null ? "" : isMet(figure) ? "met" : "missed";
  const rate = unit === "µs/row" ? number(1e6 / ours) : "";
  return [
    id,
    fixed(ratio),
    ...spread.map(fixed),
    goal === null ? "" : fixed(goal),
    verdict,
    number(ours),
    number(floor),
    unit,
    rate,
  ];
}

/** A line of the table; `null` for its head. */
export function line(id: string | null, result: Result | null): string {
  const texts = id !== null && result ? cells(id, result) : COLUMNS;
  const widths = [32, 7, 7, 7, 7, 7, 9, 9, 10, 16];
  return texts
    .map((text, n) =>
      n === 0 || n === 5 || n === 8 ? ` ${text}`.padEnd(widths[n] as number) : text.padStart(widths[n] as number),
    )
    .join(" ")
    .trim();
}
