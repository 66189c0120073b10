// What happens in a node's tables, by whomever it was written, as it becomes known: for a page that redraws.
import { type Cursor, crdtTypes, type Json, RESERVED_NODE, type RowChange, type TableModel } from "@grove-crdt/core";
import type { Store } from "@grove-crdt/store";
import { Wakeup } from "./wakeup";
import type { Watcher } from "./watcher";

/** A row of which something was written. */
export interface TableEvent {
  readonly table: string;
  /** The key, in canonical values, in the order of the key's columns. */
  readonly pk: readonly Json[];
  /** Names of the columns that were written; of a row that was inserted all, of one that was deleted none. */
  readonly fields: readonly string[];
  /** The node that wrote: this one's own id for local writes; empty for a row from before its node's capture. */
  readonly origin: string;
  /** The row is gone. */
  readonly deleted: boolean;
}

/** Which changes to be told of, and for how long. */
export interface ChangesOptions {
  /** Names of the tables; omitted = all of the node's. */
  readonly tables?: readonly string[];
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** Longest wait between two looks at the database, in milliseconds. */
const IDLE = 1_000;
const PAGE = { rows: 500, bytes: 1024 * 1024 };

/** One event for each origin: who wrote which fields of the row since the last look. */
function eventsOf(change: RowChange, model: TableModel | undefined): TableEvent[] {
  const { table, pk, cl, life } = change;
  if (cl % 2 === 0) return [{ table, pk, fields: [], origin: life[1], deleted: true }];
  const byOrigin = new Map<string, Set<string>>();
  const add = (node: string, field: string) => {
    // What stands for a default was written by whoever wrote the row.
    const origin = node === RESERVED_NODE ? life[1] : node;
    const fields = byOrigin.get(origin) ?? new Set();
    byOrigin.set(origin, fields.add(field));
  };
  for (const [field, [, , node = life[1]]] of Object.entries(change.lww ?? {})) add(node, field);
  for (const [field, { birth, totals = [] }] of Object.entries(change.counter ?? {})) {
    // What stands for a default becomes explicit when somebody counts: that is no write of its own.
    if (birth && (birth[2] !== RESERVED_NODE || totals.length === 0)) add(birth[2], field);
    for (const [, node] of totals) add(node, field);
  }
  for (const [field, elements] of Object.entries(change.set ?? {})) {
    if (elements.length === 0) add(life[1], field);
    const written = elements.filter(([, , node]) => node !== RESERVED_NODE);
    for (const [, , node] of written.length > 0 ? written : elements) add(node, field);
  }
  for (const type of ["list", "document"] as const) {
    for (const [field, part] of Object.entries(change[type] ?? {})) {
      const entries = crdtTypes[type].decode(part as unknown as Json);
      if (entries.length === 0) add(life[1], field);
      const written = entries.filter(({ node }) => node !== RESERVED_NODE);
      for (const { node } of written.length > 0 ? written : entries) add(node, field);
    }
  }
  const order = new Map(model?.fields.map(({ name }, n) => [name, n]));
  return [...byOrigin].map(([origin, fields]) => ({
    table,
    pk,
    fields: [...fields].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)),
    origin,
    deleted: false,
  }));
}

/**
 * Events from now on. Several writes to a row between two looks are one event; a reader that is slow loses none, they
 * only come together.
 */
export async function* readChanges(
  store: Store,
  watcher: Watcher,
  models: readonly TableModel[],
  start: Cursor,
  signal: AbortSignal,
): AsyncGenerator<TableEvent, void> {
  const { tables } = start;
  const wakeup = new Wakeup();
  let cursor = start;
  const stop = watcher.listen((found) => {
    if (!found || found.pending || found.seq > cursor.last) wakeup.ring();
  }, IDLE);
  try {
    while (!signal.aborted) {
      const served = await store.serve({ cursor, tables, peer: null, ...PAGE });
      cursor = served.cursor;
      for (const change of served.rows) {
        for (const event of eventsOf(
          change,
          models.find(({ name }) => name === change.table),
        )) {
          if (signal.aborted) return;
          yield event;
        }
      }
      if (!served.more) await wakeup.wait(Number.POSITIVE_INFINITY, signal);
    }
  } finally {
    stop();
  }
}
