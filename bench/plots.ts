// The plots of bench/plots, drawn by Observable Plot into the document of linkedom, which has no screen.
import { mkdirSync, writeFileSync } from "node:fs";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { folder, type Results } from "./results";
import { unitOf } from "./results-page";

interface Dot {
  readonly dialect: string;
  readonly what: string;
  readonly rows: number;
  readonly value: number;
}

/** Cost against size, a panel for each dialect. */
export function drawSizes(dots: readonly Dot[], label: string): string {
  const { document } = parseHTML("<html><body></body></html>");
  const series = { x: "rows", y: "value", stroke: "what", fx: "dialect" };
  const figure = Plot.plot({
    // Types of the browser are not among those of this workspace.
    document: document as never,
    width: 760,
    height: 300,
    marginLeft: 50,
    marginRight: 60,
    x: { type: "log", label: "rows in the table", ticks: 4, tickFormat: "~s" },
    y: { label, zero: true, grid: true },
    fx: { label: null },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY(dots, series),
      Plot.dot(dots, { ...series, fill: "white" }),
      Plot.text(
        dots,
        Plot.selectLast({
          x: "rows",
          y: "value",
          fx: "dialect",
          fill: "what",
          text: "what",
          textAnchor: "start",
          dx: 7,
        }),
      ),
    ],
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  figure.setAttribute("role", "img");
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = `${label[0]!.toUpperCase()}${label.slice(1)}, by rows in the table`;
  figure.prepend(title);
  return `${figure.outerHTML}\n`;
}

export function writePlots(results: Results): void {
  const dots = Object.entries(results.sizes).flatMap(([dialect, { points }]) =>
    points.map((point) => ({ ...point, dialect })),
  );
  if (dots.length === 0) return;
  mkdirSync(`${folder}plots`, { recursive: true });
  const write = (name: string, unit: string, label: string) =>
    writeFileSync(
      `${folder}plots/${name}.svg`,
      drawSizes(
        dots.filter(({ what }) => unitOf(what) === unit),
        label,
      ),
    );
  write("rows", "µs/row", "microseconds per row");
  write("changes", "ms", "milliseconds");
}
