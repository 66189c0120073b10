// Rows changed: log their keys, which annotated columns changed, and what their counters and sets said before, since a
// counter or a set without entries stands for the value before its first captured write. A row that changed its key is,
// to everybody else, one row that went and another that came.
import { isNested, keptFields, type TableModel } from "@grove-crdt/core";
import { keyColumn } from "../../layout";
import { empty, ident, join, lines, list, newline, type Sql, sql } from "../../sql";
import { comparesUnsettled, printsUnsettled } from "./equality";
import { emitGuardFixed, emitGuardUpdate, planSettings, wrongUpdate } from "./guard";
import {
  changed,
  intoLog,
  jsonObject,
  keyOf,
  masks,
  NEW,
  now,
  OLD,
  oldRow,
  oldValue,
  sameKey,
  type Trigger,
  trigger,
  unlessMerging,
  valueSettings,
} from "./parts";

export const emitUpdate = (table: TableModel): Trigger =>
  trigger({
    table,
    suffix: "update",
    about: "Rows changed: log which columns, and the old value of counters and sets.",
    event: sql`AFTER UPDATE`,
    reads: ["old", "new"],
    ...wrongUpdate(table),
    settings: [...planSettings(table), ...(printsValues(table) ? [valueSettings] : [])],
    body: [unlessMerging, emitGuardUpdate(table), emitGuardFixed(table, logChanges(table)), sql`RETURN NULL;`],
  });

const printsValues = (table: TableModel): boolean =>
  [...table.key, ...table.fields].some(comparesUnsettled) ||
  [...table.fields.filter(({ type }) => isNested(type)), ...keptFields(table)].some(printsUnsettled);

function logChanges(table: TableModel): Sql {
  const bits = masks(table);
  const old = before(table);
  const one = keyOf(table);
  const key = table.key.map(({ name }) => ident(keyColumn(name)));
  const computed = [
    sql`CASE WHEN ${NEW(one)} IS NULL THEN 'D' WHEN ${OLD(one)} IS NULL THEN 'I' ELSE 'U' END AS "op"`,
    ...table.key.map((column) => sql`coalesce(${NEW(column)}, ${OLD(column)}) AS ${ident(keyColumn(column.name))}`),
    ...bits.map(
      ({ name, value }) => sql`
      (
        ${value}
      ) AS ${ident(name)}
    `,
    ),
    ...(old === null ? [] : [sql`${old} AS "before"`]),
  ];
  const values = [
    now,
    sql`"op"`,
    ...key,
    ...bits.map(({ name }) => sql`CASE WHEN "op" = 'U' THEN ${ident(name)} END`),
    ...(old === null ? [] : [sql`"before"`]),
  ];
  return sql`
    ${intoLog(table, ...bits.map(({ name }) => name), ...(old === null ? [] : ["before"]))}
    SELECT ${list(values)}
    FROM (
      SELECT
        ${join(computed, sql`,${newline}`)}
      -- A key on one side only was changed: the old one went, the new one came.
      FROM old_rows AS o FULL JOIN new_rows AS n
        ON ${sameKey(table)}
      OFFSET 0 -- so that each comparison is made once
    ) AS compared
    WHERE "op" <> 'U'${join(
      bits.map(({ name }) => sql` OR ${ident(name)} <> 0`),
      empty,
    )}
  `;
}

/** NULL where there is nothing to keep: of a row that came, or whose counters and sets stayed. */
function before(table: TableModel): Sql | null {
  const valued = table.fields.filter((field) => field.type !== "lww");
  const kept = oldRow(table);
  if (valued.length === 0 && !kept) return null;
  const one = keyOf(table);
  const went = kept
    ? sql`
        WHEN ${NEW(one)} IS NULL THEN
          ${kept}
        WHEN ${OLD(one)} IS NULL THEN NULL
      `
    : sql`WHEN ${NEW(one)} IS NULL OR ${OLD(one)} IS NULL THEN NULL`;
  const parts = valued.map((field) => sql`CASE WHEN ${changed(field)} THEN ${oldValue(field)} ELSE '' END`);
  const stayed = sql`
    WHEN ${join(valued.map(changed), sql` OR `)} THEN
      ${jsonObject(parts)}
  `;
  return sql`
    CASE
      ${lines(went, valued.length === 0 ? empty : stayed)}
    END
  `;
}
