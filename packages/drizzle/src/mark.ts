// Reading the mark back from a built column.
import type { FieldModel } from "@grove-crdt/core";
import { type Annotation, markKey } from "./annotations";

export interface Mark {
  /** Absent on a column that nobody annotated. */
  readonly annotation?: Annotation;
  /** Annotated more than once, with different words. */
  readonly conflicting?: string;
  /** The mark sits on the element of an array: `lww(text()).array()`. */
  readonly lost: boolean;
}

interface Marked {
  readonly config?: object;
  readonly baseColumn?: Marked;
}

const annotations = new Set<string>(["lww", "fixed", "counter", "set", "local"]);
const wordOf = (column: Marked): unknown => (column.config as { [markKey]?: unknown } | undefined)?.[markKey];

export function readMark(column: unknown): Mark {
  const marked = column as Marked;
  const word = wordOf(marked);
  if (typeof word === "string" && annotations.has(word)) return { annotation: word as Annotation, lost: false };
  if (typeof word === "string") return { conflicting: word, lost: false };
  // An array of arrays holds its element deeper.
  for (let inner = marked.baseColumn; inner !== undefined; inner = inner.baseColumn) {
    if (wordOf(inner) !== undefined) return { lost: true };
  }
  return { lost: false };
}

/** The word that made the field. */
export const annotationOf = ({ type, fixed }: FieldModel): Annotation => (fixed ? "fixed" : type);
