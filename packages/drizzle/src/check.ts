// CHECK constraints. One over a counter holds on each node and still breaks once the nodes' counts are added up.
import type { FieldModel } from "@grove-crdt/core";
import type { SQL } from "drizzle-orm";
import type { TableSource } from "./source";

/** @param textOf an expression as the dialect writes it */
export function checkCounters(
  { config, report }: Pick<TableSource, "config" | "report">,
  fields: readonly FieldModel[],
  textOf: (value: SQL) => string,
): void {
  for (const check of config.checks) {
    const text = textOf(check.value);
    const named = namesIn(text);
    for (const { name, type, paths = [] } of fields) {
      if (!named.has(name.toLowerCase())) continue;
      // Of a document, what names a counter's whole path.
      const counts = paths.some(({ path, type }) => type === "counter" && path.every((part) => text.includes(part)));
      if (type !== "counter" && !counts) continue;
      report({
        column: name,
        code: "counter_check",
        problem: `the CHECK constraint ${check.name} limits ${counts ? "a counter in it" : "it"}, and counts from several nodes can add up past any limit`,
        cure: "Drop the constraint and check in the app, or use lww() if only one node writes the column.",
      });
    }
  }
}

/**
 * Every name in an SQL expression, in lower case: bare, or quoted in any of SQLite's ways, of which Postgres knows one.
 * Strings are passed over.
 */
function namesIn(text: string): Set<string> {
  const tokens = text.matchAll(
    /'(?:[^']|'')*'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|([\p{L}_][\p{L}\p{N}_$]*)/gu,
  );
  const names = [...tokens].flatMap(([, quoted, ticked, bracketed, bare]) =>
    [quoted?.replaceAll('""', '"') ?? ticked?.replaceAll("``", "`") ?? bracketed ?? bare ?? []].flat(),
  );
  return new Set(names.map((name) => name.toLowerCase()));
}
