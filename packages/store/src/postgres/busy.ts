// Changes whose rows another transaction held, in `_grove_parked` under the peer's id with the code `busy`: they are merged
// when the rows are free.
import type { Access, Json, Refusal, RowChange } from "@grove-crdt/core";
import type { PostgresTransaction } from "./driver";
import type { Session } from "./session";
import { numbers, toParams } from "./sql";

/** A change that waits, with what its sender may change: it is asked again when the row is free. */
interface Waiting {
  readonly change: RowChange;
  /** It waited for its columns before. */
  readonly waited?: true;
  readonly access?: { readonly view: readonly [fields: string[] | null, where: Json]; readonly mayRelay: boolean };
}

/** How the changes are to be merged. */
interface Manner {
  readonly access: Access | undefined;
  readonly waited?: boolean;
}

function toWaiting(change: RowChange, { access, waited }: Manner): Waiting {
  if (!access) return { change, ...(waited && { waited }) };
  const { fields, where } = access.view.get(change.table) ?? {};
  return { change, access: { view: [fields ? [...fields] : null, where ?? null], mayRelay: access.mayRelay } };
}

function accessOf({ change: { table }, access }: Waiting): Access | undefined {
  if (!access) return undefined;
  const [fields, where] = access.view;
  const view = {
    ...(fields && { fields: new Set(fields) }),
    ...(where !== null && { where: where as Record<string, Json> }),
  };
  return { tables: new Set([table]), view: new Map([[table, view]]), mayRelay: access.mayRelay };
}

/** Keeps changes whose rows another transaction holds. */
export async function keepBusy(
  session: Session,
  peer: string,
  changes: readonly RowChange[],
  manner: Manner,
): Promise<void> {
  if (changes.length === 0) return;
  await session.rows(
    `INSERT INTO public._grove_parked (peer, tbl, pk, code, message, change, at)
SELECT $1::text, v.tbl, v.pk, $2::text, $3::text, v.change, $4::text::bigint FROM unnest($5::text::text[], $6::text::text[], $7::text::text[]) AS v(tbl, pk, change)`,
    [
      peer,
      BUSY.code,
      BUSY.message,
      String(session.now),
      ...toParams(
        3,
        changes.map((change) => [change.table, JSON.stringify(change.pk), JSON.stringify(toWaiting(change, manner))]),
      ),
    ],
  );
}

export const BUSY: Refusal = {
  code: "busy",
  message: "Another transaction holds the row. The change is kept here and merged when the row is free.",
};

/** Changes that wait for their rows, of one peer and to be merged alike. */
export interface BusyChanges extends Manner {
  readonly peer: string;
  readonly ids: number[];
  readonly changes: RowChange[];
}

/** The oldest changes that wait for a row; those of one peer in the order in which they came. */
export async function readBusy(tx: PostgresTransaction, limit: number): Promise<BusyChanges[]> {
  const rows = await tx.rows(
    "SELECT id, peer, change FROM public._grove_parked WHERE code = 'busy' AND peer IS NOT NULL ORDER BY id LIMIT $1::text::integer",
    [String(limit)],
  );
  const groups = new Map<string, BusyChanges>();
  for (const [id, peer, text] of rows) {
    const waiting = JSON.parse(text as string) as Waiting;
    const { waited } = waiting;
    const name = JSON.stringify([peer, waited, waiting.access && [waiting.change.table, waiting.access]]);
    const group = groups.get(name) ?? { peer: peer as string, access: accessOf(waiting), waited, ids: [], changes: [] };
    groups.set(name, group);
    group.ids.push(Number(id));
    group.changes.push(waiting.change);
  }
  return [...groups.values()];
}

/** Takes waiting changes off the list; another process may have taken some: returns the ids that this one took. */
export async function forgetBusy(session: Session, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await session.rows(
    "DELETE FROM public._grove_parked WHERE id IN (SELECT unnest($1::text::bigint[])) RETURNING id",
    [numbers(ids)],
  );
  return new Set(rows.map(([id]) => Number(id)));
}
