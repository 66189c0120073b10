// One reader that stays: it reads by itself until it has everything, then takes what the feed deals out. What it has not
// taken yet is bounded: a reader that does not keep up is let go, and resumes where it was.
import { type Cursor, DEFAULT_PAGE_BYTES, DEFAULT_PAGE_ROWS, GroveError, type View } from "@grove-crdt/core";
import type { Store } from "@grove-crdt/store";
import { type Feed, type FeedReader, type Frame, makeFrame } from "./feed";
import { Wakeup } from "./wakeup";

export interface FollowerOptions {
  readonly peer: string;
  readonly tables: readonly string[];
  /** What the reader may see of each; omitted = all. */
  readonly view?: View;
  /** Where the reader is; null = at the beginning. */
  readonly cursor: Cursor | null;
  /** Longest wait between two looks at the database, in milliseconds. */
  readonly idle: number;
  /** Milliseconds in silence after which a sign of life is due. */
  readonly keepAlive: number;
  /** Bytes that may wait for the reader. */
  readonly maxBuffer: number;
  readonly signal?: AbortSignal;
  /** Called when the reader is let go while it may not be asking for the next page. */
  readonly onFail?: (error: unknown) => void;
}

export interface Followed {
  /** Without rows it only says that the reader is still being served. */
  readonly frame: Frame;
  readonly reset: boolean;
}

export class Follower implements FeedReader {
  readonly peer: string;
  readonly idle: number;
  readonly #waiting: Frame[] = [];
  readonly #wakeup = new Wakeup();
  #bytes = 0;
  #alone = true;
  #cursor: Cursor | null;
  #error: unknown = null;

  constructor(
    private readonly store: Pick<Store, "serve">,
    private readonly feed: Feed,
    private readonly options: FollowerOptions,
  ) {
    this.peer = options.peer;
    this.idle = options.idle;
    this.#cursor = options.cursor;
  }

  offer(frame: Frame): void {
    // It had come further by itself than the feed has.
    if (this.#cursor && frame.cursor.position <= this.#cursor.position) return;
    this.#cursor = frame.cursor;
    // A cursor alone is worth sending when it is time for a sign of life.
    if (frame.rows.length === 0) return;
    this.#waiting.push(frame);
    this.#bytes += frame.bytes;
    if (this.#bytes > this.options.maxBuffer && this.#waiting.length > 1) {
      this.fail(new GroveError("slow_reader", `The peer ${this.peer} does not read what it is sent. It may resume.`));
    }
    this.#wakeup.ring();
  }

  leave(): void {
    this.#alone = true;
    this.#wakeup.ring();
  }

  fail(error: unknown): void {
    this.feed.remove(this);
    this.#error = error;
    this.#waiting.length = 0;
    this.#bytes = 0;
    this.#wakeup.ring();
    this.options.onFail?.(error);
  }

  /** The first page comes at once, also when there is nothing in it. @throws GroveError `slow_reader` */
  async *pages(): AsyncGenerator<Followed, undefined> {
    const { signal, keepAlive, tables, view } = this.options;
    let first = true;
    try {
      while (!signal?.aborted) {
        if (this.#error !== null) throw this.#error;
        const frame = this.#waiting.shift();
        if (frame) {
          this.#bytes -= frame.bytes;
          yield { frame, reset: false };
        } else if (this.#alone) {
          const bounds = { rows: DEFAULT_PAGE_ROWS, bytes: DEFAULT_PAGE_BYTES };
          const served = await this.store.serve({ cursor: this.#cursor, tables, view, peer: this.peer, ...bounds });
          const { rows, cursor, more, reset, collected } = served;
          this.#cursor = cursor;
          // With no pause between read and join, nothing falls between them.
          if (!more && this.feed.join(this, cursor)) this.#alone = false;
          if (first || reset || rows.length > 0) yield { frame: makeFrame(rows, cursor, more, collected), reset };
          first = false;
        } else if (!(await this.#wakeup.wait(keepAlive, signal)) && !signal?.aborted) {
          yield { frame: makeFrame([], this.#cursor as Cursor, false, 0), reset: false };
        }
      }
    } finally {
      this.feed.remove(this);
    }
  }
}
