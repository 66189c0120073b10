// For tests of hooks: nodes whose router tells callers apart, and rows as somebody else's node would push them.
import type { ChangeRecord, Json, RowChange, SyncHook } from "grove-crdt";
import { authenticate } from "./callers";
import type { Suite } from "./dialects";
import type { NodeSettings, RouterSettings, TestNode } from "./node";

export interface Hooked extends NodeSettings {
  /** The router's. */
  readonly routerHooks?: readonly SyncHook[];
  /** Everything that `onHookError` was given. */
  readonly errors?: unknown[];
}

/** A node with hooks of its own and of its router; whoever calls may relay. */
export const openHooked = (
  { openNode }: Suite,
  id: string,
  { routerHooks = [], errors = [], ...settings }: Hooked = {},
): Promise<TestNode> =>
  openNode(id, {
    hookTimeout: 50,
    onHookError: (error) => errors.push(error),
    ...settings,
    router: {
      ...settings.router,
      authenticate: authenticate as never,
      mayRelay: () => true,
      hooks: routerHooks,
    } as RouterSettings,
  });

/** A document as the node `n-x` wrote it: see {@link x}. */
export const documentOf = (
  id: string,
  hlc: number,
  { title = id, body = "", ...rest }: { readonly title?: string; readonly body?: string } & Partial<RowChange> = {},
): RowChange => ({
  table: "documents",
  pk: [id],
  cl: 1,
  life: [hlc, "n-x"],
  lww: { title: [title], body: [body] },
  counter: { view_count: { birth: ["0", hlc, "n-x"] } },
  set: { tags: [] },
  ...rest,
});
/** Who pushes it. */
export const x = { id: "x" };

/** A change with another value, if it is an LWW column's. */
export const withValue = (change: ChangeRecord, value: (old: Json | undefined) => Json): ChangeRecord =>
  change.type === "lww" ? { ...change, value: value(change.value) } : change;
