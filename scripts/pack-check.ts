// Packs what users install and uses the tarball as they would, in an empty project outside the workspace: what is in
// it, what it imports, whether each entry loads and the CLI answers. Fetches nothing: dependencies are linked.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, posix, relative } from "node:path";
import { type Message, publint } from "publint";
import { formatMessage } from "publint/utils";
import ts from "typescript";
import { packageName, readImports } from "./boundaries";

const root = join(import.meta.dirname, "..");
const folder = join(root, "packages/grove-crdt");
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith(".json"));

/** A step says what it looked at, or throws with what is missing. */
const fail = (problems: readonly string[]) => {
  if (problems.length > 0) throw new Error(problems.join("\n"));
};

function pack(to: string): string {
  const texts = ["README.md", "LICENSE"].filter((text) => !existsSync(join(root, text)));
  fail(texts.map((text) => `${text} is missing at the root of the repository`));
  // Output goes to our stderr: the build tells its own errors better than we could.
  execFileSync("npm", ["pack", "--quiet", "--pack-destination", to], { cwd: folder, stdio: ["ignore", 2, 2] });
  const [tarball] = readdirSync(to).filter((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack left no tarball");
  return join(to, tarball);
}

async function checkManifest(installed: string): Promise<string> {
  const { messages } = await publint({ pkgDir: installed, pack: false });
  const text = (message: Message) => `publint ${message.type}: ${formatMessage(message, manifest, { color: false })}`;
  fail(messages.filter(({ type }) => type !== "suggestion").map(text));
  return ["publint finds no fault", ...messages.map(text)].join("\n  ");
}

/** An empty project with the tarball unpacked into its node_modules and the dependencies linked beside it. */
function install(tarball: string, project: string): string {
  const modules = join(project, "node_modules");
  const installed = join(modules, manifest.name);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  for (const name of dependencies) {
    const source = join(root, "node_modules", name);
    if (!existsSync(source)) throw new Error(`${name} is declared and not installed at the root of the workspace`);
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(source, join(modules, name), "dir");
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
  return installed;
}

function checkFiles(installed: string): string {
  const files = filesIn(installed);
  const targets = entries.flatMap((entry) => Object.values<string>(manifest.exports[entry]));
  const wanted = ["README.md", "LICENSE", ...targets, ...Object.values<string>(manifest.bin)].map(posix.normalize);
  fail(wanted.filter((file) => !files.includes(file)).map((file) => `${file} is not in the tarball`));
  const extra = files.filter((file) => !/^(package\.json|README\.md|LICENSE|dist)(\/|$)/.test(file));
  fail(extra.map((file) => `${file} is in the tarball and should not be`));
  return `tarball: ${files.length} files, README and LICENSE among them`;
}

/** Every import of the bundle is declared in package.json and can be resolved, in the code and in the types. */
function checkImports(installed: string): string {
  const found = imports(installed).filter(({ specifier }) => !specifier.startsWith(".") && !isBuiltin(specifier));
  const resolves = (file: string, specifier: string) =>
    ts.resolveModuleName(
      specifier,
      join(installed, file),
      { ...resolution, allowJs: true },
      ts.sys,
      undefined,
      undefined,
      ts.ModuleKind.ESNext,
    ).resolvedModule !== undefined;
  fail([
    ...found
      .filter(({ specifier }) => !dependencies.includes(packageName(specifier)))
      .map(({ file, specifier }) => `${file} imports ${specifier}, which package.json does not declare`),
    ...found
      .filter(({ file, specifier }) => !resolves(file, specifier))
      .map(({ file, specifier }) => `${file} imports ${specifier}, which a user's project cannot resolve`),
  ]);
  const used = new Set(found.map(({ specifier }) => packageName(specifier)));
  return `imports: ${[...used].sort().join(", ") || "none"}, all declared and resolved`;
}

/** What `grove-crdt/schema` loads ends up in every schema file, drizzle-kit's and the browser's included. */
function checkSchemaEntry(installed: string): string {
  const all = imports(installed).filter(({ file, runtime }) => file.endsWith(".js") && runtime);
  const loaded = new Set([posix.normalize(manifest.exports["./schema"].default)]);
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

const filesIn = (installed: string) =>
  readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(installed, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));

const imports = (installed: string) =>
  filesIn(installed)
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .flatMap((file) => readImports(file, readFileSync(join(installed, file), "utf8")).map((one) => ({ file, ...one })));

/** The bundled declarations hold by themselves, checked as a strict Node project sees them. */
function checkTypes(installed: string): string {
  const files = entries.map((entry) => join(installed, manifest.exports[entry].types));
  const program = ts.createProgram(files, {
    ...resolution,
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  });
  const ours = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(installed));
  const problems = [
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((file) => [...program.getSemanticDiagnostics(file)]),
  ];
  fail(problems.length === 0 ? [] : [ts.formatDiagnostics(problems, formatHost)]);
  return `types: ${ours.length} declaration files compile`;
}

const resolution = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const formatHost = ts.createCompilerHost({});

function checkEntry(entry: string, project: string): string {
  const specifier = posix.join(manifest.name, entry);
  const script = `console.log(Object.keys(await import(${JSON.stringify(specifier)})).join(" "))`;
  const names = run(project, ["--input-type=module", "--eval", script]).trim();
  fail(names === "" ? [`${specifier} exports nothing`] : []);
  return `import "${specifier}": ${names.split(" ").length} exports`;
}

function checkCli(project: string): string {
  const cli = join("node_modules", manifest.name, manifest.bin[manifest.name]);
  const shebang = readFileSync(join(project, cli), "utf8").startsWith("#!/usr/bin/env node\n");
  fail(shebang ? [] : [`${cli} has no shebang`]);
  const help = run(project, [cli, "--help"]);
  fail(help.includes("generate") ? [] : [`${cli} --help does not mention \`generate\`:\n${help}`]);
  return `${cli} --help answers`;
}

const run = (project: string, args: readonly string[]) =>
  execFileSync(process.execPath, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

const temporary = realpathSync(mkdtempSync(join(tmpdir(), "grove-crdt-pack-")));
try {
  const say = (line: string) => console.log(`✓ ${line}`);
  const tarball = pack(temporary);
  const project = join(temporary, "project");
  const installed = install(tarball, project);
  say(checkFiles(installed));
  say(await checkManifest(installed));
  say(checkImports(installed));
  say(checkTypes(installed));
  say(checkSchemaEntry(installed));
  for (const entry of entries) say(checkEntry(entry, project));
  say(checkCli(project));
} catch (error) {
  console.error(`pack-check: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
