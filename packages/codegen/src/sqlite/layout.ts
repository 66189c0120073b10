// What tables stand beside the user's, as data: printed once as Drizzle tables (so that drizzle-kit migrates them) and
// once as SQL (so that `ensureShadowTables()` makes the same). Everything is a plain rowid table that Drizzle can express.
import { cellsTable, logTable, maskColumns, shadowTable, type TableModel } from "@grove-crdt/core";
import type { Names } from "../names";

export interface LayoutColumn {
  readonly name: string;
  /** The declared type: `integer` or `text`, or what the user's key column declares. */
  readonly sqlType: string;
  readonly primaryKey?: boolean;
  readonly notNull?: boolean;
  readonly unique?: boolean;
  readonly default?: number;
  readonly about?: string;
}

export interface LayoutIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}

export interface LayoutTable {
  readonly name: string;
  readonly exportName: string;
  readonly about: string;
  readonly columns: readonly LayoutColumn[];
  readonly indexes: readonly LayoutIndex[];
}

/** The name under which our tables keep a key column; the prefix keeps it apart from our own columns. */
export const keyColumn = (name: string): string => `pk_${name}`;

type Options = Omit<LayoutColumn, "name" | "sqlType" | "about">;
const column =
  (sqlType: string) =>
  (name: string, about: string, options: Options = {}): LayoutColumn => ({
    name,
    sqlType,
    about,
    ...options,
  });
const integer = column("integer");
const text = column("text");
const REQUIRED = { notNull: true } as const;
const ID = { primaryKey: true, notNull: true } as const;

/** The names of the system's tables. */
export const system = {
  node: "_grove_node",
  incarnations: "_grove_incarnations",
  nodes: "_grove_nodes",
  shapes: "_grove_shapes",
  peers: "_grove_peers",
  parked: "_grove_parked",
  hiddenKeys: "_grove_hidden_keys",
  capture: "_grove_capture",
} as const;

/** The tables of which a database has one each. */
export function systemTables(): LayoutTable[] {
  return [
    {
      name: system.node,
      exportName: "groveNode",
      about: "Who this database is, and where its clock and its numbering stand. One row.",
      columns: [
        integer("id", "always 1", ID),
        text("node", "the node id; NULL until the first start"),
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
    {
      name: system.nodes,
      exportName: "groveNodes",
      about: "A short integer for each node id that shadow tables mention.",
      columns: [integer("id", "the short integer", ID), text("node", "the node id", { ...REQUIRED, unique: true })],
      indexes: [],
    },
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
    {
      name: system.peers,
      exportName: "grovePeers",
      about: "What was exchanged with each peer: cursors, acknowledgements, the last success and the last error.",
      columns: [
        text("peer", "the peer's node id", ID),
        text("url", "where it was reached last"),
        text("pull_cursor", "where the next pull from it begins"),
        text("push_cursor", "where its pushes to us stand, kept for it"),
        text("seen_incarnation", "our incarnation that it acknowledged last"),
        integer("seen_seq", "our sequence number that it acknowledged last"),
        text("peer_incarnation", "its incarnation at its last acknowledgement"),
        integer("peer_seq", "its sequence number at its last acknowledgement"),
        integer("last_success", "milliseconds since 1970"),
        text("last_error", "the last error's code and message"),
      ],
      indexes: [],
    },
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
        text("peer", "who sent it; NULL for our own"),
        text("change", "JSON: the change, where it is not in the shadow"),
        integer("at", "microseconds since 1970", REQUIRED),
      ],
      indexes: [{ name: "_grove_parked_row", columns: ["tbl", "pk"], unique: false }],
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
        { name: "_grove_hidden_keys_name", columns: ["name"], unique: false },
        { name: "_grove_hidden_keys_row", columns: ["tbl", "pk"], unique: false },
      ],
    },
    {
      name: system.capture,
      exportName: "groveCapture",
      about: "Which columns the installed triggers watch; what a log row's mask means.",
      columns: [
        text("tbl", "the table's name", ID),
        text("fields", "JSON array of column names, in the order of the mask's bits", REQUIRED),
        integer("adopted", "1 once every row from before capture has a shadow", { ...REQUIRED, default: 1 }),
        text("added", "JSON array: columns that came later and whose values have yet to be looked at"),
      ],
      indexes: [],
    },
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
        { name: `${shadow}_seq`, columns: ["seq"], unique: false },
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
      indexes: [{ name: `${cells}_row`, columns: ["row"], unique: false }],
    },
  ];
}
