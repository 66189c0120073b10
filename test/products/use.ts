// What people do with a product's database, drawn by a seed: rows that fit every column and reference, and then inserts,
// updates and deletes, of which some meet another row's unique key or a reference that forbids them.
import type { Random } from "@grove-crdt/testkit";
import type { Column } from "drizzle-orm";
import type { ProductDatabase, ProductTable, Values } from "./product";

type Pools = ReadonlyMap<string, readonly Values[]>;

/** Both draw from one schema: the values must fit what the rows go to in the end. */
export class Use {
  #count = 0;

  constructor(
    private readonly tables: readonly ProductTable[],
    private readonly random: Random,
    /** Goes into keys, so that two nodes draw different ones. */
    private readonly who: string,
  ) {}

  /** The same rows for each database that is given. */
  async fill(databases: readonly ProductDatabase[], perTable: number): Promise<number> {
    const [first] = databases as [ProductDatabase];
    const pools = new Map<string, Values[]>();
    let total = 0;
    for (const table of this.tables) {
      const rows = Array.from({ length: perTable }, () => this.#row(table, pools)).filter((row) => row !== null);
      for (const database of databases) await database.fill(database.table(table.name), rows);
      const there = await first.rows(first.table(table.name));
      pools.set(table.name, there);
      total += there.length;
    }
    return total;
  }

  /** @returns how many writes were done, and how many the database's constraints refused */
  async work(database: ProductDatabase, writes: number): Promise<{ done: number; refused: number }> {
    const pools = new Map<string, Values[]>();
    for (const table of database.tables) pools.set(table.name, await database.rows(table));
    let done = 0;
    for (let n = 0; n < writes; n++) if (await this.#write(database, pools)) done++;
    return { done, refused: writes - done };
  }

  async #write(database: ProductDatabase, pools: Pools): Promise<boolean> {
    const table = this.random.pick(this.tables);
    const target = database.table(table.name);
    const rows = pools.get(table.name) ?? [];
    const what = this.random.next();
    if (what < 0.4 || rows.length === 0) {
      const row = this.#row(table, pools);
      return row !== null && database.insert(target, row);
    }
    const row = this.random.pick(rows);
    if (what < 0.55) return database.delete(target, row);
    const values = this.#changes(table, pools);
    return Object.keys(values).length > 0 && database.update(target, row, values);
  }

  /** One reference, or one or two other columns. */
  #changes(table: ProductTable, pools: Pools): Values {
    const { columns, key, references, fixed } = table;
    const isFree = (property: string) => !key.includes(property) && !fixed.includes(property);
    const loose = references.filter((reference) => reference.columns.every(isFree));
    if (loose.length > 0 && this.random.chance(0.4)) {
      const found = this.#refer(table, this.random.pick(loose), pools);
      return found ?? {};
    }
    const referring = new Set(references.flatMap((reference) => reference.columns));
    const others = Object.keys(columns).filter((property) => isFree(property) && !referring.has(property));
    if (others.length === 0) return {};
    const chosen = [this.random.pick(others), this.random.pick(others)];
    return Object.fromEntries(chosen.map((property) => [property, this.#value(columns[property] as Column)]));
  }

  /** Null where a parent is missing that it cannot do without. */
  #row(table: ProductTable, pools: Pools): Values | null {
    const row: Values = {};
    for (const [property, column] of Object.entries(table.columns)) {
      if (table.key.includes(property)) row[property] = this.#key(column);
      // Some columns are left to their defaults.
      else if (column.hasDefault && this.random.chance(0.5)) continue;
      else if (!column.notNull && this.random.chance(0.3)) continue;
      else row[property] = this.#value(column);
    }
    for (const reference of table.references) {
      const found = this.#refer(table, reference, pools);
      if (found === null) return null;
      // Two references may share a column: the later one goes by what the earlier chose, or refers to nothing.
      const clash = Object.entries(found).find(
        ([property, value]) => taken(table, reference, property) && row[property] !== value,
      );
      if (clash === undefined) Object.assign(row, found);
      else for (const property of reference.columns) if (!taken(table, reference, property)) row[property] = null;
    }
    return row;
  }

  #refer(
    table: ProductTable,
    { columns, table: to, parent }: ProductTable["references"][number],
    pools: Pools,
  ): Values | null {
    const rows = pools.get(to) ?? [];
    const nullable = columns.find((property) => !table.columns[property]?.notNull && !table.key.includes(property));
    if (nullable !== undefined && (rows.length === 0 || this.random.chance(0.3))) return { [nullable]: null };
    if (rows.length === 0) return null;
    const row = this.random.pick(rows);
    return Object.fromEntries(columns.map((property, n) => [property, row[parent[n] as string]]));
  }

  #key(column: Column): unknown {
    const count = ++this.#count;
    if (column.columnType === "PgUUID") {
      const digits = `${Buffer.from(this.who).toString("hex")}${String(count).padStart(6, "0")}`
        .padStart(12, "0")
        .slice(-12);
      return `00000000-0000-4000-8000-${digits}`;
    }
    return `${this.who}-${count}`;
  }

  #value(column: Column): unknown {
    const { random } = this;
    if (column.enumValues !== undefined && column.enumValues.length > 0) return random.pick(column.enumValues);
    switch (column.columnType) {
      case "PgTimestampString":
        return `2026-0${random.between(1, 9)}-11 10:20:30`;
      case "PgDateString":
        return `2026-0${random.between(1, 9)}-11`;
      case "PgDate":
        return new Date(Date.UTC(2026, random.below(12), 11));
      case "PgNumeric":
        return `${random.between(1, 90)}.${random.between(10, 99)}`;
      case "SQLiteTimestamp":
        return new Date(Date.UTC(2026, random.below(12), 11, 10, 20, 30));
      case "PgArray":
        return [`word ${random.below(5)}`];
      default:
    }
    switch (column.dataType) {
      case "number":
        return random.between(1, 90);
      case "boolean":
        return random.chance(0.5);
      case "date":
        return new Date(Date.UTC(2026, random.below(12), 11, 10, 20, 30, random.below(1000)));
      case "json":
        // A set or a list holds an array, whatever is in it; so does the default tell.
        return Array.isArray(column.default) ? [`word ${random.below(5)}`] : { theme: `t${random.below(5)}` };
      case "custom":
        return new Uint8Array([random.below(256), 0]);
      default:
        // Few enough that unique columns meet now and then.
        return `word${random.chance(0.7) ? ++this.#count + this.who : random.below(12)}`.slice(0, lengthOf(column));
    }
  }
}

const lengthOf = (column: Column): number => (column as unknown as { length?: number }).length ?? 99;

/** Whether an earlier reference has the column as well, or the key names the row by it. */
function taken({ references }: ProductTable, reference: ProductTable["references"][number], property: string): boolean {
  const before = references.slice(0, references.indexOf(reference));
  return before.some(({ columns }) => columns.includes(property));
}
