// What tables stand beside the user's, as data: printed once as Drizzle tables (so that drizzle-kit migrates them) and
// once as SQL (so that `ensureShadowTables()` makes the same). Nothing here has a COLLATE: `drizzle-kit push` would alter
// such a column every time.
import { cellsTable, logTable, maskColumns, shadowTable, type TableModel } from "@grove-crdt/core";
import {
  captureTable,
  collectionTable,
  column,
  system as common,
  elsewhereTable,
  historyTables,
  ID,
  integer,
  keyColumn,
  type LayoutColumn,
  type LayoutTable,
  nodesTable,
  peersTable,
  REQUIRED,
  text,
  treeTables,
} from "../layout";
import type { Names } from "../names";

const bigint = column("bigint");
/** The names of the system's tables. */
const system = { ...common, lock: "_grove_lock" } as const;

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
        bigint("clock", "the last stamp's reading: microseconds since 1970, hybrid", { ...REQUIRED, default: 0 }),
        bigint("seq", "the last local sequence number", { ...REQUIRED, default: 0 }),
      ],
      indexes: [],
    },
    {
      name: system.incarnations,
      exportName: "groveIncarnations",
      about: "The circumstances this database was opened in, so that a cursor issued before a restore is recognized.",
      columns: [
        integer("ordinal", "grows with each incarnation", { ...ID, identity: "always" }),
        text("id", "the incarnation as cursors name it", { ...REQUIRED, unique: true }),
        bigint("first", "the first sequence number it gave", REQUIRED),
        text("origin", "which start of the server and which database drew it", REQUIRED),
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
        // Not unique: a list may be longer than an index row can be.
        text("fields", "JSON array of column names", REQUIRED),
      ],
      indexes: [],
    },
    peersTable(bigint),
    {
      name: system.parked,
      exportName: "groveParked",
      about: "Rows and changes that wait or were rejected, with the reason.",
      columns: [
        bigint("id", "the order in which they were parked", { ...ID, identity: "always" }),
        text("tbl", "the table's name", REQUIRED),
        text("pk", "JSON array: the row's key", REQUIRED),
        text("code", "an error code", REQUIRED),
        text("message", "what stood in the way", REQUIRED),
        text("peer", "who sent it, or who rejected it; NULL for rows that are not shown"),
        integer("sent", "1 = we sent it and the peer rejected it, 0 = the peer sent it"),
        text("change", "JSON: the change, where it is not in the shadow"),
        bigint("at", "microseconds since 1970", REQUIRED),
      ],
      indexes: [
        { name: `${system.parked}_pk`, columns: ["pk"], hash: true },
        { name: `${system.parked}_peer`, columns: ["peer"] },
      ],
    },
    {
      name: system.hiddenKeys,
      exportName: "groveHiddenKeys",
      about: "Keys of rows that the tables do not show as they are: those they claim, and those they wait for.",
      columns: [
        bigint("id", "the order in which they came", { ...ID, identity: "always" }),
        text("name", "= claims, > waits for; then JSON: the table, which of its keys, the key's values", REQUIRED),
        text("tbl", "the row's table", REQUIRED),
        text("pk", "JSON array: the row's key", REQUIRED),
      ],
      indexes: [
        { name: `${system.hiddenKeys}_name`, columns: ["name"], hash: true },
        { name: `${system.hiddenKeys}_pk`, columns: ["pk"], hash: true },
      ],
    },
    captureTable,
    collectionTable(bigint),
    ...treeTables(bigint),
    elsewhereTable(bigint),
    ...historyTables(bigint, tables),
    {
      name: system.lock,
      exportName: "groveLock",
      about: "Always empty: whoever folds or merges locks it, so that sequence numbers are given in commit order.",
      columns: [integer("id", "never filled", ID)],
      indexes: [],
    },
  ];
}

/** The three tables beside one annotated table. */
export function tablesBeside(table: TableModel, names: Names): LayoutTable[] {
  const key: LayoutColumn[] = table.key.map(({ name, sqlType }) => ({ name: keyColumn(name), sqlType, ...REQUIRED }));
  const masks = maskColumns(table.fields.length);
  const [log, shadow, cells] = [logTable(table.name), shadowTable(table.name), cellsTable(table.name)];
  return [
    {
      name: log,
      exportName: names.log,
      about: "What was written since the last fold: filled by triggers, emptied by the fold.",
      columns: [
        bigint("seq", "the order of the writes", { ...ID, identity: "always" }),
        bigint("at", "microseconds since 1970", REQUIRED),
        text("op", "I inserted, U updated, D deleted", REQUIRED),
        ...key,
        ...masks.map((mask, n) =>
          bigint(mask, n === 0 ? "bit n: annotated column n changed" : "the mask, continued: 52 columns each"),
        ),
        text("before", "JSON: the old value of each counter and set that changed, as text"),
      ],
      indexes: [],
    },
    {
      name: shadow,
      exportName: names.shadow,
      about: "One row for each row there ever was; it stays after a delete as the row's tombstone.",
      columns: [
        bigint("id", "the row's first sequence number", REQUIRED),
        bigint("hlc", "stamp of the present life or death: clock", REQUIRED),
        bigint("born", "the sequence number at which it began", REQUIRED),
        bigint("seq", "the row's latest sequence number", REQUIRED),
        bigint("cl", "causal length: odd = lives, even = deleted", REQUIRED),
        integer("node", "the stamp's node, see _grove_nodes", REQUIRED),
        integer("via", "the peer it came from, while unchanged, see _grove_nodes"),
        integer("shape", "LWW columns written with the life, see _grove_shapes"),
        ...(key.length === 1 ? key.map((column) => ({ ...column, ...ID })) : key),
        text("clocks", "JSON: LWW columns written since, each [clock, node, sequence number, via]"),
      ],
      ...(key.length > 1 && { primaryKey: { name: `${shadow}_pkey`, columns: key.map(({ name }) => name) } }),
      indexes: [{ name: `${shadow}_seq`, columns: ["seq"] }],
    },
    {
      name: cells,
      exportName: names.cells,
      about: "Entries of counters and sets, and values that the user's table cannot hold.",
      columns: [
        bigint("id", "the order in which they came", { ...ID, identity: "by default" }),
        bigint("row", `the row's id in ${shadow}`, REQUIRED),
        bigint("hlc", "when it was written", REQUIRED),
        bigint("seq", "the entry's sequence number", REQUIRED),
        integer("node", "the writer, see _grove_nodes", REQUIRED),
        integer("via", "the peer it came from, while unchanged, see _grove_nodes"),
        text("field", "the column's name", REQUIRED),
        text("key", "which entry of the column", REQUIRED),
        text("state", "JSON: the type's own state"),
      ],
      indexes: [{ name: `${cells}_row`, columns: ["row"] }],
    },
  ];
}
