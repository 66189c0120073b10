// Readers of a node's stream for tests: the router's answer taken apart into events, with nothing in between.
import type { PullResponse, RowChange } from "@grove-crdt/core";
import { createParser } from "eventsource-parser";
import { expect } from "vitest";
import { type SyncingNode, TOKEN } from "./node";

export interface StreamQuery {
  readonly node?: string;
  readonly cursor?: string | null;
  readonly tables?: readonly string[];
  readonly seen?: object;
}

export function streamRequest({ node = "reader", cursor = null, tables, seen }: StreamQuery): Request {
  const query = new URLSearchParams({ protocol: "1", node });
  if (tables) query.set("tables", JSON.stringify(tables));
  if (seen) query.set("seen", JSON.stringify(seen));
  const headers = { authorization: TOKEN, ...(cursor !== null && { "last-event-id": cursor }) };
  return new Request(`http://test/stream?${query}`, { headers });
}

/** One open stream. */
export class StreamReader {
  readonly pages: (PullResponse & { readonly id: string })[] = [];
  comments = 0;
  ended = false;
  error: unknown = null;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #done: Promise<void>;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    this.#done = this.#read();
  }

  async #read(): Promise<void> {
    const parser = createParser({
      onEvent: ({ event, id, data }) => {
        expect(event).toBe("page");
        this.pages.push({ ...(JSON.parse(data) as PullResponse), id: id as string });
      },
      onComment: () => this.comments++,
    });
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        parser.feed(decoder.decode(value, { stream: true }));
      }
    } catch (error) {
      this.error = error;
    }
    this.ended = true;
  }

  get rows(): RowChange[] {
    return this.pages.flatMap(({ rows }) => rows);
  }
  /** Keys of the rows, in the order of their arrival. */
  get keys(): unknown[] {
    return this.rows.map(({ pk }) => pk[0]);
  }
  get cursor(): string {
    return this.pages[this.pages.length - 1]?.cursor as string;
  }
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    await this.#done;
  }
}

const open: StreamReader[] = [];

/** Opens a stream on the node's router, and waits for its first page. */
export async function openStream(to: SyncingNode, query: StreamQuery = {}, app = to.app): Promise<StreamReader> {
  const response = await app.request(streamRequest(query));
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = new StreamReader(response.body as ReadableStream<Uint8Array>);
  open.push(reader);
  await until(() => reader.pages.length > 0);
  return reader;
}

export async function closeStreams(): Promise<void> {
  await Promise.all(open.splice(0).map((reader) => reader.close()));
}

/** Waits until something holds. */
export async function until(holds: () => unknown, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`After ${milliseconds} ms it still does not hold: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
