// Projection on Postgres: after a fold or a merge, the rows that the base table shows are those that core decides.
import { type Parked, readParked } from "./parking";
import type { Session } from "./session";
import type { Table } from "./table";

export async function project(session: Session, table: Table): Promise<ReadonlyMap<string, Parked>> {
  return readParked(session.tx, table);
}
