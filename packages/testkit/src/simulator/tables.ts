// Tables of the simulator's own beside the reference schema: a unique key, and references in all directions, so that rows
// show and hide each other while everything else goes wrong, too. Lists and documents are among what they hide.
import type { FieldModel, Json, ReferenceAction, ReferenceModel, TableModel } from "@grove-crdt/core";

const text = { kind: "text", storage: "text", sqlType: "text", notNull: false } as const;
const integer = { kind: "integer", storage: "integer", sqlType: "integer", notNull: true } as const;
const lww = (name: string, value?: Json): FieldModel => ({
  ...text,
  name,
  property: name,
  type: "lww",
  ...(value !== undefined && { default: value }),
});
const json = { kind: "json", storage: "text", sqlType: "text", notNull: true } as const;
const list = (name: string): FieldModel => ({ ...json, name, property: name, type: "list", default: [] });
const document = (name: string): FieldModel => ({
  ...json,
  name,
  property: name,
  type: "document",
  default: {},
  paths: [
    { path: ["n"], type: "counter" },
    { path: ["labels"], type: "set" },
    { path: ["steps"], type: "list" },
  ],
});
const refers = (column: string, table: string, to: string, onDelete: ReferenceAction): ReferenceModel => ({
  columns: [column],
  table,
  parent: [to],
  onDelete,
  onUpdate: "no action",
});
const model = (name: string, parts: Partial<TableModel>): TableModel => ({
  name,
  exportName: name,
  key: [{ ...text, notNull: true, name: "id", property: "id" }],
  fields: [],
  local: ["note"],
  uniques: [],
  ...parts,
});

const albums = model("albums", {
  fields: [
    lww("name"),
    lww("slug"),
    { ...integer, name: "plays", property: "plays", type: "counter", default: "0" },
    list("songs"),
    document("facts"),
  ],
  uniques: [["slug"]],
  keepsDeleted: true,
});
const photos = model("photos", {
  fields: [lww("album"), lww("up"), lww("caption")],
  references: [refers("album", "albums", "id", "no action"), refers("up", "photos", "id", "restrict")],
  keepsDeleted: true,
});
const tracks = model("tracks", {
  fields: [lww("album"), lww("slug"), lww("cover"), lww("shelf", "a1"), lww("title"), list("songs"), document("facts")],
  uniques: [["slug"]],
  references: [
    refers("album", "albums", "id", "cascade"),
    refers("cover", "photos", "id", "set null"),
    refers("shelf", "albums", "id", "set default"),
  ],
});

export const linkedModels: readonly TableModel[] = [albums, photos, tracks];

export const linkedTables = `
CREATE TABLE albums (
  id text PRIMARY KEY NOT NULL, name text, slug text UNIQUE, plays integer DEFAULT 0 NOT NULL,
  songs text DEFAULT '[]' NOT NULL, facts text DEFAULT '{}' NOT NULL, note text
);
CREATE TABLE photos (
  id text PRIMARY KEY NOT NULL, album text REFERENCES albums (id), up text REFERENCES photos (id) ON DELETE RESTRICT,
  caption text, note text
);
CREATE TABLE tracks (
  id text PRIMARY KEY NOT NULL, album text REFERENCES albums (id) ON DELETE CASCADE, slug text UNIQUE,
  cover text REFERENCES photos (id) ON DELETE SET NULL, shelf text DEFAULT 'a1' REFERENCES albums (id) ON DELETE SET DEFAULT,
  title text, songs text DEFAULT '[]' NOT NULL, facts text DEFAULT '{}' NOT NULL, note text
);
`;
