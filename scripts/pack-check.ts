// `npm run pack-check`: packs what users install and looks at the tarball as they would, in an empty project outside the
// workspace. Fetches nothing: dependencies are linked.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, install, pack } from "./package-checks";

const temporary = realpathSync(mkdtempSync(join(tmpdir(), "grove-crdt-pack-")));
try {
  const installed = install(pack(temporary), join(temporary, "project"));
  for await (const line of checkPackage(installed)) console.log(`✓ ${line}`);
} catch (error) {
  console.error(`pack-check: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
