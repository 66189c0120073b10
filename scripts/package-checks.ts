// What holds of the tarball that users install, looked at as they would: what is in it, what it imports, whether each
// entry loads by `import` and by `require`, and whether its types are right for every way of resolving them.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, posix, relative } from "node:path";
import { type Message, publint } from "publint";
import { formatMessage } from "publint/utils";
import ts from "typescript";
import { packageName, readImports } from "./boundaries";

const root = join(import.meta.dirname, "..");

/** One entry of `exports`: where its code and its types are, for `import` and for `require`. */
type Target = Readonly<Record<"import" | "require", { readonly types: string; readonly default: string }>>;

interface Manifest {
  readonly name: string;
  readonly main: string;
  readonly exports: Readonly<Record<string, Target>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

export interface Installed {
  readonly tarball: string;
  /** The project that it is installed in. */
  readonly project: string;
  /** The package's own folder. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** A step says what it looked at, or throws with what is missing. */
const fail = (problems: readonly string[]) => {
  if (problems.length > 0) throw new Error(problems.join("\n"));
};

/** Builds and packs; the tarball's path. Output goes to our stderr: the build tells its own errors better than we could. */
export function pack(to: string): string {
  const texts = ["README.md", "LICENSE"].filter((text) => !existsSync(join(root, text)));
  fail(texts.map((text) => `${text} is missing at the root of the repository`));
  mkdirSync(to, { recursive: true });
  const cwd = join(root, "packages/grove-crdt");
  execFileSync("npm", ["pack", "--quiet", "--pack-destination", to], { cwd, stdio: ["ignore", 2, 2] });
  const [tarball] = readdirSync(to).filter((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack left no tarball");
  return join(to, tarball);
}

/** Unpacks the tarball into the project's node_modules and links what it needs, and `others`, beside it. */
export function install(tarball: string, project: string, others: readonly string[] = []): Installed {
  const modules = join(project, "node_modules");
  const folder = join(modules, "grove-crdt");
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  for (const name of new Set([...declared(manifest), ...others])) {
    const source = join(root, "node_modules", name);
    if (!existsSync(source)) throw new Error(`${name} is declared and not installed at the root of the workspace`);
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(source, join(modules, name), "dir");
  }
  const file = join(project, "package.json");
  if (!existsSync(file)) writeFileSync(file, JSON.stringify({ name: "project", private: true, type: "module" }));
  return { tarball, project, folder, manifest };
}

const declared = ({ dependencies, peerDependencies }: Manifest) =>
  Object.keys({ ...dependencies, ...peerDependencies });
const entriesOf = ({ exports }: Manifest) => Object.entries(exports).filter(([entry]) => !entry.endsWith(".json"));

/** Every step, in the order in which they are worth knowing. */
export async function* checkPackage(installed: Installed): AsyncGenerator<string> {
  yield checkFiles(installed);
  yield await checkManifest(installed);
  yield checkImports(installed);
  yield checkTypes(installed);
  yield checkResolution(installed);
  yield checkSchemaEntry(installed);
  for (const [entry] of entriesOf(installed.manifest)) yield checkEntry(entry, installed);
  yield checkCli(installed);
}

function checkFiles({ folder, manifest }: Installed): string {
  const files = filesIn(folder);
  const targets = entriesOf(manifest).flatMap(([, { import: esm, require: cjs }]) => [
    ...Object.values(esm),
    ...Object.values(cjs),
  ]);
  const texts = ["README.md", "LICENSE", "CHANGELOG.md"];
  const wanted = [...texts, ...targets, manifest.main, ...Object.values(manifest.bin)].map(posix.normalize);
  fail(wanted.filter((file) => !files.includes(file)).map((file) => `${file} is not in the tarball`));
  const extra = files.filter((file) => !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist)(\/|$)/.test(file));
  fail(extra.map((file) => `${file} is in the tarball and should not be`));
  return `tarball: ${files.length} files, ${texts.join(", ")} among them`;
}

async function checkManifest({ folder, manifest }: Installed): Promise<string> {
  const onInstall = ["preinstall", "install", "postinstall", "prepare"].filter((name) => manifest.scripts?.[name]);
  fail(onInstall.map((name) => `package.json has the script ${name}, which would run where it is installed`));
  const { messages } = await publint({ pkgDir: folder, pack: false });
  const text = (message: Message) =>
    `publint ${message.type}: ${formatMessage(message, { ...manifest }, { color: false })}`;
  fail(messages.filter(({ type }) => type !== "suggestion").map(text));
  return ["publint finds no fault, no install script", ...messages.map(text)].join("\n  ");
}

/** Every import of the bundle is declared in package.json and can be resolved, in the code and in the types. */
function checkImports({ folder, manifest }: Installed): string {
  const found = imports(folder).filter(({ specifier }) => !specifier.startsWith(".") && !isBuiltin(specifier));
  const resolves = (file: string, specifier: string) =>
    ts.resolveModuleName(
      specifier,
      join(folder, file),
      { ...resolution, allowJs: true },
      ts.sys,
      undefined,
      undefined,
      ts.ModuleKind.ESNext,
    ).resolvedModule !== undefined;
  const names = declared(manifest);
  const used = new Set(found.map(({ specifier }) => packageName(specifier)));
  fail([
    ...found
      .filter(({ specifier }) => !names.includes(packageName(specifier)))
      .map(({ file, specifier }) => `${file} imports ${specifier}, which package.json does not declare`),
    ...found
      .filter(({ file, specifier }) => !resolves(file, specifier))
      .map(({ file, specifier }) => `${file} imports ${specifier}, which a user's project cannot resolve`),
    ...Object.keys(manifest.dependencies)
      .filter((name) => !used.has(name))
      .map((name) => `package.json has the dependency ${name}, which no file imports`),
  ]);
  return `imports: ${[...used].sort().join(", ") || "none"}, all declared and resolved`;
}

/** What `grove-crdt/schema` loads ends up in every schema file, drizzle-kit's and the browser's included. */
function checkSchemaEntry({ folder, manifest }: Installed): string {
  const all = imports(folder).filter(({ file, runtime }) => /\.c?js$/.test(file) && runtime);
  const { import: esm, require: cjs } = manifest.exports["./schema"] as Target;
  const loaded = new Set([esm.default, cjs.default].map(posix.normalize));
  const foreign = new Set<string>();
  for (const file of loaded) {
    for (const { specifier } of all.filter((found) => found.file === file)) {
      if (specifier.startsWith(".")) loaded.add(posix.join(posix.dirname(file), specifier));
      else foreign.add(specifier);
    }
  }
  const wrong = [...foreign].filter((specifier) => packageName(specifier) !== "drizzle-orm");
  fail(wrong.map((specifier) => `grove-crdt/schema loads ${specifier} (by way of ${[...loaded].join(", ")})`));
  return `grove-crdt/schema loads ${[...loaded, ...foreign].join(", ")} and nothing else`;
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));

const imports = (folder: string) =>
  filesIn(folder)
    .filter((file) => /\.(c?js|d\.c?ts)$/.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      return [...readImports(file, text), ...readRequires(file, text)].map((one) => ({ file, ...one }));
    });

/** What a CommonJS file requires by name. */
function readRequires(file: string, text: string) {
  if (!file.endsWith(".cjs")) return [];
  const names = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name as string);
  return names.map((specifier) => ({ specifier, line: 0, runtime: true }));
}

/** The bundled declarations hold by themselves, checked as a strict Node project sees them. */
function checkTypes({ folder, manifest }: Installed): string {
  const files = entriesOf(manifest).flatMap(([, target]) => [target.import.types, target.require.types]);
  const program = ts.createProgram(
    files.map((file) => join(folder, file)),
    {
      ...resolution,
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts"],
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    },
  );
  const ours = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(folder));
  const problems = [
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((file) => [...program.getSemanticDiagnostics(file)]),
  ];
  fail(problems.length === 0 ? [] : [ts.formatDiagnostics(problems, formatHost)]);
  return `types: ${ours.length} declaration files compile`;
}

const resolution = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const formatHost = ts.createCompilerHost({});

/** Are the types wrong? For the old resolution, for `import` and `require` in Node, and for bundlers. */
function checkResolution({ tarball }: Installed): string {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const args = [attw, tarball, "--no-definitely-typed", "--no-emoji", "--no-color", "--format", "ascii"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  fail(status === 0 ? [] : [`arethetypeswrong:\n${stdout}${stderr}`]);
  return "arethetypeswrong finds no fault: node10, node16 from CommonJS and from ESM, bundler";
}

/** As in Node before 20.19, which reads no ESM by `require`; there is no such flag there. */
const NO_REQUIRE_OF_ESM = ["--no-experimental-require-module"].filter((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag.replace("--no-", "--")),
);

function checkEntry(entry: string, { manifest, project }: Installed): string {
  const specifier = JSON.stringify(posix.join(manifest.name, entry));
  const ask = (type: string, load: string) => {
    const script = `console.log(Object.keys(${load}).sort().join(" "))`;
    return run(project, [...NO_REQUIRE_OF_ESM, `--input-type=${type}`, "--eval", script]).trim();
  };
  const imported = ask("module", `await import(${specifier})`);
  const required = ask("commonjs", `require(${specifier})`);
  fail(imported === "" ? [`${specifier} exports nothing`] : []);
  fail(imported === required ? [] : [`import ${specifier} gives ${imported}, require gives ${required}`]);
  return `import and require of ${specifier}: ${imported.split(" ").length} exports`;
}

function checkCli({ manifest, project, folder }: Installed): string {
  const cli = join(folder, manifest.bin[manifest.name] ?? "no command");
  const shebang = readFileSync(cli, "utf8").startsWith("#!/usr/bin/env node\n");
  fail(shebang ? [] : [`${cli} has no shebang`]);
  const help = run(project, [cli, "--help"]);
  fail(help.includes("generate") ? [] : [`${cli} --help does not mention \`generate\`:\n${help}`]);
  return `${manifest.name} --help answers`;
}

const run = (project: string, args: readonly string[]) =>
  execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
