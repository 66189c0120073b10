// "grove-crdt/schema": the annotations, and nothing that a schema file would drag along.
export { type Annotated, type Annotation, counter, local, lww, set } from "@grove-crdt/drizzle/annotations";
