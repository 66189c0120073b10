// What the compiler says of files that a test wrote, under this repository's own settings.
import ts from "typescript";
import { repository } from "../support/project";

export function complaintsOf(files: readonly string[]): string[] {
  const { config } = ts.readConfigFile(`${repository}/tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, repository);
  const program = ts.createProgram(files, { ...options, noEmit: true });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ messageText, file, start }) =>
        `${file?.fileName}:${start} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
}
