// What became of an exchange with one peer, in numbers.
import { GroveError, type Outcome } from "@grove-crdt/core";

/** What became of an exchange with one peer. */
export interface PeerReport {
  /** The peer's node id; null while it was never reached. */
  peer: string | null;
  url: string;
  /** Rows received and rows sent. */
  pulled: number;
  pushed: number;
  /** Adopted rows of which both sides hold the same: told by their sums, without values. */
  agreed: number;
  /** Outcomes of both directions together. */
  applied: number;
  superseded: number;
  parked: number;
  rejected: number;
  /** Not taken now, sent again later: a stamp beyond the clock drift bound. */
  refused: number;
  error: GroveError | null;
}

export const emptyReport = (url: string): PeerReport => ({
  peer: null,
  url,
  pulled: 0,
  pushed: 0,
  agreed: 0,
  applied: 0,
  superseded: 0,
  parked: 0,
  rejected: 0,
  refused: 0,
  error: null,
});

export function count(report: PeerReport, outcomes: readonly Outcome[]): void {
  for (const { outcome } of outcomes) report[outcome]++;
}

/** The first refusal; a page that has one is asked for, or sent, again. */
export function firstRefusal(outcomes: readonly Outcome[], url: string): GroveError | null {
  const refused = outcomes.find(({ outcome }) => outcome === "refused");
  return refused ? new GroveError("clock_drift", `${url}: ${refused.message}`) : null;
}
