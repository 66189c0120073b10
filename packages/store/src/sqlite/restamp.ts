// Restamping on SQLite: every row of the shadow is read, and written where a stamp of it is false.
import { FalseStamps, restampRow, type Suspicion } from "@grove-crdt/core";
import { allRows } from "./all-rows";
import { applyShadow } from "./apply";
import type { Session } from "./session";
import type { Table } from "./table";

/** The log must be empty. @returns how many rows have other stamps now */
export function restamp(session: Session, tables: readonly Table[], suspicion: Suspicion): number {
  const last = session.seq;
  const stamps = new FalseStamps(suspicion);
  for (const table of tables) for (const { row } of allRows(session, table, last)) stamps.note(row);
  const mended = stamps.mend();
  if (!mended) return 0;
  const { read, latest } = mended;
  let count = 0;
  for (const table of tables)
    for (const { key, row } of allRows(session, table, last)) {
      const changes = restampRow(row, read, session.next);
      if (!changes) continue;
      applyShadow(session, table, key, changes);
      session.take();
      count++;
    }
  session.clock = latest;
  // What the false stamps overruled here was not kept, and may be later than what they are now: all that peers have must come
  // again, both from whom we ask and from who comes to us. To them the database has another history from here on.
  session.statements.run("UPDATE _grove_peers SET pull_cursor = NULL");
  session.statements.run("DELETE FROM _grove_incarnations");
  session.renew();
  void session.incarnation;
  return count;
}
