// A set that is no array could not be folded: refuse it where it is written. (A counter is a bigint, which can hold
// nothing else.) After the write, so that the stored value is judged, and only where the row is really written.
// What is fixed says who may see the row, also on nodes that have it already: refuse to change it.
import { FIELDS_PER_MASK, type FieldModel, isNested, maskColumns, shapeOf, type TableModel } from "@grove-crdt/core";
import { complaintFixed } from "../../complaint";
import { empty, escaped, ident, join, lines, list, literal, newline, type Sql, sql } from "../../sql";
import { changed, NEW, sameKey } from "./parts";

const guardedFields = (table: TableModel): FieldModel[] => table.fields.filter(({ type }) => isNested(type));

const declareIf = (guarded: boolean): { declare?: Sql } => (guarded ? { declare: sql`wrong text;` } : {});

/** The variable that the guard of inserts fills, where there is one. */
export const wrong = (table: TableModel): { declare?: Sql } => declareIf(guardedFields(table).length > 0);

/** The variable that the guards of updates fill, where there is one. */
export const wrongUpdate = (table: TableModel): { declare?: Sql } =>
  declareIf(guardedFields(table).length > 0 || table.fields.some(({ fixed }) => fixed));

/**
 * What the guard of updates sets. Its plan is kept for the session and must bear a bulk update, though the first one was
 * of a single row. (The log's own join is a full one, which is never a nested loop.)
 */
export const planSettings = (table: TableModel): Sql[] =>
  guardedFields(table).length === 0 ? [] : [sql`SET enable_nestloop = off`];

const isWrong = (field: FieldModel): Sql => {
  // Elements are told by their place from 1 on: arrays of arrays and arrays that begin elsewhere are no sets.
  if (field.storage === "array") return sql`(array_ndims(${NEW(field)}) > 1 OR array_lower(${NEW(field)}, 1) <> 1)`;
  const shape = literal(shapeOf(field.type));
  return field.storage === "json"
    ? sql`json_typeof(${NEW(field)}) <> ${shape}`
    : sql`jsonb_typeof(${NEW(field)}) <> ${shape}`;
};

const complaint = (table: TableModel, field: FieldModel): string =>
  `grove-crdt: ${table.name}.${field.name} must be ${field.storage === "array" ? "an array of one dimension, counted from 1" : `a JSON ${shapeOf(field.type)}`}`;

/** Every inserted row is judged. */
export const emitGuardInsert = (table: TableModel): Sql => emitGuard(table, sql`FROM new_rows AS n`, isWrong, empty);

/** Only what the update changed is judged: a row that was wrong before capture can still be written elsewhere. */
export const emitGuardUpdate = (table: TableModel): Sql => {
  const isBad = (field: FieldModel) => sql`${isWrong(field)} AND ${changed(field)}`;
  const from = sql`
    FROM new_rows AS n LEFT JOIN old_rows AS o
      ON ${sameKey(table)}
  `;
  // Said first and of the new row alone, so that nothing is joined as long as nothing is wrong.
  return emitGuard(table, from, isBad, sql`(${or(guardedFields(table).map(isWrong))})${newline}  AND `);
};

const or = (conditions: readonly Sql[]): Sql => join(conditions, sql` OR `);

function emitGuard(table: TableModel, from: Sql, isBad: (field: FieldModel) => Sql, first: Sql): Sql {
  const guarded = guardedFields(table);
  if (guarded.length === 0) return empty;
  return sql`
    -- Refuse a set that is no array.
    SELECT CASE
      ${lines(...guarded.map((field) => sql`WHEN ${isBad(field)} THEN ${escaped(complaint(table, field))}`))}
    END INTO wrong
    ${from}
    WHERE ${first}(${or(guarded.map((field) => sql`(${isBad(field)})`))})
    LIMIT 1;
    ${raiseWrong}
  `;
}

const raiseWrong = sql`
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = wrong;
  END IF;
`;

/** @param logging the statement that logs the changes: it has compared old and new rows, so its masks are asked */
export function emitGuardFixed(table: TableModel, logging: Sql): Sql {
  const masks = maskColumns(table.fields.length);
  const fixed = table.fields.flatMap((field, n) => {
    const mask = ident(masks[Math.floor(n / FIELDS_PER_MASK)] as string);
    const wasWritten = sql`${mask} & ${literal(2 ** (n % FIELDS_PER_MASK))} <> 0`;
    return field.fixed ? [{ field, wasWritten }] : [];
  });
  if (fixed.length === 0) return sql`${logging};`;
  return sql`
    WITH logged AS (
      ${logging}
      RETURNING ${list(masks.map(ident))}
    )
    -- Refuse a change of what is fixed.
    SELECT CASE
      ${lines(...fixed.map(({ field, wasWritten }) => sql`WHEN ${wasWritten} THEN ${escaped(complaintFixed(table, field))}`))}
    END INTO wrong
    FROM logged
    WHERE ${or(fixed.map(({ wasWritten }) => wasWritten))}
    LIMIT 1;
    ${raiseWrong}
  `;
}
