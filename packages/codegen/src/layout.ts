// What the layouts of both dialects are made of: tables as data, the names of ours, and those tables that only the width of
// an integer tells apart. The rest differs on purpose, down to the order of columns, and stands in each dialect's layout.ts.
import type { TableModel } from "@grove-crdt/core";

export interface LayoutColumn {
  readonly name: string;
  /** The declared type: `integer`, `bigint` or `text`, or what the user's key column declares. */
  readonly sqlType: string;
  readonly primaryKey?: boolean;
  readonly notNull?: boolean;
  readonly unique?: boolean;
  readonly default?: number;
  /** Postgres draws the value: `always`, or `by default` where a statement may bring its own. */
  readonly identity?: "always" | "by default";
  readonly about?: string;
}

export interface LayoutIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique?: boolean;
  /** Of hashes, on Postgres, for texts that may be longer than a row of an ordered index can be. */
  readonly hash?: boolean;
}

export interface LayoutTable {
  readonly name: string;
  readonly exportName: string;
  readonly about: string;
  readonly columns: readonly LayoutColumn[];
  /** A primary key of several columns. One column says so itself, since `drizzle-kit push` reads it back that way. */
  readonly primaryKey?: { readonly name: string; readonly columns: readonly string[] };
  readonly indexes: readonly LayoutIndex[];
}

/** The name under which our tables keep a key column; the prefix keeps it apart from our own columns. */
export const keyColumn = (name: string): string => `pk_${name}`;

type Options = Omit<LayoutColumn, "name" | "sqlType" | "about">;
/** A column of ours of this type. */
export const column =
  (sqlType: string) =>
  (name: string, about: string, options: Options = {}): LayoutColumn => ({ name, sqlType, about, ...options });
export const integer = column("integer");
export const text = column("text");
export const REQUIRED = { notNull: true } as const;
export const ID = { primaryKey: true, notNull: true } as const;

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
  collection: "_grove_collection",
  trees: "_grove_trees",
  treeGroups: "_grove_tree_groups",
  treeRows: "_grove_tree_rows",
  elsewhere: "_grove_elsewhere",
  history: "_grove_history",
} as const;

export const nodesTable: LayoutTable = {
  name: system.nodes,
  exportName: "groveNodes",
  about: "A short integer for each node id that shadow tables mention.",
  columns: [integer("id", "the short integer", ID), text("node", "the node id", { ...REQUIRED, unique: true })],
  indexes: [],
};

/** @param long makes a column for numbers of 53 bits */
export const peersTable = (long: typeof integer): LayoutTable => ({
  name: system.peers,
  exportName: "grovePeers",
  about: "What was exchanged with each peer: cursors, acknowledgements, the last success and the last error.",
  columns: [
    text("peer", "the peer's node id", ID),
    text("url", "where it was reached last"),
    text("principal", "who syncs under this node id; nobody else may"),
    text("pull_cursor", "where the next pull from it begins"),
    text("push_cursor", "where its pushes to us stand, kept for it"),
    text("seen_incarnation", "its incarnation where it was seen last"),
    long("seen_seq", "its sequence number there"),
    text("displaced_incarnation", "the same, before it came without that history"),
    long("displaced_seq", "its sequence number there"),
    long("last_success", "milliseconds since 1970"),
    text("last_error", "the last error's code and message"),
  ],
  indexes: [],
});

export const captureTable: LayoutTable = {
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
};

/**
 * @param long makes a column for numbers of 53 bits
 * @param own columns of one dialect
 */
export const collectionTable = (long: typeof integer, ...own: readonly LayoutColumn[]): LayoutTable => ({
  name: system.collection,
  exportName: "groveCollection",
  about: "Which deletions were forgotten, and how far the nodes are with agreeing on more. At most one row.",
  columns: [
    integer("id", "always 1", ID),
    long("upto", "those stamped up to it, microseconds since 1970", REQUIRED),
    text("rounds", "JSON: the rounds under way, and the last one that ended", REQUIRED),
    integer("rejoining", "1 while the node begins anew from a peer's rows", { ...REQUIRED, default: 0 }),
    ...own,
  ],
  indexes: [],
});

/**
 * Hashes of what the tables hold, by which nodes are compared: filled when somebody first compares them, and brought up to date then.
 *
 * @param long makes a column for numbers of 53 bits
 */
export const treeTables = (long: typeof integer): LayoutTable[] => [
  {
    name: system.trees,
    exportName: "groveTrees",
    about: "For each table that was compared with other nodes' a tree of hashes of its rows.",
    columns: [
      text("tbl", "the table's name", ID),
      long("tree", "the tree's number; another one when it is made anew", REQUIRED),
      text("shape", "a hash of the table's columns: another one when the tree has to be made anew", REQUIRED),
      long("seq", "rows numbered up to it stand in the tree as they are", REQUIRED),
    ],
    indexes: [],
  },
  {
    name: system.treeGroups,
    exportName: "groveTreeGroups",
    about: "The sums of a tree: 64 groups of 64 leaves.",
    columns: [
      long("id", "64 times the tree's number, and which group", ID),
      integer("rows", "how many rows it has", REQUIRED),
      text("sum", "the sum of its rows' hashes", REQUIRED),
      text("leaves", "JSON: by leaf how many rows, and their sum", REQUIRED),
    ],
    indexes: [],
  },
  {
    name: system.treeRows,
    exportName: "groveTreeRows",
    about: "The hash under which a row stands in its tree, so that it can be taken out.",
    columns: [
      long("id", "the row's id in its shadow table", ID),
      long("leaf", "4096 times the tree's number, and which leaf", REQUIRED),
      text("pk", "JSON array: the row's key", REQUIRED),
      text("sum", "the hash of all that is known of it", REQUIRED),
    ],
    indexes: [{ name: `${system.treeRows}_leaf`, columns: ["leaf"] }],
  },
];

/** @param long makes a column for numbers of 53 bits */
export const elsewhereTable = (long: typeof integer): LayoutTable => ({
  name: system.elsewhere,
  exportName: "groveElsewhere",
  about: "Rows of tables that this database does not have: kept for peers that do, and for the day when it does.",
  columns: [
    text("id", "a hash of table and key", ID),
    text("tbl", "the table's name", REQUIRED),
    text("state", "JSON: all that is known of the row", REQUIRED),
    long("seq", "the row's latest sequence number", REQUIRED),
    integer("via", "the peer that it came from, while unchanged, see _grove_nodes"),
  ],
  indexes: [{ name: `${system.elsewhere}_seq`, columns: ["tbl", "seq"] }],
});

/**
 * Where history is asked for of some table, and nowhere else.
 *
 * @param long makes a column for numbers of 53 bits
 */
export const historyTables = (long: typeof integer, tables: readonly TableModel[]): LayoutTable[] =>
  tables.some((table) => table.history !== undefined) ? [historyTable(long)] : [];

const historyTable = (long: typeof integer): LayoutTable => ({
  name: system.history,
  exportName: "groveHistory",
  about: "What was written to rows of the tables of which history is kept, as it was heard of.",
  columns: [
    long("id", "grows with time", ID),
    long("at", "when this node heard of it, by its own clock: microseconds since 1970", REQUIRED),
    long("ended", "when the row's next record came; NULL of its last one, and where history has no bound of days"),
    integer("via", "the peer that sent it, see _grove_nodes"),
    integer("kind", "0 a part, 1 all of the row, 2 the same of a new row, 3 the row is gone, 4 overruled", REQUIRED),
    text("tbl", "the table's name", REQUIRED),
    text(
      "row",
      "a hash of table and key; empty where the record says how far rows from before history were read",
      REQUIRED,
    ),
    text("change", "JSON: what was written, as it would travel", REQUIRED),
  ],
  indexes: [
    { name: `${system.history}_row`, columns: ["row"] },
    { name: `${system.history}_ended`, columns: ["tbl", "ended"] },
  ],
});
