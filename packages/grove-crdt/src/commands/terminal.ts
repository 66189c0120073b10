// Printing: colours where a terminal shows them and nobody asked for none (https://no-color.org).
import { styleText } from "node:util";

type Style = "red" | "green" | "yellow" | "dim" | "bold";

export interface Terminal {
  print(text: string): void;
  style(style: Style, text: string): string;
}

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
