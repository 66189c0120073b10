// One replicated table on SQLite: its SQL, put together once from the model, and the reading of stored rows. Long, since
// all texts that name a table's columns stand here: whoever reads a row finds the order of its columns beside its reader.
import {
  type CrdtTypeName,
  cellsTable,
  decodeRow,
  emptyOf,
  type FieldModel,
  type Interned,
  isNested,
  type Json,
  logTable,
  maskColumns,
  nestedValue,
  parseSound,
  type Row,
  type StoredCell,
  type StoredRow,
  shadowTable,
  type TableModel,
} from "@grove-crdt/core";
import { type RawRow, toSafe } from "./driver";
import { ident, keyColumn, list, placeholders } from "./sql";
import { fromJson, toJson } from "./values";

/** Columns of a shadow table without its key, as {@link Table.stored} reads them. */
export const SHADOW = ["id", "cl", "hlc", "node", "born", "via", "shape", "clocks", "seq"] as const;
const CELL = ["id", "row", "field", "key", "node", "hlc", "state", "seq", "via"] as const;
/** A row's cells, column by column, each a JSON array; the states, which are JSON, in lines. */
const GATHERED = `json_group_array(c.id), json_group_array(c.field), json_group_array(c.key), json_group_array(c.node), json_group_array(c.hlc), group_concat(ifnull(c.state, ''), char(10)), json_group_array(c.seq), json_group_array(c.via)`;
const aliased = (names: readonly string[], alias: string) => list(names, `${alias}.`);

/** A write to the base table: its text, and whose values it takes. */
interface BaseColumns {
  readonly columns: readonly string[];
  readonly fields: readonly FieldModel[];
  readonly sql: string;
}

interface LogColumns {
  readonly key: number;
  readonly mask: number;
  readonly before: number;
  readonly present: number;
  readonly multi: number;
  readonly shadow: number;
}

/** Columns to be read of a base table, each after a comma. Counters are read as text, so that all 64 bits arrive. */
const columnsOf = (fields: readonly FieldModel[], alias: string): string =>
  fields
    .map(({ name, type }) =>
      type === "counter" ? `, CAST(${alias}.${ident(name)} AS TEXT)` : `, ${alias}.${ident(name)}`,
    )
    .join("");

/** Keys that one statement reads: five keys of four columns stay far below SQLite's limit of 32,766 parameters. */
export const KEYS_PER_READ = 200;

export class Table {
  readonly name: string;
  readonly log: string;
  readonly shadow: string;
  readonly cells: string;
  readonly multi: readonly FieldModel[];
  readonly masks: readonly string[];
  readonly #keys: readonly string[];
  readonly #fields: ReadonlyMap<string, FieldModel>;
  /** Texts that depend on a number of keys or on a list of columns. */
  readonly #texts = new Map<string, string>();
  /** The last of {@link writeBase}: mostly the next row is written alike. */
  readonly #written = new Map<"insert" | "update", BaseColumns>();

  /** The oldest `?` log rows with what the base table and the shadow have now. */
  readonly readLog: string;
  /** Where the columns of {@link readLog} begin. */
  readonly logAt: LogColumns;
  readonly hasCells: string;
  readonly insertShadow: string;
  readonly updateShadow: string;
  readonly insertCell: string;
  readonly updateCell: string;
  readonly deleteCell: string;
  readonly clearCells: string;
  readonly deleteBase: string;
  /** The condition that a row has the key that binds to it. */
  readonly where: string;

  constructor(readonly model: TableModel) {
    this.name = ident(model.name);
    this.log = ident(logTable(model.name));
    this.shadow = ident(shadowTable(model.name));
    this.cells = ident(cellsTable(model.name));
    const { name, log, shadow, cells } = this;
    this.multi = model.fields.filter((field) => field.type !== "lww");
    this.masks = maskColumns(model.fields.length);
    this.#keys = model.key.map((column) => keyColumn(column.name));
    this.#fields = new Map(model.fields.map((field) => [field.name, field]));
    this.where = model.key.map((column) => `${ident(column.name)} = ?`).join(" AND ");

    this.readLog = `SELECT l.seq, l.at, l.op, ${aliased(this.#keys, "l")}, ${aliased(this.masks, "l")}, l.before, ${this.#present("b")}${columnsOf(this.multi, "b")}, ${aliased(SHADOW, "s")}
FROM ${log} l
LEFT JOIN ${name} b ON ${this.#on("b", false, "l", true)}
LEFT JOIN ${shadow} s ON ${this.#on("s", true, "l", true)}
ORDER BY l.seq LIMIT ?`;
    const mask = 3 + this.#keys.length;
    const before = mask + this.masks.length;
    this.logAt = {
      key: 3,
      mask,
      before,
      present: before + 1,
      multi: before + 2,
      shadow: before + 2 + this.multi.length,
    };

    this.hasCells = `SELECT 1 FROM ${cells} LIMIT 1`;

    const shadowSets = SHADOW.slice(1).map((column) => `${ident(column)} = ?`);
    this.insertShadow = `INSERT INTO ${shadow} (${list(this.#keys)}, ${list(SHADOW)}) VALUES (${placeholders(this.#keys.length + SHADOW.length)})`;
    this.updateShadow = `UPDATE ${shadow} SET ${shadowSets.join(", ")} WHERE id = ?`;
    this.insertCell = `INSERT INTO ${cells} (${list(CELL.slice(1))}) VALUES (${placeholders(CELL.length - 1)})`;
    this.updateCell = `UPDATE ${cells} SET node = ?, hlc = ?, state = ?, seq = ?, via = ? WHERE id = ?`;
    this.deleteCell = `DELETE FROM ${cells} WHERE id = ?`;
    this.clearCells = `DELETE FROM ${cells} WHERE row = ?`;
    this.deleteBase = `DELETE FROM ${name} WHERE ${this.where}`;
  }

  /** `alias.pk_a = other.a AND …` in any mixture of our tables and the user's. */
  #on(left: string, leftOurs: boolean, right: string, rightOurs: boolean): string {
    const name = (column: string, ours: boolean) => ident(ours ? keyColumn(column) : column);
    return this.model.key
      .map(({ name: column }) => `${left}.${name(column, leftOurs)} = ${right}.${name(column, rightOurs)}`)
      .join(" AND ");
  }

  /** Whether the base row was found by a LEFT JOIN. */
  #present(alias: string): string {
    return `${alias}.${ident(this.model.key[0]!.name)} IS NOT NULL`;
  }

  #text(key: string, make: () => string): string {
    let sql = this.#texts.get(key);
    if (sql === undefined) {
      sql = make();
      this.#texts.set(key, sql);
    }
    return sql;
  }

  /** A list of keys as a table `k`, each with its place in the list. */
  #keyList(count: number): string {
    const row = `(?, ${placeholders(this.#keys.length)})`;
    return `WITH k(place, ${list(this.#keys)}) AS (VALUES ${Array(count).fill(row).join(", ")})`;
  }

  /** Rows `s` by number, after one and up to another, of which these columns have the values of {@link scopeParams}. */
  #numbered(columns: readonly string[]): { readonly base: string; readonly where: string } {
    const conditions = columns.map((name) => {
      if (this.model.key.some((column) => column.name === name)) return `s.${ident(keyColumn(name))} = ?`;
      // A value in a cell goes before the base row's, and a row that does not show has no other.
      return `coalesce((SELECT c.state = ? FROM ${this.cells} c WHERE c.row = s.id AND c.field = ? LIMIT 1), b.${ident(name)} = ?)`;
    });
    const where = ["s.seq > ?", "s.seq <= ?", ...conditions].join(" AND ");
    return { base: `LEFT JOIN ${this.name} b ON ${this.#on("b", false, "s", true)}`, where };
  }
  /** @throws GroveError `bad_value` for a value that no row can have there */
  scopeParams(where: Readonly<Record<string, Json>>): unknown[] {
    return Object.entries(where).flatMap(([name, value]) => {
      const [param] = this.columnParams([name], [value]);
      return this.model.key.some((column) => column.name === name) ? [param] : [JSON.stringify(value), name, param];
    });
  }
  /** The numbers alone. `columns` as in {@link readPage}. */
  readNumbers(columns: readonly string[]): string {
    return this.#text(`numbers ${columns.join("\n")}`, () => {
      const { base, where } = this.#numbered(columns);
      return `SELECT s.seq AS seq FROM ${this.shadow} s ${columns.length > 0 ? `${base} ` : ""}WHERE ${where}`;
    });
  }
  /**
   * A page of rows by number: key, shadow, all fields.
   *
   * @param columns those by which a scope tells the rows; mostly none
   */
  readPage(columns: readonly string[]): string {
    return this.#text(`page ${columns.join("\n")}`, () => {
      const { base, where } = this.#numbered(columns);
      return `SELECT ${aliased(this.#keys, "s")}, ${aliased(SHADOW, "s")}${columnsOf(this.model.fields, "b")}, ${this.#present("b")}
FROM ${this.shadow} s ${base}
WHERE ${where} ORDER BY s.seq`;
    });
  }
  /** Cells of the same page: those numbered above the floor, and all of a row whose life is. */
  readPageCells(columns: readonly string[]): string {
    return this.#text(`page cells ${columns.join("\n")}`, () => {
      const { base, where } = this.#numbered(columns);
      return `SELECT ${aliased(CELL, "cell")} FROM ${this.shadow} s ${columns.length > 0 ? `${base} ` : ""}JOIN ${this.cells} cell ON cell.row = s.id
WHERE ${where} AND (cell.seq > ? OR s.born > ?)`;
    });
  }

  /** Keys of base rows that do not live by the shadow. */
  get findUnknown(): string {
    return this.#text("unknown", () => {
      const keys = list(
        this.model.key.map(({ name }) => name),
        "b.",
      );
      const on = this.#on("b", false, "s", true);
      return `SELECT ${keys} FROM ${this.name} b LEFT JOIN ${this.shadow} s ON ${on} WHERE s.id IS NULL OR s.cl % 2 = 0`;
    });
  }
  /** Keys of rows that live by the shadow and are not in the base table. */
  get findMissing(): string {
    return this.#text("missing", () => {
      const on = this.#on("b", false, "s", true);
      return `SELECT ${aliased(this.#keys, "s")} FROM ${this.shadow} s LEFT JOIN ${this.name} b ON ${on} WHERE s.cl % 2 = 1 AND NOT (${this.#present("b")})`;
    });
  }
  /** Ids and keys of rows with cells, from an id on, `?` of them. */
  get findCells(): string {
    return this.#text(
      "cells",
      () =>
        `SELECT s.id, ${aliased(this.#keys, "s")} FROM ${this.shadow} s WHERE s.id > ? AND EXISTS (SELECT 1 FROM ${this.cells} c WHERE c.row = s.id) ORDER BY s.id LIMIT ?`,
    );
  }

  /** What is known of a list of keys: each key's place in the list, whether the base table has it, its shadow row. */
  readByKeys(count: number): string {
    return this.#text(
      `keys ${count}`,
      () => `${this.#keyList(count)}
SELECT k.place, ${this.#present("b")}, ${aliased(SHADOW, "s")}
FROM k
LEFT JOIN ${this.shadow} s ON ${this.#on("s", true, "k", true)}
LEFT JOIN ${this.name} b ON ${this.#on("b", false, "k", true)}
WHERE s.id IS NOT NULL OR ${this.#present("b")}`,
    );
  }

  /**
   * Cells of the shadow rows whose ids come as a JSON array.
   *
   * @param fields of so many columns, whose names come after the ids; 0 = of all
   * @param gathered a result for each row, see {@link gatheredCells}
   */
  readCells(fields: number, gathered: boolean): string {
    return this.#text(`row cells ${fields} ${gathered}`, () => {
      const only = fields === 0 ? "" : ` AND c.field IN (${placeholders(fields)})`;
      return gathered
        ? `SELECT c.row, ${GATHERED} FROM ${this.cells} c WHERE c.row IN (SELECT value FROM json_each(?))${only} GROUP BY c.row`
        : `SELECT ${aliased(CELL, "c")} FROM json_each(?) ids JOIN ${this.cells} c ON c.row = ids.value${only}`;
    });
  }

  /** Base rows for a list of keys. */
  readBase(count: number): string {
    return this.#text(
      `base ${count}`,
      () => `${this.#keyList(count)}
SELECT k.place${columnsOf(this.model.fields, "b")} FROM k JOIN ${this.name} b ON ${this.#on("b", false, "k", true)}`,
    );
  }

  /** Writes fields of a base row. An insert's key comes before their values, an update's after them. */
  writeBase(op: "insert" | "update", columns: readonly string[]): BaseColumns {
    const last = this.#written.get(op);
    if (last && last.columns.length === columns.length && columns.every((name, n) => name === last.columns[n]))
      return last;
    const sql = op === "insert" ? this.#insertBase(columns) : this.updateBase(columns);
    const written = { columns, fields: columns.map((name) => this.field(name)), sql };
    this.#written.set(op, written);
    return written;
  }
  updateBase(columns: readonly string[]): string {
    return this.#text(
      `update ${columns.join("\n")}`,
      () => `UPDATE ${this.name} SET ${columns.map((name) => `${ident(name)} = ?`).join(", ")} WHERE ${this.where}`,
    );
  }
  #insertBase(columns: readonly string[]): string {
    return this.#text(`insert ${columns.join("\n")}`, () => {
      const all = [...this.model.key.map(({ name }) => name), ...columns];
      return `INSERT INTO ${this.name} (${list(all)}) VALUES (${placeholders(all.length)})`;
    });
  }

  /** Canonical key of a raw row whose key columns start at `at`. */
  pk(raw: RawRow, at: number): Json[] {
    return this.model.key.map((column, n) => toJson(column, raw[at + n]));
  }
  /** What binds to the key columns. @throws GroveError `bad_value` */
  keyParams(pk: readonly Json[]): unknown[] {
    return this.model.key.map((column, n) => fromJson(column, pk[n] as Json));
  }
  /** The key as this node itself would send it: one row has one key, however a peer spells it. */
  canonicalKey(params: readonly unknown[]): Json[] {
    return this.model.key.map((column, n) => toJson(column, toSafe(params[n])));
  }

  field(name: string): FieldModel {
    return this.#fields.get(name) as FieldModel;
  }
  /** What binds to these columns, of the key or not. @throws GroveError `bad_value` */
  columnParams(columns: readonly string[], values: readonly Json[]): unknown[] {
    return columns.map((name, n) => {
      const value = values[n] as Json;
      const key = this.model.key.find((column) => column.name === name);
      return key ? fromJson(key, value) : this.param(this.field(name), value);
    });
  }
  /** Keys of base rows `b` under a condition; of those that live (1) or are deleted (0), where `cl` says so. */
  findShown(where: string, cl?: 0 | 1): string {
    return this.#text(`shown ${cl} ${where}`, () => {
      const columns = list(
        this.model.key.map(({ name }) => name),
        "b.",
      );
      const join = cl === undefined ? "" : ` JOIN ${this.shadow} s ON ${this.#on("b", false, "s", true)}`;
      return `SELECT ${columns} FROM ${this.name} b${join} WHERE ${where}${cl === undefined ? "" : ` AND s.cl % 2 = ${cl}`}`;
    });
  }
  /** What binds to a field's column. @throws GroveError `bad_value` */
  param(field: FieldModel, value: Json): unknown {
    if (field.type === "counter" && typeof value === "string") return counterParam(field, value);
    return fromJson(field, value);
  }

  /** Canonical values of all fields, read by {@link readPage} or {@link readBase} from column `at` on. */
  values(raw: RawRow, at: number): Record<string, Json> {
    const values: Record<string, Json> = {};
    const { fields } = this.model;
    for (let n = 0; n < fields.length; n++) {
      const field = fields[n]!;
      const value = raw[at + n];
      values[field.name] =
        field.type === "counter"
          ? ((value ?? null) as Json)
          : isNested(field.type)
            ? parseNested(field.type, value)
            : toJson(field, value);
    }
    return values;
  }

  /** The shadow row whose columns start at `at`; null when the LEFT JOIN found none. */
  stored(raw: RawRow, at: number): StoredRow | null {
    if (raw[at] === null || raw[at] === undefined) return null;
    return {
      id: raw[at] as number,
      cl: raw[at + 1] as number,
      hlc: raw[at + 2] as number,
      node: raw[at + 3] as number,
      born: raw[at + 4] as number,
      via: raw[at + 5] as number | null,
      shape: raw[at + 6] as number | null,
      clocks: raw[at + 7] as string | null,
      seq: raw[at + 8] as number,
    };
  }

  decode(stored: StoredRow, cells: readonly StoredCell[] | undefined, interned: Interned): Row {
    return decodeRow(this.model, stored, cells ?? [], interned);
  }
}

export const SHADOW_COLUMNS = SHADOW.length;

export function rawToCell(raw: RawRow): StoredCell {
  const [id, row, field, key, node, hlc, state, seq, via] = raw as [
    number,
    number,
    string,
    string,
    number,
    number,
    string | null,
    number,
    number | null,
  ];
  return { id, row, field, key, node, hlc, state, seq, via };
}

/** The cells of one row, read column by column: for a row of thousands in two thirds of the time that as many results take. */
export function gatheredCells(raw: RawRow): StoredCell[] {
  const row = raw[0] as number;
  const column = <T>(n: number) => JSON.parse(raw[n] as string) as T[];
  const [ids, fields, keys] = [column<number>(1), column<string>(2), column<string>(3)];
  const [nodes, hlcs, seqs, vias] = [column<number>(4), column<number>(5), column<number>(7), column<number | null>(8)];
  const states = (raw[6] as string).split("\n");
  return ids.map((id, n) => ({
    id,
    row,
    field: fields[n] as string,
    key: keys[n] as string,
    node: nodes[n] as number,
    hlc: hlcs[n] as number,
    state: states[n] || null,
    seq: seqs[n] as number,
    via: vias[n] as number | null,
  }));
}

/** What a column of JSON that merges part by part holds; text that is none (the guard trigger refuses it) counts as empty. */
export function parseNested(type: CrdtTypeName, text: unknown): Json {
  try {
    return nestedValue(type, parseSound(text as string));
  } catch {
    return emptyOf(type);
  }
}

function counterParam(field: FieldModel, value: string): unknown {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  return fromJson({ ...field, kind: "integer", storage: "integer" }, value);
}
