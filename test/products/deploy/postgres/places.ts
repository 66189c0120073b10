// A deployment tool, its first half: who may do what, and where things run.
import {
  type AnyPgColumn,
  boolean,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { local, lww, set } from "grove-crdt/schema";

export const serverState = pgEnum("server_state", ["active", "inactive"]);
export const providerKind = pgEnum("provider_kind", ["github", "gitlab", "gitea", "plain"]);

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

export const users = pgTable("user", {
  id: id("id"),
  email: lww(text("email").notNull().unique()),
  firstName: text("first_name").notNull().default(""),
  twoFactor: boolean("two_factor_enabled"),
  expirationDate: text("expiration_date"),
  createdAt: timestamp("created_at").$defaultFn(() => new Date()),
});

export const teams = pgTable("team", {
  teamId: id("team_id"),
  name: lww(text("name").notNull()),
  slug: text("slug").unique(),
  ownerId: text("owner_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" }),
});

export const teamMembers = pgTable(
  "team_member",
  {
    memberId: id("member_id"),
    teamId: ofTeam(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    role: lww(text("role", { enum: ["owner", "admin", "member"] }).notNull()),
    permissions: set(text("permissions").array().notNull().default([])),
  },
  (t) => [uniqueIndex("team_member_once").on(t.teamId, t.userId)],
);

export const sshKeys = pgTable("ssh_key", {
  sshKeyId: id("ssh_key_id"),
  privateKey: lww(text("private_key").notNull().default("")),
  publicKey: text("public_key").notNull(),
  teamId: ofTeam(),
  lastUsed: local(timestamp("last_used")),
});

export const servers = pgTable("server", {
  serverId: id("server_id"),
  name: lww(text("name").notNull()),
  address: text("ip_address").notNull(),
  port: integer("port").notNull().default(22),
  state: serverState("state").notNull().default("active"),
  teamId: ofTeam(),
  sshKeyId: text("ssh_key_id").references(() => sshKeys.sshKeyId, { onDelete: "set null" }),
  metrics: jsonb("metrics")
    .$type<{ retentionDays: number; endpoint?: string }>()
    .notNull()
    .default({ retentionDays: 2 }),
  createdAt: createdAt(),
});

export const registries = pgTable("registry", {
  registryId: id("registry_id"),
  name: lww(text("name").notNull()),
  url: text("url").notNull().default(""),
  password: text("password").notNull(),
  teamId: ofTeam(),
});

export const gitProviders = pgTable(
  "git_provider",
  {
    providerId: id("provider_id"),
    name: lww(text("name").notNull()),
    kind: providerKind("kind").notNull().default("github"),
    teamId: ofTeam(),
    userId: text("user_id").references(() => users.id, { onDelete: "set null" }),
  },
  (t) => [unique("git_provider_name").on(t.teamId, t.name)],
);

/** Which providers a server may pull from: all key. */
export const serverProviders = pgTable(
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

export const destinations = pgTable("destination", {
  destinationId: id("destination_id"),
  name: lww(text("name").notNull()),
  bucket: text("bucket").notNull(),
  region: text("region"),
  teamId: ofTeam(),
});

export const certificates = pgTable("certificate", {
  certificateId: id("certificate_id"),
  name: lww(text("name").notNull()),
  data: text("certificate_data").notNull(),
  path: text("certificate_path").notNull().unique(),
  autoRenew: boolean("auto_renew"),
  teamId: ofTeam(),
  serverId: text("server_id").references(() => servers.serverId, { onDelete: "cascade" }),
});

export const projects = pgTable(
  "project",
  {
    projectId: id("project_id"),
    name: lww(text("name").notNull()),
    description: text("description"),
    teamId: ofTeam(),
    env: text("env").notNull().default(""),
    // The two tables refer to each other.
    mainEnvironmentId: text("main_environment_id").references((): AnyPgColumn => environments.environmentId, {
      onDelete: "set null",
    }),
    createdAt: createdAt(),
  },
  (t) => [index("project_team").on(t.teamId)],
);

export const environments = pgTable(
  "environment",
  {
    environmentId: id("environment_id"),
    name: lww(text("name").notNull()),
    projectId: text("project_id")
      .notNull()
      .references((): AnyPgColumn => projects.projectId, { onDelete: "cascade" }),
    position: smallint("position").notNull().default(0),
  },
  (t) => [unique("environment_name").on(t.projectId, t.name)],
);
