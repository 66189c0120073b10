// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// The SQL of the shadow tables and of the triggers that capture writes; `node.ensureShadowTables()` runs it.

/** SHA-256 over every statement: two databases with one hash capture alike. */
export const hash = "49f9fe8a491e671ecb4e212c11cbccfdd4d84513a6413126774d8d276d566c6b";

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
  articles: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "_articles_log" (
  "seq" integer PRIMARY KEY NOT NULL, -- the order of the writes
  "at" integer NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted, R perhaps replaced
  "pk_id" text NOT NULL,
  "mask" integer, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, or of a deleted row that is kept
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "_articles_crdt" (
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
      `CREATE UNIQUE INDEX IF NOT EXISTS "_articles_crdt_pk" ON "_articles_crdt" ("pk_id")`,
      `CREATE INDEX IF NOT EXISTS "_articles_crdt_seq" ON "_articles_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "_articles_crdt_cells" (
  "id" integer PRIMARY KEY NOT NULL, -- the order in which they came
  "row" integer NOT NULL, -- the row's id in _articles_crdt
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "hlc" integer NOT NULL, -- when it was written
  "state" text, -- JSON: the type's own state
  "seq" integer NOT NULL, -- the entry's sequence number
  "via" integer -- the peer it came from, while unchanged, see _grove_nodes
)`,
      `CREATE INDEX IF NOT EXISTS "_articles_crdt_cells_row" ON "_articles_crdt_cells" ("row")`,
    ],
    triggers: {
      _articles_insert: `CREATE TRIGGER "_articles_insert"
-- A row came: log its key. The fold reads its values from the table.
AFTER INSERT ON "articles"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_articles_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _articles_update: `CREATE TRIGGER "_articles_update"
-- A row changed: log which columns, and the old value of counters and sets.
AFTER UPDATE OF "name", "price", "stock" ON "articles"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NEW."id"
  AND (
    OLD."name" IS NOT NEW."name"
    OR OLD."price" IS NOT NEW."price"
    OR OLD."stock" IS NOT NEW."stock"
  )
BEGIN
  INSERT INTO "_articles_log" ("at", "op", "pk_id", "mask", "before")
  VALUES (
    CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'U', NEW."id",
    (OLD."name" IS NOT NEW."name")
    + (OLD."price" IS NOT NEW."price") * 2
    + (OLD."stock" IS NOT NEW."stock") * 4,
    CASE WHEN OLD."stock" IS NOT NEW."stock" THEN
      '{' || substr(
        iif(OLD."stock" IS NOT NEW."stock", ',"stock":"' || CAST(OLD."stock" AS INTEGER) || '"', ''),
        2
      ) || '}'
    END
  );
END`,
      _articles_key: `CREATE TRIGGER "_articles_key"
-- A row changed its key: one row went, another came.
AFTER UPDATE OF "id" ON "articles"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."id" IS NOT NEW."id"
BEGIN
  INSERT INTO "_articles_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
  INSERT INTO "_articles_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'I', NEW."id");
END`,
      _articles_delete: `CREATE TRIGGER "_articles_delete"
-- A row went: log its key.
AFTER DELETE ON "articles"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
BEGIN
  INSERT INTO "_articles_log" ("at", "op", "pk_id")
  VALUES (CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'D', OLD."id");
END`,
      _articles_rebuild_delete: `CREATE TRIGGER "_articles_rebuild_delete"
-- A table is being rebuilt, and rows that refer to it would go along: refuse it.
BEFORE DELETE ON "articles"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND (SELECT "tbl_name" FROM "sqlite_schema" ORDER BY "rowid" DESC LIMIT 1) GLOB '__new_*'
BEGIN
  SELECT RAISE(ABORT, 'grove-crdt: this migration rebuilds a table and would delete rows of articles that refer to it, on every node. Run \`npx grove-crdt generate\`, which makes it safe, or switch foreign keys off before you migrate.');
END`,
      _articles_guard_insert: `CREATE TRIGGER "_articles_guard_insert"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER INSERT ON "articles"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND typeof(NEW."stock") <> 'integer'
BEGIN
  SELECT CASE
    WHEN typeof(NEW."stock") <> 'integer'
      THEN RAISE(ABORT, 'grove-crdt: articles.stock must be an integer')
  END;
END`,
      _articles_guard_update: `CREATE TRIGGER "_articles_guard_update"
-- Refuse a counter that is no integer and a set that is no JSON array.
AFTER UPDATE OF "stock" ON "articles"
WHEN (SELECT "capture" FROM "_grove_node") IS NOT 0
  AND OLD."stock" IS NOT NEW."stock" AND typeof(NEW."stock") <> 'integer'
BEGIN
  SELECT CASE
    WHEN OLD."stock" IS NOT NEW."stock" AND typeof(NEW."stock") <> 'integer'
      THEN RAISE(ABORT, 'grove-crdt: articles.stock must be an integer')
  END;
END`,
    },
  },
};
