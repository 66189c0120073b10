// The edge's drizzle.config.ts: a dialect has a config of its own.
import { header, quote } from "../typescript/text";

export interface EdgeConfig {
  /** The edge's schema file, its shadow tables, its migrations and the folder of generated files, from the config's folder. */
  readonly schema: string;
  readonly shadow: string;
  readonly migrations: string;
  readonly out: string;
}

export const emitEdgeConfig = ({ schema, shadow, migrations, out }: EdgeConfig): string =>
  `${header("The edge's config for drizzle-kit. To keep changes of your own, take these two lines off.")}
import { defineConfig } from "drizzle-kit";
import { groveCrdt } from "grove-crdt/config";

export default defineConfig({
  dialect: "sqlite",
  schema: [${quote(schema)}, ${quote(shadow)}],
  out: ${quote(migrations)},
  ...groveCrdt({ out: ${quote(out)} }),
});
`;

/** Whether a file's text is one that we made. */
export const isGenerated = (text: string): boolean => text.startsWith(`${header("").split("\n")[0]}\n`);
