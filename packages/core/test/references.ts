// Small worlds of rows that refer to each other, for the tests of the projection: tables of every action, random rows,
// and a database in memory that keeps every constraint at every write.
import fc from "fast-check";
import {
  type Candidate,
  decideShown,
  type Entry,
  type FieldModel,
  isAlive,
  type Json,
  keyOf,
  type Links,
  linkTables,
  type Move,
  type Placed,
  PRIMARY,
  Projection,
  type Query,
  type ReferenceAction,
  type Refusal,
  type Row,
  rowName,
  type TableModel,
  targetOf,
  type Values,
} from "../src/index";

const column = { property: "x", kind: "text", storage: "text", sqlType: "text", notNull: false } as const;
const field = (name: string, value?: Json): FieldModel => ({
  ...column,
  name,
  type: "lww",
  ...(value !== undefined && { default: value }),
});

export interface Shape {
  /** From a's `up` to a's key. */
  readonly self: ReferenceAction;
  /** From b's `up` to a's key. */
  readonly child: ReferenceAction;
  /** From b's `tag` to a's unique key `slug`. */
  readonly slug: ReferenceAction;
  /** From a's `other` to b's key: a ring between tables. */
  readonly back: ReferenceAction;
}
export const ACTIONS = ["cascade", "set null", "set default", "no action", "restrict"] as const;

/** Two tables with a unique key each; `self` … `back` are references where they are given. */
export function makeTables(shape: Partial<Shape>): TableModel[] {
  const reference = (from: string, table: string, to: string, onDelete?: ReferenceAction) =>
    onDelete ? [{ columns: [from], table, parent: [to], onDelete, onUpdate: "no action" as const }] : [];
  const keeps = (...actions: (ReferenceAction | undefined)[]) =>
    actions.some((action) => action === "no action" || action === "restrict") && { keepsDeleted: true };
  const fallback = "2";
  return [
    {
      name: "a",
      exportName: "a",
      key: [{ ...column, name: "id" }],
      fields: [field("slug"), field("up", fallback), field("other")],
      local: [],
      uniques: [["slug"]],
      references: [...reference("up", "a", "id", shape.self), ...reference("other", "b", "id", shape.back)],
      ...keeps(shape.self, shape.child, shape.slug),
    },
    {
      name: "b",
      exportName: "b",
      key: [{ ...column, name: "id" }],
      fields: [field("slug"), field("up", fallback), field("tag")],
      local: [],
      uniques: [["slug"]],
      references: [...reference("up", "a", "id", shape.child), ...reference("tag", "a", "slug", shape.slug)],
      ...keeps(shape.back),
    },
  ];
}

/** One row's shadow, as short as a test writes it. */
export interface State {
  readonly table: string;
  readonly id: string;
  readonly lives: boolean;
  /** When the row took its keys. */
  readonly hlc: number;
  readonly values: Values;
}

const value = fc.constantFrom<Json>(null, "1", "2", "3");
export const state: fc.Arbitrary<State> = fc
  .record({
    table: fc.constantFrom("a", "b"),
    id: fc.constantFrom("1", "2", "3"),
    lives: fc.boolean(),
    hlc: fc.integer({ min: 1, max: 4 }),
    slug: value,
    up: value,
    third: value,
  })
  .map(({ table, id, lives, hlc, slug, up, third }) => ({
    table,
    id,
    lives,
    hlc,
    values: { id, slug, up, ...(table === "a" ? { other: third } : { tag: third }) },
  }));
export const shape: fc.Arbitrary<Partial<Shape>> = fc.record(
  {
    self: fc.constantFrom(...ACTIONS),
    child: fc.constantFrom(...ACTIONS),
    // The columns have no defaults, and one of a's own references may empty none that b refers to.
    slug: fc.constantFrom("cascade", "set null", "no action", "restrict"),
    back: fc.constantFrom("cascade", "set null", "no action", "restrict"),
  },
  { requiredKeys: [] },
);

export function rowOf(model: TableModel, { lives, hlc, values }: State): Row {
  const entry = (name: string): Entry => ({
    key: "",
    hlc,
    node: "n",
    state: values[name],
    seq: 1,
    via: null,
  });
  const kept = lives || model.keepsDeleted === true;
  return {
    id: 1,
    cl: lives ? 1 : 2,
    hlc: lives ? hlc : hlc + 1,
    node: "n",
    born: 1,
    via: null,
    seq: 1,
    shape: [],
    fields: new Map(kept ? model.fields.map(({ name }) => [name, { type: "lww", entries: [entry(name)] }]) : []),
  };
}

const modelOf = (links: Links, table: string): TableModel => links.get(table)!.model;

export const candidateOf = (links: Links, row: State): Candidate => ({
  id: rowName(row.table, [row.id]),
  table: row.table,
  row: rowOf(modelOf(links, row.table), row),
  values: row.values,
});

export const mayShow = (links: Links, { lives, table }: State): boolean =>
  lives || modelOf(links, table).keepsDeleted === true;

/** A node in memory: a shadow, a base table that refuses what breaks a constraint, and the hidden keys. */
export class World {
  readonly links: Links;
  readonly shadow = new Map<string, State>();
  readonly base = new Map<string, Values>();
  readonly #hidden = new Map<string, readonly string[]>();
  readonly refusals = new Map<string, Refusal>();
  moves = 0;
  /** Rows that were looked at. */
  loaded = 0;

  constructor(shape: Partial<Shape> | readonly TableModel[]) {
    this.links = linkTables(Array.isArray(shape) ? (shape as TableModel[]) : makeTables(shape as Partial<Shape>));
  }

  #placed(id: string): Placed[] {
    const known = this.shadow.get(id);
    if (!known) return [];
    this.loaded++;
    const { table, values } = known;
    return [
      {
        table,
        pk: [known.id],
        row: rowOf(modelOf(this.links, table), known),
        values,
        shown: this.base.get(id) ?? null,
      },
    ];
  }

  #answer(query: Query): Placed[] {
    if (query.ask === "rows") return query.pks.flatMap((pk) => this.#placed(rowName(query.table, pk)));
    if (query.ask === "named")
      return [...this.#hidden].flatMap(([id, names]) => (names.includes(query.name) ? this.#placed(id) : []));
    const found = [...this.base].filter(
      ([id, values]) =>
        this.shadow.get(id)?.table === query.table &&
        query.columns.every((name, n) => values[name] !== null && values[name] === query.values[n]),
    );
    const living = found.filter(([id]) => this.shadow.get(id)?.lives);
    const deleted = found.filter(([id]) => !this.shadow.get(id)?.lives);
    return [...living.slice(0, query.limit), ...deleted].flatMap(([id]) => this.#placed(id));
  }

  /** The shadow learns of a row, and the base table follows. */
  change(...states: readonly State[]): void {
    for (const row of states) this.shadow.set(rowName(row.table, [row.id]), row);
    const touched = states.map(({ table, id }) => ({ table, pk: [id], stale: ["slug", "up", "other", "tag"] }));
    const projection = new Projection(this.links, touched);
    for (let asked = projection.next(); asked.length > 0; asked = projection.next())
      projection.answer(asked.map((query) => this.#answer(query)));
    const { moves, standings } = projection.plan();
    for (const move of moves) this.#make(move);
    for (const { id, hiddenKeys, refusal } of standings) {
      if (hiddenKeys.length > 0) this.#hidden.set(id, hiddenKeys);
      else this.#hidden.delete(id);
      if (refusal) this.refusals.set(id, refusal);
      else this.refusals.delete(id);
    }
  }

  #make({ kind, id, values }: Move): void {
    this.moves++;
    const before = this.base.get(id);
    if ((kind === "in") !== (before === undefined)) throw new Error(`${kind} of ${id} makes no sense`);
    if (kind === "out") this.base.delete(id);
    else this.base.set(id, values);
    this.check(`after ${kind} of ${id}`);
  }

  /** Every constraint holds: no unique key twice, no reference to nothing. */
  check(when = ""): void {
    const keys = new Map<string, string>();
    for (const [id, values] of this.base) {
      const { model } = this.links.get(this.shadow.get(id)!.table)!;
      for (const place of [PRIMARY, ...model.uniques.keys()]) {
        const key = keyOf(model, place, values);
        if (key === null) continue;
        if (keys.has(key)) throw new Error(`${key} twice ${when}`);
        keys.set(key, id);
      }
    }
    for (const [id, values] of this.base) {
      for (const link of this.links.get(this.shadow.get(id)!.table)!.out) {
        const target = targetOf(link, values);
        if (target !== null && !keys.has(target))
          throw new Error(`${id} refers to ${target}, which is not there ${when}`);
      }
    }
  }

  /** What the base table must show by the decision over all rows at once. */
  expected(): Map<string, Values> {
    const rows = [...this.shadow.values()].filter((row) => mayShow(this.links, row));
    const { shown } = decideShown(
      this.links,
      rows.map((row) => candidateOf(this.links, row)),
    );
    return new Map([...shown].map(([id, { values }]) => [id, values]));
  }
}

export const sorted = (rows: ReadonlyMap<string, Values>): [string, Values][] =>
  [...rows].sort(([a], [b]) => (a < b ? -1 : 1));

export { isAlive };
