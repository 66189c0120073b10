// A migration made safe for capture: our triggers go before its statements and come back after them, with the shadow and
// the record of fields brought along.
import { comment, lines, type Sql } from "@grove-crdt/codegen";
import { maskColumns, type Registry, type TableCapture, type TableModel } from "@grove-crdt/core";
import type { AddedField, Context, MigrationDialect } from "./dialect";
import { disturbedBy, replicatedBefore } from "./disturbance";
import type { History } from "./history";
import { Renames } from "./renames";
import { Rewriter } from "./rewrite";
import type { Statement } from "./statement";

export interface Shield extends Context {
  /** For messages. */
  readonly tag: string;
  readonly statements: readonly Statement[];
  /** What is installed before it. */
  readonly history: History;
  /** What shall be installed after it; null = nothing, since a later migration does so. */
  readonly registry: Registry | null;
  readonly dialect: MigrationDialect;
}

/** The statements of the shielded migration. */
export function shieldMigration(shield: Shield): string[] {
  const { registry, statements } = shield;
  const made = new Set(statements.filter(({ kind }) => kind === "create table").map(({ table }) => table));
  const touched = touchedTables(shield);
  const rewriter = new Rewriter({ ...shield, models: registry?.tables ?? [] });
  const body = rewriter.rewrite();
  const dropped = dropCapture(
    shield,
    [...touched].filter((table) => !made.has(table)),
  );
  const models = registry?.tables ?? [];
  const kept = models.flatMap((model) => keepFields(shield, rewriter, model, made.has(model.name)));
  const created = models.flatMap(({ name }) =>
    touched.has(name) ? createCapture(registry?.capture.tables[name] as TableCapture) : [],
  );
  const recorded = models.flatMap((model) => recordFields(shield, rewriter, model, made.has(model.name)));
  return [
    ...titled("grove-crdt: no capture while this migration runs.", dropped),
    ...body,
    ...kept,
    ...titled("grove-crdt: capture, as generated.", [...created, ...recorded]),
  ];
}

function titled(title: string, texts: readonly (Sql | string)[]): string[] {
  const [first, ...others] = texts.map(String);
  // Not above a trigger or a function: the database keeps their text as it is.
  if (first === undefined || /^CREATE /.test(first)) return texts.map(String);
  return [`${lines(comment(title)).toString()}\n${first}`, ...others];
}

/** Tables whose triggers must go, by their names before and after. */
function touchedTables(shield: Shield): Set<string> {
  const { history, registry, statements, dialect } = shield;
  const replicated = replicatedBefore(history, shield);
  const touched = new Set<string>();
  const models = registry?.tables ?? [];
  for (const statement of statements) {
    const tables = disturbedBy(statement, replicated, dialect, shield);
    for (const table of tables === "all" ? [...history.captured(), ...models.map(({ name }) => name)] : tables)
      touched.add(table);
  }
  for (const { name } of models)
    if (history.differences(name, registry?.capture.tables[name] as TableCapture).length > 0) touched.add(name);
  if (registry)
    for (const table of history.captured()) if (!models.some(({ name }) => name === table)) touched.add(table);
  for (const [from, to] of new Renames(shield).tables) {
    if (touched.has(from)) touched.add(to);
    if (touched.has(to)) touched.add(from);
  }
  return touched;
}

/** Also what `ensureShadowTables()` may have installed without any migration telling. */
function dropCapture(shield: Shield, tables: readonly string[]): Sql[] {
  const { history, registry, dialect, statements } = shield;
  const renames = new Renames(shield).tables;
  const wanted = (table: string) => Object.keys(registry?.capture.tables[table]?.triggers ?? {});
  const names = (table: string): string[] => {
    const to = renames.get(table);
    const renamed = to === undefined ? [] : wanted(to).map((name) => name.replace(`_${to}_`, `_${table}_`));
    return [...new Set([...history.triggersOf(table), ...wanted(table), ...renamed])].sort();
  };
  const former = tables.filter((table) => ![...renames.values()].includes(table));
  const { dropFunction } = dialect;
  const vanishes = (table: string) =>
    renames.has(table) || statements.some((other) => other.kind === "drop table" && other.table === table);
  const functions = (table: string) =>
    names(table).filter(
      (name) => history.functions.has(name) && (vanishes(table) || (registry && !wanted(table).includes(name))),
    );
  return [
    ...former.flatMap((table) => names(table).map((name) => dialect.dropTrigger(name, table))),
    ...(dropFunction ? former.flatMap((table) => functions(table).map(dropFunction)) : []),
  ];
}

const createCapture = ({ functions = {}, triggers }: TableCapture): string[] => [
  ...Object.values(functions),
  ...Object.values(triggers),
];

const nameList = (names: readonly string[]): string => JSON.stringify(names);

/** Log rows and entries of fields that stay, go or come without their column being dropped. */
function keepFields({ dialect }: Shield, rewriter: Rewriter, { name, fields }: TableModel, isNew: boolean): string[] {
  const before = rewriter.history.fields.get(name);
  const after = fields.map((field) => field.name);
  if (isNew || !before || nameList(before) === nameList(after)) return [];
  const gone = before.filter((field) => !after.includes(field) && !rewriter.forgotten.get(name)?.has(field));
  const masks = Math.max(maskColumns(before.length).length, maskColumns(after.length).length);
  return [
    ...gone.flatMap((field) => dialect.forgetField(name, field)),
    ...(rewriter.hasMovedMasks(name) ? [] : [dialect.moveMasks(name, after, masks)]),
  ].map(String);
}

function recordFields(shield: Shield, rewriter: Rewriter, model: TableModel, isNew: boolean): Sql[] {
  const before = rewriter.history.fields.get(model.name);
  if (before && nameList(before) === nameList(model.fields.map(({ name }) => name))) return [];
  const columns = shield.after?.tables[shield.dialect.snapshotName(model.name)]?.columns ?? {};
  const added: AddedField[] =
    before && !isNew
      ? model.fields
          .filter(({ name }) => !before.includes(name))
          .map(({ name }) => ({ name, default: String(columns[name]?.default ?? "NULL") }))
      : [];
  return shield.dialect.recordFields(model, added);
}
