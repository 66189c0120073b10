// View: what one reader may see of each table, and what one writer may write: which rows, which columns. A scope that the
// router sets for a principal and a filter that a client asks for are both views, and narrow each other.
import { canonicalize, sameValue } from "./canonical";
import { digest } from "./digest";
import type { Json, TableModel } from "./model";
import type { Row } from "./row";
import type { Only } from "./wire/protocol";

export interface TableView {
  /** Names of the columns beside the key; absent = all. */
  readonly fields?: ReadonlySet<string>;
  /** Column to canonical value: the rows that have all of these. Columns of the key and fixed ones. */
  readonly where?: Readonly<Record<string, Json>>;
  /** The rows with these keys, as canonical texts. */
  readonly keys?: ReadonlySet<string>;
}

/** By table; one that is not in it is seen whole. Which tables are seen at all is said beside it. */
export type View = ReadonlyMap<string, TableView>;

export const WHOLE: View = new Map();

/** A short text by which a table's view is told from another one. */
export function fingerprint({ fields, where, keys }: TableView): string {
  const parts: Record<string, Json> = {};
  if (fields) parts.fields = [...fields].sort();
  if (where) parts.where = where;
  if (keys) parts.keys = [...keys].sort();
  return digest(canonicalize(parts));
}

/** The fingerprint of each table that is not seen whole. */
export const fingerprints = (view: View, tables: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    tables.flatMap((name) => {
      const table = view.get(name);
      return table ? [[name, fingerprint(table)]] : [];
    }),
  );

const both = (a?: ReadonlySet<string>, b?: ReadonlySet<string>): ReadonlySet<string> | undefined =>
  a && b ? new Set([...a].filter((item) => b.has(item))) : (a ?? b);

/** The view that a client asks for. */
export const viewOf = (only: Only): View =>
  new Map(
    Object.entries(only).map(([name, { keys, fields }]): [string, TableView] => [
      name,
      {
        ...(keys && { keys: new Set(keys.map((pk) => canonicalize(pk))) }),
        ...(fields && { fields: new Set(fields) }),
      },
    ]),
  );

/** What both views show. `b` has no conditions on values of its own: clients name keys and columns. */
export function narrow(a: View, b: View): View {
  if (b.size === 0) return a;
  const view = new Map(a);
  for (const [name, { fields, keys }] of b) {
    const table = a.get(name);
    const [narrowed, some] = [both(table?.fields, fields), both(table?.keys, keys)];
    view.set(name, {
      ...(table?.where && { where: table.where }),
      ...(narrowed && { fields: narrowed }),
      ...(some && { keys: some }),
    });
  }
  return view;
}

/** What a row has in a column that scopes compare; undefined when nobody knows it any more. */
export function scopeValue(
  model: TableModel,
  column: string,
  pk: readonly Json[],
  row: Row | null,
  values: Readonly<Record<string, Json>>,
): Json | undefined {
  const key = model.key.findIndex(({ name }) => name === column);
  if (key >= 0) return pk[key];
  // A value in a cell goes before the base row's.
  return row?.fields.get(column)?.entries[0]?.state ?? (Object.hasOwn(values, column) ? values[column] : undefined);
}

/** Whether a row is among those that the view shows. What nobody knows of it counts as another scope's. */
export function isInView(
  model: TableModel,
  view: TableView | undefined,
  pk: readonly Json[],
  row: Row | null,
  values: Readonly<Record<string, Json>>,
): boolean {
  if (!view) return true;
  if (view.keys && !view.keys.has(canonicalize(pk))) return false;
  for (const [column, wanted] of Object.entries(view.where ?? {})) {
    const value = scopeValue(model, column, pk, row, values);
    if (value === undefined || !sameValue(value, wanted)) return false;
  }
  return true;
}

/** The columns by which a view tells rows apart and which are not part of the key. */
export const scopeColumns = (model: TableModel, view: TableView | undefined): readonly string[] =>
  Object.keys(view?.where ?? {}).filter((column) => !model.key.some(({ name }) => name === column));

/**
 * Whether a row has come into the view since a reader that knows all numbered at most `floor`: then it is new to it.
 * Scopes compare columns that do not change, but concurrent inserts of one key may settle on another value.
 */
export function hasEntered(model: TableModel, view: TableView | undefined, row: Row, floor: number): boolean {
  if (!view?.where) return false;
  const columns = scopeColumns(model, view);
  if (!columns.some((column) => (row.fields.get(column)?.entries[0]?.seq ?? row.born) > floor)) return false;
  // Of a row that is all new nothing is missing.
  if (row.born <= floor) return true;
  return [...row.fields.values()].some(({ entries }) => entries.some(({ seq }) => seq <= floor));
}
