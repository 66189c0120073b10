// What tables stand beside the user's, as data: printed once as Drizzle tables (so that drizzle-kit migrates them) and
// once as SQL (so that `ensureShadowTables()` makes the same). Everything is a plain rowid table that Drizzle can express.
import { cellsTable, logTable, maskColumns, shadowTable, type TableModel } from "@grove-crdt/core";
import {
  captureTable,
  collectionTable,
  elsewhereTable,
  historyTables,
  ID,
  integer,
  keyColumn,
  type LayoutTable,
  nodesTable,
  peersTable,
  REQUIRED,
  system,
  text,
  treeTables,
} from "../layout";
import type { Names } from "../names";

/** The tables of which a database has one each. */
export function systemTables(tables: readonly TableModel[]): LayoutTable[] {
  return [
    {
      name: system.node,
      exportName: "groveNode",
      about: "Who this database is, and where its clock and its numbering stand. One row.",
      columns: [
        integer("id", "always 1", ID),
        text("node", "the node id; NULL until the first start"),
        text("formerly", "JSON array: its node ids before"),
        text("secret", "signs the cursors that readers keep"),
        integer("clock", "the last stamp's reading: microseconds since 1970, hybrid", { ...REQUIRED, default: 0 }),
        integer("seq", "the last local sequence number", { ...REQUIRED, default: 0 }),
        integer("capture", "0 while a merge writes, so that the triggers keep still", { ...REQUIRED, default: 1 }),
      ],
      indexes: [],
    },
    {
      name: system.incarnations,
      exportName: "groveIncarnations",
      about: "The times this database was opened, so that a cursor issued before a restore is recognized.",
      columns: [
        integer("ordinal", "grows with each incarnation", ID),
        text("id", "the incarnation as cursors name it", { ...REQUIRED, unique: true }),
        integer("first", "the first sequence number it gave", REQUIRED),
      ],
      indexes: [],
    },
    nodesTable,
    {
      name: system.shapes,
      exportName: "groveShapes",
      about: "Which LWW columns were written together with their row: a short integer for each such list.",
      columns: [
        integer("id", "the short integer", ID),
        text("fields", "JSON array of column names", { ...REQUIRED, unique: true }),
      ],
      indexes: [],
    },
    peersTable(integer),
    {
      name: system.parked,
      exportName: "groveParked",
      about: "Rows and changes that wait or were rejected, with the reason.",
      columns: [
        integer("id", "the order in which they were parked", ID),
        text("tbl", "the table's name", REQUIRED),
        text("pk", "JSON array: the row's key", REQUIRED),
        text("code", "an error code", REQUIRED),
        text("message", "what stood in the way", REQUIRED),
        text("peer", "who sent it, or who rejected it; NULL for rows that are not shown"),
        integer("sent", "1 = we sent it and the peer rejected it, 0 = the peer sent it"),
        text("change", "JSON: the change, where it is not in the shadow"),
        integer("at", "microseconds since 1970", REQUIRED),
      ],
      indexes: [
        { name: "_grove_parked_row", columns: ["tbl", "pk"] },
        { name: "_grove_parked_peer", columns: ["peer"] },
      ],
    },
    {
      name: system.hiddenKeys,
      exportName: "groveHiddenKeys",
      about: "Keys of rows that the tables do not show as they are: those they claim, and those they wait for.",
      columns: [
        integer("id", "the order in which they came", ID),
        text("name", "= claims, > waits for; then JSON: the table, which of its keys, the key's values", REQUIRED),
        text("tbl", "the row's table", REQUIRED),
        text("pk", "JSON array: the row's key", REQUIRED),
      ],
      indexes: [
        { name: "_grove_hidden_keys_name", columns: ["name"] },
        { name: "_grove_hidden_keys_row", columns: ["tbl", "pk"] },
      ],
    },
    captureTable,
    collectionTable(integer, text("closed", "the incarnation it closed under last: earlier ones count no more")),
    ...treeTables(integer),
    elsewhereTable(integer),
    ...historyTables(integer, tables),
  ];
}

/** The three tables beside one annotated table. */
export function tablesBeside(table: TableModel, names: Names): LayoutTable[] {
  const key = table.key.map(({ name, sqlType }) => ({ name: keyColumn(name), sqlType, ...REQUIRED }));
  const masks = maskColumns(table.fields.length);
  const [log, shadow, cells] = [logTable(table.name), shadowTable(table.name), cellsTable(table.name)];
  return [
    {
      name: log,
      exportName: names.log,
      about: "What was written since the last fold: filled by triggers, emptied by the fold.",
      columns: [
        integer("seq", "the order of the writes", ID),
        integer("at", "microseconds since 1970", REQUIRED),
        text("op", "I inserted, U updated, D deleted, R perhaps replaced", REQUIRED),
        ...key,
        ...masks.map((mask, n) =>
          integer(mask, n === 0 ? "bit n: annotated column n changed" : "the mask, continued: 52 columns each"),
        ),
        text("before", "JSON: the old value of each counter and set that changed, or of a deleted row that is kept"),
      ],
      indexes: [],
    },
    {
      name: shadow,
      exportName: names.shadow,
      about: "One row for each row there ever was; it stays after a delete as the row's tombstone.",
      columns: [
        integer("id", "the row's first sequence number", ID),
        ...key,
        integer("cl", "causal length: odd = lives, even = deleted", REQUIRED),
        integer("hlc", "stamp of the present life or death: clock", REQUIRED),
        integer("node", "and its node, see _grove_nodes", REQUIRED),
        integer("born", "the sequence number at which it began", REQUIRED),
        integer("via", "the peer it came from, while unchanged, see _grove_nodes"),
        integer("shape", "LWW columns written with the life, see _grove_shapes"),
        text("clocks", "JSON: LWW columns written since, each [clock, node, sequence number, via]"),
        integer("seq", "the row's latest sequence number", REQUIRED),
      ],
      indexes: [
        { name: `${shadow}_pk`, columns: key.map((column) => column.name), unique: true },
        { name: `${shadow}_seq`, columns: ["seq"] },
      ],
    },
    {
      name: cells,
      exportName: names.cells,
      about: "Entries of counters and sets, and values that the user's table cannot hold.",
      columns: [
        integer("id", "the order in which they came", ID),
        integer("row", `the row's id in ${shadow}`, REQUIRED),
        text("field", "the column's name", REQUIRED),
        text("key", "which entry of the column", REQUIRED),
        integer("node", "the writer, see _grove_nodes", REQUIRED),
        integer("hlc", "when it was written", REQUIRED),
        text("state", "JSON: the type's own state"),
        integer("seq", "the entry's sequence number", REQUIRED),
        integer("via", "the peer it came from, while unchanged, see _grove_nodes"),
      ],
      indexes: [{ name: `${cells}_row`, columns: ["row"] }],
    },
  ];
}
