// `npm run bench`: bundles the benchmarks, as a program is that somebody ships, and runs them. Through a loader each function that is
// made at work would be given its name first, which costs a merge or a fold a tenth.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Packages of the workspace come along; the others are found where they are installed. */
const installed: Plugin = {
  name: "installed",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || /^(?:@grove-crdt\/|grove-crdt)/.test(path) ? null : { path, external: true },
    ),
};

/** A file still finds what lies beside it. */
const placed: Plugin = {
  name: "placed",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/bench\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
      resolveDir: dirname(path),
      loader: "ts",
    })),
};

mkdirSync(join(root, "tmp"), { recursive: true });
const folder = mkdtempSync(join(root, "tmp/bench-"));
const forget = () => rmSync(folder, { recursive: true, force: true });
process.once("exit", forget);
const outfile = join(folder, "main.mjs");
await build({
  entryPoints: [join(root, "bench/main.ts")],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  tsconfig: join(root, "tsconfig.json"),
  plugins: [installed, placed],
});
const child = spawn(process.execPath, ["--expose-gc", "--enable-source-maps", outfile, ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.once("exit", (code) => process.exit(code ?? 1));
