// What the compiler says of files that a test wrote, under this repository's own settings. Only they are checked: what they import is
// read for its types, and `npm run typecheck` has looked at that.
import { statSync } from "node:fs";
import { dirname } from "node:path";
import ts from "typescript";
import { repository } from "./project";

/** @param places folders with TypeScript files, or a file each: then it and what stands beside and below it are checked */
export function complaintsOf(...places: readonly string[]): string[] {
  const { config } = ts.readConfigFile(`${repository}/tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, repository);
  const isFolder = (place: string) => statSync(place).isDirectory();
  const roots = places.flatMap((place) =>
    isFolder(place) ? ts.sys.readDirectory(place, [".ts"], ["**/node_modules"]) : [place],
  );
  const folders = places.map((place) => (isFolder(place) ? place : dirname(place)));
  const program = ts.createProgram(roots, { ...options, noEmit: true });
  const own = program
    .getSourceFiles()
    .filter(({ fileName }) => folders.some((folder) => fileName.startsWith(`${folder}/`)));
  if (roots.length === 0 || own.length < roots.length)
    throw new Error(`Of ${roots.length} files in ${folders.join(" and ")}, ${own.length} were compiled.`);
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...own.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ].map(
    ({ messageText, file, start }) =>
      `${file?.fileName}:${start} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
  );
}
