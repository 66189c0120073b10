// The three products, and how each goes through `generate`.
import * as accounts from "./billing/postgres/accounts";
import * as money from "./billing/postgres/money";
import * as localAccounts from "./billing/sqlite/accounts";
import * as localMoney from "./billing/sqlite/money";
import * as saving from "./bookmarks/postgres/saving";
import * as sorting from "./bookmarks/postgres/sorting";
import * as localSaving from "./bookmarks/sqlite/saving";
import * as localSorting from "./bookmarks/sqlite/sorting";
import * as places from "./deploy/postgres/places";
import * as things from "./deploy/postgres/things";
import * as localPlaces from "./deploy/sqlite/places";
import * as localThings from "./deploy/sqlite/things";
import type { Casing } from "./product";

export interface Product {
  readonly name: string;
  readonly casing: Casing;
  /** Which tables take part though nothing in them is annotated. */
  readonly tables: "all" | readonly string[];
  readonly history?: object;
  readonly postgres: Readonly<Record<string, unknown>>;
  readonly sqlite: Readonly<Record<string, unknown>>;
}
export const products: readonly Product[] = [
  {
    name: "billing",
    casing: undefined,
    tables: "all",
    history: { audit_log: true, invoices: { depth: 5 } },
    postgres: { ...accounts, ...money },
    sqlite: { ...localAccounts, ...localMoney },
  },
  {
    name: "bookmarks",
    casing: "snake_case",
    tables: ["read_next"],
    postgres: { ...saving, ...sorting },
    sqlite: { ...localSaving, ...localSorting },
  },
  {
    name: "deploy",
    casing: undefined,
    tables: ["server_provider", "notified"],
    postgres: { ...places, ...things },
    sqlite: { ...localPlaces, ...localThings },
  },
];
