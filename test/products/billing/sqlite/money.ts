// Accounts and billing, its second half: what is sold, to whom, and what was paid.
import { relations, sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  check,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { counter } from "grove-crdt/schema";
import { members, organizations, users } from "./accounts";

const interval = ["day", "month", "year"] as const;
const subscriptionState = ["trialing", "active", "past_due", "canceled"] as const;
const invoiceState = ["draft", "open", "paid", "void"] as const;

const id = () =>
  text("id")
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());
const moment = (name: string) => integer(name, { mode: "timestamp_ms" });
const currency = () => text("currency", { length: 3 }).notNull().default("eur");
const cents = (name: string) => integer(name);
const ofOrganization = () =>
  text("organization_id")
    .notNull()
    .references(() => organizations.id, { onDelete: "cascade" });

export const plans = sqliteTable("plans", {
  id: id(),
  name: text("name").notNull().unique(),
  description: text("description").notNull().default(""),
  isPublic: integer("is_public", { mode: "boolean" }).notNull().default(true),
  position: integer("position").notNull().default(0),
  metadata: text("metadata", { mode: "json" }).$type<{ [name: string]: string }>().notNull().default({}),
});

export const features = sqliteTable("features", {
  key: text("key").primaryKey(),
  title: text("title").notNull(),
});

/** All key: which plan has which feature. */
export const planFeatures = sqliteTable(
  "plan_features",
  {
    planId: text("plan_id")
      .notNull()
      .references(() => plans.id, { onDelete: "cascade" }),
    featureKey: text("feature_key")
      .notNull()
      .references(() => features.key, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ columns: [t.planId, t.featureKey] }), index("plan_features_feature").on(t.featureKey)],
);

export const prices = sqliteTable(
  "prices",
  {
    id: id(),
    planId: text("plan_id")
      .notNull()
      .references(() => plans.id),
    currency: currency(),
    amount: cents("amount").notNull(),
    interval: text("interval", { enum: interval }).notNull().default("month"),
    tierUpTo: integer("tier_up_to"),
  },
  (t) => [unique("prices_once").on(t.planId, t.currency, t.interval), check("prices_amount", sql`${t.amount} >= 0`)],
);

export const taxRates = sqliteTable("tax_rates", {
  id: id(),
  country: text("country", { length: 2 }).notNull(),
  percent: text("percent").notNull(),
  from: text("valid_from").notNull(),
});

export const coupons = sqliteTable(
  "coupons",
  {
    id: id(),
    code: text("code", { length: 20 }).notNull().unique(),
    percentOff: integer("percent_off"),
    redeemed: counter(integer("redeemed").notNull().default(0)),
    expires: integer("expires", { mode: "timestamp" }),
  },
  (t) => [check("coupons_percent", sql`${t.percentOff} between 1 and 100`)],
);

export const paymentMethods = sqliteTable("payment_methods", {
  id: id(),
  organizationId: ofOrganization(),
  kind: text("kind", { enum: ["card", "debit", "transfer"] }).notNull(),
  last4: text("last4", { length: 4 }),
  isDefault: integer("is_default", { mode: "boolean" }).notNull().default(false),
});

export const subscriptions = sqliteTable(
  "subscriptions",
  {
    id: id(),
    organizationId: ofOrganization(),
    priceId: text("price_id")
      .notNull()
      .references(() => prices.id, { onDelete: "restrict" }),
    couponId: text("coupon_id").references(() => coupons.id, { onDelete: "set null" }),
    paymentMethodId: text("payment_method_id").references(() => paymentMethods.id, { onDelete: "set null" }),
    state: text("state", { enum: subscriptionState }).notNull().default("trialing"),
    quantity: integer("quantity").notNull().default(1),
    trialEnds: moment("trial_ends"),
    canceledAt: moment("canceled_at"),
  },
  (t) => [uniqueIndex("subscriptions_once").on(t.organizationId, t.priceId), index("subscriptions_state").on(t.state)],
);

export const usageRecords = sqliteTable("usage_records", {
  id: id(),
  subscriptionId: text("subscription_id")
    .notNull()
    .references(() => subscriptions.id, { onDelete: "cascade" }),
  meter: text("meter").notNull(),
  quantity: real("quantity").notNull(),
  at: moment("at")
    .notNull()
    .$defaultFn(() => new Date()),
});

export const invoices = sqliteTable(
  "invoices",
  {
    id: id(),
    organizationId: ofOrganization(),
    subscriptionId: text("subscription_id").references(() => subscriptions.id, { onDelete: "set null" }),
    replaces: text("replaces").references((): AnySQLiteColumn => invoices.id, { onDelete: "set null" }),
    number: text("number").notNull(),
    state: text("state", { enum: invoiceState }).notNull().default("draft"),
    total: text("total").notNull().default("0.00"),
    currency: currency(),
    due: text("due"),
  },
  (t) => [unique("invoices_number").on(t.organizationId, t.number)],
);

export const invoiceLines = sqliteTable("invoice_lines", {
  id: id(),
  invoiceId: text("invoice_id")
    .notNull()
    .references(() => invoices.id, { onDelete: "cascade" }),
  priceId: text("price_id").references(() => prices.id, { onDelete: "no action" }),
  text: text("text").notNull(),
  quantity: integer("quantity").notNull().default(1),
  amount: text("amount").notNull(),
});

/** All key: which taxes a line bears. */
export const lineTaxes = sqliteTable(
  "line_taxes",
  {
    lineId: text("line_id")
      .notNull()
      .references(() => invoiceLines.id, { onDelete: "cascade" }),
    taxRateId: text("tax_rate_id")
      .notNull()
      .references(() => taxRates.id, { onDelete: "restrict" }),
  },
  (t) => [primaryKey({ columns: [t.lineId, t.taxRateId] })],
);

export const payments = sqliteTable("payments", {
  id: id(),
  invoiceId: text("invoice_id")
    .notNull()
    .references(() => invoices.id),
  paymentMethodId: text("payment_method_id").references(() => paymentMethods.id, { onDelete: "set null" }),
  reference: text("reference").unique(),
  amount: text("amount").notNull(),
  paidAt: moment("paid_at"),
  fee: real("fee"),
});

export const refunds = sqliteTable("refunds", {
  id: id(),
  paymentId: text("payment_id")
    .notNull()
    .references(() => payments.id, { onDelete: "restrict" }),
  amount: text("amount").notNull(),
  reason: text("reason", { enum: ["duplicate", "fraud", "asked"] }),
  by: text("by").references(() => users.id, { onDelete: "set null" }),
});

export const credits = sqliteTable("credits", {
  id: id(),
  organizationId: ofOrganization(),
  amount: cents("amount").notNull(),
  note: text("note"),
});

export const organizationRelations = relations(organizations, ({ many, one }) => ({
  members: many(members),
  subscriptions: many(subscriptions),
  owner: one(users, { fields: [organizations.ownerId], references: [users.id] }),
}));
export const memberRelations = relations(members, ({ one }) => ({
  organization: one(organizations, { fields: [members.organizationId], references: [organizations.id] }),
}));
export const subscriptionRelations = relations(subscriptions, ({ one }) => ({
  organization: one(organizations, { fields: [subscriptions.organizationId], references: [organizations.id] }),
  price: one(prices, { fields: [subscriptions.priceId], references: [prices.id] }),
}));
