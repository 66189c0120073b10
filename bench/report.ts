// What the rounds say: medians, spread, and whether the goal is met; as a table or as JSON.
import type { Case, Round } from "./harness";

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
  /** Between these lies the middle half of the rounds' ratios. */
  readonly quartiles: readonly [lower: number, upper: number];
}

/** Three significant digits. */
const round = (value: number) => Number(value.toPrecision(3));

/** The value below which this part of the values lies. */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = part * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]] as [number, number];
  return below + (above - below) * (place % 1);
}

/** The ratio is the median of the rounds' own ratios: a machine that slows down for a while slows both sides. */
export function summarize({ goal, better, unit }: Case, rounds: readonly Round[]): Result {
  const ratios = rounds.map(({ ours, floor }) => ours / floor);
  const side = (name: keyof Round) =>
    round(
      quantile(
        rounds.map((result) => result[name]),
        0.5,
      ),
    );
  return {
    figure: { ratio: round(quantile(ratios, 0.5)), goal, better, unit, ours: side("ours"), floor: side("floor") },
    quartiles: [round(quantile(ratios, 0.25)), round(quantile(ratios, 0.75))],
  };
}

export const isMet = ({ ratio, goal, better }: Figure): boolean =>
  goal === null || (better === "lower" ? ratio <= goal : ratio >= goal);

const COLUMNS = ["case", "ratio", "25 %", "75 %", "goal", "", "ours", "floor", "unit", "ours per second"] as const;

function cells(id: string, { figure, quartiles }: Result): string[] {
  const { ratio, goal, unit, ours, floor } = figure;
  const number = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  const fixed = (value: number) => value.toFixed(2);
  const verdict = goal === null ? "" : isMet(figure) ? "met" : "missed";
  const rate = unit === "µs/row" ? number(1e6 / ours) : "";
  return [
    id,
    fixed(ratio),
    ...quartiles.map(fixed),
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
  const widths = [32, 7, 7, 7, 7, 7, 9, 9, 12, 16];
  return texts
    .map((text, n) =>
      n === 0 || n === 5 || n === 8 ? ` ${text}`.padEnd(widths[n] as number) : text.padStart(widths[n] as number),
    )
    .join(" ")
    .trim();
}
