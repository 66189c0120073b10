// A counter that is no integer and a set that is no JSON array could not be folded: refuse them where they are written.
// After the write rather than before it: so the stored value is judged, with its default and its type's conversion, and
// only where the row is really written (ON CONFLICT DO UPDATE fires BEFORE INSERT as well).
// What is fixed says who may see the row, also on nodes that have it already: refuse to change it, unless the key changed
// along with it, which makes it another row.
import { type FieldModel, shapeOf, type TableModel } from "@grove-crdt/core";
import { complaintFixed } from "../../complaint";
import { comment, ident, join, lines, list, literal, type Sql, sql } from "../../sql";
import { any, changed, NEW, same, trigger } from "./parts";

const valuedFields = (table: TableModel): FieldModel[] => table.fields.filter((field) => field.type !== "lww");

const isWrong = (field: FieldModel): Sql =>
  field.type === "counter"
    ? sql`typeof(${NEW(field)}) <> 'integer'`
    : sql`iif(typeof(${NEW(field)}) = 'text' AND json_valid(${NEW(field)}), json_type(${NEW(field)}), '') <> ${literal(shapeOf(field.type))}`;

const complaint = (table: TableModel, field: FieldModel): string =>
  field.fixed
    ? complaintFixed(table, field)
    : `grove-crdt: ${table.name}.${field.name} must be ${field.type === "counter" ? "an integer" : `a JSON ${shapeOf(field.type)}`}`;

function emitGuard(
  table: TableModel,
  name: string,
  event: Sql,
  guarded: readonly FieldModel[],
  isBad: (field: FieldModel) => Sql,
): Sql | null {
  if (guarded.length === 0) return null;
  const values = "Refuse a counter that is no integer and a set that is no JSON array.";
  const about = [
    ...(guarded.some(({ fixed }) => !fixed) ? [comment(values)] : []),
    ...(guarded.some(({ fixed }) => fixed) ? [comment("Refuse a change of what is fixed.")] : []),
  ];
  return trigger({
    name,
    about: lines(...about),
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
  emitGuard(table, `_${table.name}_guard_insert`, sql`AFTER INSERT`, valuedFields(table), isWrong);

export const emitGuardUpdate = (table: TableModel): Sql | null => {
  const guarded = table.fields.filter((field) => field.fixed || field.type !== "lww");
  const event = sql`AFTER UPDATE OF ${list(guarded.map(({ name }) => ident(name)))}`;
  const sameKey = join(table.key.map(same), sql` AND `);
  return emitGuard(
    table,
    `_${table.name}_guard_update`,
    event,
    guarded,
    (field) => sql`${changed(field)} AND ${field.fixed ? sameKey : isWrong(field)}`,
  );
};
