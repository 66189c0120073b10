// Type tests of hooks, checked by `npm run typecheck`. Each @ts-expect-error says why it must not compile.
import type { WireCounter, WireElement } from "@grove-crdt/core";
import { type ChangeRecord, createNode, type GroveNode, type HookContext, type SyncHook, syncRouter } from "grove-crdt";
import { expectTypeOf } from "vitest";
import { registry } from "../../../generated/sqlite";

declare const db: { readonly $client: never };
type Shop = typeof registry;

// The change is narrowed by `table` and `field`, to the registry's own.
const node = createNode({
  db,
  registry,
  hooks: [
    {
      tables: ["documents", "orders"],
      beforeInboundChange: (change, context) => {
        expectTypeOf(change.table).toEqualTypeOf<"documents" | "orders" | "inventory" | "plans">();
        expectTypeOf(context.principal).toBeUnknown();
        expectTypeOf(context.peer).toEqualTypeOf<string>();
        expectTypeOf(context.request).toEqualTypeOf<Request | undefined>();
        expectTypeOf(context.decode(change)).toEqualTypeOf<Record<string, unknown>>();
        if (change.table === "documents") {
          expectTypeOf(change.field).toEqualTypeOf<"title" | "body" | "view_count" | "tags" | "">();
          if (change.field === "title") {
            expectTypeOf(change.type).toEqualTypeOf<"lww">();
            expectTypeOf(change.value).toEqualTypeOf<string>();
            return { ...change, value: change.value.trim() };
          }
          if (change.field === "view_count") expectTypeOf(change.counter).toEqualTypeOf<WireCounter>();
          if (change.field === "tags") expectTypeOf(change.set).toExtend<readonly WireElement[]>();
          if (change.field === "") expectTypeOf(change.tombstone).toEqualTypeOf<true | undefined>();
        }
        if (change.table === "orders" && change.field === "note")
          expectTypeOf(change.value).toEqualTypeOf<string | null>();
        return change.table === "inventory" ? null : change;
      },
      beforeOutboundRead: (changes) => changes.filter(({ table }) => table !== "inventory"),
      beforeOutboundChange: async (change) => change,
      afterInboundChange: async ({ pk, hlc, nodeId }) => {
        expectTypeOf({ hlc, nodeId }).toEqualTypeOf<{ hlc: number; nodeId: string }>();
        expectTypeOf(pk).toExtend<readonly unknown[]>();
      },
    },
  ],
});
expectTypeOf(node).toEqualTypeOf<GroveNode<Shop>>();

// @ts-expect-error there is no such table
createNode({ db, registry, hooks: [{ tables: ["document"] }] });
// @ts-expect-error a title is a text
createNode({ db, registry, hooks: [{ beforeInboundChange: (c) => (c.field === "title" ? { ...c, value: 5 } : c) }] });
// @ts-expect-error a hook returns a change, or null
createNode({ db, registry, hooks: [{ beforeInboundChange: () => undefined }] });
// @ts-expect-error a hook that forgets to return
createNode({ db, registry, hooks: [{ beforeOutboundChange: () => {} }] });
// @ts-expect-error all that may go out, not one of them
createNode({ db, registry, hooks: [{ beforeOutboundRead: (changes) => changes[0] }] });
const into: SyncHook<Shop> = {
  beforeInboundChange: (change) => {
    // @ts-expect-error a change is not written into
    change.table = "orders";
    return change;
  },
};

// The principal is what `authenticate` returns, wherever it comes up.
interface User {
  readonly id: string;
  readonly tenant: string;
}
declare const users: ReadonlyMap<string, User>;
syncRouter(node, {
  authenticate: (c) => users.get(c.req.header("authorization") ?? "") ?? null,
  mayRelay: (user) => {
    expectTypeOf(user).toEqualTypeOf<User>();
    return false;
  },
  tables: (user) => (user.tenant === "" ? [] : ["documents"]),
  scope: {
    inventory: (user) => {
      expectTypeOf(user).toEqualTypeOf<User>();
      return { store: user.tenant };
    },
  },
  fields: { documents: (user) => (user.tenant === "" ? ["title", "viewCount"] : null) },
  hooks: [
    into,
    {
      tables: ["documents"],
      beforeOutboundChange: (change, { principal }) => {
        expectTypeOf(principal).toEqualTypeOf<User | undefined>();
        return change.field === "body" && principal?.tenant !== "acme" ? null : change;
      },
    },
  ],
});
syncRouter(node, {
  authenticate: async () => users.get("one") ?? null,
  hooks: [
    {
      afterInboundChange: (_, { principal }) => {
        expectTypeOf(principal).toEqualTypeOf<User | undefined>();
      },
    },
  ],
});

const authenticate = () => users.get("one") ?? null;
// @ts-expect-error there is no such table
syncRouter(node, { authenticate, hooks: [{ tables: ["document"] }] });
// @ts-expect-error there is no such table
syncRouter(node, { authenticate, scope: { document: () => null } });
// @ts-expect-error the property of a table, not the column's name or another's
syncRouter(node, { authenticate, scope: { inventory: () => ({ shop: "s" }) } });
// @ts-expect-error the column is view_count, the property viewCount
syncRouter(node, { authenticate, fields: { documents: () => ["view_count"] } });
// @ts-expect-error no user has a rank
syncRouter(node, { authenticate, mayRelay: (user) => user.rank > 1 });
// @ts-expect-error the principal of a hook is that of the router
syncRouter(node, { authenticate, hooks: [{ afterInboundChange: (_, { principal }) => void principal?.rank }] });
const forOthers: SyncHook<Shop, { readonly rank: number }> = { afterInboundChange: () => {} };
// @ts-expect-error a hook for other principals
syncRouter(node, { authenticate, hooks: [forOthers] });

// A class that serves any registry says so with its methods' types.
class Anywhere implements SyncHook {
  beforeInboundChange<C extends ChangeRecord>(change: C, { peer }: HookContext): C | null {
    return peer === "" ? null : change;
  }
  afterInboundChange({ table }: ChangeRecord): void {
    void table;
  }
  beforeOutboundRead<C extends ChangeRecord>(changes: readonly C[]): C[] {
    return changes.filter(({ pk }) => pk.length === 1);
  }
}
createNode({ db, registry, hooks: [new Anywhere()] });
syncRouter(node, { authenticate, hooks: [new Anywhere()] });
class Wide implements SyncHook {
  beforeOutboundChange(change: ChangeRecord): ChangeRecord | null {
    return change;
  }
}
// @ts-expect-error what it returns might be a change of any table: a value of the wrong type would go unseen
createNode({ db, registry, hooks: [new Wide()] });
