// What a list and a document are told besides: the key of a list's items, and the paths of a document that merge by a type
// of their own.
import type { DocumentPath, FieldModel } from "@grove-crdt/core";
import { markKey, optionsKey } from "./annotations";
import type { Report } from "./diagnostics";
import type { ColumnType } from "./field";
import type { ReadColumn } from "./source";

/** @returns `itemKey` of a list, `paths` of a document, where there are any */
export function readOptions(
  { name, mark }: Pick<ReadColumn, "name" | "mark">,
  { storage }: ColumnType,
  report: Report,
): Pick<FieldModel, "itemKey" | "paths"> {
  if (mark.options === undefined) return {};
  if (mark.annotation === "list") {
    const itemKey = keyOf(mark.options);
    if (itemKey !== undefined && storage !== "array") return { itemKey };
    report({
      column: name,
      code: "list_key",
      problem:
        itemKey === undefined
          ? "its key is no property's name"
          : `its items are told apart by ${JSON.stringify(itemKey)}, and it is stored as a Postgres array`,
      cure:
        itemKey === undefined
          ? 'Name a property of the items, as in `list(…, { key: "id" })`, or leave the key out.'
          : 'Use `jsonb("…").$type<T[]>()`, or leave the key out.',
    });
    return {};
  }
  if (mark.annotation !== "document") return {};
  const paths: DocumentPath[] = [];
  collect(mark.options, [], paths, (path) => {
    report({
      column: name,
      code: "document_shape",
      problem: `its shape has something else than a type at ${path.length === 0 ? "its root" : JSON.stringify(path)}`,
      cure: "Put counter(), set() or list() there, an object of them, or nothing.",
    });
  });
  return paths.length === 0 ? {} : { paths };
}

/** In the order of declaration. Only what is the shape's own counts, whatever its properties are called. */
function collect(
  shape: unknown,
  path: readonly string[],
  paths: DocumentPath[],
  refuse: (path: readonly string[]) => void,
): void {
  const found = typeof shape === "object" && shape !== null ? shape : [];
  const type = (found as { readonly [markKey]?: unknown })[markKey];
  if (type !== undefined) {
    const typed = path.length === 0 ? undefined : typedPath(path, found);
    if (typed === undefined) refuse(path);
    else paths.push(typed);
  } else if (!isLiteral(found)) {
    refuse(path);
  } else {
    for (const [name, inner] of Object.entries(found)) {
      if (inner !== undefined) collect(inner, [...path, name], paths, refuse);
    }
  }
}

function typedPath(path: readonly string[], marked: object): DocumentPath | undefined {
  const { [markKey]: type, [optionsKey]: options } = marked as { [markKey]?: unknown; [optionsKey]?: unknown };
  if (type === "counter" || type === "set") return { path, type };
  if (type !== "list") return undefined;
  if (options === undefined) return { path, type };
  const itemKey = keyOf(options);
  return itemKey === undefined ? undefined : { path, type, itemKey };
}

/** False for an array, a column builder, and whatever else is more than an object's literal. */
function isLiteral(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function keyOf(options: unknown): string | undefined {
  const key = typeof options === "object" && options !== null ? (options as { key?: unknown }).key : undefined;
  return typeof key === "string" ? key : undefined;
}
