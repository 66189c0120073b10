// A counter that is no integer and a set that is no JSON array could not be folded: refuse them where they are written.
// After the write rather than before it: so the stored value is judged, with its default and its type's conversion, and
// only where the row is really written (ON CONFLICT DO UPDATE fires BEFORE INSERT as well).
import type { FieldModel, TableModel } from "@grove-crdt/core";
import { comment, ident, lines, list, literal, type Sql, sql } from "../../sql";
import { any, changed, NEW, trigger } from "./parts";

const guardedFields = (table: TableModel): FieldModel[] => table.fields.filter((field) => field.type !== "lww");

const isWrong = (field: FieldModel): Sql =>
  field.type === "counter"
    ? sql`typeof(${NEW(field)}) <> 'integer'`
    : sql`iif(typeof(${NEW(field)}) = 'text' AND json_valid(${NEW(field)}), json_type(${NEW(field)}), '') <> 'array'`;

const complaint = (table: TableModel, field: FieldModel): string =>
  `grove-crdt: ${table.name}.${field.name} must be ${field.type === "counter" ? "an integer" : "a JSON array"}`;

function emitGuard(table: TableModel, name: string, event: Sql, isBad: (field: FieldModel) => Sql): Sql | null {
  const guarded = guardedFields(table);
  if (guarded.length === 0) return null;
  return trigger({
    name,
    about: comment("Refuse a counter that is no integer and a set that is no JSON array."),
    event,
    table,
    when: [any(guarded.map(isBad))],
    body: [
      sql`
        SELECT CASE
          ${lines(...guarded.map((field) => refuse(table, field, isBad(field))))}
        END;
      `,
    ],
  });
}

const refuse = (table: TableModel, field: FieldModel, isBad: Sql): Sql => sql`
  WHEN ${isBad}
    THEN RAISE(ABORT, ${literal(complaint(table, field))})
`;

export const emitGuardInsert = (table: TableModel): Sql | null =>
  emitGuard(table, `_${table.name}_guard_insert`, sql`AFTER INSERT`, isWrong);

export const emitGuardUpdate = (table: TableModel): Sql | null => {
  const guarded = guardedFields(table);
  const event = sql`AFTER UPDATE OF ${list(guarded.map(({ name }) => ident(name)))}`;
  return emitGuard(
    table,
    `_${table.name}_guard_update`,
    event,
    (field) => sql`${changed(field)} AND ${isWrong(field)}`,
  );
};
