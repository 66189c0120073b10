// What SQLite asks of annotated columns.
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { FieldRules } from "../field";
import { readDefault } from "./default";
import { readType } from "./kinds";
import type { TableSource } from "./table";

export const fieldRules: FieldRules<SQLiteColumn, TableSource> = {
  typeOf: readType,
  typesFrom: "drizzle-orm/sqlite-core",
  draws: () => false,
  readDefault,
  checkType({ report }, { name }, crdt, { kind, storage }) {
    if (crdt === "counter" && kind !== "integer") {
      report({
        column: name,
        code: "counter_kind",
        problem: `it is a counter stored as ${kind}`,
        cure: 'Use `integer("…")` without a mode.',
      });
    }
    if (crdt === "lww" || crdt === "counter" || (kind === "json" && storage === "text")) return;
    report({
      column: name,
      code: `${crdt}_kind`,
      problem: `it is a ${crdt} stored as ${kind === "json" ? "a JSON blob" : kind}`,
      cure: `Use \`text("…", { mode: "json" }).$type<${crdt === "document" ? "T" : "T[]"}>()\`.`,
    });
  },
};
