// A bookmark manager, its second half: what is done with what was saved.
import { relations } from "drizzle-orm";
import {
  type AnyPgColumn,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  unique,
} from "drizzle-orm/pg-core";
import { fixed, list, lww } from "grove-crdt/schema";
import { bookmarks, bookmarkTags, tags, users } from "./saving";

const id = () =>
  text()
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());
const ofUser = () =>
  text()
    .notNull()
    .references(() => users.id, { onDelete: "cascade" });
const ofBookmark = () =>
  text()
    .notNull()
    .references(() => bookmarks.id, { onDelete: "cascade" });

export const lists = pgTable(
  "lists",
  {
    id: id(),
    name: lww(text().notNull()),
    icon: text().notNull().default("⭐"),
    userId: ofUser(),
    kind: text({ enum: ["manual", "smart"] }).notNull(),
    query: text(),
    parentId: text().references((): AnyPgColumn => lists.id, { onDelete: "set null" }),
    shareToken: text().unique(),
    public: boolean().notNull().default(false),
  },
  (t) => [unique("lists_user_id_id").on(t.userId, t.id), index().on(t.parentId)],
);

export const listBookmarks = pgTable(
  "list_bookmarks",
  {
    listId: text()
      .notNull()
      .references(() => lists.id, { onDelete: "cascade" }),
    bookmarkId: ofBookmark(),
    addedAt: lww(timestamp().$defaultFn(() => new Date())),
  },
  (t) => [primaryKey({ columns: [t.listId, t.bookmarkId] })],
);

export const collaborators = pgTable(
  "collaborators",
  {
    id: id(),
    listId: fixed(
      text()
        .notNull()
        .references(() => lists.id, { onDelete: "cascade" }),
    ),
    userId: ofUser(),
    role: text({ enum: ["viewer", "editor"] }).notNull(),
    addedBy: text().references(() => users.id, { onDelete: "set null" }),
  },
  (t) => [unique().on(t.listId, t.userId)],
);

export const prompts = pgTable("prompts", {
  id: id(),
  userId: ofUser(),
  text: lww(text().notNull()),
  enabled: boolean().notNull(),
  attribute: text({ enum: ["all", "text", "images"] }),
});

export const summaries = pgTable("summaries", {
  bookmarkId: text()
    .primaryKey()
    .references(() => bookmarks.id, { onDelete: "cascade" }),
  promptId: text().references(() => prompts.id),
  model: text().notNull(),
  body: lww(text().notNull()),
  confidence: real(),
  keywords: jsonb().$type<string[]>(),
});

export const feeds = pgTable("feeds", {
  id: id(),
  userId: ofUser(),
  name: text().notNull(),
  url: lww(text().notNull()),
  enabled: boolean().notNull().default(true),
  fetchedAt: timestamp({ mode: "string" }),
  status: text({ enum: ["pending", "failure", "success"] }).default("pending"),
});

export const feedItems = pgTable(
  "feed_items",
  {
    id: id(),
    feedId: text()
      .notNull()
      .references(() => feeds.id, { onDelete: "cascade" }),
    entry: lww(text().notNull()),
    bookmarkId: text().references(() => bookmarks.id, { onDelete: "set null" }),
  },
  (t) => [unique().on(t.feedId, t.entry)],
);

export const rules = pgTable(
  "rules",
  {
    id: id(),
    userId: ofUser(),
    enabled: boolean().notNull().default(true),
    name: lww(text().notNull()),
    event: text().notNull(),
    condition: jsonb().$type<{ all?: string[] }>().notNull(),
    listId: text(),
    tagId: text(),
  },
  (t) => [
    // A rule may name its own user's lists and tags only.
    foreignKey({ columns: [t.userId, t.listId], foreignColumns: [lists.userId, lists.id] }).onDelete("cascade"),
    foreignKey({ columns: [t.userId, t.tagId], foreignColumns: [tags.userId, tags.id] }).onDelete("cascade"),
  ],
);

export const ruleActions = pgTable("rule_actions", {
  id: id(),
  ruleId: text()
    .notNull()
    .references(() => rules.id, { onDelete: "cascade" }),
  action: lww(text().notNull()),
  steps: list(jsonb().$type<string[]>().notNull().default([])),
  position: integer().notNull().default(0),
});

export const imports = pgTable("imports", {
  id: id(),
  userId: ofUser(),
  name: lww(text().notNull()),
  rootListId: text().references(() => lists.id, { onDelete: "restrict" }),
  status: text({ enum: ["staging", "running", "done"] })
    .notNull()
    .default("staging"),
});

export const importItems = pgTable("import_items", {
  id: id(),
  importId: text()
    .notNull()
    .references(() => imports.id, { onDelete: "cascade" }),
  url: lww(text()),
  bookmarkId: text().references(() => bookmarks.id, { onDelete: "set null" }),
  failure: text(),
});

export const backups = pgTable("backups", {
  id: id(),
  userId: ofUser(),
  size: lww(integer().notNull()),
  count: integer().notNull(),
  failed: boolean().default(false),
});

export const bookmarkRelations = relations(bookmarks, ({ one, many }) => ({
  user: one(users, { fields: [bookmarks.userId], references: [users.id] }),
  tags: many(bookmarkTags),
}));
export const bookmarkTagRelations = relations(bookmarkTags, ({ one }) => ({
  bookmark: one(bookmarks, { fields: [bookmarkTags.bookmarkId], references: [bookmarks.id] }),
  tag: one(tags, { fields: [bookmarkTags.tagId], references: [tags.id] }),
}));
