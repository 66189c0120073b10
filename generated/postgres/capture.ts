// Made by grove-crdt from the Drizzle schema. Do not edit: change the schema and run `npx grove-crdt generate`.
// The SQL of the shadow tables and of the triggers that capture writes; `node.ensureShadowTables()` runs it.

/** SHA-256 over every statement: two databases with one hash capture alike. */
export const hash = "cf566d32e7ae292c46e2cdf8b0b566139102edb44043b95e7b6a828264ac3968";

/** The tables of which a database has one each. */
export const system = [
  `-- Who this database is, and where its clock and its numbering stand. One row.
CREATE TABLE IF NOT EXISTS "public"."_grove_node" (
  "id" integer PRIMARY KEY, -- always 1
  "node" text, -- the node id; NULL until the first start
  "formerly" text, -- JSON array: its node ids before
  "secret" text, -- signs the cursors that readers keep
  "clock" bigint DEFAULT 0 NOT NULL, -- the last stamp's reading: microseconds since 1970, hybrid
  "seq" bigint DEFAULT 0 NOT NULL -- the last local sequence number
)`,
  `-- The circumstances this database was opened in, so that a cursor issued before a restore is recognized.
CREATE TABLE IF NOT EXISTS "public"."_grove_incarnations" (
  "ordinal" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- grows with each incarnation
  "id" text NOT NULL, -- the incarnation as cursors name it
  "first" bigint NOT NULL, -- the first sequence number it gave
  "origin" text NOT NULL, -- which start of the server and which database drew it
  CONSTRAINT "_grove_incarnations_id_unique" UNIQUE ("id")
)`,
  `-- A short integer for each node id that shadow tables mention.
CREATE TABLE IF NOT EXISTS "public"."_grove_nodes" (
  "id" integer PRIMARY KEY, -- the short integer
  "node" text NOT NULL, -- the node id
  CONSTRAINT "_grove_nodes_node_unique" UNIQUE ("node")
)`,
  `-- Which LWW columns were written together with their row: a short integer for each such list.
CREATE TABLE IF NOT EXISTS "public"."_grove_shapes" (
  "id" integer PRIMARY KEY, -- the short integer
  "fields" text NOT NULL -- JSON array of column names
)`,
  `-- What was exchanged with each peer: cursors, acknowledgements, the last success and the last error.
CREATE TABLE IF NOT EXISTS "public"."_grove_peers" (
  "peer" text PRIMARY KEY, -- the peer's node id
  "url" text, -- where it was reached last
  "principal" text, -- who syncs under this node id; nobody else may
  "pull_cursor" text, -- where the next pull from it begins
  "push_cursor" text, -- where its pushes to us stand, kept for it
  "seen_incarnation" text, -- its incarnation where it was seen last
  "seen_seq" bigint, -- its sequence number there
  "displaced_incarnation" text, -- the same, before it came without that history
  "displaced_seq" bigint, -- its sequence number there
  "last_success" bigint, -- milliseconds since 1970
  "last_error" text -- the last error's code and message
)`,
  `-- Rows and changes that wait or were rejected, with the reason.
CREATE TABLE IF NOT EXISTS "public"."_grove_parked" (
  "id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- the order in which they were parked
  "tbl" text NOT NULL, -- the table's name
  "pk" text NOT NULL, -- JSON array: the row's key
  "code" text NOT NULL, -- an error code
  "message" text NOT NULL, -- what stood in the way
  "peer" text, -- who sent it, or who rejected it; NULL for rows that are not shown
  "sent" integer, -- 1 = we sent it and the peer rejected it, 0 = the peer sent it
  "change" text, -- JSON: the change, where it is not in the shadow
  "at" bigint NOT NULL -- microseconds since 1970
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_parked_pk" ON "public"."_grove_parked" USING hash ("pk")`,
  `CREATE INDEX IF NOT EXISTS "_grove_parked_peer" ON "public"."_grove_parked" ("peer")`,
  `-- Keys of rows that the tables do not show as they are: those they claim, and those they wait for.
CREATE TABLE IF NOT EXISTS "public"."_grove_hidden_keys" (
  "id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- the order in which they came
  "name" text NOT NULL, -- = claims, > waits for; then JSON: the table, which of its keys, the key's values
  "tbl" text NOT NULL, -- the row's table
  "pk" text NOT NULL -- JSON array: the row's key
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_hidden_keys_name" ON "public"."_grove_hidden_keys" USING hash ("name")`,
  `CREATE INDEX IF NOT EXISTS "_grove_hidden_keys_pk" ON "public"."_grove_hidden_keys" USING hash ("pk")`,
  `-- Which columns the installed triggers watch; what a log row's mask means.
CREATE TABLE IF NOT EXISTS "public"."_grove_capture" (
  "tbl" text PRIMARY KEY, -- the table's name
  "fields" text NOT NULL, -- JSON array of column names, in the order of the mask's bits
  "adopted" integer DEFAULT 1 NOT NULL, -- 1 once every row from before capture has a shadow
  "added" text -- JSON array: columns that came later and whose values have yet to be looked at
)`,
  `-- Which deletions were forgotten, and how far the nodes are with agreeing on more. At most one row.
CREATE TABLE IF NOT EXISTS "public"."_grove_collection" (
  "id" integer PRIMARY KEY, -- always 1
  "upto" bigint NOT NULL, -- those stamped up to it, microseconds since 1970
  "rounds" text NOT NULL, -- JSON: the rounds under way, and the last one that ended
  "rejoining" integer DEFAULT 0 NOT NULL -- 1 while the node begins anew from a peer's rows
)`,
  `-- For each table that was compared with other nodes' a tree of hashes of its rows.
CREATE TABLE IF NOT EXISTS "public"."_grove_trees" (
  "tbl" text PRIMARY KEY, -- the table's name
  "tree" bigint NOT NULL, -- the tree's number; another one when it is made anew
  "shape" text NOT NULL, -- a hash of the table's columns: another one when the tree has to be made anew
  "seq" bigint NOT NULL -- rows numbered up to it stand in the tree as they are
)`,
  `-- The sums of a tree: 64 groups of 64 leaves.
CREATE TABLE IF NOT EXISTS "public"."_grove_tree_groups" (
  "id" bigint PRIMARY KEY, -- 64 times the tree's number, and which group
  "rows" integer NOT NULL, -- how many rows it has
  "sum" text NOT NULL, -- the sum of its rows' hashes
  "leaves" text NOT NULL -- JSON: by leaf how many rows, and their sum
)`,
  `-- The hash under which a row stands in its tree, so that it can be taken out.
CREATE TABLE IF NOT EXISTS "public"."_grove_tree_rows" (
  "id" bigint PRIMARY KEY, -- the row's id in its shadow table
  "leaf" bigint NOT NULL, -- 4096 times the tree's number, and which leaf
  "pk" text NOT NULL, -- JSON array: the row's key
  "sum" text NOT NULL -- the hash of all that is known of it
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_tree_rows_leaf" ON "public"."_grove_tree_rows" ("leaf")`,
  `-- Rows of tables that this database does not have: kept for peers that do, and for the day when it does.
CREATE TABLE IF NOT EXISTS "public"."_grove_elsewhere" (
  "id" text PRIMARY KEY, -- a hash of table and key
  "tbl" text NOT NULL, -- the table's name
  "state" text NOT NULL, -- JSON: all that is known of the row
  "seq" bigint NOT NULL, -- the row's latest sequence number
  "via" integer -- the peer that it came from, while unchanged, see _grove_nodes
)`,
  `CREATE INDEX IF NOT EXISTS "_grove_elsewhere_seq" ON "public"."_grove_elsewhere" ("tbl", "seq")`,
  `-- Always empty: whoever folds or merges locks it, so that sequence numbers are given in commit order.
CREATE TABLE IF NOT EXISTS "public"."_grove_lock" (
  "id" integer PRIMARY KEY -- never filled
)`,
];

/** What stands beside each table: its own tables, and its triggers by name. */
export const tables = {
  documents: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "public"."_documents_log" (
  "seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- the order of the writes
  "at" bigint NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted
  "pk_id" text NOT NULL,
  "mask" bigint, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, as text
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "public"."_documents_crdt" (
  "id" bigint NOT NULL, -- the row's first sequence number
  "hlc" bigint NOT NULL, -- stamp of the present life or death: clock
  "born" bigint NOT NULL, -- the sequence number at which it began
  "seq" bigint NOT NULL, -- the row's latest sequence number
  "cl" bigint NOT NULL, -- causal length: odd = lives, even = deleted
  "node" integer NOT NULL, -- the stamp's node, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "pk_id" text PRIMARY KEY,
  "clocks" text -- JSON: LWW columns written since, each [clock, node, sequence number, via]
)`,
      `CREATE INDEX IF NOT EXISTS "_documents_crdt_seq" ON "public"."_documents_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "public"."_documents_crdt_cells" (
  "id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, -- the order in which they came
  "row" bigint NOT NULL, -- the row's id in _documents_crdt
  "hlc" bigint NOT NULL, -- when it was written
  "seq" bigint NOT NULL, -- the entry's sequence number
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "state" text -- JSON: the type's own state
)`,
      `CREATE INDEX IF NOT EXISTS "_documents_crdt_cells_row" ON "public"."_documents_crdt_cells" ("row")`,
    ],
    functions: {
      _documents_insert: `CREATE OR REPLACE FUNCTION "public"."_documents_insert"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows came: log their keys. The fold reads their values from the table.
DECLARE wrong text;
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  -- Refuse a set that is no array.
  SELECT CASE
    WHEN (array_ndims(n."tags") > 1 OR array_lower(n."tags", 1) <> 1) THEN 'grove-crdt: documents.tags must be an array of one dimension, counted from 1'
  END INTO wrong
  FROM new_rows AS n
  WHERE (((array_ndims(n."tags") > 1 OR array_lower(n."tags", 1) <> 1)))
  LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = wrong;
  END IF;
  INSERT INTO "public"."_documents_log" ("at", "op", "pk_id")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'I', n."id"
  FROM new_rows AS n;
  RETURN NULL;
END
$grove$`,
      _documents_update: `CREATE OR REPLACE FUNCTION "public"."_documents_update"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET enable_nestloop = off
AS $grove$
-- Rows changed: log which columns, and the old value of counters and sets.
DECLARE wrong text;
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  -- Refuse a set that is no array.
  SELECT CASE
    WHEN (array_ndims(n."tags") > 1 OR array_lower(n."tags", 1) <> 1) AND o."tags" COLLATE "C" IS DISTINCT FROM n."tags" COLLATE "C" THEN 'grove-crdt: documents.tags must be an array of one dimension, counted from 1'
  END INTO wrong
  FROM new_rows AS n LEFT JOIN old_rows AS o
    ON o."id" COLLATE "C" = n."id" COLLATE "C"
  WHERE ((array_ndims(n."tags") > 1 OR array_lower(n."tags", 1) <> 1))
    AND (((array_ndims(n."tags") > 1 OR array_lower(n."tags", 1) <> 1) AND o."tags" COLLATE "C" IS DISTINCT FROM n."tags" COLLATE "C"))
  LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = wrong;
  END IF;
  INSERT INTO "public"."_documents_log" ("at", "op", "pk_id", "mask", "before")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), "op", "pk_id", CASE WHEN "op" = 'U' THEN "mask" END, "before"
  FROM (
    SELECT
      CASE WHEN n."id" IS NULL THEN 'D' WHEN o."id" IS NULL THEN 'I' ELSE 'U' END AS "op",
      coalesce(n."id", o."id") AS "pk_id",
      (
        CASE WHEN o."title" COLLATE "C" IS DISTINCT FROM n."title" COLLATE "C" THEN 1 ELSE 0 END
        + CASE WHEN o."body" COLLATE "C" IS DISTINCT FROM n."body" COLLATE "C" THEN 2 ELSE 0 END
        + CASE WHEN o."view_count" IS DISTINCT FROM n."view_count" THEN 4 ELSE 0 END
        + CASE WHEN o."tags" COLLATE "C" IS DISTINCT FROM n."tags" COLLATE "C" THEN 8 ELSE 0 END
      ) AS "mask",
      CASE
        WHEN n."id" IS NULL OR o."id" IS NULL THEN NULL
        WHEN o."view_count" IS DISTINCT FROM n."view_count" OR o."tags" COLLATE "C" IS DISTINCT FROM n."tags" COLLATE "C" THEN
          '{' || substr(
            CASE WHEN o."view_count" IS DISTINCT FROM n."view_count" THEN ',"view_count":' || coalesce(to_json(o."view_count"::text)::text, 'null') ELSE '' END
            || CASE WHEN o."tags" COLLATE "C" IS DISTINCT FROM n."tags" COLLATE "C" THEN ',"tags":' || coalesce(to_json(o."tags"::text)::text, 'null') ELSE '' END,
            2
          ) || '}'
      END AS "before"
    -- A key on one side only was changed: the old one went, the new one came.
    FROM old_rows AS o FULL JOIN new_rows AS n
      ON o."id" COLLATE "C" = n."id" COLLATE "C"
    OFFSET 0 -- so that each comparison is made once
  ) AS compared
  WHERE "op" <> 'U' OR "mask" <> 0;
  RETURN NULL;
END
$grove$`,
      _documents_delete: `CREATE OR REPLACE FUNCTION "public"."_documents_delete"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows went: log their keys.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_documents_log" ("at", "op", "pk_id")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'D', o."id"
  FROM old_rows AS o;
  RETURN NULL;
END
$grove$`,
      _documents_truncate: `CREATE OR REPLACE FUNCTION "public"."_documents_truncate"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- TRUNCATE does not say which rows went: refuse it.
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'feature_not_supported',
    MESSAGE = 'grove-crdt: TRUNCATE of documents cannot be replicated, since it does not say which rows went',
    HINT = 'Use DELETE FROM instead.';
END
$grove$`,
    },
    triggers: {
      _documents_insert: `CREATE TRIGGER "_documents_insert"
AFTER INSERT ON "public"."documents"
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_documents_insert"()`,
      _documents_update: `CREATE TRIGGER "_documents_update"
AFTER UPDATE ON "public"."documents"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_documents_update"()`,
      _documents_delete: `CREATE TRIGGER "_documents_delete"
AFTER DELETE ON "public"."documents"
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_documents_delete"()`,
      _documents_truncate: `CREATE TRIGGER "_documents_truncate"
BEFORE TRUNCATE ON "public"."documents"
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_documents_truncate"()`,
    },
  },
  inventory: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "public"."_inventory_log" (
  "seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- the order of the writes
  "at" bigint NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted
  "pk_store" text NOT NULL,
  "pk_sku" text NOT NULL,
  "mask" bigint, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, as text
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "public"."_inventory_crdt" (
  "id" bigint NOT NULL, -- the row's first sequence number
  "hlc" bigint NOT NULL, -- stamp of the present life or death: clock
  "born" bigint NOT NULL, -- the sequence number at which it began
  "seq" bigint NOT NULL, -- the row's latest sequence number
  "cl" bigint NOT NULL, -- causal length: odd = lives, even = deleted
  "node" integer NOT NULL, -- the stamp's node, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "pk_store" text NOT NULL,
  "pk_sku" text NOT NULL,
  "clocks" text, -- JSON: LWW columns written since, each [clock, node, sequence number, via]
  CONSTRAINT "_inventory_crdt_pkey" PRIMARY KEY ("pk_store", "pk_sku")
)`,
      `CREATE INDEX IF NOT EXISTS "_inventory_crdt_seq" ON "public"."_inventory_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "public"."_inventory_crdt_cells" (
  "id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, -- the order in which they came
  "row" bigint NOT NULL, -- the row's id in _inventory_crdt
  "hlc" bigint NOT NULL, -- when it was written
  "seq" bigint NOT NULL, -- the entry's sequence number
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "state" text -- JSON: the type's own state
)`,
      `CREATE INDEX IF NOT EXISTS "_inventory_crdt_cells_row" ON "public"."_inventory_crdt_cells" ("row")`,
    ],
    functions: {
      _inventory_insert: `CREATE OR REPLACE FUNCTION "public"."_inventory_insert"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows came: log their keys. The fold reads their values from the table.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_inventory_log" ("at", "op", "pk_store", "pk_sku")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'I', n."store", n."sku"
  FROM new_rows AS n;
  RETURN NULL;
END
$grove$`,
      _inventory_update: `CREATE OR REPLACE FUNCTION "public"."_inventory_update"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows changed: log which columns, and the old value of counters and sets.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_inventory_log" ("at", "op", "pk_store", "pk_sku", "mask", "before")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), "op", "pk_store", "pk_sku", CASE WHEN "op" = 'U' THEN "mask" END, "before"
  FROM (
    SELECT
      CASE WHEN n."store" IS NULL THEN 'D' WHEN o."store" IS NULL THEN 'I' ELSE 'U' END AS "op",
      coalesce(n."store", o."store") AS "pk_store",
      coalesce(n."sku", o."sku") AS "pk_sku",
      (
        CASE WHEN o."name" COLLATE "C" IS DISTINCT FROM n."name" COLLATE "C" THEN 1 ELSE 0 END
        + CASE WHEN o."quantity" IS DISTINCT FROM n."quantity" THEN 2 ELSE 0 END
      ) AS "mask",
      CASE
        WHEN n."store" IS NULL OR o."store" IS NULL THEN NULL
        WHEN o."quantity" IS DISTINCT FROM n."quantity" THEN
          '{' || substr(
            CASE WHEN o."quantity" IS DISTINCT FROM n."quantity" THEN ',"quantity":' || coalesce(to_json(o."quantity"::text)::text, 'null') ELSE '' END,
            2
          ) || '}'
      END AS "before"
    -- A key on one side only was changed: the old one went, the new one came.
    FROM old_rows AS o FULL JOIN new_rows AS n
      ON o."store" COLLATE "C" = n."store" COLLATE "C"
      AND o."sku" COLLATE "C" = n."sku" COLLATE "C"
    OFFSET 0 -- so that each comparison is made once
  ) AS compared
  WHERE "op" <> 'U' OR "mask" <> 0;
  RETURN NULL;
END
$grove$`,
      _inventory_delete: `CREATE OR REPLACE FUNCTION "public"."_inventory_delete"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows went: log their keys.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_inventory_log" ("at", "op", "pk_store", "pk_sku")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'D', o."store", o."sku"
  FROM old_rows AS o;
  RETURN NULL;
END
$grove$`,
      _inventory_truncate: `CREATE OR REPLACE FUNCTION "public"."_inventory_truncate"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- TRUNCATE does not say which rows went: refuse it.
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'feature_not_supported',
    MESSAGE = 'grove-crdt: TRUNCATE of inventory cannot be replicated, since it does not say which rows went',
    HINT = 'Use DELETE FROM instead.';
END
$grove$`,
    },
    triggers: {
      _inventory_insert: `CREATE TRIGGER "_inventory_insert"
AFTER INSERT ON "public"."inventory"
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_inventory_insert"()`,
      _inventory_update: `CREATE TRIGGER "_inventory_update"
AFTER UPDATE ON "public"."inventory"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_inventory_update"()`,
      _inventory_delete: `CREATE TRIGGER "_inventory_delete"
AFTER DELETE ON "public"."inventory"
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_inventory_delete"()`,
      _inventory_truncate: `CREATE TRIGGER "_inventory_truncate"
BEFORE TRUNCATE ON "public"."inventory"
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_inventory_truncate"()`,
    },
  },
  orders: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "public"."_orders_log" (
  "seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- the order of the writes
  "at" bigint NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted
  "pk_id" text NOT NULL,
  "mask" bigint, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, as text
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "public"."_orders_crdt" (
  "id" bigint NOT NULL, -- the row's first sequence number
  "hlc" bigint NOT NULL, -- stamp of the present life or death: clock
  "born" bigint NOT NULL, -- the sequence number at which it began
  "seq" bigint NOT NULL, -- the row's latest sequence number
  "cl" bigint NOT NULL, -- causal length: odd = lives, even = deleted
  "node" integer NOT NULL, -- the stamp's node, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "pk_id" text PRIMARY KEY,
  "clocks" text -- JSON: LWW columns written since, each [clock, node, sequence number, via]
)`,
      `CREATE INDEX IF NOT EXISTS "_orders_crdt_seq" ON "public"."_orders_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "public"."_orders_crdt_cells" (
  "id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, -- the order in which they came
  "row" bigint NOT NULL, -- the row's id in _orders_crdt
  "hlc" bigint NOT NULL, -- when it was written
  "seq" bigint NOT NULL, -- the entry's sequence number
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "state" text -- JSON: the type's own state
)`,
      `CREATE INDEX IF NOT EXISTS "_orders_crdt_cells_row" ON "public"."_orders_crdt_cells" ("row")`,
    ],
    functions: {
      _orders_insert: `CREATE OR REPLACE FUNCTION "public"."_orders_insert"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows came: log their keys. The fold reads their values from the table.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_orders_log" ("at", "op", "pk_id")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'I', n."id"
  FROM new_rows AS n;
  RETURN NULL;
END
$grove$`,
      _orders_update: `CREATE OR REPLACE FUNCTION "public"."_orders_update"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows changed: log which columns, and the old value of counters and sets.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_orders_log" ("at", "op", "pk_id", "mask")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), "op", "pk_id", CASE WHEN "op" = 'U' THEN "mask" END
  FROM (
    SELECT
      CASE WHEN n."id" IS NULL THEN 'D' WHEN o."id" IS NULL THEN 'I' ELSE 'U' END AS "op",
      coalesce(n."id", o."id") AS "pk_id",
      (
        CASE WHEN o."status" COLLATE "C" IS DISTINCT FROM n."status" COLLATE "C" THEN 1 ELSE 0 END
        + CASE WHEN o."note" COLLATE "C" IS DISTINCT FROM n."note" COLLATE "C" THEN 2 ELSE 0 END
        + CASE WHEN o."total" IS DISTINCT FROM n."total" THEN 4 ELSE 0 END
        + CASE WHEN o."placed_at" IS DISTINCT FROM n."placed_at" THEN 8 ELSE 0 END
      ) AS "mask"
    -- A key on one side only was changed: the old one went, the new one came.
    FROM old_rows AS o FULL JOIN new_rows AS n
      ON o."id" COLLATE "C" = n."id" COLLATE "C"
    OFFSET 0 -- so that each comparison is made once
  ) AS compared
  WHERE "op" <> 'U' OR "mask" <> 0;
  RETURN NULL;
END
$grove$`,
      _orders_delete: `CREATE OR REPLACE FUNCTION "public"."_orders_delete"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows went: log their keys.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_orders_log" ("at", "op", "pk_id")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'D', o."id"
  FROM old_rows AS o;
  RETURN NULL;
END
$grove$`,
      _orders_truncate: `CREATE OR REPLACE FUNCTION "public"."_orders_truncate"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- TRUNCATE does not say which rows went: refuse it.
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'feature_not_supported',
    MESSAGE = 'grove-crdt: TRUNCATE of orders cannot be replicated, since it does not say which rows went',
    HINT = 'Use DELETE FROM instead.';
END
$grove$`,
    },
    triggers: {
      _orders_insert: `CREATE TRIGGER "_orders_insert"
AFTER INSERT ON "public"."orders"
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_orders_insert"()`,
      _orders_update: `CREATE TRIGGER "_orders_update"
AFTER UPDATE ON "public"."orders"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_orders_update"()`,
      _orders_delete: `CREATE TRIGGER "_orders_delete"
AFTER DELETE ON "public"."orders"
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_orders_delete"()`,
      _orders_truncate: `CREATE TRIGGER "_orders_truncate"
BEFORE TRUNCATE ON "public"."orders"
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_orders_truncate"()`,
    },
  },
  plans: {
    tables: [
      `-- What was written since the last fold: filled by triggers, emptied by the fold.
CREATE TABLE IF NOT EXISTS "public"."_plans_log" (
  "seq" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- the order of the writes
  "at" bigint NOT NULL, -- microseconds since 1970
  "op" text NOT NULL, -- I inserted, U updated, D deleted
  "pk_id" text NOT NULL,
  "mask" bigint, -- bit n: annotated column n changed
  "before" text -- JSON: the old value of each counter and set that changed, as text
)`,
      `-- One row for each row there ever was; it stays after a delete as the row's tombstone.
CREATE TABLE IF NOT EXISTS "public"."_plans_crdt" (
  "id" bigint NOT NULL, -- the row's first sequence number
  "hlc" bigint NOT NULL, -- stamp of the present life or death: clock
  "born" bigint NOT NULL, -- the sequence number at which it began
  "seq" bigint NOT NULL, -- the row's latest sequence number
  "cl" bigint NOT NULL, -- causal length: odd = lives, even = deleted
  "node" integer NOT NULL, -- the stamp's node, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "shape" integer, -- LWW columns written with the life, see _grove_shapes
  "pk_id" text PRIMARY KEY,
  "clocks" text -- JSON: LWW columns written since, each [clock, node, sequence number, via]
)`,
      `CREATE INDEX IF NOT EXISTS "_plans_crdt_seq" ON "public"."_plans_crdt" ("seq")`,
      `-- Entries of counters and sets, and values that the user's table cannot hold.
CREATE TABLE IF NOT EXISTS "public"."_plans_crdt_cells" (
  "id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, -- the order in which they came
  "row" bigint NOT NULL, -- the row's id in _plans_crdt
  "hlc" bigint NOT NULL, -- when it was written
  "seq" bigint NOT NULL, -- the entry's sequence number
  "node" integer NOT NULL, -- the writer, see _grove_nodes
  "via" integer, -- the peer it came from, while unchanged, see _grove_nodes
  "field" text NOT NULL, -- the column's name
  "key" text NOT NULL, -- which entry of the column
  "state" text -- JSON: the type's own state
)`,
      `CREATE INDEX IF NOT EXISTS "_plans_crdt_cells_row" ON "public"."_plans_crdt_cells" ("row")`,
    ],
    functions: {
      _plans_insert: `CREATE OR REPLACE FUNCTION "public"."_plans_insert"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows came: log their keys. The fold reads their values from the table.
DECLARE wrong text;
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  -- Refuse a set that is no array.
  SELECT CASE
    WHEN (array_ndims(n."steps") > 1 OR array_lower(n."steps", 1) <> 1) THEN 'grove-crdt: plans.steps must be an array of one dimension, counted from 1'
    WHEN jsonb_typeof(n."cards") <> 'array' THEN 'grove-crdt: plans.cards must be a JSON array'
    WHEN jsonb_typeof(n."data") <> 'object' THEN 'grove-crdt: plans.data must be a JSON object'
  END INTO wrong
  FROM new_rows AS n
  WHERE (((array_ndims(n."steps") > 1 OR array_lower(n."steps", 1) <> 1)) OR (jsonb_typeof(n."cards") <> 'array') OR (jsonb_typeof(n."data") <> 'object'))
  LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = wrong;
  END IF;
  INSERT INTO "public"."_plans_log" ("at", "op", "pk_id")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'I', n."id"
  FROM new_rows AS n;
  RETURN NULL;
END
$grove$`,
      _plans_update: `CREATE OR REPLACE FUNCTION "public"."_plans_update"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET enable_nestloop = off
AS $grove$
-- Rows changed: log which columns, and the old value of counters and sets.
DECLARE wrong text;
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  -- Refuse a set that is no array.
  SELECT CASE
    WHEN (array_ndims(n."steps") > 1 OR array_lower(n."steps", 1) <> 1) AND o."steps" COLLATE "C" IS DISTINCT FROM n."steps" COLLATE "C" THEN 'grove-crdt: plans.steps must be an array of one dimension, counted from 1'
    WHEN jsonb_typeof(n."cards") <> 'array' AND o."cards" IS DISTINCT FROM n."cards" THEN 'grove-crdt: plans.cards must be a JSON array'
    WHEN jsonb_typeof(n."data") <> 'object' AND o."data" IS DISTINCT FROM n."data" THEN 'grove-crdt: plans.data must be a JSON object'
  END INTO wrong
  FROM new_rows AS n LEFT JOIN old_rows AS o
    ON o."id" COLLATE "C" = n."id" COLLATE "C"
  WHERE ((array_ndims(n."steps") > 1 OR array_lower(n."steps", 1) <> 1) OR jsonb_typeof(n."cards") <> 'array' OR jsonb_typeof(n."data") <> 'object')
    AND (((array_ndims(n."steps") > 1 OR array_lower(n."steps", 1) <> 1) AND o."steps" COLLATE "C" IS DISTINCT FROM n."steps" COLLATE "C") OR (jsonb_typeof(n."cards") <> 'array' AND o."cards" IS DISTINCT FROM n."cards") OR (jsonb_typeof(n."data") <> 'object' AND o."data" IS DISTINCT FROM n."data"))
  LIMIT 1;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = wrong;
  END IF;
  INSERT INTO "public"."_plans_log" ("at", "op", "pk_id", "mask", "before")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), "op", "pk_id", CASE WHEN "op" = 'U' THEN "mask" END, "before"
  FROM (
    SELECT
      CASE WHEN n."id" IS NULL THEN 'D' WHEN o."id" IS NULL THEN 'I' ELSE 'U' END AS "op",
      coalesce(n."id", o."id") AS "pk_id",
      (
        CASE WHEN o."steps" COLLATE "C" IS DISTINCT FROM n."steps" COLLATE "C" THEN 1 ELSE 0 END
        + CASE WHEN o."cards" IS DISTINCT FROM n."cards" THEN 2 ELSE 0 END
        + CASE WHEN o."data" IS DISTINCT FROM n."data" THEN 4 ELSE 0 END
      ) AS "mask",
      CASE
        WHEN n."id" IS NULL OR o."id" IS NULL THEN NULL
        WHEN o."steps" COLLATE "C" IS DISTINCT FROM n."steps" COLLATE "C" OR o."cards" IS DISTINCT FROM n."cards" OR o."data" IS DISTINCT FROM n."data" THEN
          '{' || substr(
            CASE WHEN o."steps" COLLATE "C" IS DISTINCT FROM n."steps" COLLATE "C" THEN ',"steps":' || coalesce(to_json(o."steps"::text)::text, 'null') ELSE '' END
            || CASE WHEN o."cards" IS DISTINCT FROM n."cards" THEN ',"cards":' || coalesce(to_json(o."cards"::text)::text, 'null') ELSE '' END
            || CASE WHEN o."data" IS DISTINCT FROM n."data" THEN ',"data":' || coalesce(to_json(o."data"::text)::text, 'null') ELSE '' END,
            2
          ) || '}'
      END AS "before"
    -- A key on one side only was changed: the old one went, the new one came.
    FROM old_rows AS o FULL JOIN new_rows AS n
      ON o."id" COLLATE "C" = n."id" COLLATE "C"
    OFFSET 0 -- so that each comparison is made once
  ) AS compared
  WHERE "op" <> 'U' OR "mask" <> 0;
  RETURN NULL;
END
$grove$`,
      _plans_delete: `CREATE OR REPLACE FUNCTION "public"."_plans_delete"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- Rows went: log their keys.
BEGIN
  -- A merge switches capture off for its own transaction.
  IF current_setting('grove.capture', true) = 'off' THEN RETURN NULL; END IF;
  INSERT INTO "public"."_plans_log" ("at", "op", "pk_id")
  SELECT (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 'D', o."id"
  FROM old_rows AS o;
  RETURN NULL;
END
$grove$`,
      _plans_truncate: `CREATE OR REPLACE FUNCTION "public"."_plans_truncate"() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $grove$
-- TRUNCATE does not say which rows went: refuse it.
BEGIN
  RAISE EXCEPTION USING
    ERRCODE = 'feature_not_supported',
    MESSAGE = 'grove-crdt: TRUNCATE of plans cannot be replicated, since it does not say which rows went',
    HINT = 'Use DELETE FROM instead.';
END
$grove$`,
    },
    triggers: {
      _plans_insert: `CREATE TRIGGER "_plans_insert"
AFTER INSERT ON "public"."plans"
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_plans_insert"()`,
      _plans_update: `CREATE TRIGGER "_plans_update"
AFTER UPDATE ON "public"."plans"
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_plans_update"()`,
      _plans_delete: `CREATE TRIGGER "_plans_delete"
AFTER DELETE ON "public"."plans"
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_plans_delete"()`,
      _plans_truncate: `CREATE TRIGGER "_plans_truncate"
BEFORE TRUNCATE ON "public"."plans"
FOR EACH STATEMENT EXECUTE FUNCTION "public"."_plans_truncate"()`,
    },
  },
};
