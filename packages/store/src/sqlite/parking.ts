// Rows that live in the shadow and that the base table does not show, each with the reason, in `_grove_parked` without a peer.
// What the row had in `local` columns waits here too, since those are in no shadow. For rejected changes, in the same table
// under the peer's id, see rejections.ts.
import type { Json, Refusal } from "@grove-crdt/core";
import type { ParkedRow } from "../store";
import type { Statements } from "./driver";
import type { Session } from "./session";
import { ident } from "./sql";
import type { Table } from "./table";

// Rows with a peer are changes that the peer rejected.
const ONE = "tbl = ? AND pk = ? AND peer IS NULL";

export function isParked(session: Session, table: Table, pk: readonly Json[]): boolean {
  return (
    session.statements.row(`SELECT 1 FROM _grove_parked WHERE ${ONE}`, table.model.name, JSON.stringify(pk)) !==
    undefined
  );
}

export function unpark(session: Session, table: Table, pk: readonly Json[]): void {
  session.statements.run(`DELETE FROM _grove_parked WHERE ${ONE}`, table.model.name, JSON.stringify(pk));
}

/** Parks a row, or gives a parked one another reason. `local` is kept as it was when it is undefined. */
export function park(
  session: Session,
  table: Table,
  pk: readonly Json[],
  { code, message }: Refusal,
  local?: string,
): void {
  const key = [table.model.name, JSON.stringify(pk)] as const;
  const kept = local ?? readParkedLocal(session, table, pk);
  session.statements.run(`DELETE FROM _grove_parked WHERE ${ONE}`, ...key);
  session.statements.run(
    "INSERT INTO _grove_parked (tbl, pk, code, message, change, at) VALUES (?, ?, ?, ?, ?, ?)",
    ...key,
    code,
    message,
    kept,
    session.now,
  );
}

/** Mostly nothing is parked, which one probe tells. */
export const anyParked = (session: Session): boolean =>
  session.statements.row("SELECT 1 FROM _grove_parked WHERE peer IS NULL LIMIT 1") !== undefined;

/** Why a row is parked; null when it is not. */
export function readRefusal(session: Session, table: Table, pk: readonly Json[]): Refusal | null {
  const row = session.statements.row(
    `SELECT code, message FROM _grove_parked WHERE ${ONE}`,
    table.model.name,
    JSON.stringify(pk),
  );
  return row ? { code: row[0] as string, message: row[1] as string } : null;
}

interface ParkedKey {
  readonly table: string;
  readonly pk: readonly Json[];
}

const toKeys = (rows: readonly (readonly unknown[])[]): ParkedKey[] =>
  rows.map(([table, pk]) => ({ table: table as string, pk: JSON.parse(pk as string) as Json[] }));

/** Rows that the database itself does not take: nothing tells when it will, so each projection tries them again. */
export const readRetried = (session: Session): ParkedKey[] =>
  toKeys(
    session.statements.rows(
      "SELECT tbl, pk FROM _grove_parked WHERE peer IS NULL AND code NOT IN ('unique', 'reference') ORDER BY id",
    ),
  );

/** Rows that wait, with the reason, for people to see. */
export function readParked(statements: Statements): ParkedRow[] {
  const rows = statements.rows("SELECT tbl, pk, code, message FROM _grove_parked WHERE peer IS NULL ORDER BY id");
  return rows.map(([table, pk, code, message]) => ({
    table: table as string,
    pk: JSON.parse(pk as string) as Json[],
    code: code as string,
    message: message as string,
  }));
}

export const readAllParked = (session: Session): ParkedKey[] =>
  toKeys(session.statements.rows("SELECT tbl, pk FROM _grove_parked WHERE peer IS NULL ORDER BY id"));

type Local = Record<string, string | number | null | { readonly integer: string } | { readonly bytes: string }>;

/** The row's `local` columns as text; undefined when the table has none. */
export function readLocal(session: Session, table: Table, key: readonly unknown[]): string | undefined {
  const { local, key: columns } = table.model;
  if (local.length === 0) return undefined;
  const where = columns.map(({ name }) => `${ident(name)} = ?`).join(" AND ");
  const raw = session.statements.row(`SELECT ${local.map(ident).join(", ")} FROM ${table.name} WHERE ${where}`, ...key);
  const values: Local = {};
  local.forEach((name, n) => {
    const value = raw?.[n];
    if (typeof value === "bigint") values[name] = { integer: String(value) };
    else if (value instanceof Uint8Array) values[name] = { bytes: Buffer.from(value).toString("base64") };
    else values[name] = (value ?? null) as string | number | null;
  });
  return JSON.stringify(values);
}

function readParkedLocal(session: Session, table: Table, pk: readonly Json[]): string | null {
  const row = session.statements.row(
    `SELECT change FROM _grove_parked WHERE ${ONE}`,
    table.model.name,
    JSON.stringify(pk),
  );
  return (row?.[0] ?? null) as string | null;
}

/** The `local` columns of a row, as they bind: those that {@link readLocal} read, or else the parked row's. */
export function localParams(
  session: Session,
  table: Table,
  pk: readonly Json[],
  local?: string,
): [columns: string[], params: unknown[]] {
  const text = local ?? readParkedLocal(session, table, pk);
  const entries = text === null ? [] : Object.entries(JSON.parse(text) as Local);
  const known = entries.filter(([name]) => table.model.local.includes(name));
  const bind = (value: Local[string]) => {
    if (typeof value !== "object" || value === null) return value;
    return "integer" in value ? BigInt(value.integer) : Buffer.from(value.bytes, "base64");
  };
  return [known.map(([name]) => name), known.map(([, value]) => bind(value))];
}
