// What two nodes have in common: rows and metadata in canonical values, so that a SQLite node compares with a Postgres one.
import { type Cursor, canonicalize, type Json, type RowChange, sortedState } from "@grove-crdt/core";
import type { Served } from "@grove-crdt/store";
import { expect } from "vitest";
import type { SyncingNode } from "./node";

/** A row's whole state as text: what has no order of its own is sorted. */
export function stateText(change: RowChange): string {
  const { counter = {}, set = {}, list = {}, document = {}, ...row } = sortedState(change);
  return canonicalize({ ...row, counter, set, list, document } as unknown as Json);
}

/** Every row with all that is known about it, tombstones included: what a new peer would be served. */
export async function everything({ node }: SyncingNode): Promise<RowChange[]> {
  const rows: RowChange[] = [];
  let cursor: Cursor | null = null;
  for (let more = true; more; ) {
    const query = { cursor, tables: node.tables, peer: "observer", rows: 1e9, bytes: 1e15 };
    const page: Served = await node.store.serve(query);
    rows.push(...page.rows);
    ({ cursor, more } = page);
  }
  return rows;
}

/** The merge state of every row by table and key. */
export async function metadata(node: SyncingNode): Promise<Record<string, string>> {
  const rows = await everything(node);
  const entries = rows.map((row) => [`${row.table} ${canonicalize(row.pk as Json)}`, stateText(row)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The replicated columns of every row as the wire would carry them, by table. */
export async function contents({ node, registry, database }: SyncingNode): Promise<Record<string, string[]>> {
  const contents: Record<string, string[]> = {};
  for (const model of registry.tables) {
    if (node.tables.includes(model.name)) contents[model.name] = await database.contents(model);
  }
  return contents;
}

/** Everything in the node's database as text, our own tables included; equal before and after = nothing changed. */
export const dump = (node: SyncingNode, leaveOut?: readonly string[]): Promise<string> => node.database.dump(leaveOut);

/** Rows and metadata of all nodes are equal, whatever their dialects. */
export async function expectEqual(...nodes: readonly SyncingNode[]): Promise<void> {
  const [first, ...others] = nodes as [SyncingNode, ...SyncingNode[]];
  const rows = await contents(first);
  const state = await metadata(first);
  for (const other of others) {
    expect(await contents(other), `rows of ${other.id} and ${first.id}`).toEqual(rows);
    expect(await metadata(other), `metadata of ${other.id} and ${first.id}`).toEqual(state);
  }
}
