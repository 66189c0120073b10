// Mutants of what the base table shows.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are texts of our own code
import type { Mutant } from "./mutant";

const projection = "packages/core/src/projection/projection.ts";

export const projections: readonly Mutant[] = [
  {
    name: "keys to whoever came first here",
    takes: "design 3: first come keeps a unique key, by stamps and not by arrival",
    file: "packages/core/src/projection/claim.ts",
    find: "of [...claims].sort(byAge)) {",
    replace: "of [...claims]) {",
  },
  {
    name: "keys by name",
    takes: "design 3: who took its keys first keeps them",
    file: "packages/core/src/projection/claim.ts",
    find: "  compareStamps(a.taken, b.taken) ||\n",
    replace: "",
    by: ["packages/core/test/projection.test.ts", "no two holders share a key"],
  },
  {
    name: "hidden claims are not looked for",
    takes: "faults 54: a row shows as soon as the holder of its key is gone",
    file: projection,
    find: 'if (this.#hidden) this.#ask({ ask: "named", name: `=${keyName(table, place, values)}` }, effect);',
    replace: "",
    by: ["packages/core/test/references.test.ts", "walks to the same rows as the decision over all of them"],
  },
  {
    name: "children wait for ever",
    takes: "faults 15: a child that came before its parent shows with it",
    file: projection,
    find: 'for (const name of this.#names(node)) this.#ask({ ask: "named", name: `>${name}` }, effect);',
    replace: "void effect;",
  },
  {
    name: "children stay without their parent",
    takes: "design 3: a child of a parent that does not show does not show",
    file: projection,
    find: 'columns: link.columns, values: had }, "again");',
    replace: 'columns: link.columns, values: had }, "ask");',
  },
  {
    name: "hidden rows lose their values",
    takes: "design 1: a row that is kept out of the base table keeps its values in the shadow",
    file: "packages/core/src/hidden.ts",
    find: "return hide(model, unchanged(row), rowValues(model, row, base));",
    replace: "return null;",
  },
  {
    name: "parked rows stay on the list",
    takes: "design 3: what does not show is listed, and nothing else",
    file: "packages/store/src/sqlite/projection.ts",
    find: "else if (before.parked) unpark(session, table, pk);",
    replace: "",
  },
  {
    name: "cells of rows that show",
    takes: "design 2: a value in a cell goes before the base row's, so it must go once the row shows it",
    file: "packages/core/src/hidden.ts",
    find: "if (equal && entry.cell !== undefined) deletes.push(entry.cell);",
    replace: "if (equal && entry.cell !== undefined) continue;",
    by: ["packages/core/test/hidden.test.ts", "go where the base table shows the value"],
  },
  {
    name: "parents go though they are needed",
    takes: "design 3: NO ACTION, RESTRICT: a deleted parent shows as long as a showing child refers to it",
    file: "packages/core/src/projection/decision.ts",
    find: "if (!isKeeping(link)) continue;",
    replace: "if (isKeeping(link)) continue;",
    by: ["packages/core/test/references.test.ts", "is the greatest set without a broken reference"],
  },
];
