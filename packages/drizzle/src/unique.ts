// Unique keys besides the primary key. Every node decides from the merged registers which row holds a key, so a key may
// consist of registers and key columns only.
import type { FieldModel } from "@grove-crdt/core";
import type { ReadColumn, TableSource } from "./source";

/**
 * The unique keys that every node can decide, each once. One that contains the primary key is among them for references to
 * it: no other row can violate it.
 *
 * @param named the columns of each key that the schema declares
 * @param isComparable false after reporting a column that nodes could compare differently
 */
export function decideUniques<Source extends TableSource>(
  source: Source,
  key: readonly ReadColumn[],
  fields: readonly FieldModel[],
  named: readonly (readonly string[])[],
  isComparable: (source: Source, name: string) => boolean,
): string[][] {
  const keyNames = key.map((column) => column.name);
  const registers = new Set([...keyNames, ...fields.filter(({ type }) => type === "lww").map(({ name }) => name)]);
  const found = new Map<string, string[]>();
  for (const names of named) {
    if (containsKey(names, keyNames)) {
      const quiet = { ...source, report: () => {} };
      if (names.every((name) => registers.has(name) && isComparable(quiet, name)))
        found.set(JSON.stringify(names), [...names]);
      continue;
    }
    const unknown = names.find((name) => !registers.has(name));
    if (unknown !== undefined) {
      source.report({
        column: unknown,
        code: "unique_unmergeable",
        problem: "it is part of a unique key, but no register that every node knows",
        cure: "Annotate it with lww(), or drop the unique key.",
      });
    } else if (names.every((name) => isComparable(source, name))) found.set(JSON.stringify(names), [...names]);
  }
  return [...found.values()];
}

export const containsKey = (names: readonly string[], key: readonly string[]): boolean =>
  key.length > 0 && key.every((name) => names.includes(name));
