// A deployment tool, its first half: who may do what, and where things run.
import {
  type AnySQLiteColumn,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { local, lww, set } from "grove-crdt/schema";

const serverState = ["active", "inactive"] as const;
const providerKind = ["github", "gitlab", "gitea", "plain"] as const;

const id = (name: string) =>
  text(name)
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());
const createdAt = () =>
  text("created_at")
    .notNull()
    .$defaultFn(() => new Date().toISOString());
const ofTeam = () =>
  text("team_id")
    .notNull()
    .references(() => teams.teamId, { onDelete: "cascade" });

export const users = sqliteTable("user", {
  id: id("id"),
  email: lww(text("email").notNull().unique()),
  firstName: text("first_name").notNull().default(""),
  twoFactor: integer("two_factor_enabled", { mode: "boolean" }),
  expirationDate: text("expiration_date"),
  createdAt: integer("created_at", { mode: "timestamp" }).$defaultFn(() => new Date()),
});

export const teams = sqliteTable("team", {
  teamId: id("team_id"),
  name: lww(text("name").notNull()),
  slug: text("slug").unique(),
  ownerId: text("owner_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" }),
});

export const teamMembers = sqliteTable(
  "team_member",
  {
    memberId: id("member_id"),
    teamId: ofTeam(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: lww(text("role", { enum: ["owner", "admin", "member"] }).notNull()),
    permissions: set(text("permissions", { mode: "json" }).$type<string[]>().notNull().default([])),
  },
  (t) => [uniqueIndex("team_member_once").on(t.teamId, t.userId)],
);

export const sshKeys = sqliteTable("ssh_key", {
  sshKeyId: id("ssh_key_id"),
  privateKey: lww(text("private_key").notNull().default("")),
  publicKey: text("public_key").notNull(),
  teamId: ofTeam(),
  lastUsed: local(integer("last_used", { mode: "timestamp" })),
});

export const servers = sqliteTable("server", {
  serverId: id("server_id"),
  name: lww(text("name").notNull()),
  address: text("ip_address").notNull(),
  port: integer("port").notNull().default(22),
  state: text("state", { enum: serverState }).notNull().default("active"),
  teamId: ofTeam(),
  sshKeyId: text("ssh_key_id").references(() => sshKeys.sshKeyId, { onDelete: "set null" }),
  metrics: text("metrics", { mode: "json" })
    .$type<{ retentionDays: number; endpoint?: string }>()
    .notNull()
    .default({ retentionDays: 2 }),
  createdAt: createdAt(),
});

export const registries = sqliteTable("registry", {
  registryId: id("registry_id"),
  name: lww(text("name").notNull()),
  url: text("url").notNull().default(""),
  password: text("password").notNull(),
  teamId: ofTeam(),
});

export const gitProviders = sqliteTable(
  "git_provider",
  {
    providerId: id("provider_id"),
    name: lww(text("name").notNull()),
    kind: text("kind", { enum: providerKind }).notNull().default("github"),
    teamId: ofTeam(),
    userId: text("user_id").references(() => users.id, { onDelete: "set null" }),
  },
  (t) => [unique("git_provider_name").on(t.teamId, t.name)],
);

/** Which providers a server may pull from: all key. */
export const serverProviders = sqliteTable(
  "server_provider",
  {
    serverId: text("server_id")
      .notNull()
      .references(() => servers.serverId, { onDelete: "cascade" }),
    providerId: text("provider_id")
      .notNull()
      .references(() => gitProviders.providerId, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ name: "server_provider_key", columns: [t.serverId, t.providerId] })],
);

export const destinations = sqliteTable("destination", {
  destinationId: id("destination_id"),
  name: lww(text("name").notNull()),
  bucket: text("bucket").notNull(),
  region: text("region"),
  teamId: ofTeam(),
});

export const certificates = sqliteTable("certificate", {
  certificateId: id("certificate_id"),
  name: lww(text("name").notNull()),
  data: text("certificate_data").notNull(),
  path: text("certificate_path").notNull().unique(),
  autoRenew: integer("auto_renew", { mode: "boolean" }),
  teamId: ofTeam(),
  serverId: text("server_id").references(() => servers.serverId, { onDelete: "cascade" }),
});

export const projects = sqliteTable(
  "project",
  {
    projectId: id("project_id"),
    name: lww(text("name").notNull()),
    description: text("description"),
    teamId: ofTeam(),
    env: text("env").notNull().default(""),
    // The two tables refer to each other.
    mainEnvironmentId: text("main_environment_id").references((): AnySQLiteColumn => environments.environmentId, {
      onDelete: "set null",
    }),
    createdAt: createdAt(),
  },
  (t) => [index("project_team").on(t.teamId)],
);

export const environments = sqliteTable(
  "environment",
  {
    environmentId: id("environment_id"),
    name: lww(text("name").notNull()),
    projectId: text("project_id")
      .notNull()
      .references((): AnySQLiteColumn => projects.projectId, { onDelete: "cascade" }),
    position: integer("position").notNull().default(0),
  },
  (t) => [unique("environment_name").on(t.projectId, t.name)],
);
