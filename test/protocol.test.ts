// docs/protocol.md is executed: its conversation runs against a real router, and the answers must match word for word.
import { readFileSync } from "node:fs";
import { syncRouter } from "@grove-crdt/server";
import { createNode } from "@grove-crdt/sync";
import { referenceTables } from "@grove-crdt/testkit";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { expect, test } from "vitest";
import { registry } from "../generated/sqlite/registry";
import { errorCodes } from "../packages/core/src/index";

const text = readFileSync(new URL("../docs/protocol.md", import.meta.url), "utf8");
const blocks = [...text.matchAll(/^```(json|text) (request|answer) (.+)\n([\s\S]*?)^```$/gm)].map(
  ({ 0: whole, 1: form, 2: kind, 3: what, 4: body, index }) => ({
    start: index,
    end: index + whole.length,
    kind,
    what: what as string,
    body: form === "json" ? (JSON.parse(body as string) as unknown) : (body as string),
  }),
);

/** What the text before a request says that somebody does at the hub: `npx grove-crdt gc …`. */
function collectionBegun(n: number): { strike: string[] } | null {
  const said = text.slice(blocks[n - 1]?.end ?? 0, blocks[n]?.start);
  const [, options] = /`npx grove-crdt gc( .*?)?`/.exec(said) ?? [];
  return options === undefined
    ? null
    : { strike: [...options.matchAll(/--strike (\S+)/g)].map(([, node]) => node as string) };
}

/** The first event of an answer that has no end. */
async function firstEvent(response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value).replace(/\n\n$/, "\n");
}

test("the conversation in docs/protocol.md happens as written", async () => {
  const database = new Database(":memory:");
  database.exec(referenceTables);
  const node = createNode({
    db: drizzle({ client: database }),
    registry,
    nodeId: "hub",
    now: () => 1_767_225_600_500_000,
    random: () => 0,
  });
  await node.ensureShadowTables();
  const router = syncRouter(node, { authenticate: () => "anyone" });
  expect(blocks.length).toBeGreaterThanOrEqual(8);
  let collections = 0;
  for (let n = 0; n < blocks.length; n += 2) {
    const [request, answer] = [blocks[n]!, blocks[n + 1]!];
    expect([request.kind, answer.kind]).toEqual(["request", "answer"]);
    const begun = collectionBegun(n);
    if (begun) {
      await node.collect(begun);
      collections++;
    }
    const [method, path] = request.what.split(" ") as [string, string];
    const response = await router.request(path, {
      method,
      ...(method === "POST" && { body: JSON.stringify(request.body) }),
      headers: { "content-type": "application/json" },
    });
    const body = typeof answer.body === "string" ? await firstEvent(response) : await response.json();
    expect({ status: response.status, body }).toEqual({
      status: Number(answer.what),
      body: answer.body,
    });
  }
  const [, steps, data] = /hub's table says `(.+?)` and `(.+?)`/.exec(text) ?? [];
  const told = [steps, data].map((value) => JSON.parse(value as string) as unknown);
  const rows = database.prepare("SELECT steps, data FROM plans").all() as { steps: string; data: string }[];
  expect(rows.map((row) => [JSON.parse(row.steps), JSON.parse(row.data)])).toEqual([told]);
  // A collection is begun, and the till and the hub end it.
  expect(collections).toBe(1);
  expect((await node.collection()).rounds).toMatchObject([{ state: "ended", struck: ["office", "depot"] }]);
  database.close();
});

test("every error code that the document names exists", () => {
  const table = text.slice(text.indexOf("## Errors"), text.indexOf("## A conversation"));
  const named = [...table.matchAll(/`([a-z]+_?[a-z_]*)`/g)]
    .map(([, code]) => code as string)
    .filter((code) => code.includes("_") || code in errorCodes);
  expect(named.length).toBeGreaterThan(8);
  for (const code of named) expect(errorCodes, code).toHaveProperty(code);
});
