// A bookmark manager, its first half: what people save. Names of columns come from `casing: "snake_case"`.
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  varchar,
} from "drizzle-orm/pg-core";
import { counter, document, local, lww } from "grove-crdt/schema";

const id = () =>
  text()
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());
const savedAt = () =>
  timestamp({ mode: "date" })
    .notNull()
    .$defaultFn(() => new Date());
const ofUser = () =>
  text()
    .notNull()
    .references(() => users.id, { onDelete: "cascade" });

export const users = pgTable("users", {
  id: id(),
  name: lww(text().notNull()),
  email: text().notNull().unique(),
  image: text(),
  role: text({ enum: ["admin", "user"] }).default("user"),
  bookmarkQuota: integer(),
  storageQuota: bigint({ mode: "number" }),
  timezone: text().default("UTC"),
  settings: document(
    jsonb().$type<{ theme?: string; layout?: { columns?: number; dense?: boolean } }>().notNull().default({}),
  ),
});

export const sessions = pgTable("sessions", {
  id: id(),
  token: lww(text().notNull().unique()),
  userId: ofUser(),
  expiresAt: timestamp().notNull(),
});

export const devices = pgTable(
  "devices",
  {
    userId: ofUser(),
    name: text().notNull(),
    pushToken: lww(text()),
    seenAt: local(timestamp().default(sql`now()`)),
  },
  (t) => [primaryKey({ columns: [t.userId, t.name] })],
);

export const bookmarks = pgTable(
  "bookmarks",
  {
    id: id(),
    userId: ofUser(),
    kind: text({ enum: ["link", "text", "asset"] }).notNull(),
    title: lww(text()),
    archived: boolean().notNull().default(false),
    favourite: boolean().notNull().default(false),
    note: text(),
    summary: text(),
    source: text({ enum: ["web", "extension", "mobile", "import"] }),
    opened: counter(bigint({ mode: "number" }).notNull().default(0)),
    createdAt: savedAt(),
    modifiedAt: timestamp().$onUpdateFn(() => new Date()),
  },
  (t) => [
    index().on(t.userId),
    index("bookmarks_archived_index").on(t.archived),
    index("bookmarks_user_created").on(t.userId, t.createdAt, t.id),
  ],
);

const ofBookmark = () =>
  text()
    .primaryKey()
    .references(() => bookmarks.id, { onDelete: "cascade" });

/** What a bookmark is: one of three, under the bookmark's own key. */
export const links = pgTable("links", {
  id: ofBookmark(),
  url: lww(text().notNull()),
  title: text(),
  author: text(),
  publishedAt: timestamp(),
  crawledAt: timestamp(),
  crawlStatus: text({ enum: ["pending", "failure", "success"] }).default("pending"),
  crawlCode: integer().default(200),
});

export const texts = pgTable("texts", { id: ofBookmark(), body: lww(text()), sourceUrl: text() });

/** Bytes as Postgres and SQLite both hold them. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });

export const assets = pgTable(
  "assets",
  {
    id: id(),
    bookmarkId: text().references(() => bookmarks.id, { onDelete: "cascade" }),
    userId: ofUser(),
    kind: lww(text({ enum: ["screenshot", "image", "video", "unknown"] }).notNull()),
    size: integer().notNull().default(0),
    contentType: varchar({ length: 80 }),
    digest: bytes(),
  },
  (t) => [index().on(t.bookmarkId)],
);

export const tags = pgTable(
  "tags",
  {
    id: id(),
    name: lww(text().notNull()),
    userId: ofUser(),
    createdAt: savedAt(),
  },
  (t) => [unique().on(t.userId, t.name), unique("tags_user_id_id").on(t.userId, t.id), index("tags_name").on(t.name)],
);

export const bookmarkTags = pgTable(
  "bookmark_tags",
  {
    bookmarkId: text()
      .notNull()
      .references(() => bookmarks.id, { onDelete: "cascade" }),
    tagId: text()
      .notNull()
      .references(() => tags.id, { onDelete: "cascade" }),
    attachedAt: timestamp().$defaultFn(() => new Date()),
    attachedBy: lww(text({ enum: ["ai", "human"] }).notNull()),
  },
  (t) => [primaryKey({ columns: [t.bookmarkId, t.tagId] }), index().on(t.tagId)],
);

export const highlights = pgTable("highlights", {
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
export const readNext = pgTable(
  "read_next",
  {
    userId: ofUser(),
    bookmarkId: text()
      .notNull()
      .references(() => bookmarks.id, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ columns: [t.userId, t.bookmarkId] })],
);
