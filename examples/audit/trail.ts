// AuditTrail: lines in the node's own database about what peers bring, before it is merged, after it, and when it is refused. Copy
// it. What became of the table is told by triggers (migrations/0001_trail.sql), in the transaction that changed it.
import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import type { Audit, ChangeRecord, HookContext, Registry, SyncHook } from "grove-crdt";
import { trail } from "./schema";

type Line = Omit<typeof trail.$inferInsert, "id" | "at">;

export class AuditTrail<Principal extends { readonly id: string }> implements SyncHook<Registry, Principal> {
  constructor(private readonly db: BetterSQLite3Database) {}

  /** It is committed before the change can be merged: a merge without this line does not happen. */
  beforeInboundChange<C extends ChangeRecord>(change: C, context: HookContext<Principal>): C {
    this.#write({ what: "offered", ...lineOf(change, context) });
    return change;
  }

  /** After the commit: a process that dies in between leaves this line out, and nobody calls again. */
  afterInboundChange(change: ChangeRecord, context: HookContext<Principal>): void {
    this.#write({ what: "merged", ...lineOf(change, context) });
  }

  /** For `onAudit`: of a push that was refused, or of rows of it. */
  readonly refused: Audit = ({ principal, code, rows = [] }) => {
    for (const row of rows) this.#write({ what: "refused", pk: String(row.pk[0]), principal, note: row.code });
    if (rows.length === 0) this.#write({ what: "refused", principal, note: code });
  };

  #write(line: Line): void {
    this.db
      .insert(trail)
      .values({ at: new Date(), ...line })
      .onConflictDoNothing()
      .run();
  }
}

function lineOf<Principal extends { readonly id: string }>(
  { pk, field, nodeId, hlc, type, value, counter, set, list, document, tombstone }: ChangeRecord,
  { principal }: HookContext<Principal>,
): Omit<Line, "what"> {
  const after = tombstone ? "deleted" : type === "row" ? "inserted" : (value ?? counter ?? set ?? list ?? document);
  return { pk: String(pk[0]), field, node: nodeId, hlc, principal: principal?.id ?? null, after };
}
