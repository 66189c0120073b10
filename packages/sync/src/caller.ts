// Caller: who asks a node for changes or brings them, and what it may see and do. The router makes one of each request; a
// program that calls `node.pull` and `node.push` itself may leave it out, and then everything is allowed.
import type { Access, RowChange } from "@grove-crdt/core";
import type { AnyHook } from "./hook";

export interface ValueLimits {
  /** Bytes of one value as JSON text. */
  readonly value: number;
  /** Levels that a value is nested. */
  readonly depth: number;
}

export interface Caller {
  readonly principal: unknown;
  /** Names the principal for good, so that a node id stays its own; null = callers are not told apart. */
  readonly id: string | null;
  readonly request?: Request;
  /** Absent = everything. */
  readonly access?: Access;
  /** The router's own hooks. */
  readonly hooks?: readonly AnyHook[];
  readonly limits?: ValueLimits;
  /** Called with what a push brought and was not allowed. */
  readonly onRefused?: (refused: readonly RefusedRow[]) => void;
}

/** For an audit: what was refused, without its values. */
export interface RefusedRow {
  readonly table: string;
  readonly pk: RowChange["pk"];
  readonly code: string;
  readonly fields?: readonly string[];
}

export const NOBODY: Caller = { principal: undefined, id: null };
