// README and LICENSE stand at the root of the repository and travel inside the package: `copy` puts them there before
// packing, `remove` takes them away again.

import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = join(root, "packages/grove-crdt");
const [action] = process.argv.slice(2);

for (const text of ["README.md", "LICENSE"]) {
  if (action === "copy") copyFileSync(join(root, text), join(folder, text));
  else if (action === "remove") rmSync(join(folder, text), { force: true });
  else throw new Error("usage: package-texts.ts copy | remove");
}
