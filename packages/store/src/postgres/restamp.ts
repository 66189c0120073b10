// Restamping on Postgres: every row of the shadow is read, and written where a stamp of it is false.
import { FalseStamps, restampRow, type Suspicion } from "@grove-crdt/core";
import { allRows } from "./all-rows";
import type { Session } from "./session";
import { ShadowWrites } from "./shadow-writes";
import type { Table } from "./table";

/** The log must be empty. @returns how many rows have other stamps now */
export async function restamp(session: Session, tables: readonly Table[], suspicion: Suspicion): Promise<number> {
  const last = session.seq;
  const stamps = new FalseStamps(suspicion);
  for (const table of tables)
    for await (const rows of allRows(session, table, last)) for (const { row } of rows) stamps.note(row);
  const mended = stamps.mend();
  if (!mended) return 0;
  const { read, latest } = mended;
  let count = 0;
  for (const table of tables)
    for await (const rows of allRows(session, table, last)) {
      const writes = new ShadowWrites(session, table);
      for (const { key, row } of rows) {
        const changes = restampRow(row, read, session.next);
        if (!changes) continue;
        writes.add(key, changes);
        session.take();
        count++;
      }
      await writes.flush();
    }
  session.clock = latest;
  // What the false stamps overruled here was not kept, and may be later than what they are now: all that peers have must come
  // again, both from whom we ask and from who comes to us. To them the database has another history from here on.
  await session.flush();
  await session.rows("UPDATE public._grove_peers SET pull_cursor = NULL");
  await session.rows("DELETE FROM public._grove_incarnations");
  session.renew();
  void session.incarnation;
  return count;
}
