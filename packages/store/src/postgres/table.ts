// One replicated table on Postgres: its statements, and the reading of keys, values and stored rows.
import {
  decodeRow,
  type FieldModel,
  fieldNamed,
  GroveError,
  type Interned,
  type Json,
  type Row,
  type StoredCell,
  type StoredRow,
  type TableModel,
} from "@grove-crdt/core";
import type { RawRow } from "./driver";
import { Statements } from "./statements";
import { fieldToJson, fromJson, isExact, toJson } from "./values";

/** An entry of a Postgres index has at most 2,704 bytes, its own header and alignment included. */
const MAX_KEY_BYTES = 2_600;

export class Table extends Statements {
  /** LWW columns out of which a value may come different from how it went in, by name. */
  readonly inexact: ReadonlyMap<string, FieldModel>;

  constructor(model: TableModel) {
    super(model);
    const inexact = model.fields.filter((field) => field.type === "lww" && !isExact(field));
    this.inexact = new Map(inexact.map((field) => [field.name, field]));
  }

  /** What stands for these columns' values. @throws GroveError `bad_value`, UnfitValue */
  columnParams(columns: readonly string[], values: readonly Json[]): (string | null)[] {
    return columns.map((name, n) => fromJson(this.column(name), values[n] as Json));
  }
  /** What stands for the values by which a scope tells rows. @throws GroveError `bad_value` for one that no row can have */
  scopeParams(where: Readonly<Record<string, Json>>): (string | null)[] {
    return Object.entries(where).flatMap(([name, value]) => {
      const param = fromJson(this.column(name), value);
      return this.model.key.some((column) => column.name === name) ? [param] : [JSON.stringify(value), name, param];
    });
  }
  /** Canonical key of a raw row whose key columns start at `at`. */
  pk(raw: RawRow, at: number): Json[] {
    return this.model.key.map((column, n) => toJson(column, raw[at + n] as string));
  }
  /** What stands for the key in a list of keys. @throws GroveError `bad_value` */
  keyParams(pk: readonly Json[]): string[] {
    const params = this.model.key.map((column, n) => {
      try {
        return fromJson(column, pk[n] as Json) as string;
      } catch (cause) {
        throw new GroveError("bad_value", (cause as Error).message, { cause });
      }
    });
    const bytes = params.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes > MAX_KEY_BYTES) {
      throw new GroveError(
        "bad_value",
        `The key of a row of ${this.model.name} has ${bytes} bytes; an index of Postgres holds ${MAX_KEY_BYTES} at most. Use a shorter key.`,
      );
    }
    return params;
  }
  /** The key as this node itself would send it: one row has one key, however a peer spells it. */
  canonicalKey(params: readonly string[]): Json[] {
    return this.model.key.map((column, n) => toJson(column, params[n] as string));
  }

  field(name: string): FieldModel {
    return fieldNamed(this.model, name) as FieldModel;
  }

  /** Canonical values of all fields, read by {@link readPage} or {@link readBase} from column `at` on. */
  values(raw: RawRow, at: number): Record<string, Json> {
    const values: Record<string, Json> = {};
    const { fields } = this.model;
    for (let n = 0; n < fields.length; n++) {
      const field = fields[n]!;
      values[field.name] = fieldToJson(field, raw[at + n] as string | null);
    }
    return values;
  }

  /** The shadow row whose columns start at `at`; null when the LEFT JOIN found none. */
  stored(raw: RawRow, at: number): StoredRow | null {
    if (raw[at] === null || raw[at] === undefined) return null;
    return {
      id: Number(raw[at]),
      cl: Number(raw[at + 1]),
      hlc: Number(raw[at + 2]),
      node: Number(raw[at + 3]),
      born: Number(raw[at + 4]),
      via: optional(raw[at + 5]),
      shape: optional(raw[at + 6]),
      clocks: raw[at + 7] as string | null,
      seq: Number(raw[at + 8]),
    };
  }

  decode(stored: StoredRow, cells: readonly StoredCell[] | undefined, interned: Interned): Row {
    return decodeRow(this.model, stored, cells ?? [], interned);
  }
}

const optional = (value: unknown): number | null => (value === null ? null : Number(value));

export function rawToCell(raw: RawRow): StoredCell {
  const [id, row, field, key, node, hlc, state, seq, via] = raw;
  return {
    id: Number(id),
    row: Number(row),
    field: field as string,
    key: key as string,
    node: Number(node),
    hlc: Number(hlc),
    state: state as string | null,
    seq: Number(seq),
    via: optional(via),
  };
}
