// What the layouts of both dialects are made of: tables as data, the names of ours, and those tables that only the width of
// an integer tells apart. The rest differs on purpose, down to the order of columns, and stands in each dialect's layout.ts.

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
