// `npm run example NAME`: runs examples/NAME/main.ts with the remaining arguments; without a name it lists what there is.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = join(import.meta.dirname, "../examples");
const program = (name: string) => join(folder, name, "main.ts");
const names = readdirSync(folder).filter((name) => existsSync(program(name)));

const [name = ""] = process.argv.splice(2, 1);
if (names.includes(name)) await import(pathToFileURL(program(name)).href);
else {
  console.error(`Usage: npm run example NAME [-- arguments]\n\nExamples: ${names.join(", ")}`);
  process.exitCode = 2;
}
