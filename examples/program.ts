// What every example's main.ts has in common: its flags, a temporary folder, the token that its nodes share, and an end that
// leaves nothing behind, whatever ends it.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

export interface Program {
  readonly once: boolean;
  /** Gone when the process ends. */
  readonly folder: string;
  readonly token: string;
  /** Prints a line, with the time since the start. */
  say(text: string): void;
  /** Has `stop` called in the end; what was started last is stopped first. */
  started(stop: () => Promise<unknown>): void;
  /** The story is told: from here on, Ctrl-C is the way to end it. */
  told(): void;
  /** Stops everything, then exits: with 1 if something could not be stopped cleanly. */
  end(code: number): Promise<never>;
}

const POSTGRES = "Without DATABASE_URL a Postgres is started for the example; with it, new databases on that server.";

/** @param note the last line of the usage: what it needs */
export function openProgram(name: string, note = POSTGRES): Program {
  const usage = `Usage: npm run example ${name} [-- --once]

  --once  end when the story is told; otherwise all nodes stay up until Ctrl-C
  --help  show this

${note}`;
  const flags = readFlags(usage);
  if (flags.help) {
    console.log(usage);
    process.exit();
  }

  const stops: (() => Promise<unknown>)[] = [];
  let ending: Promise<never> | undefined;
  let told = false;
  const end = (code: number) => {
    ending ??= (async () => {
      let clean = true;
      for (const stop of stops.reverse()) {
        await stop().catch((error: Error) => {
          console.error(error.message);
          clean = false;
        });
      }
      process.exit(clean ? code : code || 1);
    })();
    return ending;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => void end(signal === "SIGINT" && told ? 0 : 128 + constants.signals[signal]));

  const folder = mkdtempSync(join(tmpdir(), `grove-crdt-${name}-${process.pid}-`));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const begun = performance.now();
  return {
    once: flags.once ?? false,
    folder,
    token: randomBytes(16).toString("hex"),
    say: (text) => console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${text}`),
    started: (stop) => void stops.push(stop),
    told: () => {
      told = true;
    },
    end,
  };
}

function readFlags(usage: string) {
  try {
    return parseArgs({ options: { once: { type: "boolean" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
