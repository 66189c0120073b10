// Many streams on one hub, each in its own process: every stream gets every change, and the database is read no more often for
// many than for one. GROVE_STREAMS and GROVE_SECONDS say how many and for how long; `npm run soak` runs a thousand for a
// minute and reads GROVE_REPORT.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, test } from "vitest";
import type { HubReport, Task } from "./fixtures/crowd/hub";
import type { Crowd, CrowdReport } from "./fixtures/crowd/listeners";

const STREAMS = Number(process.env.GROVE_STREAMS ?? 200);
const SECONDS = Number(process.env.GROVE_SECONDS ?? 2);
const CHANGES_PER_SECOND = 10;

const folder = mkdtempSync(join(tmpdir(), "grove-crowd-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill();
});

function start(program: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const path = fileURLToPath(new URL(`fixtures/crowd/${program}`, import.meta.url));
  const child = fork(path, { execArgv: ["--import", "tsx"], env: { ...process.env, ...env } });
  children.push(child);
  return child;
}
async function ask<Answer>(child: ChildProcess, question?: object): Promise<Answer> {
  const answer = once(child, "message");
  if (question) child.send(question);
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`A process ended with ${code}.`);
  });
  return ((await Promise.race([answer, ended])) as [Answer])[0];
}

async function run(streams: number, seconds: number): Promise<HubReport & CrowdReport> {
  const hub = start("hub.ts", { GROVE_FILE: join(folder, `hub-${streams}.db`) });
  const { url } = await ask<{ url: string }>(hub);
  const crowd = start("listeners.ts");
  await ask(crowd, { url, streams } satisfies Crowd);
  const report = await ask<HubReport>(hub, { seconds, perSecond: CHANGES_PER_SECOND } satisfies Task);
  return { ...report, ...(await ask<CrowdReport>(crowd, { changes: report.changes })) };
}

test(
  `${STREAMS} streams on one hub, ${CHANGES_PER_SECOND} changes a second: each gets every change (lineage 22)`,
  async () => {
    const many = await run(STREAMS, SECONDS);
    const one = await run(1, Math.min(SECONDS, 4));
    const { GROVE_REPORT } = process.env;
    if (GROVE_REPORT) writeFileSync(GROVE_REPORT, JSON.stringify({ streams: STREAMS, seconds: SECONDS, ...many, one }));
    expect(many.complete).toBe(STREAMS);
    expect(one.complete).toBe(1);
    // For many, pages are coalesced: they are even fewer.
    expect(one.readsPerSecond).toBeGreaterThan(0);
    expect(many.readsPerSecond).toBeLessThan(1.5 * one.readsPerSecond);
  },
  (SECONDS + 100) * 1_000,
);
