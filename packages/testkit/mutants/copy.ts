// A copy of the repository in a temporary folder: a mutant is made there, and what runs there resolves our packages to the
// copy and all others to what is installed here.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mutant, mutate } from "./mutant";

export const root = join(import.meta.dirname, "../../..");

const COPIED = ["package.json", "tsconfig.json", "vitest.config.ts", "generated", "schema", "scripts", "test"];
const SKIPPED = /[\\/](?:node_modules|dist)$/;

export interface Copy {
  readonly folder: string;
  /** Makes the mutant until what it returns is called. @throws Error when the code has moved on */
  plant(mutant: Mutant): () => void;
  remove(): void;
}

export function makeCopy(): Copy {
  const folder = mkdtempSync(join(tmpdir(), "grove-mutants-"));
  const copy = (path: string) =>
    cpSync(join(root, path), join(folder, path), { recursive: true, filter: (source) => !SKIPPED.test(source) });
  for (const path of [...COPIED, "packages"]) copy(path);
  link(join(root, "node_modules"), join(folder, "node_modules"));
  link(join(root, "packages/grove-crdt/node_modules"), join(folder, "packages/grove-crdt/node_modules"));
  const ours = join(folder, "node_modules/@grove-crdt");
  mkdirSync(ours);
  for (const name of readdirSync(join(folder, "packages"))) {
    const place = name === "grove-crdt" ? join(folder, "node_modules", name) : join(ours, name);
    symlinkSync(join(folder, "packages", name), place, "junction");
  }
  return {
    folder,
    plant(mutant) {
      const path = join(folder, mutant.file);
      const text = readFileSync(path, "utf8");
      writeFileSync(path, mutate(mutant, text));
      return () => writeFileSync(path, text);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Links to all that is installed, but for our own packages and the caches of tools. npm may have put everything at the top. */
function link(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from))
    if (!name.startsWith(".") && !["@grove-crdt", "grove-crdt"].includes(name))
      symlinkSync(join(from, name), join(to, name), "junction");
}
