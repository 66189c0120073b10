// ChangeRecord narrowed to the tables of one registry, from the registry's own type: what hooks are given.
import type {
  Change,
  ChangeRecord,
  CounterChange,
  DocumentChange,
  ListChange,
  RegisterChange,
  SetChange,
} from "./change";
import type { ColumnModel, FieldModel, Json, Registry, TableModel, ValueKind } from "./model";

/** The wire values of a kind. */
type OfKind<Kind extends ValueKind> = Kind extends "json"
  ? Json
  : Kind extends "boolean"
    ? boolean
    : Kind extends "integer" | "real"
      ? number | string
      : string;
type ValueOf<Column extends ColumnModel> = OfKind<Column["kind"]> | (Column["notNull"] extends true ? never : null);

type FieldChange<Name extends string, Field extends FieldModel> = Field extends { type: "lww" }
  ? RegisterChange<Name, readonly Json[], Field["name"], ValueOf<Field>>
  : Field extends { type: "counter" }
    ? CounterChange<Name, readonly Json[], Field["name"]>
    : Field extends { type: "set" }
      ? SetChange<Name, readonly Json[], Field["name"], Json>
      : Field extends { type: "list" }
        ? ListChange<Name, readonly Json[], Field["name"], Json>
        : DocumentChange<Name, readonly Json[], Field["name"]>;

type TableChanges<Table extends TableModel> = Table extends TableModel
  ?
      | {
          [Field in Table["fields"][number] as Field["name"]]: FieldChange<Table["name"], Field>;
        }[Table["fields"][number]["name"]]
      | Change<Table["name"], readonly Json[], "", "row">
  : never;

/** The name of a registry's table, as the database has it. */
export type TableName<R extends Registry> = R["tables"][number]["name"];

/** A change of any table of the registry, told apart by `table` and `field`. */
export type RegistryChange<R extends Registry> = Registry extends R ? ChangeRecord : TableChanges<R["tables"][number]>;
