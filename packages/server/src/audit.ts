// Audit: a line for each push that was refused, as a whole or in part: who, when, why; never the values.
import type { RefusedRow } from "@grove-crdt/sync";

/** A push that was refused, in whole or in part: who sent it, and what of it. */
export interface AuditEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly event: "push_refused";
  /** The principal's id; null for nobody. */
  readonly principal: string | null;
  /** The node id that the request named; null where it named none. */
  readonly node: string | null;
  /** The code of the refusal; `rejected` where the request was answered and some of its rows were not taken. */
  readonly code: string;
  /** How many rows were refused, of an answered request. */
  readonly count?: number;
  /** The first of them. */
  readonly rows?: readonly RefusedRow[];
}

/** Receives a line for each push that was refused, in whole or in part. */
export type Audit = (event: AuditEvent) => void;

/** Rows that a line names. */
const ROWS = 20;

/** One line of JSON each. */
export const printAudit: Audit = (event) => console.warn(`grove-crdt audit ${JSON.stringify(event)}`);

export const refusedPush = (principal: string | null, node: string | null, code: string): AuditEvent => ({
  at: new Date().toISOString(),
  event: "push_refused",
  principal,
  node,
  code,
});

export const refusedRows = (
  principal: string | null,
  node: string | null,
  refused: readonly RefusedRow[],
): AuditEvent => ({ ...refusedPush(principal, node, "rejected"), count: refused.length, rows: refused.slice(0, ROWS) });
