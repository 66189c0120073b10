// A table of two versions: the newer one has columns of all types beside the title.
import type { FieldModel, TableModel } from "@grove-crdt/core";

const text = { kind: "text", storage: "text", sqlType: "text" } as const;
const json = { kind: "json", storage: "text", sqlType: "text", notNull: true } as const;
const integer = { kind: "integer", storage: "integer", sqlType: "integer" } as const;
const named = (name: string) => ({ name, property: name });

const title: FieldModel = { ...text, ...named("title"), notNull: true, type: "lww" };
const notes = (fields: readonly FieldModel[]): TableModel => ({
  name: "notes",
  exportName: "notes",
  key: [{ ...text, ...named("id"), notNull: true }],
  fields,
  local: [],
  uniques: [],
});

export const oldNotes = notes([title]);
export const newNotes = notes([
  title,
  { ...text, ...named("color"), notNull: false, type: "lww", default: "white" },
  { ...integer, ...named("likes"), notNull: true, type: "counter", default: "10" },
  { ...json, ...named("labels"), type: "set", default: ["new"] },
  { ...json, ...named("steps"), type: "list", default: [] },
  { ...json, ...named("data"), type: "document", default: {}, paths: [{ path: ["n"], type: "counter" }] },
]);

export const oldNotesTable = "CREATE TABLE notes (id text PRIMARY KEY NOT NULL, title text NOT NULL);";
export const addedColumns = [
  "ALTER TABLE notes ADD COLUMN color text DEFAULT 'white'",
  "ALTER TABLE notes ADD COLUMN likes integer DEFAULT 10 NOT NULL",
  `ALTER TABLE notes ADD COLUMN labels text DEFAULT '["new"]' NOT NULL`,
  "ALTER TABLE notes ADD COLUMN steps text DEFAULT '[]' NOT NULL",
  "ALTER TABLE notes ADD COLUMN data text DEFAULT '{}' NOT NULL",
];
