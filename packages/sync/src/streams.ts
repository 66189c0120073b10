// The streams that a node serves: who follows the same tables and may see the same of them shares a feed, and a page that goes to many is one object.
import {
  type Cursor,
  fingerprints,
  type Position,
  PROTOCOL_VERSION,
  type PullResponse,
  sealCursor,
  WHOLE,
} from "@grove-crdt/core";
import type { Store } from "@grove-crdt/store";
import { Feed, type Frame } from "./feed";
import { Follower, type FollowerOptions } from "./follower";
import type { Watcher } from "./watcher";

/** What every page says of the node. */
export interface Server {
  readonly id: string;
  /** Signs cursors. */
  readonly secret: string;
  readonly now: () => number;
}

export interface Reader extends FollowerOptions {
  readonly cursor: Cursor;
  /** Names of the tables that the node syncs with the reader, whether it follows them or not. */
  readonly known: readonly string[];
  /** Where the node saw the reader last. */
  readonly seen: Position | null;
  /** The reader saw this database further than it is. */
  readonly restored: boolean;
}

export class Streams {
  /** By what they serve. */
  readonly #feeds = new Map<string, Feed>();
  readonly #pages = new WeakMap<Frame, PullResponse>();

  constructor(
    private readonly store: Store,
    private readonly watcher: Watcher,
    private readonly server: Server,
  ) {}

  /** The first page comes at once; each later one when there is something to tell, or when a sign of life is due. */
  async *follow(reader: Reader): AsyncGenerator<PullResponse, undefined> {
    const { tables, view = WHOLE, seen, restored } = reader;
    const key = JSON.stringify([[...tables].sort(), fingerprints(view, [...tables].sort()), reader.known]);
    const feed = this.#feeds.get(key) ?? new Feed(this.store, this.watcher, tables, view);
    this.#feeds.set(key, feed);
    let first = true;
    try {
      for await (const { frame, reset } of new Follower(this.store, feed, reader).pages()) {
        const page = this.#page(frame, reader.known);
        // `seen` is told once: it is for finding out that a database was restored.
        if (first || reset) yield { ...page, seen, ...((reset || restored) && { reset: true }) };
        else yield page;
        first = false;
      }
    } finally {
      // Any peer may ask for any choice of tables: what nobody follows is not kept.
      if (feed.isIdle && this.#feeds.get(key) === feed) this.#feeds.delete(key);
    }
    return undefined;
  }

  /** One object for all who get the frame, so that it becomes text once. */
  #page(frame: Frame, known: readonly string[]): PullResponse {
    let page = this.#pages.get(frame);
    if (!page) {
      const { rows, cursor, more, collected } = frame;
      const { id: node, secret, now } = this.server;
      page = {
        protocol: PROTOCOL_VERSION,
        node,
        at: { incarnation: cursor.incarnation, seq: cursor.last },
        seen: null,
        now: now(),
        tables: [...known],
        cursor: sealCursor(cursor, secret),
        more,
        ...(collected > 0 && { collected }),
        rows,
      };
      this.#pages.set(frame, page);
    }
    return page;
  }
}
