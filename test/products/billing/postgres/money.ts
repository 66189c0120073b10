// Accounts and billing, its second half: what is sold, to whom, and what was paid.
import { relations, sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
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
import { counter } from "grove-crdt/schema";
import { members, organizations, users } from "./accounts";

export const interval = pgEnum("billing_interval", ["day", "month", "year"]);
export const subscriptionState = pgEnum("subscription_state", ["trialing", "active", "past_due", "canceled"]);
export const invoiceState = pgEnum("invoice_state", ["draft", "open", "paid", "void"]);

const id = () =>
  text("id")
    .primaryKey()
    .$defaultFn(() => crypto.randomUUID());
const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const currency = () => varchar("currency", { length: 3 }).notNull().default("eur");
const cents = (name: string) => bigint(name, { mode: "number" });
const ofOrganization = () =>
  uuid("organization_id")
    .notNull()
    .references(() => organizations.id, { onDelete: "cascade" });

export const plans = pgTable("plans", {
  id: id(),
  name: text("name").notNull().unique(),
  description: text("description").notNull().default(""),
  isPublic: boolean("is_public").notNull().default(true),
  position: integer("position").notNull().default(0),
  metadata: jsonb("metadata").$type<{ [name: string]: string }>().notNull().default({}),
});

export const features = pgTable("features", {
  key: text("key").primaryKey(),
  title: text("title").notNull(),
});

/** All key: which plan has which feature. */
export const planFeatures = pgTable(
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

export const prices = pgTable(
  "prices",
  {
    id: id(),
    planId: text("plan_id")
      .notNull()
      .references(() => plans.id),
    currency: currency(),
    amount: cents("amount").notNull(),
    interval: interval("interval").notNull().default("month"),
    tierUpTo: integer("tier_up_to"),
  },
  (t) => [unique("prices_once").on(t.planId, t.currency, t.interval), check("prices_amount", sql`${t.amount} >= 0`)],
);

export const taxRates = pgTable("tax_rates", {
  id: id(),
  country: varchar("country", { length: 2 }).notNull(),
  percent: numeric("percent", { precision: 5, scale: 2 }).notNull(),
  from: date("valid_from").notNull(),
});

export const coupons = pgTable(
  "coupons",
  {
    id: id(),
    code: varchar("code", { length: 20 }).notNull().unique(),
    percentOff: integer("percent_off"),
    redeemed: counter(bigint("redeemed", { mode: "number" }).notNull().default(0)),
    expires: date("expires", { mode: "date" }),
  },
  (t) => [check("coupons_percent", sql`${t.percentOff} between 1 and 100`)],
);

export const paymentMethods = pgTable("payment_methods", {
  id: id(),
  organizationId: ofOrganization(),
  kind: text("kind", { enum: ["card", "debit", "transfer"] }).notNull(),
  last4: varchar("last4", { length: 4 }),
  isDefault: boolean("is_default").notNull().default(false),
});

export const subscriptions = pgTable(
  "subscriptions",
  {
    id: id(),
    organizationId: ofOrganization(),
    priceId: text("price_id")
      .notNull()
      .references(() => prices.id, { onDelete: "restrict" }),
    couponId: text("coupon_id").references(() => coupons.id, { onDelete: "set null" }),
    paymentMethodId: text("payment_method_id").references(() => paymentMethods.id, { onDelete: "set null" }),
    state: subscriptionState("state").notNull().default("trialing"),
    quantity: integer("quantity").notNull().default(1),
    trialEnds: moment("trial_ends"),
    canceledAt: moment("canceled_at"),
  },
  (t) => [uniqueIndex("subscriptions_once").on(t.organizationId, t.priceId), index("subscriptions_state").on(t.state)],
);

export const usageRecords = pgTable("usage_records", {
  id: id(),
  subscriptionId: text("subscription_id")
    .notNull()
    .references(() => subscriptions.id, { onDelete: "cascade" }),
  meter: text("meter").notNull(),
  quantity: doublePrecision("quantity").notNull(),
  at: moment("at")
    .notNull()
    .$defaultFn(() => new Date()),
});

export const invoices = pgTable(
  "invoices",
  {
    id: id(),
    organizationId: ofOrganization(),
    subscriptionId: text("subscription_id").references(() => subscriptions.id, { onDelete: "set null" }),
    replaces: text("replaces").references((): AnyPgColumn => invoices.id, { onDelete: "set null" }),
    number: text("number").notNull(),
    state: invoiceState("state").notNull().default("draft"),
    total: numeric("total", { precision: 12, scale: 2 }).notNull().default("0.00"),
    currency: currency(),
    due: date("due"),
  },
  (t) => [unique("invoices_number").on(t.organizationId, t.number)],
);

export const invoiceLines = pgTable("invoice_lines", {
  id: id(),
  invoiceId: text("invoice_id")
    .notNull()
    .references(() => invoices.id, { onDelete: "cascade" }),
  priceId: text("price_id").references(() => prices.id, { onDelete: "no action" }),
  text: text("text").notNull(),
  quantity: integer("quantity").notNull().default(1),
  amount: numeric("amount", { precision: 12, scale: 2 }).notNull(),
});

/** All key: which taxes a line bears. */
export const lineTaxes = pgTable(
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

export const payments = pgTable("payments", {
  id: id(),
  invoiceId: text("invoice_id")
    .notNull()
    .references(() => invoices.id),
  paymentMethodId: text("payment_method_id").references(() => paymentMethods.id, { onDelete: "set null" }),
  reference: text("reference").unique(),
  amount: numeric("amount", { precision: 12, scale: 2 }).notNull(),
  paidAt: moment("paid_at"),
  fee: numeric("fee", { mode: "number" }),
});

export const refunds = pgTable("refunds", {
  id: id(),
  paymentId: text("payment_id")
    .notNull()
    .references(() => payments.id, { onDelete: "restrict" }),
  amount: numeric("amount", { precision: 12, scale: 2 }).notNull(),
  reason: text("reason", { enum: ["duplicate", "fraud", "asked"] }),
  by: uuid("by").references(() => users.id, { onDelete: "set null" }),
});

export const credits = pgTable("credits", {
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
