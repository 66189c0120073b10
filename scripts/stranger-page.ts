// docs/getting-started.md as a stranger reads it: for each database the files to write and the commands to type, in the
// order of the page.

/** A block of the page: a file to write, or commands to type. */
export type Step = { readonly file: string; readonly text: string } | { readonly commands: readonly string[] };

export interface Way {
  readonly dialect: "sqlite" | "postgres";
  readonly steps: readonly Step[];
}

const FENCE = /^```(\w+)\n(.*?)^```$/gms;

const isCode = (line: string): boolean => line.trim() !== "" && !line.startsWith("//");

/** What has to be typed, without empty lines and the names of the files. */
export const effortOf = ({ steps }: Way): { readonly commands: number; readonly lines: number } => ({
  commands: steps.flatMap((step) => ("commands" in step ? step.commands : [])).length,
  lines: steps.flatMap((step) => ("file" in step ? step.text.split("\n").filter(isCode) : [])).length,
});

/** @throws Error when the page has no such parts, or a sample without a name */
export function readPage(page: string): readonly Way[] {
  const sqlite = stepsOf(sectionOf(page, "With SQLite"));
  const own = stepsOf(sectionOf(page, "With Postgres"));
  const files = new Set(own.flatMap((step) => ("file" in step ? [step.file] : [])));
  // "The same as with SQLite": what it does not show again is written before the programs are started.
  const shared = sqlite.filter((step) => "file" in step && !files.has(step.file));
  const postgres = [...own.slice(0, -1), ...shared, ...own.slice(-1)];
  return [
    { dialect: "sqlite", steps: sqlite },
    { dialect: "postgres", steps: postgres },
  ];
}

function sectionOf(page: string, heading: string): string {
  const [, section] = new RegExp(`^## ${heading}\n(.*?)(?=^## |(?![\\s\\S]))`, "ms").exec(page) ?? [];
  if (section === undefined) throw new Error(`the page has no part "${heading}"`);
  return section;
}

function stepsOf(section: string): Step[] {
  return [...section.matchAll(FENCE)].flatMap(([, language, text = ""]): Step[] => {
    if (language === "sh") return [{ commands: text.trim().split("\n") }];
    if (language !== "ts") return [];
    const [, file] = /^\/\/ (\S+)\n/.exec(text) ?? [];
    if (file === undefined) throw new Error(`a sample does not begin with its file's name:\n${text}`);
    return [{ file, text }];
  });
}
