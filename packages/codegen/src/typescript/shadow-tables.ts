// shadow.ts as both dialects print it. The tables beside the user's differ by their name and key alone, so each kind is
// written once for each key: TypeScript then looks at its columns once and not for every table, and so does a reader.
import { shadowTable, type TableModel } from "@grove-crdt/core";
import { keyColumn, type LayoutColumn, type LayoutTable } from "../layout";
import { identifier, type Names } from "../names";
import { docText, property, quote } from "./text";

/** What tells the dialects apart: Drizzle's words for tables and columns, and what follows the columns. */
export interface ShadowDialect {
  /** `sqliteTable` */
  readonly tableWord: string;
  readonly systemTables: (tables: readonly TableModel[]) => readonly LayoutTable[];
  readonly tablesBeside: (table: TableModel, names: Names) => readonly LayoutTable[];
  readonly emitColumn: (column: LayoutColumn) => string;
  /** Keys and indexes, in terms of the columns in `t`; `nameOf` prints the name of one. */
  readonly emitExtra: (table: LayoutTable, nameOf: (name: string) => string) => readonly string[];
}

export function emitShadowTables(
  dialect: ShadowDialect,
  tables: readonly TableModel[],
  names: ReadonlyMap<string, Names>,
): string {
  const system = dialect.systemTables(tables).map((table) => {
    const call = emitCall(dialect, table, quote(table.name), quote);
    return `/** ${docText(table.about)} */\nexport const ${table.exportName} = ${call};\n`;
  });
  const makers = new Makers(dialect);
  const beside = tables.map((table) =>
    dialect
      .tablesBeside(table, names.get(table.name) as Names)
      .map((own) => `export const ${own.exportName} = ${makers.nameFor(own, table)}(${quote(own.name)});\n`)
      .join(""),
  );
  return [...system, ...makers.texts, ...beside].join("\n");
}

/** The functions that make the tables of each kind and key. */
class Makers {
  readonly texts: string[] = [];
  readonly #names = new Map<string, string>();
  constructor(readonly dialect: ShadowDialect) {}

  /** The name of the function that makes `own`, which stands beside `table`. */
  nameFor(own: LayoutTable, table: TableModel): string {
    const columns = own.columns.map(({ about, ...column }) => ({
      ...column,
      about: about?.replaceAll(shadowTable(table.name), "_…_crdt"),
    }));
    const nameOf = (name: string) => `\`\${name}${name.slice(own.name.length)}\``;
    const call = emitCall(this.dialect, { ...own, columns }, "name", nameOf);
    const known = this.#names.get(call);
    if (known !== undefined) return known;
    const name = this.#claim(own, table);
    this.#names.set(call, name);
    this.texts.push(`/** ${docText(own.about)} */\nconst ${name} = <Name extends string>(name: Name) => ${call};\n`);
    return name;
  }

  /** `storeSkuLogTable`, of a key of store and sku. No table is exported under a name that ends so. */
  #claim(own: LayoutTable, { name, key }: TableModel): string {
    const columns = key.filter((column) => own.columns.some((other) => other.name === keyColumn(column.name)));
    const kind = own.name.slice(`_${name}_`.length).split("_");
    const base = identifier([...columns.map((column) => column.name), ...kind, "table"].join(" "));
    const taken = new Set(this.#names.values());
    for (let n = 1; ; n++) {
      const claimed = n === 1 ? base : `${base}_${n}`;
      if (!taken.has(claimed)) return claimed;
    }
  }
}

/** Drizzle's function for tables, called. */
function emitCall(dialect: ShadowDialect, table: LayoutTable, name: string, nameOf: (name: string) => string): string {
  const columns = table.columns.map((column) => {
    const about = column.about === undefined ? "" : `  /** ${docText(column.about)} */\n`;
    return `${about}  ${property(column.name)}: ${dialect.emitColumn(column)},\n`;
  });
  const extra = dialect.emitExtra(table, nameOf);
  const last = extra.length === 0 ? "" : `, (t) => [\n${extra.map((line) => `  ${line},\n`).join("")}]`;
  return `${dialect.tableWord}(${name}, {\n${columns.join("")}}${last})`;
}

/** Columns in `t`, as arguments. */
export const fieldsOf = (names: readonly string[]): string =>
  names.map((name) => (property(name) === name ? `t.${name}` : `t[${quote(name)}]`)).join(", ");
