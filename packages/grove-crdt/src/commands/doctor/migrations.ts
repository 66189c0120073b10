// Migrations that were generated and not applied, and migrations that would not capture as the schema says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Registry } from "@grove-crdt/core";
import type { Examined } from "@grove-crdt/store";
import { counted } from "../lines";
import { checkCapture } from "../migrations/capture-migrations";
import type { Finding } from "./finding";

interface Entry {
  readonly tag: string;
  readonly when: number;
}

/** @param folder absolute */
export function checkMigrations(folder: string, registry: Registry, { applied }: Pick<Examined, "applied">): Finding[] {
  const journal = join(folder, "meta/_journal.json");
  if (!existsSync(journal)) {
    return [
      {
        check: "migrations",
        level: "note",
        what: "there is no folder of migrations",
        cure: "node.ensureShadowTables() installs capture where no migration does.",
      },
    ];
  }
  const stale = (checkCapture({ folder, registry }) ?? []).map(
    (problem): Finding => ({
      check: "migrations",
      level: "error",
      what: problem,
      cure: "Run `npx grove-crdt generate`, then your migrations.",
    }),
  );
  const { entries } = JSON.parse(readFileSync(journal, "utf8")) as { readonly entries: readonly Entry[] };
  return [...stale, ...pending(entries, applied)];
}

/** drizzle-orm's migrator applies what its journal says was made after the latest that it has noted. */
function pending(entries: readonly Entry[], applied: readonly number[] | null): Finding[] {
  if (applied === null) {
    const cure = "Run your migrations. If capture is installed by node.ensureShadowTables(), there is nothing to do.";
    return [
      { check: "migrations", level: "warning", what: "drizzle-orm's migrator was never run on this database", cure },
    ];
  }
  const last = applied.at(-1) ?? 0;
  const waiting = entries.filter(({ when }) => when > last);
  if (waiting.length === 0)
    return [
      {
        check: "migrations",
        level: "ok",
        what: `${counted(entries.length, "migration is", "migrations are")} applied, none is left`,
      },
    ];
  const what = `${waiting.length} of ${entries.length} migrations are not applied: ${waiting.map(({ tag }) => tag).join(", ")}`;
  return [
    {
      check: "migrations",
      level: "error",
      what,
      cure: "Run your migrations (drizzle-orm's migrate(), or `npx drizzle-kit migrate`).",
    },
  ];
}
