// Mutants of the five types: how entries of one field join, and what they become.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are texts of our own code
import type { Mutant } from "./mutant";

const types = "packages/core/src/types";

export const columns: readonly Mutant[] = [
  {
    name: "a counter's totals by node",
    takes: "design 4: totals belong to an incarnation, not to a node",
    file: `${types}/counter.ts`,
    find: '(key === "" ? "" : `${key} ${node}`)',
    replace: '(key === "" ? "" : node)',
  },
  {
    name: "totals compared as text",
    takes: "design 4: of two totals the greater one counts",
    file: `${types}/counter.ts`,
    find: "a === b || BigInt(a) >= BigInt(b) ? a : b",
    replace: "a >= b ? a : b",
  },
  {
    name: "totals are added up",
    takes: "faults 10: a page that comes twice changes nothing",
    file: `${types}/counter.ts`,
    find: "const up = greater(aUp, bUp);",
    replace: "const up = String(BigInt(aUp) + BigInt(bUp));",
  },
  {
    name: "a counter is a register",
    takes: "lineage 14: increments add up, whoever made them",
    file: `${types}/counter.ts`,
    find: "if (delta === 0n) return [];",
    replace:
      "if (delta === 0n) return [];\n" +
      "    if (context.node) return [register(value as string, context.tick(), context.node)];",
  },
  {
    name: "a hub counts what it relays",
    takes: "lineage 12: totals stay those of the node that counted",
    file: "packages/core/src/merge.ts",
    find: "const { key, hlc, node, state } = winner;",
    replace:
      "const { key, hlc, state } = winner;\n" +
      '        const node = type === "counter" && key !== "" && from !== null ? from : winner.node;',
  },
  {
    name: "the first birth stays",
    takes: "design 4: a counter's birth is a register by stamp",
    file: `${types}/counter.ts`,
    find: '(a.key === "" ? joinRegisters(a, b) : joinTotals(a, b))',
    replace: '(a.key === "" ? a : joinTotals(a, b))',
  },
  {
    name: "removals of adds unseen",
    takes: "design 4: a concurrent add wins over a removal",
    file: `${types}/set.ts`,
    find: "changed.push({ ...entry, state: entry.hlc, seq: UNNUMBERED, via: null });",
    replace: "changed.push({ ...entry, state: context.tick(), seq: UNNUMBERED, via: null });",
    by: [
      "packages/testkit/test/precedence.test.ts",
      "of a set, an element that is added again while somebody removes it stays",
    ],
  },
  {
    name: "one dot per element",
    takes: "design 4: a set has a dot per element and node",
    file: `${types}/set.ts`,
    find: "identity: (entry) => `${entry.node}\\n${entry.key}`,",
    replace: "identity: (entry) => entry.key,",
  },
  {
    name: "deleted items come back",
    takes: "design 4: a list's deletions are for good",
    file: `${types}/list.ts`,
    find: "(isDeleted(entry) ? 2 : ",
    replace: "(isDeleted(entry) ? 0 : ",
    by: ["packages/core/test/list.test.ts", "what is deleted stays so, whoever moves or edits it meanwhile"],
  },
  {
    name: "a moved item stays as well",
    takes: "design 4: an item stands at the latest of its positions alone",
    file: `${types}/list-order.ts`,
    find: "(stands.get(item.key) ?? item) === entry",
    replace: "entry",
  },
  {
    name: "a move is delete and insert",
    takes: "lineage 27: concurrent moves never double an item",
    file: `${types}/list-match.ts`,
    find: "if (old !== undefined) keep(old, now);",
    replace: "void old;",
    by: ["packages/core/test/list.test.ts", "of two moves of one item the later counts"],
  },
  {
    name: "the move that came last",
    takes: "design 4: of two moves the later stamp counts, whichever came first",
    file: `${types}/list-order.ts`,
    find: "if (!other || compareIds(entry.key, other.key) > 0) stands.set(target, entry);",
    replace: "if (other || !other) stands.set(target, entry);",
    by: ["packages/core/test/list.test.ts", "of two moves of one item the later counts"],
  },
  {
    name: "siblings as they came",
    takes: "faults 25: a list has one order everywhere",
    file: `${types}/list-order.ts`,
    find: "if (siblings.length > 1) siblings.sort(byId);",
    replace: "if (siblings.length > 1) void byId;",
  },
  {
    name: "nothing hides what is below",
    takes: "design 4: a later write on an ancestor hides earlier registers below it",
    file: `${types}/document-tree.ts`,
    find: "!(above && compareStamps(above, register) > 0)",
    replace: "(!above || compareStamps(above, register))",
    by: ["packages/testkit/test/precedence.test.ts", "hides what was written below it earlier"],
  },
  {
    name: "typed paths are hidden",
    takes: "design 4: nothing on an ancestor hides a path with a type of its own",
    file: `${types}/document-tree.ts`,
    find: "if (typed) return typedValue(typed);",
    replace: "if (typed && !above) return typedValue(typed);",
    by: ["packages/testkit/test/precedence.test.ts", "does not hide a counter that somebody began below it"],
  },
  {
    name: "all paths are written",
    takes: "lineage 4, path by path: only changed paths get a new stamp",
    file: `${types}/document.ts`,
    find: "if (old && sameValue(old.value, leaf.value) && old.type?.type === leaf.type?.type) continue;",
    replace: "if (old?.type && sameValue(old.value, leaf.value) && old.type.type === leaf.type?.type) continue;",
    by: ["packages/core/test/document.test.ts", "a change of one path is one entry, whatever else there is"],
  },
  {
    name: "a document's counter is a value",
    takes: "design 4: a path merges by the type that is declared for it",
    file: `${types}/document.ts`,
    find: 'type === "counter" ? Number.isSafeInteger(value) && !Object.is(value, -0) : Array.isArray(value)',
    replace: 'type === "counter" ? false : Array.isArray(value)',
  },
];
