// Transport with a stream in and HTTP out: pages come as server-sent events, as they are written; what goes to the peer is
// pushed. A connection that has died in silence is noticed by the keep-alives that no longer come.
import { GroveError, isGroveError, type PullResponse, pullResponseSchema, type StreamRequest } from "@grove-crdt/core";
import { createParser } from "eventsource-parser";
import { linked } from "./abort";
import { check, HttpClient, type HttpTransportOptions, overHttp, parse, reason, refusal } from "./http-transport";
import type { CallOptions, Transport } from "./transport";

/** How a peer is reached, and what it streams. */
export interface StreamingTransportOptions extends HttpTransportOptions {
  /** Names of the tables to stream; omitted = all that the syncer exchanges. */
  readonly tables?: readonly string[];
  /** Milliseconds before a stream that broke off is asked for again, with jitter (default 5,000). */
  readonly reconnect?: number;
  /** A stream that is silent for so many milliseconds is dead (default 40,000). Longer than the server's keep-alive. */
  readonly silence?: number;
}

/** How the peer is asked. */
function streamUrl(root: string, { protocol, node, collected, seen, tables, only }: StreamRequest): string {
  const query = new URLSearchParams({ protocol: String(protocol), node });
  if (collected) query.set("collected", String(collected));
  if (seen) query.set("seen", JSON.stringify(seen));
  if (tables) query.set("tables", JSON.stringify(tables));
  if (only) query.set("only", JSON.stringify(only));
  return `${root}/stream?${query}`;
}

/**
 * A peer whose sync router is mounted at `url`, with its changes streamed.
 *
 * @param url up to and without `/stream`, for example `https://cloud.example.com/sync`
 */
export function streamingTransport(url: string, options: StreamingTransportOptions = {}): Transport {
  const { tables, reconnect = 5_000, silence = 40_000 } = options;
  const client = new HttpClient(url, options);
  return {
    ...overHttp(client),
    reconnect,
    stream: (request, { signal }: CallOptions = {}) => {
      const wanted = tables ? request.tables?.filter((table) => tables.includes(table)) : request.tables;
      return readStream(client, { ...request, tables: wanted }, silence, signal);
    },
  };
}

async function* readStream(
  client: HttpClient,
  request: StreamRequest,
  silence: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<PullResponse, void> {
  const place = `${client.root}/stream`;
  // Aborts with the caller, or when nothing has come for too long.
  const watchdog = linked(signal);
  const broken = (cause: unknown): GroveError => {
    if (isGroveError(cause)) return cause;
    if (signal?.aborted) return new GroveError("aborted", `The stream from ${place} was aborted.`, { cause });
    const why = watchdog.isLate() ? "fell silent" : `broke off (${reason(cause)})`;
    return new GroveError("transport", `The stream from ${place} ${why}. It will be asked for again.`, { cause });
  };
  const pages: PullResponse[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      // Events that a later version may add are none of ours.
      if (event === "page") pages.push(check(place, parse(data), pullResponseSchema) as PullResponse);
    },
  });
  let body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    watchdog.within(client.timeout);
    const response = await client.fetch(streamUrl(client.root, request), {
      headers: await client.headers({
        accept: "text/event-stream",
        ...(request.cursor !== null && { "last-event-id": request.cursor }),
      }),
      signal: watchdog.signal,
    });
    if (!response.ok) throw refusal(place, response.status, parse(await response.text()));
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream"))
      throw new GroveError(
        "transport",
        `${place} did not answer with a stream of events. Is the router mounted there?`,
      );
    const reader = response.body.getReader();
    body = reader;
    // A pending read ends even if the connection does not know that it is dead.
    watchdog.signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
    const decoder = new TextDecoder();
    for (;;) {
      watchdog.within(silence);
      const { done, value } = await reader.read();
      if (done) throw new Error("it ended");
      // While a page is merged, the peer may well wait for us; it is not silent then.
      watchdog.within();
      parser.feed(decoder.decode(value, { stream: true }));
      yield* pages.splice(0);
    }
  } catch (error) {
    throw broken(error);
  } finally {
    watchdog.done();
    watchdog.abort();
    await body?.cancel().catch(() => {});
  }
}
