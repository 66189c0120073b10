// A bookmark manager, its first half: what people save. Names of columns come from `casing: "snake_case"`.
import { sql } from "drizzle-orm";
import { customType, index, integer, primaryKey, sqliteTable, text, unique } from "drizzle-orm/sqlite-core";
import { counter, document, local, lww } from "grove-crdt/schema";

const id = () =>
  text()
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());
const savedAt = () =>
  integer({ mode: "timestamp_ms" })
    .notNull()
    .$defaultFn(() => new Date());
const ofUser = () =>
  text()
    .notNull()
    .references(() => users.id, { onDelete: "cascade" });

export const users = sqliteTable("users", {
  id: id(),
  name: lww(text().notNull()),
  email: text().notNull().unique(),
  image: text(),
  role: text({ enum: ["admin", "user"] }).default("user"),
  bookmarkQuota: integer(),
  storageQuota: integer(),
  timezone: text().default("UTC"),
  settings: document(
    text({ mode: "json" })
      .$type<{ theme?: string; layout?: { columns?: number; dense?: boolean } }>()
      .notNull()
      .default({}),
  ),
});

export const sessions = sqliteTable("sessions", {
  id: id(),
  token: lww(text().notNull().unique()),
  userId: ofUser(),
  expiresAt: integer({ mode: "timestamp" }).notNull(),
});

export const devices = sqliteTable(
  "devices",
  {
    userId: ofUser(),
    name: text().notNull(),
    pushToken: lww(text()),
    seenAt: local(integer({ mode: "timestamp" }).default(sql`(unixepoch() * 1000)`)),
  },
  (t) => [primaryKey({ columns: [t.userId, t.name] })],
);

export const bookmarks = sqliteTable(
  "bookmarks",
  {
    id: id(),
    userId: ofUser(),
    kind: text({ enum: ["link", "text", "asset"] }).notNull(),
    title: lww(text()),
    archived: integer({ mode: "boolean" }).notNull().default(false),
    favourite: integer({ mode: "boolean" }).notNull().default(false),
    note: text(),
    summary: text(),
    source: text({ enum: ["web", "extension", "mobile", "import"] }),
    opened: counter(integer().notNull().default(0)),
    createdAt: savedAt(),
    modifiedAt: integer({ mode: "timestamp" }).$onUpdateFn(() => new Date()),
  },
  (t) => [
    index("bookmarks_user_id").on(t.userId),
    index("bookmarks_archived_index").on(t.archived),
    index("bookmarks_user_created").on(t.userId, t.createdAt, t.id),
  ],
);

const ofBookmark = () =>
  text()
    .primaryKey()
    .references(() => bookmarks.id, { onDelete: "cascade" });

/** What a bookmark is: one of three, under the bookmark's own key. */
export const links = sqliteTable("links", {
  id: ofBookmark(),
  url: lww(text().notNull()),
  title: text(),
  author: text(),
  publishedAt: integer({ mode: "timestamp" }),
  crawledAt: integer({ mode: "timestamp" }),
  crawlStatus: text({ enum: ["pending", "failure", "success"] }).default("pending"),
  crawlCode: integer().default(200),
});

export const texts = sqliteTable("texts", { id: ofBookmark(), body: lww(text()), sourceUrl: text() });

/** Bytes as Postgres and SQLite both hold them. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "blob" });

export const assets = sqliteTable(
  "assets",
  {
    id: id(),
    bookmarkId: text().references(() => bookmarks.id, { onDelete: "cascade" }),
    userId: ofUser(),
    kind: lww(text({ enum: ["screenshot", "image", "video", "unknown"] }).notNull()),
    size: integer().notNull().default(0),
    contentType: text({ length: 80 }),
    digest: bytes(),
  },
  (t) => [index("assets_bookmark_id").on(t.bookmarkId)],
);

export const tags = sqliteTable(
  "tags",
  {
    id: id(),
    name: lww(text().notNull()),
    userId: ofUser(),
    createdAt: savedAt(),
  },
  (t) => [unique().on(t.userId, t.name), unique("tags_user_id_id").on(t.userId, t.id), index("tags_name").on(t.name)],
);

export const bookmarkTags = sqliteTable(
  "bookmark_tags",
  {
    bookmarkId: text()
      .notNull()
      .references(() => bookmarks.id, { onDelete: "cascade" }),
    tagId: text()
      .notNull()
      .references(() => tags.id, { onDelete: "cascade" }),
    attachedAt: integer({ mode: "timestamp" }).$defaultFn(() => new Date()),
    attachedBy: lww(text({ enum: ["ai", "human"] }).notNull()),
  },
  (t) => [primaryKey({ columns: [t.bookmarkId, t.tagId] }), index("bookmark_tags_tag_id").on(t.tagId)],
);

export const highlights = sqliteTable("highlights", {
  id: id(),
  bookmarkId: text()
    .notNull()
    .references(() => bookmarks.id, { onDelete: "cascade" }),
  userId: ofUser(),
  startOffset: integer().notNull(),
  endOffset: integer().notNull(),
  colour: text({ enum: ["red", "green", "blue", "yellow"] })
    .notNull()
    .default("yellow"),
  body: lww(text()),
});

/** All key: what shall be read next. */
export const readNext = sqliteTable(
  "read_next",
  {
    userId: ofUser(),
    bookmarkId: text()
      .notNull()
      .references(() => bookmarks.id, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ columns: [t.userId, t.bookmarkId] })],
);
