// What rows were told of columns that the schema did not have yet is merged once it has them, the same in every dialect.
import { GroveError, type Outcome, type RowChange, type WaitingRow } from "@grove-crdt/core";

export interface WaitingStore {
  /** The next rows after a number; none at the end. */
  read(after: number): Promise<readonly WaitingRow[]>;
  merge(rows: readonly RowChange[]): Promise<readonly Outcome[]>;
  forget(cells: readonly number[]): Promise<void>;
}

/** The change once for each of its columns: one bad value holds back no other. */
const byField = ({ table, pk, cl, life, ...parts }: RowChange): [field: string, change: RowChange][] =>
  Object.entries(parts).flatMap(([type, fields]) =>
    Object.entries(fields as object).map(([name, part]): [string, RowChange] => [
      name,
      { table, pk, cl, life, [type]: { [name]: part as unknown } } as RowChange,
    ]),
  );

/**
 * A row is merged before its cells are forgotten: what is interrupted begins anew, and counts nothing twice. What the column
 * cannot be given stays where it is.
 *
 * @throws GroveError `clock_drift` while this node's clock is behind what it was told
 */
export async function mergeWaiting(table: string, { read, merge, forget }: WaitingStore): Promise<void> {
  for (let after = -1; ; ) {
    const rows = await read(after);
    if (rows.length === 0) return;
    const outcomes = await merge(rows.map(({ change }) => change));
    const done: number[] = [];
    for (const [n, { change, cells }] of rows.entries()) {
      const outcome = outcomes[n] as Outcome;
      if (outcome.outcome === "refused") {
        const message = `${outcome.message} What waits for new columns of ${table} is merged when it is: adopt again then.`;
        throw new GroveError("clock_drift", message, { details: { table } });
      }
      const left = new Map(cells);
      if (outcome.outcome === "rejected")
        for (const [field, part] of byField(change))
          if ((await merge([part]))[0]?.outcome === "rejected") left.delete(field);
      for (const ids of left.values()) done.push(...ids);
    }
    await forget(done);
    after = (rows.at(-1) as WaitingRow).id;
  }
}
