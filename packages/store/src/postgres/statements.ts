// The SQL of one replicated table on Postgres, put together once from its model. Lists of keys and rows come as one array
// for each column, so a statement's text does not depend on how many there are.
import {
  type ColumnModel,
  cellsTable,
  type FieldModel,
  fieldNamed,
  logTable,
  maskColumns,
  shadowTable,
  type TableModel,
} from "@grove-crdt/core";
import { ident, keyColumn, type ListColumn, list, listed, qualified, rowsFrom } from "./sql";

/** Columns of a shadow table without its key, as `stored` of a table reads them. */
export const SHADOW = ["id", "cl", "hlc", "node", "born", "via", "shape", "clocks", "seq"] as const;
export const SHADOW_COLUMNS = SHADOW.length;
const CELL = ["id", "row", "field", "key", "node", "hlc", "state", "seq", "via"] as const;
const INTEGERS = new Set(["node", "via", "shape"]);
const TEXTS = new Set(["clocks", "field", "key", "state"]);
const typed = (name: string): ListColumn => [
  name,
  TEXTS.has(name) ? "text" : INTEGERS.has(name) ? "integer" : "bigint",
];
const aliased = (names: readonly string[], alias: string) => list(names, `${alias}.`);
const CELL_COLUMNS = CELL.map(typed);
/** What the shadow row of a new row is made of: its first number is its id, its life's and its own. */
const NEW_ROW = ["id", "cl", "hlc", "node", "via", "shape", "clocks"].map(typed);
/** What a cell's update changes. */
const CELL_STATE = ["id", "node", "hlc", "state", "seq", "via"].map(typed);

interface LogColumns {
  readonly key: number;
  readonly mask: number;
  readonly before: number;
  readonly present: number;
  readonly multi: number;
  readonly shadow: number;
}

/** Columns to be read of a base table as text, each after a comma. */
const columnsOf = (fields: readonly FieldModel[], alias: string): string =>
  fields.map(({ name }) => `, ${alias}.${ident(name)}::text`).join("");

export class Statements {
  readonly name: string;
  readonly log: string;
  readonly shadow: string;
  readonly cells: string;
  readonly multi: readonly FieldModel[];
  readonly masks: readonly string[];
  readonly #keys: readonly string[];
  /** Texts that depend on a list of columns. */
  readonly #texts = new Map<string, string>();

  /** Drains the oldest `$1` log rows, with what the base table and the shadow have now, in one snapshot. */
  readonly drainLog: string;
  /** Where the columns of {@link drainLog} begin. */
  readonly logAt: LogColumns;
  /** Cells of the shadow rows with these ids. */
  readonly readCells: string;
  /** Those among them of the columns of a second list. */
  readonly readFieldCells: string;
  /** What is known of a list of keys: place, whether the base table has it, its shadow row. */
  readonly readByKeys: string;
  /** The shadow rows alone: place, shadow row. */
  readonly readShadow: string;
  /** Base rows for a list of keys: place, values. */
  readonly readBase: string;
  readonly upsertShadow: string;
  /** The same for rows that the shadow does not have, from {@link NEW_ROW}: whoever asks holds the lock, so nobody adds them. */
  readonly insertShadow: string;
  readonly insertCells: string;
  readonly updateCells: string;
  readonly deleteCells: string;
  readonly clearCells: string;
  readonly deleteBase: string;

  constructor(readonly model: TableModel) {
    this.name = qualified(model.name);
    this.log = qualified(logTable(model.name));
    this.shadow = qualified(shadowTable(model.name));
    this.cells = qualified(cellsTable(model.name));
    const { name, log, shadow, cells } = this;
    this.multi = model.fields.filter((field) => field.type !== "lww");
    this.masks = maskColumns(model.fields.length);
    this.#keys = model.key.map((column) => keyColumn(column.name));
    const keys = this.#keys;
    const keyTexts = (alias: string) => keys.map((key) => `${alias}.${ident(key)}::text`).join(", ");
    const present = (alias: string) => `(${alias}.${ident(model.key[0]!.name)} IS NOT NULL)::int`;

    this.drainLog = `WITH l AS (
  DELETE FROM ${log} WHERE seq = ANY(ARRAY(SELECT seq FROM ${log} ORDER BY seq LIMIT $1::text::bigint))
  RETURNING *
)
SELECT l.at, l.op, ${keyTexts("l")}, ${aliased(this.masks, "l")}, l.before, ${present("b")}${columnsOf(this.multi, "b")}, ${aliased(SHADOW, "s")}
FROM l
LEFT JOIN ${name} b ON ${this.#on("b", false, "l")}
LEFT JOIN ${shadow} s ON ${this.#on("s", true, "l")}
ORDER BY l.seq`;
    const mask = 2 + keys.length;
    const before = mask + this.masks.length;
    this.logAt = {
      key: 2,
      mask,
      before,
      present: before + 1,
      multi: before + 2,
      shadow: before + 2 + this.multi.length,
    };

    const cellsOf = (where: string) =>
      `SELECT ${aliased(CELL, "c")} FROM unnest($1::text::bigint[]) ids(id) JOIN ${cells} c ON c."row" = ids.id${where} ORDER BY c.id`;
    this.readCells = cellsOf("");
    this.readFieldCells = cellsOf(" AND c.field = ANY($2::text::text[])");
    this.readByKeys = `SELECT k.place, ${present("b")}, ${aliased(SHADOW, "s")}
FROM ${this.keyList()}
LEFT JOIN ${shadow} s ON ${this.#onKey("s", true)}
LEFT JOIN ${name} b ON ${this.#onKey("b", false)}
WHERE s.id IS NOT NULL OR ${present("b")} = 1`;
    this.readShadow = `SELECT k.place, ${aliased(SHADOW, "s")} FROM ${this.keyList()} JOIN ${shadow} s ON ${this.#onKey("s", true)}`;
    this.readBase = `SELECT k.place${columnsOf(model.fields, "b")} FROM ${this.keyList()} JOIN ${name} b ON ${this.#onKey("b", false)}`;

    const sets = SHADOW.slice(1).map((column) => `${ident(column)} = excluded.${ident(column)}`);
    const shadowRows = rowsFrom("v", [...this.#keyColumns, ...SHADOW.map(typed)]);
    const values = model.key.map((column) => `v.${ident(keyColumn(column.name))}::${column.sqlType}`);
    this.upsertShadow = `INSERT INTO ${shadow} (${list(keys)}, ${list(SHADOW)})
SELECT ${values.join(", ")}, ${aliased(SHADOW, "v")} FROM ${shadowRows}
ON CONFLICT (${list(keys)}) DO UPDATE SET ${sets.join(", ")}`;
    const fresh = rowsFrom("v", [...this.#keyColumns, ...NEW_ROW]);
    this.insertShadow = `INSERT INTO ${shadow} (${list(keys)}, ${list(NEW_ROW.map(([column]) => column))}, "born", "seq")
SELECT ${values.join(", ")}, ${aliased(
      NEW_ROW.map(([column]) => column),
      "v",
    )}, v."id", v."id" FROM ${fresh}`;
    this.insertCells = `INSERT INTO ${cells} (${list(CELL.slice(1))}) SELECT ${aliased(CELL.slice(1), "v")} FROM ${rowsFrom("v", CELL_COLUMNS.slice(1))} ORDER BY v.place`;
    this.updateCells = `UPDATE ${cells} c SET ${CELL_STATE.slice(1)
      .map(([column]) => `${ident(column)} = v.${ident(column)}`)
      .join(", ")} FROM ${rowsFrom("v", CELL_STATE)} WHERE c.id = v.id`;
    this.deleteCells = `DELETE FROM ${cells} c USING unnest($1::text::bigint[]) ids(id) WHERE c.id = ids.id`;
    this.clearCells = `DELETE FROM ${cells} c USING unnest($1::text::bigint[]) ids(id) WHERE c."row" = ids.id`;
    this.deleteBase = `DELETE FROM ${name} b USING ${this.keyList()} WHERE ${this.#onKey("b", false)}`;
  }

  /** `alias.pk_a = other.pk_a AND …`, where `other` is one of our tables. */
  #on(alias: string, ours: boolean, other: string): string {
    return this.model.key
      .map(({ name }) => `${alias}.${ident(ours ? keyColumn(name) : name)} = ${other}.${ident(keyColumn(name))}`)
      .join(" AND ");
  }
  /** The same with a list of keys `k`, whose items are text. */
  #onKey(alias: string, ours: boolean): string {
    return this.model.key
      .map(
        ({ name, sqlType }) =>
          `${alias}.${ident(ours ? keyColumn(name) : name)} = k.${ident(keyColumn(name))}::${sqlType}`,
      )
      .join(" AND ");
  }

  /** A list of keys as rows `k`, each with its place. */
  keyList(): string {
    return rowsFrom("k", this.#keyColumns);
  }

  get #keyColumns(): ListColumn[] {
    return this.model.key.map(({ sqlType }, n) => [this.#keys[n] as string, listed(sqlType)]);
  }

  #text(key: string, make: () => string): string {
    let sql = this.#texts.get(key);
    if (sql === undefined) {
      sql = make();
      this.#texts.set(key, sql);
    }
    return sql;
  }

  /** A list of keys as the key's types: fails for one that none is of, which a join with an empty table may not. */
  get castKeys(): string {
    return this.#text("cast keys", () => {
      const casts = this.model.key.map(({ name, sqlType }) => `k.${ident(keyColumn(name))}::${sqlType}`);
      return `SELECT ${casts.join(", ")} FROM ${this.keyList()}`;
    });
  }

  /** Locks the base rows of a list of keys, in the order of the keys; answers with the places that it locked. */
  lockBase(forDelete: boolean, skipLocked: boolean): string {
    return this.#text(`lock ${forDelete} ${skipLocked}`, () => {
      const order = this.model.key.map(({ name }) => `b.${ident(name)}`).join(", ");
      const strength = forDelete ? "FOR UPDATE" : "FOR NO KEY UPDATE";
      return `SELECT k.place FROM ${this.keyList()} JOIN ${this.name} b ON ${this.#onKey("b", false)} ORDER BY ${order} ${strength} OF b${skipLocked ? " SKIP LOCKED" : ""}`;
    });
  }

  #values(columns: readonly ColumnModel[], params?: readonly number[]): string {
    return rowsFrom(
      "k",
      [...this.#keyColumns, ...columns.map(({ sqlType }, n): ListColumn => [`c${n}`, listed(sqlType)])],
      params,
    );
  }

  updateBase(columns: readonly ColumnModel[]): string {
    const names = columns.map(({ name }) => name);
    return this.#text(`update ${names.join("\n")}`, () => {
      const sets = columns.map(({ name, sqlType }, n) => `${ident(name)} = k.c${n}::${sqlType}`);
      return `UPDATE ${this.name} b SET ${sets.join(", ")} FROM ${this.#values(columns)} WHERE ${this.#onKey("b", false)}`;
    });
  }

  /** Inserts rows unless their keys are there; answers with the number of those that it inserted. */
  insertBase(columns: readonly ColumnModel[]): string {
    return this.#text(`insert ${columns.map(({ name }) => name).join("\n")}`, () => this.#insertBase(columns));
  }
  /** The same together with {@link insertShadow}, whose values come between the keys and those of the columns. */
  insertBoth(columns: readonly ColumnModel[]): string {
    return this.#text(`both ${columns.map(({ name }) => name).join("\n")}`, () => {
      const width = this.#keys.length + NEW_ROW.length;
      const params = [...this.#keys.keys(), ...columns.map((_, n) => width + n)].map((n) => n + 1);
      return this.#insertBase(columns, `s AS (${this.insertShadow}), `, params);
    });
  }
  #insertBase(columns: readonly ColumnModel[], before = "", params?: readonly number[]): string {
    const names = [...this.model.key, ...columns].map(({ name }) => name);
    const keys = this.model.key.map(({ name, sqlType }) => `k.${ident(keyColumn(name))}::${sqlType}`);
    const values = columns.map(({ sqlType }, n) => `k.c${n}::${sqlType}`);
    return `WITH ${before}b AS (
  INSERT INTO ${this.name} (${list(names)}) SELECT ${[...keys, ...values].join(", ")} FROM ${this.#values(columns, params)}
  ON CONFLICT (${list(this.model.key.map(({ name }) => name))}) DO NOTHING RETURNING 1
)
SELECT count(*) FROM b`;
  }

  /**
   * Rows `s` numbered after `$1` and up to `$2`, of which these columns have the values of `scopeParams`, given as `$first` and
   * after.
   */
  #numbered(columns: readonly string[], first: number): { readonly base: string; readonly where: string } {
    let next = first;
    const conditions = columns.map((name) => {
      const { sqlType } = this.column(name);
      if (this.model.key.some((column) => column.name === name))
        return `s.${ident(keyColumn(name))} = $${next++}::text::${sqlType}`;
      // A value in a cell goes before the base row's, and a row that does not show has no other.
      const cell = `SELECT c.state = $${next++}::text FROM ${this.cells} c WHERE c."row" = s.id AND c.field = $${next++}::text LIMIT 1`;
      return `coalesce((${cell}), b.${ident(name)} = $${next++}::text::${sqlType})`;
    });
    const where = ["s.seq > $1::text::bigint", "s.seq <= $2::text::bigint", ...conditions].join(" AND ");
    // Each found by its key: where a table has some ten thousand rows, a plain join reads all of them for every page.
    const names = [...this.model.key, ...this.model.fields].map(({ name }) => name);
    const found = `SELECT ${list(names, "b.")} FROM ${this.name} b WHERE ${this.#on("b", false, "s")} OFFSET 0`;
    return { base: `LEFT JOIN LATERAL (${found}) b ON true`, where };
  }
  /** The numbers of rows alone. `columns` as in {@link readPage}; `limit`: the place of the parameter that bounds them. */
  readNumbers(columns: readonly string[], first: number, limit: number): string {
    return this.#text(`numbers ${first} ${limit} ${columns.join("\n")}`, () => {
      const { base, where } = this.#numbered(columns, first);
      return `(SELECT s.seq FROM ${this.shadow} s ${columns.length > 0 ? `${base} ` : ""}WHERE ${where} ORDER BY s.seq LIMIT $${limit}::text::bigint)`;
    });
  }
  /**
   * A page of rows by number: key, shadow, all fields.
   *
   * @param columns those by which a scope tells the rows; mostly none
   */
  readPage(columns: readonly string[]): string {
    return this.#text(`page ${columns.join("\n")}`, () => {
      const { base, where } = this.#numbered(columns, 3);
      const keys = this.model.key.map(({ name }) => `s.${ident(keyColumn(name))}::text`).join(", ");
      const present = `(b.${ident(this.model.key[0]!.name)} IS NOT NULL)::int`;
      return `SELECT ${keys}, ${aliased(SHADOW, "s")}${columnsOf(this.model.fields, "b")}, ${present}
FROM ${this.shadow} s ${base}
WHERE ${where} ORDER BY s.seq`;
    });
  }
  /** Cells of the same page: those numbered above the floor, and all of a row whose life is. */
  readPageCells(columns: readonly string[]): string {
    return this.#text(`page cells ${columns.join("\n")}`, () => {
      const { base, where } = this.#numbered(columns, 4);
      return `SELECT ${aliased(CELL, "cell")} FROM ${this.shadow} s ${columns.length > 0 ? `${base} ` : ""}JOIN ${this.cells} cell ON cell."row" = s.id
WHERE ${where} AND (cell.seq > $3::text::bigint OR s.born > $3::text::bigint) ORDER BY cell.id`;
    });
  }
  column(name: string): ColumnModel {
    return fieldNamed(this.model, name) ?? (this.model.key.find((column) => column.name === name) as ColumnModel);
  }
  /** Keys of base rows, each after its place in a list of values of these columns. */
  findShown(columns: readonly string[]): string {
    return this.#text(`shown ${columns.join("\n")}`, () => {
      const on = columns.map((name, n) => `b.${ident(name)} = v.c${n}::${this.column(name).sqlType}`).join(" AND ");
      const from = rowsFrom(
        "v",
        columns.map((_, n): ListColumn => [`c${n}`, "text"]),
      );
      return `SELECT v.place${this.#keysOf("b")} FROM ${from} JOIN ${this.name} b ON ${on}`;
    });
  }
  /** The same for one list of values, of rows that live (1, at most `$n`) or are deleted (0). */
  findShownBy(columns: readonly string[], cl: 0 | 1): string {
    return this.#text(`shown ${cl} ${columns.join("\n")}`, () => {
      const same = columns.map((name, n) => `b.${ident(name)} = $${n + 1}::text::${this.column(name).sqlType}`);
      const limit = cl === 1 ? ` LIMIT $${columns.length + 1}::text::bigint` : "";
      return `SELECT 1${this.#keysOf("b")} FROM ${this.name} b JOIN ${this.shadow} s ON ${this.#pair("b", "s")} WHERE ${same.join(" AND ")} AND s.cl % 2 = ${cl}${limit}`;
    });
  }
  /** Keys of base rows `b` under a condition. */
  findWhere(where: string): string {
    return `SELECT 1${this.#keysOf("b")} FROM ${this.name} b WHERE ${where}`;
  }
  #keysOf(alias: string): string {
    return this.model.key.map(({ name }) => `, ${alias}.${ident(name)}::text`).join("");
  }
  #pair(base: string, ours: string): string {
    return this.model.key.map(({ name }) => `${base}.${ident(name)} = ${ours}.${ident(keyColumn(name))}`).join(" AND ");
  }
  /** Whether writes to some of a list of keys wait to be folded. */
  get pendingKeys(): string {
    return this.#text("pending", () => {
      const on = this.model.key
        .map(({ name, sqlType }) => `l.${ident(keyColumn(name))} = k.${ident(keyColumn(name))}::${sqlType}`)
        .join(" AND ");
      return `SELECT 1 FROM ${this.log} l JOIN ${this.keyList()} ON ${on} LIMIT 1`;
    });
  }

  /** Keys of base rows of which the shadow does not say that they live. */
  get findUnknown(): string {
    return this.#text(
      "unknown",
      () =>
        `SELECT ${this.#keysOf("b").slice(2)} FROM ${this.name} b LEFT JOIN ${this.shadow} s ON ${this.#pair("b", "s")} WHERE s.id IS NULL OR s.cl % 2 = 0`,
    );
  }
  /** Keys of rows that live and that the base table does not have. */
  get findMissing(): string {
    return this.#text("missing", () => {
      const keys = this.#keys.map((key) => `s.${ident(key)}::text`).join(", ");
      const absent = `b.${ident(this.model.key[0]!.name)} IS NULL`;
      return `SELECT ${keys} FROM ${this.shadow} s LEFT JOIN ${this.name} b ON ${this.#pair("b", "s")} WHERE s.cl % 2 = 1 AND ${absent}`;
    });
  }
  /** Keys of rows with cells in their order, `$1` of them; from the key in the following parameters on. */
  findCells(after: boolean): string {
    return this.#text(`cells ${after}`, () => {
      const names = this.#keys.map((key) => `s.${ident(key)}`);
      const bound = this.model.key.map(({ sqlType }, n) => `$${n + 2}::text::${sqlType}`).join(", ");
      const from = after ? `(${names.join(", ")}) > (${bound}) AND ` : "";
      return `SELECT ${names.map((name) => `${name}::text`).join(", ")} FROM ${this.shadow} s WHERE ${from}EXISTS (SELECT 1 FROM ${this.cells} c WHERE c."row" = s.id) ORDER BY ${names.join(", ")} LIMIT $1::text::bigint`;
    });
  }

  /** Rewrites columns of one row whose text still is what was read; answers with a row if it was. */
  rewriteBase(columns: readonly FieldModel[]): string {
    return this.#text(`rewrite ${columns.map(({ name }) => name).join("\n")}`, () => {
      const n = this.model.key.length;
      const key = this.model.key.map(({ name, sqlType }, at) => `${ident(name)} = $${at + 1}::text::${sqlType}`);
      const sets = columns.map(({ name, sqlType }, at) => `${ident(name)} = $${n + 2 * at + 1}::text::${sqlType}`);
      const unchanged = columns.map(({ name }, at) => `${ident(name)}::text = $${n + 2 * at + 2}::text`);
      return `UPDATE ${this.name} SET ${sets.join(", ")} WHERE ctid = (SELECT ctid FROM ${this.name} WHERE ${[...key, ...unchanged].join(" AND ")} FOR NO KEY UPDATE SKIP LOCKED) RETURNING 1`;
    });
  }
}
