// The tables of a store, the same for every dialect: which of the registry's it keeps, and what they are to each other.
import {
  type Access,
  GroveError,
  type Links,
  linkTables,
  type Neighbours,
  type Registry,
  type TableModel,
} from "@grove-crdt/core";

interface Modelled {
  readonly model: TableModel;
}

/** The tables that a store was asked to keep, all without a list, in the registry's order. @throws GroveError `unknown_table` */
export function chooseTables({ tables }: Registry, names?: readonly string[]): TableModel[] {
  for (const name of names ?? []) {
    if (tables.some((model) => model.name === name)) continue;
    throw new GroveError(
      "unknown_table",
      `The table ${JSON.stringify(name)} is not in the registry. Annotate it and run \`npx grove-crdt generate\`, or leave it out of \`tables\`.`,
    );
  }
  return names ? tables.filter(({ name }) => names.includes(name)) : [...tables];
}

/** The tables that exist for a sender. */
export const allowed = <Table>(tables: ReadonlyMap<string, Table>, access?: Access): ReadonlyMap<string, Table> =>
  access ? new Map([...tables].filter(([name]) => access.tables.has(name))) : tables;

/** @throws GroveError `unknown_table` */
export function tableNamed<Table>(tables: ReadonlyMap<string, Table>, name: string): Table {
  const table = tables.get(name);
  if (table) return table;
  throw new GroveError("unknown_table", `The table ${JSON.stringify(name)} is not synced by this node.`, {
    details: { table: name },
  });
}

const known = new WeakMap<ReadonlyMap<string, Modelled>, Links>();

/** The references between these tables. */
export function linksOf(tables: ReadonlyMap<string, Modelled>): Links {
  let links = known.get(tables);
  if (!links) {
    links = linkTables([...tables.values()].map(({ model }) => model));
    known.set(tables, links);
  }
  return links;
}

/** What is around one of these tables. */
export const neighboursOf = (tables: ReadonlyMap<string, Modelled>, { model }: Modelled): Neighbours =>
  linksOf(tables).get(model.name) as Neighbours;
