// The two versions of the simulator's schema: the reference tables, linked ones, and notes, to which columns are added.
import { createRegistry } from "@grove-crdt/codegen";
import type { Registry } from "@grove-crdt/core";
import { referenceTables } from "../reference-tables";
import { addedColumns, newNotes, oldNotes, oldNotesTable } from "./notes";
import { linkedModels, linkedTables } from "./tables";

export interface Version {
  readonly registry: Registry;
  /** Statements that make it of the version before; of the first, all tables. */
  readonly migration: readonly string[];
}

const known = new WeakMap<Registry, readonly [Version, Version]>();

/** @param reference the registry of the reference schema */
export function versionsOf(reference: Registry): readonly [old: Version, current: Version] {
  let versions = known.get(reference);
  if (!versions) {
    const make = (notes: typeof oldNotes) => createRegistry("sqlite", [...reference.tables, ...linkedModels, notes]);
    versions = [
      { registry: make(oldNotes), migration: [referenceTables, linkedTables, oldNotesTable] },
      { registry: make(newNotes), migration: addedColumns },
    ];
    known.set(reference, versions);
  }
  return versions;
}
