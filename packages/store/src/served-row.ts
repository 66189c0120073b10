// One row on its way into a page, the same in every dialect: what of it the reader gets, whole or in part, or its sum.
import {
  adoptedSum,
  changesForSenders,
  hasEntered,
  isInView,
  type Json,
  type Row,
  type RowChange,
  rowToChange,
  type TableModel,
} from "@grove-crdt/core";
import type { ServeQuery } from "./store";

export interface ServedRow {
  readonly seq: number;
  readonly change: RowChange | null;
  /** Stands for the change where it says only what this node adopted. */
  readonly sum: string | null;
  /** For many readers: what goes to those who sent a part of the row. */
  readonly senders: ReadonlyMap<string, RowChange | null>;
}

const NOBODY: ReadonlyMap<string, RowChange | null> = new Map();

export interface RowToServe {
  readonly pk: readonly Json[];
  /** With the entries above the floor, or with all of them where it is served whole. */
  readonly row: Row;
  /** Canonical values of the base row, where it shows. */
  readonly values: Readonly<Record<string, Json>>;
  /** The reader may lack parts of it that it was sent before. */
  readonly whole: boolean;
}

/** @returns `whole` for a row that has to be read with all its entries first */
export function serveRow(
  model: TableModel,
  { pk, row, values, whole }: RowToServe,
  { floor, exclude }: { readonly floor: number; readonly exclude: string | null },
  { peer, sums = false, view: views }: ServeQuery,
): ServedRow | "whole" {
  const view = views?.get(model.name);
  const nothing = { seq: row.seq, change: null, sum: null, senders: NOBODY };
  if (!isInView(model, view, pk, row, values)) return nothing;
  if (!whole && hasEntered(model, view, row, floor)) return "whole";
  const fields = view?.fields;
  const options = whole ? { floor: 0, exclude: null, fields } : { floor, exclude, fields };
  const change = rowToChange(model, pk, row, values, options);
  const senders = peer === null ? changesForSenders(model, pk, row, values, options) : NOBODY;
  // A sum is of all columns.
  const asSum = sums && !fields && !whole && change !== null && row.born > floor;
  return { seq: row.seq, change, sum: asSum ? adoptedSum(model, pk, row, values) : null, senders };
}
