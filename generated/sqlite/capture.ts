// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// The SQL of the shadow tables and of the triggers that capture writes; `node.ensureShadowTables()` runs it.

/** SHA-256 over every statement: two databases with one hash capture alike. */
export const hash = "c20d94ca4b86807988318fb15d823fe8784b570589203c0c524e2bf3c2605263";

/** The tables of which a database has one each. */
export const system = [
  `-- Who this database is, and where its clock and its numbering stand. One row.
CREATE TABLE IF NOT EXISTS "_grove_node" (
  "id" integer PRIMARY KEY NOT NULL, -- always 1
  "node" text, -- the node id; NULL until the first start
  "formerly" text, -- JSON array: its node ids before
  "secret" text, -- signs the cursors that readers keep
  "clock" integer DEFAULT 0 NOT NULL, -- the last stamp's reading: microseconds since 1970, hybrid
  "seq" integer DEFAULT 0 NOT NULL, -- the last local sequence number
  "capture" integer DEFAULT 1 NOT NULL -- 0 while a merge writes, so that the triggers keep still
)`,
  `-- The times this database was opened, so that a cursor issued before a restore is recognized.
CREATE TABLE IF NOT EXISTS "_grove_incarnations" (
  "ordinal" integer PRIMARY KEY NOT NULL, -- grows with each incarnation
  "id" text NOT NULL, -- the incarnation as cursors name it
  "first" integer NOT NULL -- the first sequence number it gave
)`,
  `CREATE UNIQUE INDEX IF NOT EXISTS "_grove_incarnations_id_unique" ON "_grove_incarnations" ("id")`,
  `-- A short integer for each node id that shadow tables mention.
CREATE TABLE IF NOT EXISTS "_grove_nodes" (
  "id" integer PRIMARY KEY NOT NULL, -- the short integer
  "node" text NOT NULL -- the node id
)`,
  `CREATE UNIQUE INDEX IF NOT EXISTS "_grove_nodes_node_unique" ON "_grove_nodes" ("node")`,
  `-- Which LWW columns were written together with their row: a short integer for each such list.
CREATE TABLE IF NOT EXISTS "_grove_shapes" (
  "id" integer PRIMARY KEY NOT NULL, -- the short integer
  "fields" text NOT NULL -- JSON array of column names
)`,
  `CREATE UNIQUE INDEX IF NOT EXISTS "_grove_shapes_fields_unique" ON "_grove_shapes" ("fields")`,
  `-- What was exchanged with each peer: cursors, acknowledgements, the last success and the last error.
CREATE TABLE IF NOT EXISTS "_grove_peers" (
  "peer" text PRIMARY KEY NOT NULL, -- the peer's node id
  "url" text, -- where it was reached last
  "principal" text, -- who syncs under this node id; nobody else may
  "pull_cursor" text, -- where the next pull from it begins
  "push_cursor" text, -- where its pushes to us stand, kept for it
  "seen_incarnation" text, -- its incarnation where it was seen last
  "seen_seq" integer, -- its sequence number there
  "displaced_incarnation" text, -- the same, before it came without that history
  "displaced_seq" integer, -- its sequence number there
  "last_success" integer, -- milliseconds since 1970
  "last_error" text -- the last error's code and message
)`,
  `-- Rows and changes that wait or were rejected, with the reason.
CREATE TABLE IF NOT EXISTS "_grove_parked" (
  "id" integer PRIMARY KEY NOT NULL, -- the order in which they were parked
  "tbl" text NOT NULL, -- the table's name
  "pk" text NOT NULL, -- JSON array: the row's key
  "code" text NOT NULL, -- an error code
  "message" text NOT NULL, -- what stood in the way
  "peer" text, -- who sent it, or who rejected it; NULL for rows that are not shown
  "sent" integer, -- 1 = we sent it and the peer rejected it, 0 = the peer sent it
  "change" text, -- JSON: the change, where it is not in the shadow
  "at" integer NOT NULL -- microseconds since 1970
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_parked_row" ON "_grove_parked" ("tbl", "pk")`,
  `CREATE INDEX IF NOT EXISTS "_grove_parked_peer" ON "_grove_parked" ("peer")`,
  `-- Keys of rows that the tables do not show as they are: those they claim, and those they wait for.
CREATE TABLE IF NOT EXISTS "_grove_hidden_keys" (
  "id" integer PRIMARY KEY NOT NULL, -- the order in which they came
  "name" text NOT NULL, -- = claims, > waits for; then JSON: the table, which of its keys, the key's values
  "tbl" text NOT NULL, -- the row's table
  "pk" text NOT NULL -- JSON array: the row's key
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_hidden_keys_name" ON "_grove_hidden_keys" ("name")`,
  `CREATE INDEX IF NOT EXISTS "_grove_hidden_keys_row" ON "_grove_hidden_keys" ("tbl", "pk")`,
  `-- Which columns the installed triggers watch; what a log row's mask means.
CREATE TABLE IF NOT EXISTS "_grove_capture" (
  "tbl" text PRIMARY KEY NOT NULL, -- the table's name
  "fields" text NOT NULL, -- JSON array of column names, in the order of the mask's bits
  "adopted" integer DEFAULT 1 NOT NULL, -- 1 once every row from before capture has a shadow
  "added" text -- JSON array: columns that came later and whose values have yet to be looked at
)`,
  `-- Which deletions were forgotten, and how far the nodes are with agreeing on more. At most one row.
CREATE TABLE IF NOT EXISTS "_grove_collection" (
  "id" integer PRIMARY KEY NOT NULL, -- always 1
  "upto" integer NOT NULL, -- those stamped up to it, microseconds since 1970
  "rounds" text NOT NULL, -- JSON: the rounds under way, and the last one that ended
  "rejoining" integer DEFAULT 0 NOT NULL, -- 1 while the node begins anew from a peer's rows
  "closed" text -- the incarnation it closed under last: earlier ones count no more
)`,
  `-- For each table that was compared with other nodes' a tree of hashes of its rows.
CREATE TABLE IF NOT EXISTS "_grove_trees" (
  "tbl" text PRIMARY KEY NOT NULL, -- the table's name
  "tree" integer NOT NULL, -- the tree's number; another one when it is made anew
  "shape" text NOT NULL, -- a hash of the table's columns: another one when the tree has to be made anew
  "seq" integer NOT NULL -- rows numbered up to it stand in the tree as they are
)`,
  `-- The sums of a tree: 64 groups of 64 leaves.
CREATE TABLE IF NOT EXISTS "_grove_tree_groups" (
  "id" integer PRIMARY KEY NOT NULL, -- 64 times the tree's number, and which group
  "rows" integer NOT NULL, -- how many rows it has
  "sum" text NOT NULL, -- the sum of its rows' hashes
  "leaves" text NOT NULL -- JSON: by leaf how many rows, and their sum
)`,
  `-- The hash under which a row stands in its tree, so that it can be taken out.
CREATE TABLE IF NOT EXISTS "_grove_tree_rows" (
  "id" integer PRIMARY KEY NOT NULL, -- the row's id in its shadow table
  "leaf" integer NOT NULL, -- 4096 times the tree's number, and which leaf
  "pk" text NOT NULL, -- JSON array: the row's key
  "sum" text NOT NULL -- the hash of all that is known of it
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_tree_rows_leaf" ON "_grove_tree_rows" ("leaf")`,
  `-- Rows of tables that this database does not have: kept for peers that do, and for the day when it does.
CREATE TABLE IF NOT EXISTS "_grove_elsewhere" (
  "id" text PRIMARY KEY NOT NULL, -- a hash of table and key
  "tbl" text NOT NULL, -- the table's name
  "state" text NOT NULL, -- JSON: all that is known of the row
  "seq" integer NOT NULL, -- the row's latest sequence number
  "via" integer -- the peer that it came from, while unchanged, see _grove_nodes
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_elsewhere_seq" ON "_grove_elsewhere" ("tbl", "seq")`,
];

/** What stands beside each table: its own tables, and its triggers by name. */
export const tables = {
  documents: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "_documents_log" (
  "seq" integer PRIMARY KEY NOT NULL, -- the order of the writes
  "at" integer NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted, R perhaps replaced
  "pk_id" text NOT NULL,
  "mask" integer, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, or of a deleted row that is kept
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "_documents_crdt" (
  "id" integer PRIMARY KEY NOT NULL, -- the row's first sequence number
  "pk_id" text NOT NULL,
  "cl" integer NOT NULL, -- causal length: odd = lives, even = deleted
  "hlc" integer NOT NULL, -- stamp of the present life or death: clock
  "node" integer NOT NULL, -- and its node, see _grove_nodes
  "born" integer NOT NULL, -- the sequence number at which it began
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "clocks" text, -- JSON: LWW columns written since, each [clock, node, sequence number, via]
  "seq" integer NOT NULL -- the row's latest sequence number
)`,
      `CREATE UNIQUE INDEX IF NOT EXISTS "_documents_crdt_pk" ON "_documents_crdt" ("pk_id")`,
      `CREATE INDEX IF NOT EXISTS "_documents_crdt_seq" ON "_documents_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "_documents_crdt_cells" (
  "id" integer PRIMARY KEY NOT NULL, -- the order in which they came
  "row" integer NOT NULL, -- the row's id in _documents_crdt
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "hlc" integer NOT NULL, -- when it was written
  "state" text, -- JSON: the type's own state
  "seq" integer NOT NULL, -- the entry's sequence number
  "via" integer -- the peer it came from, while unchanged, see _grove_nodes
)`,
      `CREATE INDEX IF NOT EXISTS "_documents_crdt_cells_row" ON "_documents_crdt_cells" ("row")`,
    ],
    triggers: {
      _documents_insert: `CREATE TRIGGER "_documents_insert"
-- A row came: log its key. The fold reads its values from the table.
AFTER INSERT ON "documents"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_documents_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _documents_update: `CREATE TRIGGER "_documents_update"
-- A row changed: log which columns, and the old value of counters and sets.
AFTER UPDATE OF "title", "body", "view_count", "tags" ON "documents"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NEW."id"
  AND (
    OLD."title" IS NOT NEW."title"
    OR OLD."body" IS NOT NEW."body"
    OR OLD."view_count" IS NOT NEW."view_count"
    OR OLD."tags" IS NOT NEW."tags"
  )
BEGIN
  INSERT INTO "_documents_log" ("at", "op", "pk_id", "mask", "before")
  VALUES (
    CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'U', NEW."id",
    (OLD."title" IS NOT NEW."title")
    + (OLD."body" IS NOT NEW."body") * 2
    + (OLD."view_count" IS NOT NEW."view_count") * 4
    + (OLD."tags" IS NOT NEW."tags") * 8,
    CASE WHEN (
      OLD."view_count" IS NOT NEW."view_count"
      OR OLD."tags" IS NOT NEW."tags"
    ) THEN
      '{' || substr(
        iif(OLD."view_count" IS NOT NEW."view_count", ',"view_count":"' || CAST(OLD."view_count" AS INTEGER) || '"', '')
        || iif(OLD."tags" IS NOT NEW."tags", ',"tags":' || iif(json_valid(OLD."tags"), OLD."tags", 'null'), ''),
        2
      ) || '}'
    END
  );
END`,
      _documents_key: `CREATE TRIGGER "_documents_key"
-- A row changed its key: one row went, another came.
AFTER UPDATE OF "id" ON "documents"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NOT NEW."id"
BEGIN
  INSERT INTO "_documents_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
  INSERT INTO "_documents_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _documents_delete: `CREATE TRIGGER "_documents_delete"
-- A row went: log its key.
AFTER DELETE ON "documents"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_documents_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
END`,
      _documents_rebuild_delete: `CREATE TRIGGER "_documents_rebuild_delete"
-- A table is being rebuilt, and rows that refer to it would go along: refuse it.
BEFORE DELETE ON "documents"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (SELECT "tbl_name" FROM "sqlite_schema" ORDER BY "rowid" DESC LIMIT 1) GLOB '__new_*'
BEGIN
  SELECT RAISE(ABORT, 'grove-crdt: this migration rebuilds a table and would delete rows of documents that refer to it, on every node. Run \`npx grove-crdt generate\`, which makes it safe, or switch foreign keys off before you migrate.');
END`,
      _documents_guard_insert: `CREATE TRIGGER "_documents_guard_insert"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER INSERT ON "documents"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (
    typeof(NEW."view_count") <> 'integer'
    OR iif(typeof(NEW."tags") = 'text' AND json_valid(NEW."tags"), json_type(NEW."tags"), '') <> 'array'
  )
BEGIN
  SELECT CASE
    WHEN typeof(NEW."view_count") <> 'integer'
      THEN RAISE(ABORT, 'grove-crdt: documents.view_count must be an integer')
    WHEN iif(typeof(NEW."tags") = 'text' AND json_valid(NEW."tags"), json_type(NEW."tags"), '') <> 'array'
      THEN RAISE(ABORT, 'grove-crdt: documents.tags must be a JSON array')
  END;
END`,
      _documents_guard_update: `CREATE TRIGGER "_documents_guard_update"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER UPDATE OF "view_count", "tags" ON "documents"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (
    OLD."view_count" IS NOT NEW."view_count" AND typeof(NEW."view_count") <> 'integer'
    OR OLD."tags" IS NOT NEW."tags" AND iif(typeof(NEW."tags") = 'text' AND json_valid(NEW."tags"), json_type(NEW."tags"), '') <> 'array'
  )
BEGIN
  SELECT CASE
    WHEN OLD."view_count" IS NOT NEW."view_count" AND typeof(NEW."view_count") <> 'integer'
      THEN RAISE(ABORT, 'grove-crdt: documents.view_count must be an integer')
    WHEN OLD."tags" IS NOT NEW."tags" AND iif(typeof(NEW."tags") = 'text' AND json_valid(NEW."tags"), json_type(NEW."tags"), '') <> 'array'
      THEN RAISE(ABORT, 'grove-crdt: documents.tags must be a JSON array')
  END;
END`,
    },
  },
  inventory: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "_inventory_log" (
  "seq" integer PRIMARY KEY NOT NULL, -- the order of the writes
  "at" integer NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted, R perhaps replaced
  "pk_store" text NOT NULL,
  "pk_sku" text NOT NULL,
  "mask" integer, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, or of a deleted row that is kept
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "_inventory_crdt" (
  "id" integer PRIMARY KEY NOT NULL, -- the row's first sequence number
  "pk_store" text NOT NULL,
  "pk_sku" text NOT NULL,
  "cl" integer NOT NULL, -- causal length: odd = lives, even = deleted
  "hlc" integer NOT NULL, -- stamp of the present life or death: clock
  "node" integer NOT NULL, -- and its node, see _grove_nodes
  "born" integer NOT NULL, -- the sequence number at which it began
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "clocks" text, -- JSON: LWW columns written since, each [clock, node, sequence number, via]
  "seq" integer NOT NULL -- the row's latest sequence number
)`,
      `CREATE UNIQUE INDEX IF NOT EXISTS "_inventory_crdt_pk" ON "_inventory_crdt" ("pk_store", "pk_sku")`,
      `CREATE INDEX IF NOT EXISTS "_inventory_crdt_seq" ON "_inventory_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "_inventory_crdt_cells" (
  "id" integer PRIMARY KEY NOT NULL, -- the order in which they came
  "row" integer NOT NULL, -- the row's id in _inventory_crdt
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "hlc" integer NOT NULL, -- when it was written
  "state" text, -- JSON: the type's own state
  "seq" integer NOT NULL, -- the entry's sequence number
  "via" integer -- the peer it came from, while unchanged, see _grove_nodes
)`,
      `CREATE INDEX IF NOT EXISTS "_inventory_crdt_cells_row" ON "_inventory_crdt_cells" ("row")`,
    ],
    triggers: {
      _inventory_insert: `CREATE TRIGGER "_inventory_insert"
-- A row came: log its key. The fold reads its values from the table.
AFTER INSERT ON "inventory"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_inventory_log" ("at", "op", "pk_store", "pk_sku")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."store", NEW."sku");
END`,
      _inventory_update: `CREATE TRIGGER "_inventory_update"
-- A row changed: log which columns, and the old value of counters and sets.
AFTER UPDATE OF "name", "quantity" ON "inventory"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."store" IS NEW."store"
  AND OLD."sku" IS NEW."sku"
  AND (
    OLD."name" IS NOT NEW."name"
    OR OLD."quantity" IS NOT NEW."quantity"
  )
BEGIN
  INSERT INTO "_inventory_log" ("at", "op", "pk_store", "pk_sku", "mask", "before")
  VALUES (
    CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'U', NEW."store", NEW."sku",
    (OLD."name" IS NOT NEW."name")
    + (OLD."quantity" IS NOT NEW."quantity") * 2,
    CASE WHEN OLD."quantity" IS NOT NEW."quantity" THEN
      '{' || substr(
        iif(OLD."quantity" IS NOT NEW."quantity", ',"quantity":"' || CAST(OLD."quantity" AS INTEGER) || '"', ''),
        2
      ) || '}'
    END
  );
END`,
      _inventory_key: `CREATE TRIGGER "_inventory_key"
-- A row changed its key: one row went, another came.
AFTER UPDATE OF "store", "sku" ON "inventory"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (
    OLD."store" IS NOT NEW."store"
    OR OLD."sku" IS NOT NEW."sku"
  )
BEGIN
  INSERT INTO "_inventory_log" ("at", "op", "pk_store", "pk_sku")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."store", OLD."sku");
  INSERT INTO "_inventory_log" ("at", "op", "pk_store", "pk_sku")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."store", NEW."sku");
END`,
      _inventory_delete: `CREATE TRIGGER "_inventory_delete"
-- A row went: log its key.
AFTER DELETE ON "inventory"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_inventory_log" ("at", "op", "pk_store", "pk_sku")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."store", OLD."sku");
END`,
      _inventory_rebuild_delete: `CREATE TRIGGER "_inventory_rebuild_delete"
-- A table is being rebuilt, and rows that refer to it would go along: refuse it.
BEFORE DELETE ON "inventory"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (SELECT "tbl_name" FROM "sqlite_schema" ORDER BY "rowid" DESC LIMIT 1) GLOB '__new_*'
BEGIN
  SELECT RAISE(ABORT, 'grove-crdt: this migration rebuilds a table and would delete rows of inventory that refer to it, on every node. Run \`npx grove-crdt generate\`, which makes it safe, or switch foreign keys off before you migrate.');
END`,
      _inventory_guard_insert: `CREATE TRIGGER "_inventory_guard_insert"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER INSERT ON "inventory"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND typeof(NEW."quantity") <> 'integer'
BEGIN
  SELECT CASE
    WHEN typeof(NEW."quantity") <> 'integer'
      THEN RAISE(ABORT, 'grove-crdt: inventory.quantity must be an integer')
  END;
END`,
      _inventory_guard_update: `CREATE TRIGGER "_inventory_guard_update"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER UPDATE OF "quantity" ON "inventory"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."quantity" IS NOT NEW."quantity" AND typeof(NEW."quantity") <> 'integer'
BEGIN
  SELECT CASE
    WHEN OLD."quantity" IS NOT NEW."quantity" AND typeof(NEW."quantity") <> 'integer'
      THEN RAISE(ABORT, 'grove-crdt: inventory.quantity must be an integer')
  END;
END`,
    },
  },
  orders: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "_orders_log" (
  "seq" integer PRIMARY KEY NOT NULL, -- the order of the writes
  "at" integer NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted, R perhaps replaced
  "pk_id" text NOT NULL,
  "mask" integer, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, or of a deleted row that is kept
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "_orders_crdt" (
  "id" integer PRIMARY KEY NOT NULL, -- the row's first sequence number
  "pk_id" text NOT NULL,
  "cl" integer NOT NULL, -- causal length: odd = lives, even = deleted
  "hlc" integer NOT NULL, -- stamp of the present life or death: clock
  "node" integer NOT NULL, -- and its node, see _grove_nodes
  "born" integer NOT NULL, -- the sequence number at which it began
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "clocks" text, -- JSON: LWW columns written since, each [clock, node, sequence number, via]
  "seq" integer NOT NULL -- the row's latest sequence number
)`,
      `CREATE UNIQUE INDEX IF NOT EXISTS "_orders_crdt_pk" ON "_orders_crdt" ("pk_id")`,
      `CREATE INDEX IF NOT EXISTS "_orders_crdt_seq" ON "_orders_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "_orders_crdt_cells" (
  "id" integer PRIMARY KEY NOT NULL, -- the order in which they came
  "row" integer NOT NULL, -- the row's id in _orders_crdt
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "hlc" integer NOT NULL, -- when it was written
  "state" text, -- JSON: the type's own state
  "seq" integer NOT NULL, -- the entry's sequence number
  "via" integer -- the peer it came from, while unchanged, see _grove_nodes
)`,
      `CREATE INDEX IF NOT EXISTS "_orders_crdt_cells_row" ON "_orders_crdt_cells" ("row")`,
    ],
    triggers: {
      _orders_insert: `CREATE TRIGGER "_orders_insert"
-- A row came: log its key. The fold reads its values from the table.
AFTER INSERT ON "orders"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_orders_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _orders_update: `CREATE TRIGGER "_orders_update"
-- A row changed: log which columns, and the old value of counters and sets.
AFTER UPDATE OF "status", "note", "total", "placed_at" ON "orders"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NEW."id"
  AND (
    OLD."status" IS NOT NEW."status"
    OR OLD."note" IS NOT NEW."note"
    OR OLD."total" IS NOT NEW."total"
    OR OLD."placed_at" IS NOT NEW."placed_at"
  )
BEGIN
  INSERT INTO "_orders_log" ("at", "op", "pk_id", "mask")
  VALUES (
    CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'U', NEW."id",
    (OLD."status" IS NOT NEW."status")
    + (OLD."note" IS NOT NEW."note") * 2
    + (OLD."total" IS NOT NEW."total") * 4
    + (OLD."placed_at" IS NOT NEW."placed_at") * 8
  );
END`,
      _orders_key: `CREATE TRIGGER "_orders_key"
-- A row changed its key: one row went, another came.
AFTER UPDATE OF "id" ON "orders"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NOT NEW."id"
BEGIN
  INSERT INTO "_orders_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
  INSERT INTO "_orders_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _orders_delete: `CREATE TRIGGER "_orders_delete"
-- A row went: log its key.
AFTER DELETE ON "orders"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_orders_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
END`,
      _orders_rebuild_delete: `CREATE TRIGGER "_orders_rebuild_delete"
-- A table is being rebuilt, and rows that refer to it would go along: refuse it.
BEFORE DELETE ON "orders"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (SELECT "tbl_name" FROM "sqlite_schema" ORDER BY "rowid" DESC LIMIT 1) GLOB '__new_*'
BEGIN
  SELECT RAISE(ABORT, 'grove-crdt: this migration rebuilds a table and would delete rows of orders that refer to it, on every node. Run \`npx grove-crdt generate\`, which makes it safe, or switch foreign keys off before you migrate.');
END`,
      _orders_rebuild_update: `CREATE TRIGGER "_orders_rebuild_update"
-- A table is being rebuilt, and what refers to it would be emptied: refuse it.
BEFORE UPDATE OF "note" ON "orders"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (NEW."note" IS NULL AND OLD."note" IS NOT NULL)
  AND (SELECT "tbl_name" FROM "sqlite_schema" ORDER BY "rowid" DESC LIMIT 1) GLOB '__new_*'
BEGIN
  SELECT RAISE(ABORT, 'grove-crdt: this migration rebuilds a table and would empty rows of orders that refer to it, on every node. Run \`npx grove-crdt generate\`, which makes it safe, or switch foreign keys off before you migrate.');
END`,
    },
  },
  plans: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "_plans_log" (
  "seq" integer PRIMARY KEY NOT NULL, -- the order of the writes
  "at" integer NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted, R perhaps replaced
  "pk_id" text NOT NULL,
  "mask" integer, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, or of a deleted row that is kept
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "_plans_crdt" (
  "id" integer PRIMARY KEY NOT NULL, -- the row's first sequence number
  "pk_id" text NOT NULL,
  "cl" integer NOT NULL, -- causal length: odd = lives, even = deleted
  "hlc" integer NOT NULL, -- stamp of the present life or death: clock
  "node" integer NOT NULL, -- and its node, see _grove_nodes
  "born" integer NOT NULL, -- the sequence number at which it began
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "clocks" text, -- JSON: LWW columns written since, each [clock, node, sequence number, via]
  "seq" integer NOT NULL -- the row's latest sequence number
)`,
      `CREATE UNIQUE INDEX IF NOT EXISTS "_plans_crdt_pk" ON "_plans_crdt" ("pk_id")`,
      `CREATE INDEX IF NOT EXISTS "_plans_crdt_seq" ON "_plans_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "_plans_crdt_cells" (
  "id" integer PRIMARY KEY NOT NULL, -- the order in which they came
  "row" integer NOT NULL, -- the row's id in _plans_crdt
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "hlc" integer NOT NULL, -- when it was written
  "state" text, -- JSON: the type's own state
  "seq" integer NOT NULL, -- the entry's sequence number
  "via" integer -- the peer it came from, while unchanged, see _grove_nodes
)`,
      `CREATE INDEX IF NOT EXISTS "_plans_crdt_cells_row" ON "_plans_crdt_cells" ("row")`,
    ],
    triggers: {
      _plans_insert: `CREATE TRIGGER "_plans_insert"
-- A row came: log its key. The fold reads its values from the table.
AFTER INSERT ON "plans"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_plans_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _plans_update: `CREATE TRIGGER "_plans_update"
-- A row changed: log which columns, and the old value of counters and sets.
AFTER UPDATE OF "steps", "cards", "data" ON "plans"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NEW."id"
  AND (
    OLD."steps" IS NOT NEW."steps"
    OR OLD."cards" IS NOT NEW."cards"
    OR OLD."data" IS NOT NEW."data"
  )
BEGIN
  INSERT INTO "_plans_log" ("at", "op", "pk_id", "mask", "before")
  VALUES (
    CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'U', NEW."id",
    (OLD."steps" IS NOT NEW."steps")
    + (OLD."cards" IS NOT NEW."cards") * 2
    + (OLD."data" IS NOT NEW."data") * 4,
    CASE WHEN (
      OLD."steps" IS NOT NEW."steps"
      OR OLD."cards" IS NOT NEW."cards"
      OR OLD."data" IS NOT NEW."data"
    ) THEN
      '{' || substr(
        iif(OLD."steps" IS NOT NEW."steps", ',"steps":' || iif(json_valid(OLD."steps"), OLD."steps", 'null'), '')
        || iif(OLD."cards" IS NOT NEW."cards", ',"cards":' || iif(json_valid(OLD."cards"), OLD."cards", 'null'), '')
        || iif(OLD."data" IS NOT NEW."data", ',"data":' || iif(json_valid(OLD."data"), OLD."data", 'null'), ''),
        2
      ) || '}'
    END
  );
END`,
      _plans_key: `CREATE TRIGGER "_plans_key"
-- A row changed its key: one row went, another came.
AFTER UPDATE OF "id" ON "plans"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NOT NEW."id"
BEGIN
  INSERT INTO "_plans_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
  INSERT INTO "_plans_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _plans_delete: `CREATE TRIGGER "_plans_delete"
-- A row went: log its key.
AFTER DELETE ON "plans"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_plans_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
END`,
      _plans_rebuild_delete: `CREATE TRIGGER "_plans_rebuild_delete"
-- A table is being rebuilt, and rows that refer to it would go along: refuse it.
BEFORE DELETE ON "plans"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (SELECT "tbl_name" FROM "sqlite_schema" ORDER BY "rowid" DESC LIMIT 1) GLOB '__new_*'
BEGIN
  SELECT RAISE(ABORT, 'grove-crdt: this migration rebuilds a table and would delete rows of plans that refer to it, on every node. Run \`npx grove-crdt generate\`, which makes it safe, or switch foreign keys off before you migrate.');
END`,
      _plans_guard_insert: `CREATE TRIGGER "_plans_guard_insert"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER INSERT ON "plans"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (
    iif(typeof(NEW."steps") = 'text' AND json_valid(NEW."steps"), json_type(NEW."steps"), '') <> 'array'
    OR iif(typeof(NEW."cards") = 'text' AND json_valid(NEW."cards"), json_type(NEW."cards"), '') <> 'array'
    OR iif(typeof(NEW."data") = 'text' AND json_valid(NEW."data"), json_type(NEW."data"), '') <> 'object'
  )
BEGIN
  SELECT CASE
    WHEN iif(typeof(NEW."steps") = 'text' AND json_valid(NEW."steps"), json_type(NEW."steps"), '') <> 'array'
      THEN RAISE(ABORT, 'grove-crdt: plans.steps must be a JSON array')
    WHEN iif(typeof(NEW."cards") = 'text' AND json_valid(NEW."cards"), json_type(NEW."cards"), '') <> 'array'
      THEN RAISE(ABORT, 'grove-crdt: plans.cards must be a JSON array')
    WHEN iif(typeof(NEW."data") = 'text' AND json_valid(NEW."data"), json_type(NEW."data"), '') <> 'object'
      THEN RAISE(ABORT, 'grove-crdt: plans.data must be a JSON object')
  END;
END`,
      _plans_guard_update: `CREATE TRIGGER "_plans_guard_update"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER UPDATE OF "steps", "cards", "data" ON "plans"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (
    OLD."steps" IS NOT NEW."steps" AND iif(typeof(NEW."steps") = 'text' AND json_valid(NEW."steps"), json_type(NEW."steps"), '') <> 'array'
    OR OLD."cards" IS NOT NEW."cards" AND iif(typeof(NEW."cards") = 'text' AND json_valid(NEW."cards"), json_type(NEW."cards"), '') <> 'array'
    OR OLD."data" IS NOT NEW."data" AND iif(typeof(NEW."data") = 'text' AND json_valid(NEW."data"), json_type(NEW."data"), '') <> 'object'
  )
BEGIN
  SELECT CASE
    WHEN OLD."steps" IS NOT NEW."steps" AND iif(typeof(NEW."steps") = 'text' AND json_valid(NEW."steps"), json_type(NEW."steps"), '') <> 'array'
      THEN RAISE(ABORT, 'grove-crdt: plans.steps must be a JSON array')
    WHEN OLD."cards" IS NOT NEW."cards" AND iif(typeof(NEW."cards") = 'text' AND json_valid(NEW."cards"), json_type(NEW."cards"), '') <> 'array'
      THEN RAISE(ABORT, 'grove-crdt: plans.cards must be a JSON array')
    WHEN OLD."data" IS NOT NEW."data" AND iif(typeof(NEW."data") = 'text' AND json_valid(NEW."data"), json_type(NEW."data"), '') <> 'object'
      THEN RAISE(ABORT, 'grove-crdt: plans.data must be a JSON object')
  END;
END`,
    },
  },
};
