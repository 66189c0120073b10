// Foreign keys between annotated tables. Every node decides from the merged rows alone which rows show, so a reference
// may go from keys and registers to a key only. Those to other tables are the database's own affair.
import type { FieldModel, ReferenceAction, ReferenceModel, TableModel } from "@grove-crdt/core";
import type { Table } from "drizzle-orm";
import { columnName } from "./names";
import type { ForeignKey, TableSource } from "./source";
import { containsKey } from "./unique";

/** A table that was read, without its references. */
export interface ReadTable {
  readonly source: TableSource;
  readonly model: TableModel;
}

/** The models with their references, and which of them keep the values of deleted rows. */
export function readReferences(read: readonly ReadTable[]): TableModel[] {
  const parents = new Map<Table, TableModel>(read.map(({ source, model }) => [source.table, model]));
  const keeping = new Set<string>();
  const loose = new Map<string, Set<string>>();
  const models = read.map((child) => {
    const references = child.source.config.foreignKeys.flatMap(
      (foreignKey) => readReference(child, foreignKey, parents) ?? [],
    );
    for (const { table, onDelete } of references) {
      if (onDelete === "no action" || onDelete === "restrict") keeping.add(table);
    }
    const emptied = references.filter(({ onDelete }) => onDelete === "set null" || onDelete === "set default");
    loose.set(child.model.name, new Set(emptied.flatMap(({ columns }) => columns)));
    checkDefaults(child, references);
    return references.length === 0 ? child.model : { ...child.model, references };
  });
  for (const [n, { references = [] }] of models.entries()) {
    for (const { columns, table, parent } of references) {
      const name = parent.find((column) => loose.get(table)?.has(column));
      if (name === undefined) continue;
      report(read[n] as ReadTable, columns, [
        `refers to ${table}.${name}, which a foreign key of ${table} may itself set to NULL or to its default`,
        "Refer to the parent's primary key.",
      ]);
    }
  }
  return models.map((model) => {
    const uniques = model.uniques.filter((names) => isNeeded(names, model, models));
    return { ...model, uniques, ...(keeping.has(model.name) && { keepsDeleted: true }) };
  });
}

/** A unique key that contains the primary key is there for those who refer to it, as one tenant's rows to each other do. */
const isNeeded = (names: readonly string[], { name, key }: TableModel, models: readonly TableModel[]): boolean =>
  !containsKey(
    names,
    key.map((column) => column.name),
  ) || models.some(({ references = [] }) => references.some((to) => to.table === name && sameNames(to.parent, names)));

function readReference(
  { source, model }: ReadTable,
  foreignKey: ForeignKey,
  parents: ReadonlyMap<Table, TableModel>,
): ReferenceModel | undefined {
  const { columns, foreignTable, foreignColumns } = foreignKey.reference();
  const parent = parents.get(foreignTable);
  if (parent === undefined) return undefined;
  const reference: ReferenceModel = {
    columns: columns.map((column) => columnName(column, source.options.casing)),
    table: parent.name,
    parent: foreignColumns.map((column) => columnName(column, source.options.casing)),
    onDelete: actionOf(foreignKey.onDelete),
    onUpdate: actionOf(foreignKey.onUpdate),
  };
  const problem = problemOf(reference, model, parent);
  if (problem === undefined) return reference;
  report({ source, model }, reference.columns, problem);
  return undefined;
}

type Problem = readonly [problem: string, cure: string, column?: string];

function report({ source }: ReadTable, columns: readonly string[], [problem, cure, column]: Problem): void {
  source.report({
    ...(column !== undefined && { column }),
    code: "foreign_key",
    problem: `the foreign key on (${columns.join(", ")}) ${problem}`,
    cure,
  });
}

/** A default stands in many rows at once, and in other constraints it means something else. */
function checkDefaults(child: ReadTable, references: readonly ReferenceModel[]): void {
  for (const reference of references) {
    if (reference.onDelete !== "set default") continue;
    const others = references.filter((other) => other !== reference).flatMap(({ columns }) => columns);
    for (const name of reference.columns) {
      // Without a default it is set to NULL, which claims nothing and refers to nothing.
      if (child.model.fields.find((field) => field.name === name)?.default === undefined) continue;
      const shared = child.model.uniques.flat().includes(name)
        ? "a unique key"
        : others.includes(name) && "another one";
      if (!shared) continue;
      report(child, reference.columns, [
        `would set a column to its default that is part of ${shared} as well`,
        "Use another action.",
        name,
      ]);
    }
  }
}

/** Drizzle leaves out what the database takes for granted. */
const actionOf = (action: string | undefined): ReferenceAction => (action ?? "no action") as ReferenceAction;

/** What stands in the way, as a clause, and its cure. */
function problemOf(
  { columns, parent: target, onDelete, onUpdate }: ReferenceModel,
  model: TableModel,
  parent: TableModel,
): Problem | undefined {
  const key = new Set(model.key.map(({ name }) => name));
  const fields = new Map<string, FieldModel>(model.fields.map((field) => [field.name, field]));
  for (const name of columns) {
    if (key.has(name) || fields.get(name)?.type === "lww") continue;
    const what = fields.get(name)?.type ?? (model.local.includes(name) ? "local" : undefined);
    // A column without a readable mark has its own diagnostic.
    if (what === undefined) continue;
    return [`contains a ${what} column`, "Annotate it with lww(), or leave the foreign key out.", name];
  }
  const keys = [parent.key.map(({ name }) => name), ...parent.uniques];
  if (!keys.some((names) => sameNames(names, target))) {
    return [
      `refers to (${target.join(", ")}) of ${parent.name}, which is neither its primary key nor a unique key of its own`,
      "Refer to the parent's primary key.",
    ];
  }
  const kindOf = ({ key, fields }: TableModel, name: string) =>
    [...key, ...fields].find((column) => column.name === name)?.kind;
  for (const [n, name] of columns.entries()) {
    const [own, theirs] = [kindOf(model, name), kindOf(parent, target[n] as string)];
    if (own === theirs) continue;
    return [
      `compares ${own} with ${theirs}, which databases convert and other nodes do not`,
      "Give both columns the same type.",
      name,
    ];
  }
  for (const action of [onDelete, onUpdate]) {
    if (action !== "set null" && action !== "set default") continue;
    const inKey = columns.find((name) => key.has(name));
    if (inKey !== undefined) {
      return [`would ${action.toUpperCase()} in the primary key, which names the row`, "Use another action.", inKey];
    }
    const fixed = columns.find((name) => fields.get(name)?.fixed);
    if (fixed !== undefined) {
      return [`would ${action.toUpperCase()} in a fixed column, which never changes`, "Use another action.", fixed];
    }
    const required = columns.find((name) => {
      const field = fields.get(name);
      return field?.notNull === true && (action === "set null" || field.default === undefined);
    });
    if (required !== undefined) {
      return [`would set a NOT NULL column to NULL`, "Drop `.notNull()`, or use another action.", required];
    }
  }
  return undefined;
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));
