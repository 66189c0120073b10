// Rows that live in the shadow and that the base table does not show, each with the reason and with what it had in `local`
// columns (those are in no shadow), in `_grove_parked` without a peer. With one: busy.ts and rejections.ts.
import type { Json, Refusal } from "@grove-crdt/core";
import { keyText } from "../key";
import type { ParkedRow } from "../store";
import type { PostgresTransaction } from "./driver";
import type { Session } from "./session";
import { ident, toParams } from "./sql";
import type { Table } from "./table";

interface ParkedKey {
  readonly table: string;
  readonly pk: readonly Json[];
}

export interface ParkRow extends Refusal {
  readonly pk: readonly Json[];
  /** JSON of the `local` columns; kept as it was when it is undefined. */
  readonly local?: string;
}

const HIDDEN = "p.peer IS NULL AND p.tbl = $1::text";
const ONES = `${HIDDEN} AND p.pk IN (SELECT unnest($2::text::text[]))`;
const pkList = (pks: readonly (readonly Json[])[]): string =>
  toParams(
    1,
    pks.map((pk) => [JSON.stringify(pk)]),
  )[0] as string;

export async function unpark(session: Session, table: Table, pks: readonly (readonly Json[])[]): Promise<void> {
  if (pks.length === 0) return;
  await session.rows(`DELETE FROM public._grove_parked p WHERE ${ONES}`, [table.model.name, pkList(pks)]);
}

/** Parks rows, or gives parked ones another reason. */
export async function park(session: Session, table: Table, rows: readonly ParkRow[]): Promise<void> {
  if (rows.length === 0) return;
  const name = table.model.name;
  const removed = await session.rows(`DELETE FROM public._grove_parked p WHERE ${ONES} RETURNING p.pk, p.change`, [
    name,
    pkList(rows.map(({ pk }) => pk)),
  ]);
  const before = new Map(removed.map(([pk, change]) => [pk as string, change as string | null]));
  const at = session.now;
  await session.rows(
    `INSERT INTO public._grove_parked (tbl, pk, code, message, change, at)
SELECT * FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[], $6::text::bigint[])`,
    toParams(
      6,
      rows.map(({ pk, code, message, local }) => {
        const text = JSON.stringify(pk);
        return [name, text, code, message, local === undefined ? (before.get(text) ?? null) : local, at];
      }),
    ),
  );
}

/** Mostly nothing is parked, which one probe tells. */
export const anyParked = async (session: Session): Promise<boolean> =>
  (await session.rows("SELECT 1 FROM public._grove_parked p WHERE p.peer IS NULL LIMIT 1")).length > 0;

/** Which of these rows are parked, and why: by the canonical text of their keys. */
export async function readRefusals(
  session: Session,
  table: Table,
  pks: readonly (readonly Json[])[],
): Promise<Map<string, Refusal>> {
  if (pks.length === 0) return new Map();
  const rows = await session.rows(`SELECT p.pk, p.code, p.message FROM public._grove_parked p WHERE ${ONES}`, [
    table.model.name,
    pkList(pks),
  ]);
  return new Map(
    rows.map(([pk, code, message]) => [
      keyText(JSON.parse(pk as string) as Json[]),
      { code: code as string, message: message as string },
    ]),
  );
}

const toKeys = (rows: readonly (readonly unknown[])[]): ParkedKey[] =>
  rows.map(([table, pk]) => ({ table: table as string, pk: JSON.parse(pk as string) as Json[] }));

/** Rows that the database itself does not take: nothing tells when it will, so each projection tries them again. */
export const readRetried = async (session: Session): Promise<ParkedKey[]> =>
  toKeys(
    await session.rows(
      "SELECT tbl, pk FROM public._grove_parked WHERE peer IS NULL AND code NOT IN ('unique', 'reference') ORDER BY id",
    ),
  );

/** Rows and changes that wait, with the reason, for people to see. */
export async function readParked(tx: Pick<PostgresTransaction, "rows">): Promise<ParkedRow[]> {
  const rows = await tx.rows(
    "SELECT tbl, pk, code, message FROM public._grove_parked WHERE peer IS NULL OR code = 'busy' ORDER BY id",
  );
  return rows.map(([table, pk, code, message]) => ({
    table: table as string,
    pk: JSON.parse(pk as string) as Json[],
    code: code as string,
    message: message as string,
  }));
}

export const readAllParked = async (session: Session): Promise<ParkedKey[]> =>
  toKeys(await session.rows("SELECT tbl, pk FROM public._grove_parked WHERE peer IS NULL ORDER BY id"));

/** The rows' `local` columns as JSON text, by place; nothing when the table has none. */
export async function readLocal(
  session: Session,
  table: Table,
  keys: readonly (readonly string[])[],
): Promise<Map<number, string>> {
  const { local, key } = table.model;
  if (local.length === 0 || keys.length === 0) return new Map();
  const object = local.map((name, n) => `$${key.length + 1 + n}::text, b.${ident(name)}`);
  const on = key.map(({ name, sqlType }) => `b.${ident(name)} = k.${ident(`pk_${name}`)}::${sqlType}`);
  const rows = await session.rows(
    `SELECT k.place, jsonb_build_object(${object.join(", ")})::text FROM ${table.keyList()} JOIN ${table.name} b ON ${on.join(" AND ")}`,
    [...toParams(key.length, keys), ...local],
  );
  return new Map(rows.map(([place, text]) => [Number(place) - 1, text as string]));
}

/** A row that is shown again, and what it had in `local` columns if that is known. */
export interface ShownRow {
  readonly pk: readonly Json[];
  readonly local?: string;
}

/** Gives rows that are shown again what they had in `local` columns: what is known of it, or what was parked. */
export async function writeLocal(session: Session, table: Table, rows: readonly ShownRow[]): Promise<void> {
  const { model } = table;
  if (model.local.length === 0 || rows.length === 0) return;
  const kept: [pk: readonly Json[], local: string][] = [];
  const unknown = rows.filter(({ local }) => local === undefined).map(({ pk }) => pk);
  if (unknown.length > 0) {
    const parked = await session.rows(
      `SELECT p.pk, p.change FROM public._grove_parked p WHERE ${ONES} AND p.change IS NOT NULL`,
      [model.name, pkList(unknown)],
    );
    for (const [pk, change] of parked) kept.push([JSON.parse(pk as string) as Json[], change as string]);
  }
  for (const { pk, local } of rows) if (local !== undefined) kept.push([pk, local]);
  if (kept.length === 0) return;
  const writable = await session.rows(
    "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attgenerated = '' AND attidentity <> 'a' AND NOT attisdropped AND attname IN (SELECT unnest($2::text::text[]))",
    [
      table.name,
      toParams(
        1,
        model.local.map((name) => [name]),
      )[0] as string,
    ],
  );
  const columns = writable.map(([name]) => ident(name as string));
  if (columns.length === 0) return;
  const where = model.key.map(({ name, sqlType }, n) => `${ident(name)} = $${n + 2}::text::${sqlType}`).join(" AND ");
  for (const [pk, local] of kept) {
    await session.rows(
      `UPDATE ${table.name} SET (${columns.join(", ")}) = (SELECT ${columns.join(", ")} FROM jsonb_populate_record(NULL::${table.name}, $1::text::jsonb)) WHERE ${where}`,
      [local, ...table.keyParams(pk)],
    );
  }
}
