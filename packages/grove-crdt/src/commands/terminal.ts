// Printing: colours where a terminal shows them and nobody asked for none (https://no-color.org).
import { styleText } from "node:util";

type Style = "red" | "green" | "yellow" | "dim" | "bold";

export interface Terminal {
  print(text: string): void;
  style(style: Style, text: string): string;
}

/** A line that is written over as work goes on, and gone in the end; nothing where no terminal shows it. */
export interface Progress {
  show(text: string): void;
  end(): void;
}

const CLEAR = "\r\u001b[2K";

export function progressFor(stream: NodeJS.WriteStream): Progress {
  if (stream.isTTY !== true) return { show: () => {}, end: () => {} };
  let shown = false;
  return {
    show: (text) => {
      shown = true;
      stream.write(`${CLEAR}${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
    },
    end: () => {
      if (shown) stream.write(CLEAR);
    },
  };
}

/** A bar of 24 cells. @param part between 0 and 1 */
export const bar = (part: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, part)) * 24);
  return `${"█".repeat(full)}${"░".repeat(24 - full)}`;
};

export function terminalFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Terminal {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "" && env.FORCE_COLOR !== "0";
  const coloured = forced || (stream.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb");
  return {
    print: (text) => {
      stream.write(`${text}\n`);
    },
    style: (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text),
  };
}
