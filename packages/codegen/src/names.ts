// Names of TypeScript things made from the schema's names: valid, unlike each other, and the same on every run.
import type { TableModel } from "@grove-crdt/core";

/** The identifiers of one table in the generated files. */
export interface Names {
  /** `documents`: what the schema file exports. */
  readonly base: string;
  /** `Documents` */
  readonly pascal: string;
  /** `documentsModel` */
  readonly model: string;
  /** `documentsLog`, `documentsCrdt`, `documentsCrdtCells` */
  readonly log: string;
  readonly shadow: string;
  readonly cells: string;
}

/** Order by code unit: the same on every machine, whatever its locale. */
export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Tables in the order of their names. */
export const sorted = (tables: readonly TableModel[]): TableModel[] =>
  [...tables].sort((a, b) => byCodeUnit(a.name, b.name));

/** An identifier like `text`: letters, digits and underscores, not starting with a digit. */
export function identifier(text: string): string {
  const words = text.split(/[^\p{L}\p{N}_$]+/u).filter((word) => word !== "");
  const camel = words.map((word, n) => (n === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join("");
  return /^[\p{L}_$]/u.test(camel) ? camel : `_${camel}`;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The identifiers of every table, by table name. Where two would be alike, the later one gets a number. */
export function nameTables(tables: readonly TableModel[]): ReadonlyMap<string, Names> {
  const taken = new Set<string>();
  const claim = (base: string): Names => {
    const pascal = upperFirst(base);
    const names = {
      base,
      pascal,
      model: `${base}Model`,
      log: `${base}Log`,
      shadow: `${base}Crdt`,
      cells: `${base}CrdtCells`,
    };
    const all = [pascal, names.model, names.log, names.shadow, names.cells];
    if (all.some((name) => taken.has(name))) return claim(next(base));
    for (const name of all) taken.add(name);
    return names;
  };
  const next = (base: string): string => {
    const number = /_(\d+)$/.exec(base);
    return number ? base.replace(/\d+$/, String(Number(number[1]) + 1)) : `${base}_2`;
  };
  return new Map(
    sorted(tables).map((table) => {
      const name = table.exportName === "default" ? table.name : table.exportName;
      return [table.name, claim(identifier(name))];
    }),
  );
}
