// Generated text against the files on disk: what would change, as a patch or by writing it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

export interface GeneratedFile {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
  readonly state: "new" | "changed" | "unchanged";
}

export const compareFiles = (folder: string, texts: Readonly<Record<string, string>>): GeneratedFile[] =>
  Object.entries(texts).map(([name, after]) => {
    const path = join(folder, name);
    // A checkout may have turned line ends; that is no difference.
    const before = existsSync(path) ? readFileSync(path, "utf8").replaceAll("\r\n", "\n") : undefined;
    return { path, before, after, state: before === undefined ? "new" : before === after ? "unchanged" : "changed" };
  });

export function writeFiles(files: readonly GeneratedFile[]): void {
  for (const { path, after, state } of files) {
    if (state === "unchanged") continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, after);
  }
}

/** A patch that `git apply` and `patch -p1` take. */
export function patchOf({ before, after }: GeneratedFile, shown: string): string {
  const from = before === undefined ? "/dev/null" : `a/${shown}`;
  return createTwoFilesPatch(from, `b/${shown}`, before ?? "", after, undefined, undefined, {
    headerOptions: FILE_HEADERS_ONLY,
  }).trimEnd();
}
