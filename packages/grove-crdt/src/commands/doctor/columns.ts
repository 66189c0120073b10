// Columns and constraints that are allowed and that surprise people once several nodes write.
import type { FieldModel, TableModel } from "@grove-crdt/core";
import type { Finding } from "./finding";

const note = (what: string, cure: string): Finding => ({ check: "schema", level: "note", what, cure });
const warning = (what: string, cure: string): Finding => ({ check: "schema", level: "warning", what, cure });

const isWhole = ({ type, kind }: FieldModel): boolean => type === "lww" && kind === "json";

export function checkColumns(tables: readonly TableModel[]): Finding[] {
  return tables.flatMap((table) => [...whole(table), ...unique(table), ...references(table), ...local(table)]);
}

const whole = ({ name, fields }: TableModel): Finding[] =>
  fields
    .filter(isWhole)
    .map((field) =>
      warning(
        `${name}.${field.name} is JSON under lww: of two changes made at the same time one is lost whole`,
        "Mark it set(), list() or document(), so that its parts merge; leave it where it is always written as a whole.",
      ),
    );

const unique = ({ name, uniques }: TableModel): Finding[] =>
  uniques.map((columns) =>
    note(
      `${name} has a unique key on ${columns.join(", ")}: two nodes may take the same one while they are apart`,
      "The earlier row keeps it on every node, the later one waits: see `grove-crdt parked`.",
    ),
  );

const references = ({ name, references = [] }: TableModel): Finding[] =>
  references
    .filter(({ onDelete }) => onDelete === "cascade")
    .map(({ columns, table }) =>
      note(
        `${name}.${columns.join(", ")} cascades from ${table}: a row written under a parent that another node deletes goes with it`,
        "Choose another ON DELETE where such a row has to stay.",
      ),
    );

const local = ({ name, local }: TableModel): Finding[] =>
  local.length === 0
    ? []
    : [
        note(
          `${name}: ${local.join(", ")} ${local.length === 1 ? "stays" : "stay"} on this node, and each node has its own`,
          "Annotate what the others should see.",
        ),
      ];
