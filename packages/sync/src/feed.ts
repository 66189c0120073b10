// One read of the database for all who follow the same tables and may see the same of them: each page is served once, and given to every follower that
// has come as far. What came from a follower is left out for that one alone.
import {
  type Cursor,
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_ROWS,
  jsonLength,
  type RowChange,
  type View,
} from "@grove-crdt/core";
import type { Served, Store } from "@grove-crdt/store";
import { Wakeup } from "./wakeup";
import type { Watcher } from "./watcher";

/** Rows and cursor of a page; those of one page that go to many are one object. */
export interface Frame {
  readonly rows: readonly RowChange[];
  readonly cursor: Cursor;
  readonly more: boolean;
  /** Deletions stamped up to this were forgotten when the rows were read. */
  readonly collected: number;
  /** Of the rows as JSON text, about. */
  readonly bytes: number;
}

export interface FeedReader {
  readonly peer: string;
  /** Longest wait between two looks at the database, in milliseconds. */
  readonly idle: number;
  /** Takes a page. */
  offer(frame: Frame): void;
  /** Has to read by itself from here on; it may join again. */
  leave(): void;
  /** The database could not be read. */
  fail(error: unknown): void;
}

/** Frames of all readers together that a second may have: more streams wait longer for a page, which then holds more. */
const FRAMES_PER_SECOND = 4_000;

export class Feed {
  readonly #readers = new Set<FeedReader>();
  readonly #wakeup = new Wakeup();
  readonly #leave = new Map<FeedReader, () => void>();
  #cursor: Cursor | null = null;

  constructor(
    private readonly store: Pick<Store, "serve">,
    private readonly watcher: Watcher,
    private readonly tables: readonly string[],
    private readonly view?: View,
  ) {}

  get isIdle(): boolean {
    return this.#readers.size === 0;
  }

  /** Takes in a reader that has everything up to `cursor`; false when the feed has gone further meanwhile. */
  join(reader: FeedReader, cursor: Cursor): boolean {
    if (this.#cursor && cursor.position < this.#cursor.position) return false;
    this.#readers.add(reader);
    this.#leave.set(
      reader,
      this.watcher.listen((found) => {
        if (!found || found.pending || found.seq > (this.#cursor?.last ?? 0)) this.#wakeup.ring();
      }, reader.idle),
    );
    // Somebody may have written since the first reader read.
    if (this.#readers.size === 1) this.#wakeup.ring();
    if (!this.#cursor) {
      this.#cursor = cursor;
      void this.#run();
    }
    return true;
  }

  remove(reader: FeedReader): void {
    this.#leave.get(reader)?.();
    this.#leave.delete(reader);
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#wakeup.ring();
  }

  async #run(): Promise<void> {
    let last = 0;
    while (this.#readers.size > 0) {
      await this.#wakeup.wait(Number.POSITIVE_INFINITY);
      const pause = last + (this.#readers.size * 1000) / FRAMES_PER_SECOND - performance.now();
      if (pause >= 1) await new Promise((resolve) => setTimeout(resolve, pause));
      last = performance.now();
      try {
        await this.#drain();
      } catch (error) {
        for (const reader of [...this.#readers]) {
          this.remove(reader);
          reader.fail(error);
        }
      }
    }
    this.#cursor = null;
  }

  async #drain(): Promise<void> {
    for (let more = true; more && this.#readers.size > 0; ) {
      const { tables, view } = this;
      const bounds = { rows: DEFAULT_PAGE_ROWS, bytes: DEFAULT_PAGE_BYTES };
      const served = await this.store.serve({ cursor: this.#cursor, tables, view, peer: null, ...bounds });
      more = served.more;
      this.#cursor = served.cursor;
      this.#deal(served);
    }
  }

  #deal({ rows, cursor, more, reset, apart, collected }: Served): void {
    const frame = makeFrame(rows, cursor, more, collected);
    const senders = new Set([...(apart?.senders.values() ?? [])].flatMap((some) => [...some.keys()]));
    for (const reader of [...this.#readers]) {
      const { peer } = reader;
      if (reset || (rows.length > 0 && apart?.rejecting.has(peer))) {
        this.remove(reader);
        reader.leave();
      } else if (!senders.has(peer)) reader.offer(frame);
      else {
        const others = rows.flatMap((row, n) => {
          const forSender = apart?.senders.get(n)?.get(peer);
          return forSender === undefined ? [row] : forSender === null ? [] : [forSender];
        });
        reader.offer(makeFrame(others, cursor, more, collected));
      }
    }
  }
}

export function makeFrame(rows: readonly RowChange[], cursor: Cursor, more: boolean, collected: number): Frame {
  let bytes = 0;
  for (const row of rows) bytes += jsonLength(row);
  return { rows, cursor, more, collected, bytes };
}
