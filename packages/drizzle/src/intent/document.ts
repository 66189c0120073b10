// setPath, deletePath: one property of a document as what is meant, however deep, so that a document read before does not undo
// what others changed beside it. An array is set as a whole: there are no forms of append() or add() with a path.
import { type SQL, sql } from "drizzle-orm";
import { type Annotated, type DataOf, storageOf } from "./column";
import type { Path, PathIn, ValueAt } from "./path";

export type Document = Annotated<"document">;

/**
 * A document in which `value` stands at this path: for `set()` of an update, also beside `where` and `returning`. Objects on
 * the way that are missing are made, and what else stands there gives way to one. `null` is a value like any other.
 *
 * A set or a list of the document is given as the whole array: what differs from the one that stands there when the
 * statement runs is what was meant.
 *
 * @example
 * await db.update(documents).set({ data: setPath(documents.data, ["owner", "name"], "Ada") }).where(eq(documents.id, id));
 * @param path names of properties from the root on, each as it is: a dot in a name is part of it
 * @throws TypeError when the value is none in JSON: undefined, a function or a symbol
 */
export function setPath<C extends Document, const P extends Path>(
  column: C,
  path: P & PathIn<DataOf<C>, P>,
  value: ValueAt<DataOf<C>, P>,
): SQL<DataOf<C>> {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined)
    throw new TypeError(`setPath(${column.name}): the value is ${typeof value}; deletePath() takes a property away.`);
  return writeAt(column, path, { text: () => sql`${json}`, jsonb: () => sql`${json}::jsonb` });
}

/**
 * A document without the property at this path; nothing changes where it is missing.
 *
 * @example
 * await db.update(documents).set({ data: deletePath(documents.data, ["owner"]) }).where(eq(documents.id, id));
 * @param path names of properties from the root on, each as it is: a dot in a name is part of it
 */
export function deletePath<C extends Document, const P extends Path>(
  column: C,
  path: P & PathIn<DataOf<C>, P>,
): SQL<DataOf<C>> {
  const [storage, names] = [documentStorage(column), checkPath(column, path)];
  const parents = names.slice(0, -1);
  if (storage === "text") {
    // A merge patch makes the objects that it finds missing, so there must be none.
    const patch = JSON.stringify(names.reduceRight<unknown>((inner, name) => ({ [name]: inner }), null));
    const parent = parents.reduce<SQL>((object, name) => liteChild(object, name), sql`${column}`);
    return sql<DataOf<C>>`CASE WHEN ${parent} IS NULL THEN ${column} ELSE json_patch(${column}, ${patch}) END`;
  }
  if (parents.length === 0) return sql<DataOf<C>>`${column} - ${names[0]}::text`;
  // A path would lead into an array too.
  const areObjects = parents.map(
    (_, n) => sql`jsonb_typeof(${column} #> ${textArray(names.slice(0, n + 1))}) = 'object'`,
  );
  return sql<
    DataOf<C>
  >`CASE WHEN ${sql.join(areObjects, sql` AND `)} THEN ${column} #- ${textArray(names)} ELSE ${column} END`;
}

/** The value to be written as JSON, by the object in which it will stand, as a name in SQL. */
export type Leaf = (object: SQL, name: string) => SQL;

/**
 * A document with a value at a path, and with every object on the way to it.
 *
 * @param leaf what is written there, in each dialect
 */
export function writeAt<C extends Document>(
  column: C,
  path: readonly string[],
  leaf: { readonly text: Leaf; readonly jsonb: Leaf },
): SQL<DataOf<C>> {
  const storage = documentStorage(column);
  const names = checkPath(column, path);
  const write = storage === "text" ? liteWrite : jsonbWrite;
  return write(sql`${column}`, names, leaf[storage], 0) as SQL<DataOf<C>>;
}

/**
 * SQLite's own paths know no name with a quote in all of its versions, so none is used. The property is taken out, and
 * written behind the others, whose JSON stays as it is.
 */
function liteWrite(object: SQL, names: readonly string[], leaf: Leaf, depth: number): SQL {
  const [name, ...rest] = names as Path;
  const at = sql.raw(`o${depth}`);
  const own = sql`${at}.j`;
  const child = () => sql`coalesce(${liteChild(own, name)}, '{}')`;
  const value = rest.length === 0 ? leaf(own, name) : liteWrite(child(), rest, leaf, depth + 1);
  const without = sql`json_patch(p.j, ${JSON.stringify({ [name]: null })})`;
  const property = `${JSON.stringify(name)}:`;
  return sql`(SELECT CASE ${at}.w WHEN '{}' THEN '{' ELSE substr(${at}.w, 1, length(${at}.w) - 1) || ',' END || ${property} || ${value} || '}' FROM (SELECT p.j AS j, ${without} AS w FROM (SELECT ${object} AS j) p) ${at})`;
}

/** The object that is this property of an object in SQLite, or NULL. */
const liteChild = (object: SQL, name: string): SQL => liteProperty(object, name, sql`'object'`);

/** The value of a property of an object in SQLite, if it is of one of these types of JSON, or NULL. */
export const liteProperty = (object: SQL, name: string, types: SQL): SQL =>
  sql`(SELECT e.value FROM (SELECT ${object} AS j) p, json_each(p.j) e WHERE e.key = json_extract(${JSON.stringify(name)}, '$') AND e.type IN (${types}))`;

function jsonbWrite(object: SQL, names: readonly string[], leaf: Leaf, depth: number): SQL {
  const [name, ...rest] = names as Path;
  const at = sql.raw(`o${depth}`);
  const own = sql`${at}.j`;
  const value = rest.length === 0 ? leaf(own, name) : jsonbWrite(sql`${own} -> ${name}::text`, rest, leaf, depth + 1);
  return sql`(SELECT ${own} || jsonb_build_object(${name}::text, ${value}) FROM (SELECT CASE jsonb_typeof(p.j) WHEN 'object' THEN p.j ELSE '{}'::jsonb END AS j FROM (SELECT ${object} AS j) p) ${at})`;
}

const textArray = (names: readonly string[]): SQL =>
  sql`ARRAY[${sql.join(
    names.map((name) => sql`${name}`),
    sql`, `,
  )}]::text[]`;

/** @throws TypeError for a column that holds no object */
function documentStorage(column: Document): "text" | "jsonb" {
  const storage = storageOf(column);
  if (storage === "array") throw new TypeError(`${column.name} (${column.getSQLType()}) holds no object.`);
  return storage;
}

/** @throws TypeError for what is no path */
function checkPath(column: Document, path: readonly string[]): Path {
  if (Array.isArray(path) && path.length > 0 && path.every((name) => typeof name === "string"))
    return path as unknown as Path;
  throw new TypeError(
    `${column.name}: a path is an array of at least one property's name, not ${JSON.stringify(path)}.`,
  );
}
