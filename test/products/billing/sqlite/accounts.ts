// Accounts and billing, its first half: who signs in, what they belong to, and who is told.
import { sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { counter, fixed, local, set } from "grove-crdt/schema";

const role = ["owner", "admin", "member", "guest"] as const;
const deliveryState = ["queued", "sent", "failed"] as const;

const id = () =>
  text("id")
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());
const moment = (name: string) => integer(name, { mode: "timestamp_ms" });
const createdAt = () =>
  moment("created_at")
    .notNull()
    .$defaultFn(() => new Date());
const updatedAt = () => moment("updated_at").$onUpdate(() => new Date());

export const users = sqliteTable(
  "users",
  {
    id: id(),
    name: text("name"),
    email: text("email", { length: 254 }).notNull().unique(),
    emailVerified: moment("email_verified"),
    image: text("image"),
    locale: text("locale", { length: 5 }).notNull().default("en"),
    isStaff: integer("is_staff", { mode: "boolean" }).notNull().default(false),
    lastSeenAt: local(moment("last_seen_at").notNull().default(sql`(unixepoch() * 1000)`)),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index("users_name").on(t.name)],
);

export const accounts = sqliteTable(
  "accounts",
  {
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    provider: text("provider").notNull(),
    providerAccountId: text("provider_account_id").notNull(),
    refreshToken: text("refresh_token"),
    accessToken: text("access_token"),
    expiresAt: integer("expires_at"),
    scope: text("scope"),
  },
  (t) => [primaryKey({ columns: [t.provider, t.providerAccountId] }), index("accounts_user").on(t.userId)],
);

export const sessions = sqliteTable("sessions", {
  token: text("token").primaryKey(),
  userId: text("user_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" }),
  expires: moment("expires").notNull(),
  address: text("address"),
});

export const verificationTokens = sqliteTable(
  "verification_tokens",
  { identifier: text("identifier").notNull(), token: text("token").notNull(), expires: moment("expires").notNull() },
  (t) => [primaryKey({ columns: [t.identifier, t.token] })],
);

export const organizations = sqliteTable("organizations", {
  id: id(),
  name: text("name").notNull(),
  slug: text("slug", { length: 40 }).notNull().unique("organizations_slug"),
  ownerId: text("owner_id")
    .notNull()
    .references(() => users.id, { onDelete: "restrict" }),
  parentId: text("parent_id").references((): AnySQLiteColumn => organizations.id, { onDelete: "set null" }),
  settings: text("settings", { mode: "json" }).$type<{ theme?: string; limits?: number[] }>().notNull().default({}),
  tags: set(text("tags", { mode: "json" }).$type<string[]>().notNull().default([])),
  createdAt: createdAt(),
});

export const members = sqliteTable(
  "members",
  {
    organizationId: fixed(
      text("organization_id")
        .notNull()
        .references(() => organizations.id, { onDelete: "cascade" }),
    ),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    id: id(),
    role: text("role", { enum: role }).notNull().default("member"),
    joinedAt: createdAt(),
  },
  (t) => [unique("members_once").on(t.organizationId, t.userId)],
);

export const invitations = sqliteTable(
  "invitations",
  {
    id: id(),
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id, { onDelete: "cascade" }),
    email: text("email", { length: 254 }).notNull(),
    role: text("role", { enum: role }).notNull().default("guest"),
    invitedBy: text("invited_by").references(() => users.id, { onDelete: "set null" }),
    expires: text("expires"),
  },
  (t) => [uniqueIndex("invitations_once").on(t.organizationId, t.email)],
);

export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: id(),
    organizationId: text("organization_id")
      .notNull()
      .references(() => organizations.id, { onDelete: "cascade" }),
    createdBy: text("created_by").references(() => users.id, { onDelete: "set null" }),
    hash: text("hash").notNull().unique(),
    scopes: text("scopes", { mode: "json" }).$type<string[]>().notNull().default(["read"]),
    uses: counter(integer("uses").notNull().default(0)),
    revoked: integer("revoked", { mode: "boolean" }).notNull().default(false),
  },
  (t) => [check("api_keys_hash", sql`length(${t.hash}) > 2`)],
);

export const auditLog = sqliteTable(
  "audit_log",
  {
    id: id(),
    organizationId: text("organization_id").references(() => organizations.id, { onDelete: "cascade" }),
    actorId: text("actor_id").references(() => users.id, { onDelete: "set null" }),
    action: text("action").notNull(),
    detail: text("detail", { mode: "json" }).$type<Record<string, unknown>>(),
    at: createdAt(),
  },
  (t) => [index("audit_log_at").on(t.organizationId, sql`${t.at} desc`)],
);

export const webhooks = sqliteTable("webhooks", {
  id: id(),
  organizationId: text("organization_id")
    .notNull()
    .references(() => organizations.id, { onDelete: "cascade" }),
  url: text("url").notNull(),
  secret: text("secret").notNull(),
  events: text("events", { mode: "json" }).$type<string[]>().notNull().default([]),
  enabled: integer("enabled", { mode: "boolean" }).notNull().default(true),
});

export const deliveries = sqliteTable("deliveries", {
  id: id(),
  webhookId: text("webhook_id")
    .notNull()
    .references(() => webhooks.id, { onDelete: "cascade", onUpdate: "cascade" }),
  state: text("state", { enum: deliveryState }).notNull().default("queued"),
  attempts: integer("attempts").notNull().default(0),
  body: text("body", { mode: "json" }).$type<{ event: string }>(),
  sentAt: moment("sent_at"),
});
