// Accounts and billing, its first half: who signs in, what they belong to, and who is told.
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";
import { counter, fixed, local, set } from "grove-crdt/schema";

export const role = pgEnum("role", ["owner", "admin", "member", "guest"]);
export const deliveryState = pgEnum("delivery_state", ["queued", "sent", "failed"]);

const id = () => uuid("id").primaryKey().defaultRandom();
const moment = (name: string) => timestamp(name, { withTimezone: true });
const createdAt = () =>
  moment("created_at")
    .notNull()
    .$defaultFn(() => new Date());
const updatedAt = () => moment("updated_at").$onUpdate(() => new Date());

export const users = pgTable(
  "users",
  {
    id: id(),
    name: text("name"),
    email: varchar("email", { length: 254 }).notNull().unique(),
    emailVerified: moment("email_verified"),
    image: text("image"),
    locale: varchar("locale", { length: 5 }).notNull().default("en"),
    isStaff: boolean("is_staff").notNull().default(false),
    lastSeenAt: local(moment("last_seen_at").notNull().defaultNow()),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index("users_name").on(t.name)],
);

export const accounts = pgTable(
  "accounts",
  {
    userId: uuid("user_id")
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

export const sessions = pgTable("sessions", {
  token: text("token").primaryKey(),
  userId: uuid("user_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" }),
  expires: moment("expires").notNull(),
  address: text("address"),
});

export const verificationTokens = pgTable(
  "verification_tokens",
  { identifier: text("identifier").notNull(), token: text("token").notNull(), expires: moment("expires").notNull() },
  (t) => [primaryKey({ columns: [t.identifier, t.token] })],
);

export const organizations = pgTable("organizations", {
  id: id(),
  name: text("name").notNull(),
  slug: varchar("slug", { length: 40 }).notNull().unique("organizations_slug"),
  ownerId: uuid("owner_id")
    .notNull()
    .references(() => users.id, { onDelete: "restrict" }),
  parentId: uuid("parent_id").references((): AnyPgColumn => organizations.id, { onDelete: "set null" }),
  settings: jsonb("settings").$type<{ theme?: string; limits?: number[] }>().notNull().default({}),
  tags: set(jsonb("tags").$type<string[]>().notNull().default([])),
  createdAt: createdAt(),
});

export const members = pgTable(
  "members",
  {
    organizationId: fixed(
      uuid("organization_id")
        .notNull()
        .references(() => organizations.id, { onDelete: "cascade" }),
    ),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    id: id(),
    role: role("role").notNull().default("member"),
    joinedAt: createdAt(),
  },
  (t) => [unique("members_once").on(t.organizationId, t.userId)],
);

export const invitations = pgTable(
  "invitations",
  {
    id: id(),
    organizationId: uuid("organization_id")
      .notNull()
      .references(() => organizations.id, { onDelete: "cascade" }),
    email: varchar("email", { length: 254 }).notNull(),
    role: role("role").notNull().default("guest"),
    invitedBy: uuid("invited_by").references(() => users.id, { onDelete: "set null" }),
    expires: timestamp("expires", { mode: "string" }),
  },
  (t) => [uniqueIndex("invitations_once").on(t.organizationId, t.email)],
);

export const apiKeys = pgTable(
  "api_keys",
  {
    id: id(),
    organizationId: uuid("organization_id")
      .notNull()
      .references(() => organizations.id, { onDelete: "cascade" }),
    createdBy: uuid("created_by").references(() => users.id, { onDelete: "set null" }),
    hash: text("hash").notNull().unique(),
    scopes: text("scopes").array().notNull().default(["read"]),
    uses: counter(bigint("uses", { mode: "number" }).notNull().default(0)),
    revoked: boolean("revoked").notNull().default(false),
  },
  (t) => [check("api_keys_hash", sql`length(${t.hash}) > 2`)],
);

export const auditLog = pgTable(
  "audit_log",
  {
    id: id(),
    organizationId: uuid("organization_id").references(() => organizations.id, { onDelete: "cascade" }),
    actorId: uuid("actor_id").references(() => users.id, { onDelete: "set null" }),
    action: text("action").notNull(),
    detail: jsonb("detail").$type<Record<string, unknown>>(),
    at: createdAt(),
  },
  (t) => [index("audit_log_at").on(t.organizationId, t.at.desc())],
);

export const webhooks = pgTable("webhooks", {
  id: id(),
  organizationId: uuid("organization_id")
    .notNull()
    .references(() => organizations.id, { onDelete: "cascade" }),
  url: text("url").notNull(),
  secret: text("secret").notNull(),
  events: text("events").array().notNull().default([]),
  enabled: boolean("enabled").notNull().default(true),
});

export const deliveries = pgTable("deliveries", {
  id: id(),
  webhookId: uuid("webhook_id")
    .notNull()
    .references(() => webhooks.id, { onDelete: "cascade", onUpdate: "cascade" }),
  state: deliveryState("state").notNull().default("queued"),
  attempts: integer("attempts").notNull().default(0),
  body: jsonb("body").$type<{ event: string }>(),
  sentAt: moment("sent_at"),
});
