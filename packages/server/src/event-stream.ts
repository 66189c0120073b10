// A node's stream as server-sent events. A page that goes to many is made into bytes once.
import type { PullResponse } from "@grove-crdt/core";

const encoder = new TextEncoder();
const texts = new WeakMap<PullResponse, Uint8Array>();

function encode(page: PullResponse): Uint8Array {
  let bytes = texts.get(page);
  if (!bytes) {
    bytes = encoder.encode(`event: page\nid: ${page.cursor}\ndata: ${JSON.stringify(page)}\n\n`);
    texts.set(page, bytes);
  }
  return bytes;
}
const KEEP_ALIVE = encoder.encode(": keep-alive\n\n");

/**
 * The body of an answer. Nothing is asked of `pages` while the reader has not taken what it was given.
 *
 * @param closed ends the stream, from either side
 * @param ended called when the pages have ended by themselves
 */
export function eventStream(
  pages: AsyncGenerator<PullResponse, undefined>,
  first: PullResponse,
  closed: AbortController,
  ended: () => void,
): ReadableStream<Uint8Array> {
  let cursor = first.cursor;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(encode(first));
        if (closed.signal.aborted) return controller.error(closed.signal.reason);
        // A reader that does not read never asks: it is closed from here.
        closed.signal.addEventListener("abort", () => controller.error(closed.signal.reason), { once: true });
      },
      async pull(controller) {
        const { value } = await pages.next().catch((error: unknown) => {
          ended();
          throw error;
        });
        if (closed.signal.aborted) return;
        if (!value) {
          ended();
          return controller.close();
        }
        const silent = value.rows.length === 0 && value.cursor === cursor && !value.reset;
        cursor = value.cursor;
        controller.enqueue(silent ? KEEP_ALIVE : encode(value));
      },
      async cancel() {
        closed.abort();
        await pages.return(undefined);
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 1 }),
  );
}
