// TRUNCATE shows no rows to any trigger, so what went could not be told to anybody: it is refused. A merge never needs
// it, so there is no switch.
import type { TableModel } from "@grove-crdt/core";
import { escaped, sql } from "../../sql";
import { type Trigger, trigger } from "./parts";

export const emitTruncate = (table: TableModel): Trigger =>
  trigger({
    table,
    suffix: "truncate",
    about: "TRUNCATE does not say which rows went: refuse it.",
    event: sql`BEFORE TRUNCATE`,
    reads: [],
    body: [
      sql`
        RAISE EXCEPTION USING
          ERRCODE = 'feature_not_supported',
          MESSAGE = ${escaped(`grove-crdt: TRUNCATE of ${table.name} cannot be replicated, since it does not say which rows went`)},
          HINT = 'Use DELETE FROM instead.';
      `,
    ],
  });
