// Mutants of what is sent, when it counts as sent, and what is refused.
import type { Mutant } from "./mutant";

const serve = "packages/store/src/sqlite/serve.ts";
const cursor = "packages/core/src/cursor.ts";
const entries = "packages/core/src/serve.ts";
const push = "packages/sync/src/push.ts";
const page = "packages/store/src/page.ts";
const merge = "packages/core/src/merge.ts";

export const exchanges: readonly Mutant[] = [
  {
    name: "the floor follows the position",
    takes: "design 3: the floor moves up to the position only when a pull has drained",
    file: cursor,
    find: "floor: drained ? position : floor,",
    replace: "floor: position,",
  },
  {
    name: "echo by row",
    takes: "design 5: an entry is left out, not a row, and only while it still says what the peer sent",
    file: entries,
    find: "const life = [row.hlc, row.node] as const;",
    replace: "if (exclude !== null && row.via === exclude) return null;\n  const life = [row.hlc, row.node] as const;",
  },
  {
    name: "nothing is relayed",
    takes: "lineage 13: what came from one peer goes to the others",
    file: entries,
    find: "entry.seq > floor && (exclude === null || entry.via !== exclude)",
    replace: "entry.seq > floor && (exclude === null || entry.via === null)",
  },
  {
    name: "mixtures are not sent back",
    takes: "design 5: a mixed entry, or one merged anew, is sent",
    file: merge,
    find: "via: winner === theirs ? from : null",
    replace: "via: from",
    by: ["packages/testkit/test/precedence.test.ts", "an element that it added again while its first add was removed"],
  },
  {
    name: "a page that is full loses a row",
    takes: "lineage 11: a row that does not fit begins the next page",
    file: serve,
    find: "if (rows.length + sums.length > 0 && bytes + size > query.bytes) return done(end, false);",
    replace: "if (rows.length + sums.length > 0 && bytes + size > query.bytes) return done(seq, false);",
  },
  {
    name: "pages table by table",
    takes: "lineage 11: rows come in one order, whatever their table",
    file: serve,
    find: "if (tables.length + others.length > 1) page.sort((a, b) => a.seq - b.seq);",
    replace: "",
  },
  {
    name: "pushed before acknowledged",
    takes: "lineage 10: the push cursor moves with the acknowledgement",
    file: push,
    find: "let acknowledged = false;",
    replace: "await store.savePeer(peer, { pushCursor: next });\n    let acknowledged = false;",
  },
  {
    name: "all sums are equal",
    takes: "faults 47: what two nodes adopted under one key with different values is one value everywhere",
    file: "packages/sync/src/agreement.ts",
    find: "if (!state || sumOf(state) !== sum)",
    replace: "if (!state)",
  },
  {
    name: "old stamps are refused",
    takes: "lineage 19: old stamps are always welcome",
    file: page,
    find: "if (latest > horizon) {",
    replace: "if (latest > horizon || (latest > 0 && latest < now - 30_000_000)) {",
  },
  {
    name: "stamps from the future",
    takes: "lineage 18: a stamp beyond the drift bound is refused",
    file: page,
    find: "if (latest > horizon) {",
    replace: "if (latest > horizon * 2) {",
    by: ["test/clocks.test.ts", "what a peer refuses for its stamp is kept unsent"],
  },
  {
    name: "unknown incarnations are known",
    takes: "design 3: a cursor of another history is reset",
    file: cursor,
    find: "if (!isKnownPosition({ incarnation: cursor.incarnation, seq: cursor.last }, incarnations, last))",
    replace: "if (cursor.last < 0)",
    by: ["packages/testkit/test/precedence.test.ts", "a cursor of another history begins again"],
  },
  {
    name: "one incarnation for ever",
    takes: "design 3: an incarnation is drawn at every open",
    file: "packages/store/src/sqlite/session.ts",
    find: 'this.known = drawName(random, 12);\n      this.statements.run("INSERT INTO',
    replace:
      "this.known = this.connection.incarnations().at(-1)?.id ?? drawName(random, 12);\n" +
      '      this.statements.run("INSERT OR IGNORE INTO',
    by: ["test/restore.test.ts", "an edge gets back what it had sent"],
  },
  {
    name: "the sender is not told that it is behind",
    takes: "design 3: an entry that loses to what its sender sent clears that via and renumbers it",
    file: merge,
    find: "if (equal || from === null || (mine.via !== from && !untold)) continue;",
    replace: "if (equal || from === null || !untold) continue;",
    by: ["packages/testkit/test/precedence.test.ts", "what it sent once, when it comes with an older value"],
  },
  {
    name: "what widens is not sent",
    takes: "design 3: when the fingerprint widens, what is new is backfilled",
    file: cursor,
    find: "const wider = widened(cursor, tables, views);",
    replace: "const wider = widened(cursor, [], views);",
    by: ["test/cursors.test.ts", "a reader of one table gets past any number of rows"],
  },
  {
    name: "rejections are forgotten",
    takes: "lineage 9: what a peer rejects is kept at its origin",
    file: push,
    find: "await settle(link, outgoing, answer.outcomes);",
    replace: "",
    by: ["test/rejections.test.ts", "with code, columns and time"],
  },
  {
    name: "the cursor passes what was refused",
    takes: "lineage 9: what was refused comes again",
    file: "packages/sync/src/pull.ts",
    find: "...(!refusal && { pullCursor: page.cursor })",
    replace: "pullCursor: page.cursor",
    by: ["test/live.test.ts", "a stamp from the future is refused, ends the stream"],
  },
];
