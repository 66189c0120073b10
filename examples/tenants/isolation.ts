// TenantIsolation: nothing of another tenant comes in or goes out, by the names of the tables. Copy it.
import type { ChangeRecord, HookContext, Registry, SyncHook } from "grove-crdt";

/** The whole name of the tenant, so that `acme` sees nothing of a tenant `acme2`; none has an underscore in its name. */
const tenantOf = (table: string): string | undefined => /^tenant_([^_]+)_/.exec(table)?.[1];

/** On a tenant's own node `new TenantIsolation("acme")`; on a router the tenant is what its principal says. */
export class TenantIsolation<Principal = unknown> implements SyncHook<Registry, Principal> {
  readonly #mine: (principal: Principal | undefined) => string | undefined;

  constructor(tenant: string | ((principal: Principal) => string)) {
    if (typeof tenant === "string") this.#mine = () => tenant;
    else this.#mine = (principal) => (principal === undefined ? undefined : tenant(principal));
  }

  beforeInboundChange<C extends ChangeRecord>(change: C, { principal }: HookContext<Principal>): C | null {
    return tenantOf(change.table) === this.#mine(principal) ? change : null;
  }

  beforeOutboundRead<C extends ChangeRecord>(changes: readonly C[], { principal }: HookContext<Principal>): C[] {
    const mine = this.#mine(principal);
    return changes.filter(({ table }) => tenantOf(table) === mine);
  }
}
