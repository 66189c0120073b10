// A deployment tool, its second half: what runs, and what happened to it.
import { relations, sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  unique,
} from "drizzle-orm/sqlite-core";
import { counter, lww } from "grove-crdt/schema";
import {
  certificates,
  destinations,
  environments,
  gitProviders,
  projects,
  registries,
  servers,
  teams,
  users,
} from "./places";

const appState = ["idle", "running", "done", "error"] as const;
const engine = ["postgres", "mysql", "redis"] as const;
const mountKind = ["bind", "volume", "file"] as const;

const id = (name: string) =>
  text(name)
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());

export const applications = sqliteTable(
  "application",
  {
    applicationId: id("application_id"),
    name: text("name").notNull(),
    appName: lww(text("app_name").notNull().unique()),
    env: text("env"),
    memoryLimit: integer("memory_limit"),
    cpuLimit: real("cpu_limit"),
    replicas: integer("replicas").notNull().default(1),
    state: text("state", { enum: appState }).notNull().default("idle"),
    health: text("health", { mode: "json" }).$type<{ test?: string[]; retries?: number }>(),
    environmentId: text("environment_id")
      .notNull()
      .references(() => environments.environmentId, { onDelete: "cascade" }),
    registryId: text("registry_id").references(() => registries.registryId, { onDelete: "set null" }),
    providerId: text("provider_id").references(() => gitProviders.providerId, { onDelete: "set null" }),
    serverId: text("server_id").references(() => servers.serverId, { onDelete: "restrict" }),
  },
  (t) => [
    unique("application_environment").on(t.environmentId, t.applicationId),
    check("application_replicas", sql`${t.replicas} >= 0`),
  ],
);

const ofApplication = () =>
  text("application_id").references(() => applications.applicationId, { onDelete: "cascade" });

export const databases = sqliteTable("database", {
  databaseId: id("database_id"),
  name: lww(text("name").notNull()),
  engine: text("engine", { enum: engine }).notNull(),
  password: text("password").notNull(),
  image: text("image").notNull().default("latest"),
  externalPort: integer("external_port").unique(),
  environmentId: text("environment_id")
    .notNull()
    .references(() => environments.environmentId, { onDelete: "cascade" }),
  serverId: text("server_id").references(() => servers.serverId),
});

export const domains = sqliteTable(
  "domain",
  {
    domainId: id("domain_id"),
    host: lww(text("host").notNull()),
    https: integer("https", { mode: "boolean" }).notNull().default(false),
    port: integer("port").default(3000),
    path: text("path").notNull().default("/"),
    applicationId: ofApplication(),
    certificateId: text("certificate_id").references(() => certificates.certificateId, { onDelete: "set null" }),
  },
  (t) => [unique("domain_place").on(t.host, t.path)],
);

export const deployments = sqliteTable(
  "deployment",
  {
    deploymentId: id("deployment_id"),
    title: lww(text("title").notNull()),
    state: text("state", { enum: appState }).default("running"),
    logPath: text("log_path").notNull(),
    environmentId: text("environment_id").notNull(),
    applicationId: text("application_id").notNull(),
    startedBy: text("started_by").references(() => users.id, { onDelete: "set null" }),
    startedAt: integer("started_at", { mode: "timestamp_ms" }).$defaultFn(() => new Date()),
  },
  (t) => [
    // Only where the application is.
    foreignKey({
      name: "deployment_place",
      columns: [t.environmentId, t.applicationId],
      foreignColumns: [applications.environmentId, applications.applicationId],
    }).onDelete("cascade"),
    index("deployment_started").on(t.startedAt),
  ],
);

export const rollbacks = sqliteTable(
  "rollback",
  {
    rollbackId: id("rollback_id"),
    deploymentId: text("deployment_id")
      .notNull()
      .references(() => deployments.deploymentId, { onDelete: "cascade" }),
    version: integer("version").notNull(),
    image: lww(text("image")),
  },
  (t) => [unique("rollback_version").on(t.deploymentId, t.version)],
);

export const mounts = sqliteTable("mount", {
  mountId: id("mount_id"),
  kind: text("kind", { enum: mountKind }).notNull(),
  hostPath: text("host_path"),
  mountPath: lww(text("mount_path").notNull()),
  applicationId: ofApplication(),
  databaseId: text("database_id").references(() => databases.databaseId, { onDelete: "cascade" }),
});

export const ports = sqliteTable(
  "port",
  {
    portId: id("port_id"),
    published: lww(integer("published").notNull()),
    target: integer("target").notNull(),
    protocol: text("protocol", { enum: ["tcp", "udp"] }).notNull(),
    applicationId: ofApplication().notNull(),
  },
  (t) => [unique("port_published").on(t.applicationId, t.published, t.protocol)],
);

export const redirects = sqliteTable("redirect", {
  redirectId: id("redirect_id"),
  pattern: lww(text("pattern").notNull()),
  replacement: text("replacement").notNull(),
  permanent: integer("permanent", { mode: "boolean" }).notNull().default(false),
  applicationId: ofApplication().notNull(),
});

export const schedules = sqliteTable("schedule", {
  scheduleId: id("schedule_id"),
  name: lww(text("name").notNull()),
  cron: text("cron").notNull(),
  command: text("command").notNull(),
  runs: counter(integer("runs").notNull().default(0)),
  applicationId: ofApplication(),
  serverId: text("server_id").references(() => servers.serverId, { onDelete: "cascade" }),
});

export const backups = sqliteTable("backup", {
  backupId: id("backup_id"),
  cron: lww(text("cron").notNull()),
  prefix: text("prefix").notNull().default("daily"),
  keep: integer("keep_latest"),
  databaseId: text("database_id")
    .notNull()
    .references(() => databases.databaseId, { onDelete: "cascade" }),
  destinationId: text("destination_id")
    .notNull()
    .references(() => destinations.destinationId, { onDelete: "restrict" }),
});

export const volumeBackups = sqliteTable("volume_backup", {
  volumeBackupId: id("volume_backup_id"),
  volume: lww(text("volume").notNull()),
  mountId: text("mount_id").references(() => mounts.mountId, { onDelete: "set null" }),
  destinationId: text("destination_id")
    .notNull()
    .references(() => destinations.destinationId, { onDelete: "no action" }),
});

export const notifications = sqliteTable("notification", {
  notificationId: id("notification_id"),
  name: lww(text("name").notNull()),
  onDeploy: integer("app_deploy", { mode: "boolean" }).notNull().default(false),
  kind: text("kind", { enum: ["chat", "email"] }).notNull(),
  teamId: text("team_id")
    .notNull()
    .references(() => teams.teamId, { onDelete: "cascade" }),
});

/** Whom a notification tells: all key. */
export const notified = sqliteTable(
  "notified",
  {
    notificationId: text("notification_id")
      .notNull()
      .references(() => notifications.notificationId, { onDelete: "cascade" }),
    userId: text("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ columns: [t.notificationId, t.userId] })],
);

export const projectRelations = relations(projects, ({ one, many }) => ({
  team: one(teams, { fields: [projects.teamId], references: [teams.teamId] }),
  environments: many(environments),
}));
export const environmentRelations = relations(environments, ({ one, many }) => ({
  project: one(projects, { fields: [environments.projectId], references: [projects.projectId] }),
  applications: many(applications),
}));
export const applicationRelations = relations(applications, ({ one }) => ({
  environment: one(environments, {
    fields: [applications.environmentId],
    references: [environments.environmentId],
  }),
}));
