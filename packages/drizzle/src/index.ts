// Reading Drizzle: annotations in, table models out.
export {
  type Annotated,
  type Annotation,
  counter,
  document,
  fixed,
  list,
  local,
  lww,
  type Merging,
  type ShapeOf,
  set,
} from "./annotations";
export { type Diagnostic, type DiagnosticCode, diagnosticCodes } from "./diagnostics";
export type { Casing } from "./names";
export { checkPair, type Side } from "./pair";
export { type EdgeTable, readEdge } from "./postgres/edge";
export { type ReadOptions, type ReadSchema, readSchema, type SchemaModule } from "./schema";
