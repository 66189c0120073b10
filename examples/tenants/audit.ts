// AuditLogger: a line for every change that was merged or goes out, without its value. Copy it.
import type { ChangeRecord, HookContext, SyncHook } from "grove-crdt";

export interface AuditLine {
  readonly what: "inbound change merged" | "outbound change";
  readonly table: string;
  readonly pk: ChangeRecord["pk"];
  readonly field: string;
  readonly type: string;
  /** The node that wrote it, and the one at the other end. */
  readonly nodeId: string;
  readonly peer: string;
}

export class AuditLogger implements SyncHook {
  constructor(private readonly log: (line: AuditLine) => void) {}

  afterInboundChange(change: ChangeRecord, { peer }: HookContext): void {
    this.#note("inbound change merged", change, peer);
  }

  // The last hook outbound sees what really goes: put it behind those that filter.
  beforeOutboundChange<C extends ChangeRecord>(change: C, { peer }: HookContext): C {
    this.#note("outbound change", change, peer);
    return change;
  }

  #note(what: AuditLine["what"], { table, pk, field, type, nodeId }: ChangeRecord, peer: string): void {
    this.log({ what, table, pk, field, type, nodeId, peer });
  }
}
