// Reading Drizzle: annotations in, table models out.
export { type Annotated, type Annotation, counter, local, lww, set } from "./annotations";
export { type Diagnostic, type DiagnosticCode, diagnosticCodes } from "./diagnostics";
export type { Casing } from "./names";
export { type ReadOptions, type ReadSchema, readSchema, type SchemaModule } from "./schema";
