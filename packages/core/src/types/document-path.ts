// Paths of a document: names from the root on, and what a whole value says at each.
import type { DocumentPath, Json } from "../model";

export type Path = readonly string[];

/** A path as the key of its entries: JSON, so that names may hold any character. */
export const textOfPath = (path: Path): string => JSON.stringify(path);
export const readPath = (text: string): Path => JSON.parse(text) as Path;

/** Something of a document that is no object with something in it. */
export interface Leaf {
  /** The text of its path. */
  readonly text: string;
  readonly value: Json;
  /** It merges by a type of its own. */
  readonly type?: DocumentPath;
}

export const isObject = (value: Json | undefined): value is { readonly [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The leaves of a value, above before below.
 *
 * @param typeAt the type of a path, by its text
 * @param fits whether a value is one of a type; another one is a leaf like others
 */
export function leavesOf(
  value: Json,
  typeAt: (path: string) => DocumentPath | undefined,
  fits: (type: DocumentPath["type"], value: Json) => boolean,
): Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (text: string, own: Json) => {
    const type = typeAt(text);
    if (type && fits(type.type, own)) leaves.push({ text, value: own, type });
    else if (!isObject(own)) leaves.push({ text, value: own });
    else {
      const names = Object.keys(own);
      if (names.length === 0) leaves.push({ text, value: own });
      // Each text grows from the one above: made anew, those of a deep object would cost its depth times over.
      const above = text.slice(0, -1);
      for (const name of names) walk(`${above},${JSON.stringify(name)}]`, own[name] as Json);
    }
  };
  if (isObject(value)) for (const name of Object.keys(value)) walk(textOfPath([name]), value[name] as Json);
  return leaves;
}

/** What a value has at each part of a path, from the first name on, as far as it has anything. */
export function* along(value: Json, path: Path): Generator<Json> {
  let own = value;
  for (const name of path) {
    if (!isObject(own) || !Object.hasOwn(own, name)) return;
    own = own[name] as Json;
    yield own;
  }
}
