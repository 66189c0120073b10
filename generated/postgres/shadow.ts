// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// Our tables as Drizzle tables. List this file under `schema` in drizzle.config.ts, so that they are migrated.

import { bigint, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

/** Who this database is, and where its clock and its numbering stand. One row. */
export const groveNode = pgTable("_grove_node", {
  /** always 1 */
  id: integer("id").primaryKey(),
  /** the node id; NULL until the first start */
  node: text("node"),
  /** JSON array: its node ids before */
  formerly: text("formerly"),
  /** signs the cursors that readers keep */
  secret: text("secret"),
  /** the last stamp's reading: microseconds since 1970, hybrid */
  clock: bigint("clock", { mode: "number" }).notNull().default(0),
  /** the last local sequence number */
  seq: bigint("seq", { mode: "number" }).notNull().default(0),
});

/** The circumstances this database was opened in, so that a cursor issued before a restore is recognized. */
export const groveIncarnations = pgTable("_grove_incarnations", {
  /** grows with each incarnation */
  ordinal: integer("ordinal").primaryKey().generatedAlwaysAsIdentity(),
  /** the incarnation as cursors name it */
  id: text("id").notNull().unique(),
  /** the first sequence number it gave */
  first: bigint("first", { mode: "number" }).notNull(),
  /** which start of the server and which database drew it */
  origin: text("origin").notNull(),
});

/** A short integer for each node id that shadow tables mention. */
export const groveNodes = pgTable("_grove_nodes", {
  /** the short integer */
  id: integer("id").primaryKey(),
  /** the node id */
  node: text("node").notNull().unique(),
});

/** Which LWW columns were written together with their row: a short integer for each such list. */
export const groveShapes = pgTable("_grove_shapes", {
  /** the short integer */
  id: integer("id").primaryKey(),
  /** JSON array of column names */
  fields: text("fields").notNull(),
});

/** What was exchanged with each peer: cursors, acknowledgements, the last success and the last error. */
export const grovePeers = pgTable("_grove_peers", {
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
  seen_seq: bigint("seen_seq", { mode: "number" }),
  /** the same, before it came without that history */
  displaced_incarnation: text("displaced_incarnation"),
  /** its sequence number there */
  displaced_seq: bigint("displaced_seq", { mode: "number" }),
  /** milliseconds since 1970 */
  last_success: bigint("last_success", { mode: "number" }),
  /** the last error's code and message */
  last_error: text("last_error"),
});

/** Rows and changes that wait or were rejected, with the reason. */
export const groveParked = pgTable("_grove_parked", {
  /** the order in which they were parked */
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
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
  at: bigint("at", { mode: "number" }).notNull(),
}, (t) => [
  index("_grove_parked_pk").using("hash", t.pk),
  index("_grove_parked_peer").on(t.peer),
]);

/** Keys of rows that the tables do not show as they are: those they claim, and those they wait for. */
export const groveHiddenKeys = pgTable("_grove_hidden_keys", {
  /** the order in which they came */
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  /** = claims, > waits for; then JSON: the table, which of its keys, the key's values */
  name: text("name").notNull(),
  /** the row's table */
  tbl: text("tbl").notNull(),
  /** JSON array: the row's key */
  pk: text("pk").notNull(),
}, (t) => [
  index("_grove_hidden_keys_name").using("hash", t.name),
  index("_grove_hidden_keys_pk").using("hash", t.pk),
]);

/** Which columns the installed triggers watch; what a log row's mask means. */
export const groveCapture = pgTable("_grove_capture", {
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
export const groveCollection = pgTable("_grove_collection", {
  /** always 1 */
  id: integer("id").primaryKey(),
  /** those stamped up to it, microseconds since 1970 */
  upto: bigint("upto", { mode: "number" }).notNull(),
  /** JSON: the rounds under way, and the last one that ended */
  rounds: text("rounds").notNull(),
  /** 1 while the node begins anew from a peer's rows */
  rejoining: integer("rejoining").notNull().default(0),
});

/** For each table that was compared with other nodes' a tree of hashes of its rows. */
export const groveTrees = pgTable("_grove_trees", {
  /** the table's name */
  tbl: text("tbl").primaryKey(),
  /** the tree's number; another one when it is made anew */
  tree: bigint("tree", { mode: "number" }).notNull(),
  /** a hash of the table's columns: another one when the tree has to be made anew */
  shape: text("shape").notNull(),
  /** rows numbered up to it stand in the tree as they are */
  seq: bigint("seq", { mode: "number" }).notNull(),
});

/** The sums of a tree: 64 groups of 64 leaves. */
export const groveTreeGroups = pgTable("_grove_tree_groups", {
  /** 64 times the tree's number, and which group */
  id: bigint("id", { mode: "number" }).primaryKey(),
  /** how many rows it has */
  rows: integer("rows").notNull(),
  /** the sum of its rows' hashes */
  sum: text("sum").notNull(),
  /** JSON: by leaf how many rows, and their sum */
  leaves: text("leaves").notNull(),
});

/** The hash under which a row stands in its tree, so that it can be taken out. */
export const groveTreeRows = pgTable("_grove_tree_rows", {
  /** the row's id in its shadow table */
  id: bigint("id", { mode: "number" }).primaryKey(),
  /** 4096 times the tree's number, and which leaf */
  leaf: bigint("leaf", { mode: "number" }).notNull(),
  /** JSON array: the row's key */
  pk: text("pk").notNull(),
  /** the hash of all that is known of it */
  sum: text("sum").notNull(),
}, (t) => [
  index("_grove_tree_rows_leaf").on(t.leaf),
]);

/** Rows of tables that this database does not have: kept for peers that do, and for the day when it does. */
export const groveElsewhere = pgTable("_grove_elsewhere", {
  /** a hash of table and key */
  id: text("id").primaryKey(),
  /** the table's name */
  tbl: text("tbl").notNull(),
  /** JSON: all that is known of the row */
  state: text("state").notNull(),
  /** the row's latest sequence number */
  seq: bigint("seq", { mode: "number" }).notNull(),
  /** the peer that it came from, while unchanged, see _grove_nodes */
  via: integer("via"),
}, (t) => [
  index("_grove_elsewhere_seq").on(t.tbl, t.seq),
]);

/** Always empty: whoever folds or merges locks it, so that sequence numbers are given in commit order. */
export const groveLock = pgTable("_grove_lock", {
  /** never filled */
  id: integer("id").primaryKey(),
});

/** What was written since the last fold: filled by triggers, emptied by the fold. */
const idLogTable = <Name extends string>(name: Name) => pgTable(name, {
  /** the order of the writes */
  seq: bigint("seq", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  /** microseconds since 1970 */
  at: bigint("at", { mode: "number" }).notNull(),
  /** I inserted, U updated, D deleted */
  op: text("op").notNull(),
  pk_id: text("pk_id").notNull(),
  /** bit n: annotated column n changed */
  mask: bigint("mask", { mode: "number" }),
  /** JSON: the old value of each counter and set that changed, as text */
  before: text("before"),
});

/** One row for each row there ever was; it stays after a delete as the row's tombstone. */
const idCrdtTable = <Name extends string>(name: Name) => pgTable(name, {
  /** the row's first sequence number */
  id: bigint("id", { mode: "number" }).notNull(),
  /** stamp of the present life or death: clock */
  hlc: bigint("hlc", { mode: "number" }).notNull(),
  /** the sequence number at which it began */
  born: bigint("born", { mode: "number" }).notNull(),
  /** the row's latest sequence number */
  seq: bigint("seq", { mode: "number" }).notNull(),
  /** causal length: odd = lives, even = deleted */
  cl: bigint("cl", { mode: "number" }).notNull(),
  /** the stamp's node, see _grove_nodes */
  node: integer("node").notNull(),
  /** the peer it came from, while unchanged, see _grove_nodes */
  via: integer("via"),
  /** LWW columns written with the life, see _grove_shapes */
  shape: integer("shape"),
  pk_id: text("pk_id").primaryKey(),
  /** JSON: LWW columns written since, each [clock, node, sequence number, via] */
  clocks: text("clocks"),
}, (t) => [
  index(`${name}_seq`).on(t.seq),
]);

/** Entries of counters and sets, and values that the user's table cannot hold. */
const crdtCellsTable = <Name extends string>(name: Name) => pgTable(name, {
  /** the order in which they came */
  id: bigint("id", { mode: "number" }).primaryKey().generatedByDefaultAsIdentity(),
  /** the row's id in _…_crdt */
  row: bigint("row", { mode: "number" }).notNull(),
  /** when it was written */
  hlc: bigint("hlc", { mode: "number" }).notNull(),
  /** the entry's sequence number */
  seq: bigint("seq", { mode: "number" }).notNull(),
  /** the writer, see _grove_nodes */
  node: integer("node").notNull(),
  /** the peer it came from, while unchanged, see _grove_nodes */
  via: integer("via"),
  /** the column's name */
  field: text("field").notNull(),
  /** which entry of the column */
  key: text("key").notNull(),
  /** JSON: the type's own state */
  state: text("state"),
}, (t) => [
  index(`${name}_row`).on(t.row),
]);

/** What was written since the last fold: filled by triggers, emptied by the fold. */
const storeSkuLogTable = <Name extends string>(name: Name) => pgTable(name, {
  /** the order of the writes */
  seq: bigint("seq", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  /** microseconds since 1970 */
  at: bigint("at", { mode: "number" }).notNull(),
  /** I inserted, U updated, D deleted */
  op: text("op").notNull(),
  pk_store: text("pk_store").notNull(),
  pk_sku: text("pk_sku").notNull(),
  /** bit n: annotated column n changed */
  mask: bigint("mask", { mode: "number" }),
  /** JSON: the old value of each counter and set that changed, as text */
  before: text("before"),
});

/** One row for each row there ever was; it stays after a delete as the row's tombstone. */
const storeSkuCrdtTable = <Name extends string>(name: Name) => pgTable(name, {
  /** the row's first sequence number */
  id: bigint("id", { mode: "number" }).notNull(),
  /** stamp of the present life or death: clock */
  hlc: bigint("hlc", { mode: "number" }).notNull(),
  /** the sequence number at which it began */
  born: bigint("born", { mode: "number" }).notNull(),
  /** the row's latest sequence number */
  seq: bigint("seq", { mode: "number" }).notNull(),
  /** causal length: odd = lives, even = deleted */
  cl: bigint("cl", { mode: "number" }).notNull(),
  /** the stamp's node, see _grove_nodes */
  node: integer("node").notNull(),
  /** the peer it came from, while unchanged, see _grove_nodes */
  via: integer("via"),
  /** LWW columns written with the life, see _grove_shapes */
  shape: integer("shape"),
  pk_store: text("pk_store").notNull(),
  pk_sku: text("pk_sku").notNull(),
  /** JSON: LWW columns written since, each [clock, node, sequence number, via] */
  clocks: text("clocks"),
}, (t) => [
  primaryKey({ name: `${name}_pkey`, columns: [t.pk_store, t.pk_sku] }),
  index(`${name}_seq`).on(t.seq),
]);

export const documentsLog = idLogTable("_documents_log");
export const documentsCrdt = idCrdtTable("_documents_crdt");
export const documentsCrdtCells = crdtCellsTable("_documents_crdt_cells");

export const inventoryLog = storeSkuLogTable("_inventory_log");
export const inventoryCrdt = storeSkuCrdtTable("_inventory_crdt");
export const inventoryCrdtCells = crdtCellsTable("_inventory_crdt_cells");

export const ordersLog = idLogTable("_orders_log");
export const ordersCrdt = idCrdtTable("_orders_crdt");
export const ordersCrdtCells = crdtCellsTable("_orders_crdt_cells");

export const plansLog = idLogTable("_plans_log");
export const plansCrdt = idCrdtTable("_plans_crdt");
export const plansCrdtCells = crdtCellsTable("_plans_crdt_cells");
