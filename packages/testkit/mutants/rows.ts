// Mutants of what a row becomes: which life counts, whose value wins, what a new life begins with.
import type { Mutant } from "./mutant";

const merge = "packages/core/src/merge.ts";

export const rows: readonly Mutant[] = [
  {
    name: "lives by stamp",
    takes: "lineage 6: causal length, not a stamp, says which life is the later one",
    file: merge,
    find: "const later = row === null ? 1 : lifeOf(model, change) - lifeOf(model, row);",
    replace:
      "const same = row !== null && lifeOf(model, change) === lifeOf(model, row);\n" +
      "  const later = row === null ? 1 : same ? 0 : compareStamps({ hlc: change.life[0], node: change.life[1] }, row);",
    by: ["packages/testkit/test/precedence.test.ts", "the one with the greater causal length counts"],
  },
  {
    name: "stamps without nodes",
    takes: "design 3: of equal clock readings the greater node id is later",
    file: "packages/core/src/stamp.ts",
    find: "return a.hlc - b.hlc || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0);",
    replace: "return a.hlc - b.hlc;",
    by: ["packages/core/test/stamp.test.ts", "are ordered by clock, then by node id by byte"],
  },
  {
    name: "ties as they come",
    takes: "design 2: equal stamps, different values: the greater canonical bytes win",
    file: "packages/core/src/types/lww.ts",
    find: "compareStamps(a, b) || compareValues(a.state as Json, b.state as Json)",
    replace: "compareStamps(a, b)",
  },
  {
    name: "entries outlive their life",
    takes: "design 4: what belongs to a lower causal length is dropped",
    file: merge,
    find: "const clearCells = previous !== null;",
    replace: "const clearCells = false;",
  },
  {
    name: "a new life has old values",
    takes: "design 4: a field that the new life does not carry is the column's default",
    file: merge,
    find: "if (!Object.hasOwn(values, field.name)) values[field.name] = field.default ?? null;",
    replace: "void field;",
    by: [
      "packages/testkit/test/precedence.test.ts",
      "a new life over one that shows begins with the columns' defaults",
    ],
  },
  {
    name: "a merged row keeps its number",
    takes: "lineage 1: what is merged late gets a number of its own, so that no cursor is past it",
    file: merge,
    find: "row = { ...row, fields, seq };",
    replace: "row = { ...row, fields };",
  },
  {
    name: "a life moves unnumbered",
    takes: "design 2: born numbers the life, and with it what is implicit",
    file: merge,
    find: "row = { ...longest, hlc: change.life[0], node: change.life[1], born: seq, via, shape: NO_SHAPE, fields };",
    replace: "row = { ...longest, hlc: change.life[0], node: change.life[1], shape: NO_SHAPE, fields };",
    by: ["packages/testkit/test/precedence.test.ts", "the later one's stamp is told to others"],
  },
  {
    name: "a life takes its fields along",
    takes: "design 4: concurrent inserts become one life field by field, each by its own stamp",
    file: merge,
    find: "const fields = isAlive(current) ? makeExplicit(model, current, local.values ?? {}, cells) : current.fields;",
    replace: "const fields = current.fields;",
    by: ["packages/testkit/test/precedence.test.ts", "the earlier one's fields keep their stamps"],
  },
  {
    name: "NULL over other fields",
    takes: "lineage 5: a partial change writes only what it says",
    file: merge,
    find: "const values: Values = {};\n  let row = current;",
    replace:
      "const values: Values = Object.fromEntries(lwwFields(model).map((name) => [name, null]));\n  let row = current;",
  },
  {
    name: "implicit entries are forgotten",
    takes: "design 2: implicit entries that a merge expands stay what they were",
    file: merge,
    find: "const mine = entriesOf(row, known ?? { name, type }, value);",
    replace: "const mine = implicit ? [] : entriesOf(row, known ?? { name, type }, value);",
  },
  {
    name: "a re-insert is no new life",
    takes: "design 4: delete and insert again start a new life",
    file: "packages/core/src/fold.ts",
    find: "row.cl + (isAlive(row) ? 2 : 1)",
    replace: "row.cl + (isAlive(row) ? 0 : 1)",
  },
  {
    name: "deletes are not served",
    takes: "lineage 7: a tombstone is kept and sent",
    file: "packages/core/src/serve.ts",
    find: "return isEmpty ? null : change;",
    replace: "return isEmpty || (!lives && exclude !== null) ? null : change;",
  },
  {
    name: "merges stay in the shadow",
    takes: "lineage 2: a merge writes the user's table in the same transaction",
    file: "packages/store/src/sqlite/apply.ts",
    find: "const refusal = applyBase(session, table, key, placement.write);",
    replace:
      'const { write } = placement;\n  const refusal = write.op === "update" ? null : applyBase(session, table, key, write);',
  },
];
