// References as the projection walks them: from a row to the key that it refers to, and back from a key to the tables
// that may refer to it. A key is named by one text, so that claims and references meet without knowing each other.
import { canonicalize } from "../canonical";
import type { Json, ReferenceModel, TableModel } from "../model";

export type Values = Readonly<Record<string, Json>>;

/** The place of the primary key among a table's keys; unique keys have their place in the model. */
export const PRIMARY = -1;

/** One reference with both its ends. */
export interface Link {
  readonly child: TableModel;
  readonly parent: TableModel;
  readonly reference: ReferenceModel;
  /** Which of the parent's keys: {@link PRIMARY}, or a place in its `uniques`. */
  readonly place: number;
  /** The child's columns in the order of that key. */
  readonly columns: readonly string[];
}

/** What the projection must know of one table's neighbours. */
export interface Neighbours {
  readonly model: TableModel;
  /** References of this table. */
  readonly out: readonly Link[];
  /** References to this table. */
  readonly in: readonly Link[];
  /** Places of the unique keys that others refer to. */
  readonly referenced: readonly number[];
  /** Columns of those keys. */
  readonly referencedColumns: ReadonlySet<string>;
  /** Columns whose change may show or hide a row, here or elsewhere: those of unique keys and of references. */
  readonly structural: ReadonlySet<string>;
}

export type Links = ReadonlyMap<string, Neighbours>;

/** Whether the table's rows show or hide each other, or those of another table. */
export const isLinked = ({ structural, in: to }: Neighbours): boolean => structural.size > 0 || to.length > 0;

/** The columns of a table's key. */
export const keyColumns = (model: TableModel, place: number): readonly string[] =>
  place === PRIMARY ? model.key.map(({ name }) => name) : (model.uniques[place] as readonly string[]);

/** References to tables that are not in the list are the database's own affair. */
export function linkTables(models: readonly TableModel[]): Links {
  const byName = new Map(models.map((model) => [model.name, model]));
  const links = models.flatMap((child) =>
    (child.references ?? []).flatMap((reference) => {
      const parent = byName.get(reference.table);
      return parent ? (linkOf(child, parent, reference) ?? []) : [];
    }),
  );
  return new Map(
    models.map((model) => {
      const out = links.filter(({ child }) => child === model);
      const to = links.filter(({ parent }) => parent === model);
      const referenced = [...new Set(to.map(({ place }) => place))].filter((place) => place !== PRIMARY);
      const structural = new Set([...model.uniques.flat(), ...out.flatMap(({ columns }) => columns)]);
      const referencedColumns = new Set(referenced.flatMap((place) => model.uniques[place] ?? []));
      return [model.name, { model, out, in: to, referenced, referencedColumns, structural }];
    }),
  );
}

function linkOf(child: TableModel, parent: TableModel, reference: ReferenceModel): Link | null {
  const names = new Set(reference.parent);
  const place = [PRIMARY, ...parent.uniques.keys()].find((key) => {
    const columns = keyColumns(parent, key);
    return columns.length === names.size && columns.every((name) => names.has(name));
  });
  if (place === undefined) return null;
  const columns = keyColumns(parent, place).map((name) => reference.columns[reference.parent.indexOf(name)] as string);
  return { child, parent, reference, place, columns };
}

/** The values of these columns; null where one is NULL or not known, since then nothing is claimed or referred to. */
export function valuesOf(values: Values, columns: readonly string[]): Json[] | null {
  const found: Json[] = [];
  for (const name of columns) {
    const value = values[name];
    if (value === undefined || value === null) return null;
    found.push(value);
  }
  return found;
}

/** The text that names a key's value. */
export const keyName = (table: string, place: number, values: readonly Json[]): string =>
  canonicalize([table, place, ...values]);

/** The name of the key that a row with these values has; null where a NULL makes it have none. */
export function keyOf(model: TableModel, place: number, values: Values): string | null {
  const found = valuesOf(values, keyColumns(model, place));
  return found && keyName(model.name, place, found);
}

/** The name of the key that a row with these values refers to; null where a NULL makes it refer to nothing. */
export function targetOf({ parent, place, columns }: Link, values: Values): string | null {
  const found = valuesOf(values, columns);
  return found && keyName(parent.name, place, found);
}

/** Whether a missing parent hides the child: with the other actions the child shows and refers to nothing. */
export const isBinding = ({ reference }: Link): boolean =>
  reference.onDelete !== "set null" && reference.onDelete !== "set default";

/** Whether a deleted parent stays while a row refers to it so. */
export const isKeeping = ({ reference: { onDelete } }: Link): boolean =>
  onDelete === "no action" || onDelete === "restrict";

/** What SET NULL or SET DEFAULT makes of the child's columns. */
export function withoutParent({ child, reference: { columns, onDelete } }: Link): Values {
  const value = (name: string): Json =>
    onDelete === "set null" ? null : (child.fields.find((field) => field.name === name)?.default ?? null);
  return Object.fromEntries(columns.map((name) => [name, value(name)]));
}
