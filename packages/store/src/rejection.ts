// Changes that were rejected, the same in every dialect: ours by a peer, or a peer's here. They stand in `_grove_parked`.
import { FIELD_PARTS, headOf, type Json, type Outcome, type RowChange } from "@grove-crdt/core";

/** A change that was refused for good: ours by a peer, or a peer's here. It is kept until `node.revert` or `node.retry` settles it. */
export interface Rejection {
  /** For `node.revert` and `node.retry`. Another one once the row was sent and rejected again. */
  readonly id: number;
  /** The peer's node id; of what was set aside when this node rejoined (code `struck_off`) its own. */
  readonly peer: string;
  /** We sent it and the peer rejected it; else the peer sent it and it was rejected here. */
  readonly sent: boolean;
  readonly table: string;
  readonly pk: readonly Json[];
  /** The columns that were rejected; null = the whole change. */
  readonly fields: readonly string[] | null;
  readonly code: string;
  readonly message: string;
  /** Microseconds since 1970. */
  readonly at: number;
}

/** With the change itself: of a part, that part. */
export interface RejectedChange extends Rejection {
  readonly change: RowChange;
}

/** What is kept of a rejected change, as text. */
export function rejectionText(change: RowChange, { fields }: Outcome): string {
  if (!fields) return JSON.stringify({ change });
  const kept: Record<string, object> = {};
  for (const type of FIELD_PARTS) {
    const some = Object.entries(change[type] ?? {}).filter(([name]) => fields.includes(name));
    if (some.length > 0) kept[type] = Object.fromEntries(some);
  }
  return JSON.stringify({ fields, change: { ...headOf(change), ...kept } });
}

export const REJECTION_COLUMNS = "id, peer, sent, tbl, pk, code, message, change, at";

/** A row of {@link REJECTION_COLUMNS}; a driver may give integers as text. */
export function rowToRejection(row: readonly unknown[]): RejectedChange {
  const [id, peer, sent, table, pk, code, message, text, at] = row;
  const { fields = null, change } = JSON.parse(text as string) as {
    readonly fields?: readonly string[];
    readonly change: RowChange;
  };
  return {
    id: Number(id),
    peer: peer as string,
    sent: Number(sent) === 1,
    table: table as string,
    pk: JSON.parse(pk as string) as Json[],
    fields,
    code: code as string,
    message: message as string,
    at: Number(at),
    change,
  };
}
