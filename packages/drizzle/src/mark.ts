// Reading the mark back from a built column.
import type { FieldModel } from "@grove-crdt/core";
import { type Annotation, markKey, optionsKey } from "./annotations";

export interface Mark {
  /** Absent on a column that nobody annotated. */
  readonly annotation?: Annotation;
  /** What the annotation was told besides: a list's `{ key }`, a document's shape. */
  readonly options?: unknown;
  /** Annotated more than once, with different words. */
  readonly conflicting?: string;
  /** The mark sits on the element of an array: `lww(text()).array()`. */
  readonly lost: boolean;
}

interface Marked {
  readonly config?: object;
  readonly baseColumn?: Marked;
}

const annotations = new Set<string>(["lww", "fixed", "counter", "set", "list", "document", "local"]);
const noteOf = (column: Marked): { readonly [markKey]?: unknown; readonly [optionsKey]?: unknown } =>
  column.config ?? {};

export function readMark(column: unknown): Mark {
  const marked = column as Marked;
  const { [markKey]: word, [optionsKey]: options } = noteOf(marked);
  if (typeof word === "string" && annotations.has(word))
    return { annotation: word as Annotation, ...(options !== undefined && { options }), lost: false };
  if (typeof word === "string") return { conflicting: word, lost: false };
  // An array of arrays holds its element deeper.
  for (let inner = marked.baseColumn; inner !== undefined; inner = inner.baseColumn) {
    if (noteOf(inner)[markKey] !== undefined) return { lost: true };
  }
  return { lost: false };
}

/** The word that made the field. */
export const annotationOf = ({ type, fixed }: FieldModel): Annotation => (fixed ? "fixed" : type);
