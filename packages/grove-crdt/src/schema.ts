// "grove-crdt/schema": the annotations, and nothing that a schema file would drag along.
export { type Annotated, type Annotation, counter, fixed, local, lww, set } from "@grove-crdt/drizzle/annotations";
