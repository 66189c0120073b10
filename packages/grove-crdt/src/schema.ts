// "grove-crdt/schema": the annotations, and nothing that a schema file would drag along.
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
} from "@grove-crdt/drizzle/annotations";
