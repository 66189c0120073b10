// A sync hook: what a program puts in the way of changes that come in or go out, and what it is told of them.
import type { ChangeRecord, Registry, RegistryChange, TableName } from "@grove-crdt/core";

type MaybePromise<T> = T | Promise<T>;

/** Who is at the other end. */
export interface HookContext<Principal = unknown> {
  /** What `authenticate` returned; undefined for what this node's own syncer receives and sends. */
  readonly principal: Principal | undefined;
  /** The node id at the other end. */
  readonly peer: string;
  /** The request that brought the change or asked for it; undefined for this node's own syncer. */
  readonly request: Request | undefined;
  /**
   * The row's key and the changed value as the driver has them, by the property of the Drizzle table; for Drizzle's own type
   * hand a value to `table.column.mapFromDriverValue`. What counters count and sets gain or lose is no value: it stands in
   * the change.
   */
  decode(change: Pick<ChangeRecord, "table" | "pk" | "field" | "value">): Record<string, unknown>;
}

/**
 * Any of four methods. An object or an instance of a class.
 *
 * Changes are the fields of a row, one by one; the row itself comes where it was deleted. A method returns the change that it
 * was given, the same with another `value` (LWW columns only), or null. A GroveError that it throws is told to the peer by code
 * and message, any other error by the code `hook_failed` alone.
 */
export interface SyncHook<R extends Registry = Registry, Principal = unknown> {
  /** Names of the tables that it is for; omitted = all. */
  readonly tables?: readonly TableName<R>[];
  /** Before a change from a peer is merged. Another value counts as written here, just after the change: the peer hears of it. */
  beforeInboundChange?(
    change: RegistryChange<R>,
    context: HookContext<Principal>,
  ): MaybePromise<RegistryChange<R> | null>;
  /** After the change was committed. All run; what they throw changes nothing. */
  afterInboundChange?(change: RegistryChange<R>, context: HookContext<Principal>): MaybePromise<void>;
  /** Before a change goes out. Another value is worth less than the original, wherever the two meet. */
  beforeOutboundChange?(
    change: RegistryChange<R>,
    context: HookContext<Principal>,
  ): MaybePromise<RegistryChange<R> | null>;
  /** All changes of a page that goes out, before `beforeOutboundChange`; returns those that may. */
  beforeOutboundRead?(
    changes: readonly RegistryChange<R>[],
    context: HookContext<Principal>,
  ): MaybePromise<readonly RegistryChange<R>[]>;
}

// biome-ignore lint/suspicious/noExplicitAny: hooks of different principals and registries stand in one list
export type AnyHook = SyncHook<any, any>;
// biome-ignore lint/suspicious/noExplicitAny: the same
export type AnyContext = HookContext<any>;
