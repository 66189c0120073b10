// What an application is told when it changes a fixed column, the same in every dialect.
import type { FieldModel, TableModel } from "@grove-crdt/core";

export const complaintFixed = (table: TableModel, field: FieldModel): string =>
  `grove-crdt: ${table.name}.${field.name} is fixed: it is written with its row and never changes. Delete the row and insert it anew.`;
