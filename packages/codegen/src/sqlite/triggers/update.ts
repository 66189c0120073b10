// A row changed: log its key, which annotated columns changed, and what its counters and sets said before, since a
// counter or a set without entries stands for the value before its first captured write.
import { type FieldModel, logTable, type TableModel } from "@grove-crdt/core";
import { comment, ident, join, list, literal, newline, type Sql, sql } from "../../sql";
import { any, changed, logKey, masks, NEW, now, OLD, same, trigger } from "./parts";

export function emitUpdate(table: TableModel): Sql | null {
  if (table.fields.length === 0) return null;
  const valued = table.fields.filter((field) => field.type !== "lww");
  const bits = masks(table);
  const columns = [...bits.map((mask) => ident(mask.name)), ...(valued.length > 0 ? [ident("before")] : [])];
  const values = [
    sql`${now}, 'U', ${list(table.key.map(NEW))}`,
    ...bits.map((mask) => mask.value),
    ...(valued.length > 0 ? [before(valued)] : []),
  ];
  return trigger({
    name: `_${table.name}_update`,
    about: comment("A row changed: log which columns, and the old value of counters and sets."),
    event: sql`AFTER UPDATE OF ${list(table.fields.map(({ name }) => ident(name)))}`,
    table,
    when: [...table.key.map(same), any(table.fields.map(changed))],
    body: [
      sql`
        INSERT INTO ${ident(logTable(table.name))} (${list([logKey(table), ...columns])})
        VALUES (
          ${join(values, sql`,${newline}`)}
        );
      `,
    ],
  });
}

/**
 * NULL while no counter and no set changed, else JSON of the old values of those that did. Put together as text, since
 * that is faster than json_object and keeps every digit; the first comma is cut off.
 */
const before = (valued: readonly FieldModel[]): Sql => sql`
  CASE WHEN ${any(valued.map(changed))} THEN
    '{' || substr(
      ${join(valued.map(oldValue), sql`${newline}|| `)},
      2
    ) || '}'
  END
`;

const oldValue = (field: FieldModel): Sql => {
  const label = `,${JSON.stringify(field.name)}:`;
  const value =
    field.type === "counter"
      ? sql`${literal(`${label}"`)} || CAST(${OLD(field)} AS INTEGER) || '"'`
      : sql`${literal(label)} || iif(json_valid(${OLD(field)}), ${OLD(field)}, 'null')`;
  return sql`iif(${changed(field)}, ${value}, '')`;
};
