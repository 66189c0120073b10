// Mutants of capture and fold: what was written, and under which stamp.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are texts of our own code
import type { Mutant } from "./mutant";

const fold = "packages/core/src/fold.ts";
const triggers = "packages/codegen/src/sqlite/triggers";
const session = "packages/store/src/sqlite/session.ts";

export const captures: readonly Mutant[] = [
  {
    name: "all fields are stamped",
    takes: "lineage 4: only changed fields get a new stamp",
    file: "packages/core/src/touch.ts",
    find: "return Math.floor(mask / 2 ** (index % FIELDS_PER_MASK)) % 2 === 1;",
    replace: "return mask > 0;",
  },
  {
    name: "NULL is no change",
    takes: "design 2: a value set to NULL is a change",
    file: `${triggers}/parts.ts`,
    find: "sql`${OLD(column)}${exactly(column)} IS NOT ${NEW(column)}`",
    replace: "sql`coalesce(${OLD(column)}${exactly(column)} <> ${NEW(column)}, 0)`",
  },
  {
    name: "the last value before",
    takes: "design 2: implicit entries are made of the value before the first captured write",
    file: "packages/core/src/touch.ts",
    find: "touch.before = { ...before, ...touch.before };",
    replace: "touch.before = { ...touch.before, ...before };",
    by: ["packages/core/test/touch.test.ts", "tell what a field was before the first of them"],
  },
  {
    name: "the default as value before",
    takes: "faults 46: what was there before the first captured write counts once",
    file: fold,
    find: "touch.before?.[field.name] ?? field.default ?? value",
    replace: "field.default ?? value",
  },
  {
    name: "implicit entries are not told",
    takes: "design 2: implicit entries that a fold expands are numbered anew",
    file: fold,
    find: "(implicit ? replaceEntries(field.type, entries, changed) : changed)",
    replace: "changed",
  },
  {
    name: "stamps of the wall clock",
    takes: "lineage 21: a stamp is later than all that the node has seen, wherever its clock stands",
    file: fold,
    find: "Math.max(Math.min(at, clock.now), clock.clock, floor + 1)",
    replace: "Math.min(at, clock.now)",
  },
  {
    name: "stamps of the node's clock alone",
    takes: "design 3: a stamp is greater than every stamp in the column's whole state",
    file: fold,
    find: "Math.max(Math.min(at, clock.now), clock.clock, floor + 1)",
    replace: "Math.max(Math.min(at, clock.now), clock.clock)",
  },
  {
    name: "the clock is not stored",
    takes: "lineage 21: the clock outlives the process",
    file: session,
    find: 'capture = 1 WHERE id = 1", this.clock, this.#seq);',
    replace: 'capture = 1 WHERE id = 1", 0, this.#seq);',
    by: ["test/clocks.test.ts", "the clock is kept in the database"],
  },
  {
    name: "a merge moves no clock",
    takes: "design 3: who saw a stamp writes later ones",
    file: "packages/store/src/sqlite/merge.ts",
    find: "session.clock = Math.max(session.clock, latest);",
    replace: "void latest;",
    by: ["test/clocks.test.ts", "the clock is kept in the database"],
  },
  {
    name: "stored texts stay as written",
    takes: "design 4: all nodes end with the same bytes",
    file: fold,
    find: "const baseWrite = normalize(touched, base, fields);",
    replace: 'const baseWrite = NO_BASE_WRITE as ChangeSet["base"];',
  },
  {
    name: "a changed key logs the new one",
    takes: "design 2: a change of primary key logs both keys",
    file: `${triggers}/key.ts`,
    find: 'body: [logRow(table, "D", OLD, oldRow(table, OLD)), logRow(table, "I", NEW)],',
    replace: 'body: [logRow(table, "I", NEW)],',
    by: ["packages/codegen/test/keys.test.ts", "are logged as they are stored"],
  },
  {
    name: "replaced rows go unseen",
    takes: "design 2: rows that INSERT OR REPLACE removes through another unique key are logged",
    file: `${triggers}/replace.ts`,
    find:
      "export function emitReplaceInsert(table: TableModel): Sql | null {\n" +
      "  const uniques = uniqueColumns(table);\n  if (uniques.length === 0)",
    replace:
      "export function emitReplaceInsert(table: TableModel): Sql | null {\n" +
      "  const uniques = uniqueColumns(table);\n  if (uniques.length >= 0)",
  },
  {
    name: "merges are captured",
    takes: "faults 21: a merge fires no triggers of ours",
    file: session,
    find: "UPDATE _grove_node SET capture = 0 WHERE id = 1",
    replace: "UPDATE _grove_node SET capture = 1 WHERE id = 1",
  },
  {
    name: "merges beside the log",
    takes: "design 3: what was written is folded before a page is merged",
    file: "packages/store/src/sqlite/store.ts",
    find:
      "await this.fold();\n    return this.#connection.write((session) => {\n" +
      "      if (collected !== undefined) checkCollected(collectionOf(this.#statements).upTo, collected);\n" +
      "      this.#foldRest(session);\n      const horizon",
    replace:
      "return this.#connection.write((session) => {\n" +
      "      if (collected !== undefined) checkCollected(collectionOf(this.#statements).upTo, collected);\n      const horizon",
  },
];
