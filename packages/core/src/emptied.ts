// Empty fields of rows that stand in the shadow alone. Where the table has the row, a set, list or document without entries reads
// what stands there; a row that is kept out, or that is deleted and kept, has a cell that says of each such field that it is empty.
// Without it the row would come back with the column's default.
import type { CellWrite } from "./changeset";
import type { Entry } from "./entry";
import { type CrdtTypeName, isNested } from "./model";
import type { Row } from "./row";
import { RESERVED_NODE } from "./stamp";

/** No element, position or path is named so. */
const KEY = "";

/** The cell that says it. */
export const emptiedCell = (
  field: string,
  type: CrdtTypeName,
  { born, via }: Pick<Row, "born" | "via">,
): CellWrite => ({
  field,
  type,
  entry: { key: KEY, hlc: 0, node: RESERVED_NODE, state: undefined, seq: born, via },
});

/** Whether a cell says so, and is no entry. */
export const isEmptied = (type: CrdtTypeName, { key }: Pick<Entry, "key">): boolean => isNested(type) && key === KEY;
