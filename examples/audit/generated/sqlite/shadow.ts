// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Our tables as Drizzle tables. List this file under `schema` in drizzle.config.ts, so that they are migrated.

import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** Who this database is, and where its clock and its numbering stand. One row. */
export const groveNode = sqliteTable("_grove_node", {
  /** always 1 */
  id: integer("id").primaryKey(),
  /** the node id; NULL until the first start */
  node: text("node"),
  /** JSON array: its node ids before */
  formerly: text("formerly"),
  /** signs the cursors that readers keep */
  secret: text("secret"),
  /** the last stamp's reading: microseconds since 1970, hybrid */
  clock: integer("clock").notNull().default(0),
  /** the last local sequence number */
  seq: integer("seq").notNull().default(0),
  /** 0 while a merge writes, so that the triggers keep still */
  capture: integer("capture").notNull().default(1),
});

/** The times this database was opened, so that a cursor issued before a restore is recognized. */
export const groveIncarnations = sqliteTable("_grove_incarnations", {
  /** grows with each incarnation */
  ordinal: integer("ordinal").primaryKey(),
  /** the incarnation as cursors name it */
  id: text("id").notNull().unique(),
  /** the first sequence number it gave */
  first: integer("first").notNull(),
});

/** A short integer for each node id that shadow tables mention. */
export const groveNodes = sqliteTable("_grove_nodes", {
  /** the short integer */
  id: integer("id").primaryKey(),
  /** the node id */
  node: text("node").notNull().unique(),
});

/** Which LWW columns were written together with their row: a short integer for each such list. */
export const groveShapes = sqliteTable("_grove_shapes", {
  /** the short integer */
  id: integer("id").primaryKey(),
  /** JSON array of column names */
  fields: text("fields").notNull().unique(),
});

/** What was exchanged with each peer: cursors, acknowledgements, the last success and the last error. */
export const grovePeers = sqliteTable("_grove_peers", {
  /** the peer's node id */
  peer: text("peer").primaryKey(),
  /** where it was reached last */
  url: text("url"),
  /** who syncs under this node id; nobody else may */
  principal: text("principal"),
  /** where the next pull from it begins */
  pull_cursor: text("pull_cursor"),
  /** where its pushes to us stand, kept for it */
  push_cursor: text("push_cursor"),
  /** its incarnation where it was seen last */
  seen_incarnation: text("seen_incarnation"),
  /** its sequence number there */
  seen_seq: integer("seen_seq"),
  /** the same, before it came without that history */
  displaced_incarnation: text("displaced_incarnation"),
  /** its sequence number there */
  displaced_seq: integer("displaced_seq"),
  /** milliseconds since 1970 */
  last_success: integer("last_success"),
  /** the last error's code and message */
  last_error: text("last_error"),
});

/** Rows and changes that wait or were rejected, with the reason. */
export const groveParked = sqliteTable("_grove_parked", {
  /** the order in which they were parked */
  id: integer("id").primaryKey(),
  /** the table's name */
  tbl: text("tbl").notNull(),
  /** JSON array: the row's key */
  pk: text("pk").notNull(),
  /** an error code */
  code: text("code").notNull(),
  /** what stood in the way */
  message: text("message").notNull(),
  /** who sent it, or who rejected it; NULL for rows that are not shown */
  peer: text("peer"),
  /** 1 = we sent it and the peer rejected it, 0 = the peer sent it */
  sent: integer("sent"),
  /** JSON: the change, where it is not in the shadow */
  change: text("change"),
  /** microseconds since 1970 */
  at: integer("at").notNull(),
}, (t) => [
  index("_grove_parked_row").on(t.tbl, t.pk),
  index("_grove_parked_peer").on(t.peer),
]);

/** Keys of rows that the tables do not show as they are: those they claim, and those they wait for. */
export const groveHiddenKeys = sqliteTable("_grove_hidden_keys", {
  /** the order in which they came */
  id: integer("id").primaryKey(),
  /** = claims, > waits for; then JSON: the table, which of its keys, the key's values */
  name: text("name").notNull(),
  /** the row's table */
  tbl: text("tbl").notNull(),
  /** JSON array: the row's key */
  pk: text("pk").notNull(),
}, (t) => [
  index("_grove_hidden_keys_name").on(t.name),
  index("_grove_hidden_keys_row").on(t.tbl, t.pk),
]);

/** Which columns the installed triggers watch; what a log row's mask means. */
export const groveCapture = sqliteTable("_grove_capture", {
  /** the table's name */
  tbl: text("tbl").primaryKey(),
  /** JSON array of column names, in the order of the mask's bits */
  fields: text("fields").notNull(),
  /** 1 once every row from before capture has a shadow */
  adopted: integer("adopted").notNull().default(1),
  /** JSON array: columns that came later and whose values have yet to be looked at */
  added: text("added"),
});

/** Which deletions were forgotten, and how far the nodes are with agreeing on more. At most one row. */
export const groveCollection = sqliteTable("_grove_collection", {
  /** always 1 */
  id: integer("id").primaryKey(),
  /** those stamped up to it, microseconds since 1970 */
  upto: integer("upto").notNull(),
  /** JSON: the rounds under way, and the last one that ended */
  rounds: text("rounds").notNull(),
  /** 1 while the node begins anew from a peer's rows */
  rejoining: integer("rejoining").notNull().default(0),
  /** the incarnation it closed under last: earlier ones count no more */
  closed: text("closed"),
});

/** For each table that was compared with other nodes' a tree of hashes of its rows. */
export const groveTrees = sqliteTable("_grove_trees", {
  /** the table's name */
  tbl: text("tbl").primaryKey(),
  /** the tree's number; another one when it is made anew */
  tree: integer("tree").notNull(),
  /** a hash of the table's columns: another one when the tree has to be made anew */
  shape: text("shape").notNull(),
  /** rows numbered up to it stand in the tree as they are */
  seq: integer("seq").notNull(),
});

/** The sums of a tree: 64 groups of 64 leaves. */
export const groveTreeGroups = sqliteTable("_grove_tree_groups", {
  /** 64 times the tree's number, and which group */
  id: integer("id").primaryKey(),
  /** how many rows it has */
  rows: integer("rows").notNull(),
  /** the sum of its rows' hashes */
  sum: text("sum").notNull(),
  /** JSON: by leaf how many rows, and their sum */
  leaves: text("leaves").notNull(),
});

/** The hash under which a row stands in its tree, so that it can be taken out. */
export const groveTreeRows = sqliteTable("_grove_tree_rows", {
  /** the row's id in its shadow table */
  id: integer("id").primaryKey(),
  /** 4096 times the tree's number, and which leaf */
  leaf: integer("leaf").notNull(),
  /** JSON array: the row's key */
  pk: text("pk").notNull(),
  /** the hash of all that is known of it */
  sum: text("sum").notNull(),
}, (t) => [
  index("_grove_tree_rows_leaf").on(t.leaf),
]);

/** Rows of tables that this database does not have: kept for peers that do, and for the day when it does. */
export const groveElsewhere = sqliteTable("_grove_elsewhere", {
  /** a hash of table and key */
  id: text("id").primaryKey(),
  /** the table's name */
  tbl: text("tbl").notNull(),
  /** JSON: all that is known of the row */
  state: text("state").notNull(),
  /** the row's latest sequence number */
  seq: integer("seq").notNull(),
  /** the peer that it came from, while unchanged, see _grove_nodes */
  via: integer("via"),
}, (t) => [
  index("_grove_elsewhere_seq").on(t.tbl, t.seq),
]);

/** What was written since the last fold: filled by triggers, emptied by the fold. */
const idLogTable = <Name extends string>(name: Name) => sqliteTable(name, {
  /** the order of the writes */
  seq: integer("seq").primaryKey(),
  /** microseconds since 1970 */
  at: integer("at").notNull(),
  /** I inserted, U updated, D deleted, R perhaps replaced */
  op: text("op").notNull(),
  pk_id: text("pk_id").notNull(),
  /** bit n: annotated column n changed */
  mask: integer("mask"),
  /** JSON: the old value of each counter and set that changed, or of a deleted row that is kept */
  before: text("before"),
});

/** One row for each row there ever was; it stays after a delete as the row's tombstone. */
const idCrdtTable = <Name extends string>(name: Name) => sqliteTable(name, {
  /** the row's first sequence number */
  id: integer("id").primaryKey(),
  pk_id: text("pk_id").notNull(),
  /** causal length: odd = lives, even = deleted */
  cl: integer("cl").notNull(),
  /** stamp of the present life or death: clock */
  hlc: integer("hlc").notNull(),
  /** and its node, see _grove_nodes */
  node: integer("node").notNull(),
  /** the sequence number at which it began */
  born: integer("born").notNull(),
  /** the peer it came from, while unchanged, see _grove_nodes */
  via: integer("via"),
  /** LWW columns written with the life, see _grove_shapes */
  shape: integer("shape"),
  /** JSON: LWW columns written since, each [clock, node, sequence number, via] */
  clocks: text("clocks"),
  /** the row's latest sequence number */
  seq: integer("seq").notNull(),
}, (t) => [
  uniqueIndex(`${name}_pk`).on(t.pk_id),
  index(`${name}_seq`).on(t.seq),
]);

/** Entries of counters and sets, and values that the user's table cannot hold. */
const crdtCellsTable = <Name extends string>(name: Name) => sqliteTable(name, {
  /** the order in which they came */
  id: integer("id").primaryKey(),
  /** the row's id in _…_crdt */
  row: integer("row").notNull(),
  /** the column's name */
  field: text("field").notNull(),
  /** which entry of the column */
  key: text("key").notNull(),
  /** the writer, see _grove_nodes */
  node: integer("node").notNull(),
  /** when it was written */
  hlc: integer("hlc").notNull(),
  /** JSON: the type's own state */
  state: text("state"),
  /** the entry's sequence number */
  seq: integer("seq").notNull(),
  /** the peer it came from, while unchanged, see _grove_nodes */
  via: integer("via"),
}, (t) => [
  index(`${name}_row`).on(t.row),
]);

export const articlesLog = idLogTable("_articles_log");
export const articlesCrdt = idCrdtTable("_articles_crdt");
export const articlesCrdtCells = crdtCellsTable("_articles_crdt_cells");
