// Run before each test file: files of one worker share their modules, so what is to happen for each of them stands here. It imports
// nothing of ours, since the smallest test waits for it.
import { afterAll, afterEach, beforeEach } from "vitest";

interface Closable {
  close(): Promise<void>;
}

/** What the running test opened, and what was opened outside of any: closed when that ends. */
interface Opened {
  readonly test: Set<Closable>;
  readonly file: Set<Closable>;
  scope: "test" | "file";
  readonly awaited: Promise<unknown>[];
}

// This file runs anew for each test file; what it keeps does not.
const kept = globalThis as { groveOpened?: Opened };
const opened: Opened = kept.groveOpened ?? { test: new Set(), file: new Set(), scope: "file", awaited: [] };
kept.groveOpened = opened;

/** The set of those that are to be closed with the running test or file. */
export const openNow = (): Set<Closable> => opened[opened.scope];
/** The end of the file waits for it. */
export const awaitAtEnd = (work: Promise<unknown>): void => void opened.awaited.push(work);

const closeAll = (some: ReadonlySet<Closable>) => Promise.all([...some].map((one) => one.close()));
beforeEach(() => {
  opened.scope = "test";
});
afterEach(async () => {
  opened.scope = "file";
  await closeAll(opened.test);
}, 120_000);
afterAll(async () => {
  await closeAll(opened.file);
  await Promise.all(opened.awaited.splice(0));
}, 120_000);
