// Pages as they travel: what the merge cases merge and the serve cases make.
import { PROTOCOL_VERSION, type PullRequest, type RowChange } from "@grove-crdt/core";
import type { GroveNode } from "@grove-crdt/sync";
import type { Bench } from "./harness";
import { type BenchTable, insertAll, type Values } from "./tables";

/** Who sends in all cases, and who asks. */
export const PEER = "peer";
const READER = "reader";

export const pullRequest = (cursor: string | null): PullRequest => ({
  protocol: PROTOCOL_VERSION,
  node: READER,
  cursor,
});

/** Pulls until nothing is left, and hands over the text of each page. Returns the cursor after the last. */
export async function pullAll(node: GroveNode, cursor: string | null, each: (text: string) => void): Promise<string> {
  for (let next = cursor; ; ) {
    const page = await node.pull(pullRequest(next));
    if (page.rows.length > 0) each(JSON.stringify(page));
    if (!page.more) return page.cursor;
    next = page.cursor;
  }
}

/** The pages that another node serves once these rows were inserted there. */
export async function pagesOf(bench: Bench, table: BenchTable, rows: readonly Values[]): Promise<string[]> {
  const { database, node } = await bench.node(table, PEER);
  insertAll(database, table, rows);
  const texts: string[] = [];
  await pullAll(node, null, (text) => texts.push(text));
  return texts;
}

export const parsePage = (text: string): RowChange[] => (JSON.parse(text) as { rows: RowChange[] }).rows;

/** Merges each page as a syncer does once it has a page's text. */
export async function mergePages(node: GroveNode, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const { outcomes } = await node.merge(PEER, parsePage(text));
    const bad = outcomes.find(({ outcome }) => outcome !== "applied" && outcome !== "superseded");
    if (bad) throw new Error(`A benchmark's row was ${bad.outcome}: ${bad.message}`);
  }
}
