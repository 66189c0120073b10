// What a projection asks of a store and what it is told: so that any store can run one, and none decides anything.
import type { Json } from "../model";
import type { Row } from "../row";
import type { Values } from "./link";

/** A row as shadow and base table have it. */
export interface Placed {
  readonly table: string;
  readonly pk: readonly Json[];
  readonly row: Row;
  /** What the shadow says, key columns included. */
  readonly values: Values;
  /** What the base table has, key columns included; null when it does not have the row. */
  readonly shown: Values | null;
}

/** A question to the store; each is answered with rows. */
export type Query =
  /** Rows of `table` with these primary keys. */
  | { readonly ask: "rows"; readonly table: string; readonly pks: readonly (readonly Json[])[] }
  /** Rows of `table` of which the base table says that these columns have these values. */
  | {
      readonly ask: "shown";
      readonly table: string;
      readonly columns: readonly string[];
      readonly values: readonly Json[];
      /** So many living ones suffice, and all deleted ones; absent = all. */
      readonly limit?: number;
    }
  /** Rows for which this name is kept. */
  | { readonly ask: "named"; readonly name: string };

/** A row to begin with. */
export interface Touched {
  readonly table: string;
  readonly pk: readonly Json[];
  /** What the base table had, where the row left it or changed in it and the caller knows. */
  readonly before?: Values;
  /** Columns in which the base table may be behind the shadow, besides those of keys and references. */
  readonly stale?: readonly string[];
}
