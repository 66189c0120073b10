// The command line as one file for the whole run of the tests: a hundred processes start it, each a second sooner than from
// its sources.
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../..", import.meta.url));

declare module "vitest" {
  interface ProvidedContext {
    /** The built command line. */
    cli: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  // Inside the repository, where its dependencies are found.
  const folder = join(root, "tmp", `cli-${process.pid}`);
  const outfile = join(folder, "dist/cli.js");
  await build({
    entryPoints: [join(root, "packages/grove-crdt/src/cli.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    plugins: [
      {
        name: "our packages go in, all others stay out",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
            if (kind === "entry-point") return undefined;
            const [, name] = /^@grove-crdt\/([\w-]+)$/.exec(path) ?? [];
            return name ? { path: join(root, "packages", name, "src/index.ts") } : { path, external: true };
          }),
      },
    ],
  });
  copyFileSync(join(root, "packages/grove-crdt/package.json"), join(folder, "package.json"));
  project.provide("cli", outfile);
  return () => rmSync(folder, { recursive: true, force: true });
}
