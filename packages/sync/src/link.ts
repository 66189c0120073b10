// What a node knows of one peer while its process runs: who answers at the transport's address, which tables it syncs,
// whether one of the two databases was restored. What must survive stands in the store, under the peer's node id.
import {
  type CollectionResponse,
  type DigestResponse,
  GroveError,
  isGroveError,
  type Json,
  type Only,
  PROTOCOL_VERSION,
  type PullResponse,
  type PushResponse,
  type RowChange,
  type RowKey,
} from "@grove-crdt/core";
import { checkCollected, type PeerState } from "@grove-crdt/store";
import { isRestored } from "./history";
import type { GroveNode } from "./node";
import type { PeerReport } from "./report";
import type { CallOptions, Transport } from "./transport";

export interface ExchangeOptions {
  readonly tables: readonly string[];
  /** Of these tables only some rows, or some columns; both ways. */
  readonly only?: Only;
  /** Rows of tables that this node does not have go along as well, both ways. */
  readonly carries?: boolean;
  /** Bounds of a page; the peer may give less. */
  readonly pageRows?: number;
  readonly pageBytes?: number;
  readonly signal?: AbortSignal;
}

export class Link {
  #peer: string | null = null;
  /** The tables that the peer syncs. */
  #theirs: readonly string[] = [];
  /** Tables that it does not have and of which it keeps rows; null = it keeps none. */
  #kept: readonly string[] | null = null;
  /** What is stored as the last error; unknown at the start. */
  #lastError: string | null | undefined;
  /** Our own database turned out to be restored: everything goes both ways again. */
  restored = false;
  /** We refused what it sent for its stamps, so it is told what time it is here. */
  complains = false;
  /** Deletions stamped up to this are forgotten here, as far as the exchange at hand knows. */
  collected = 0;
  /** The peer is new to this node, which takes nobody new at present, unless the peer has news of that. */
  waits = false;
  /** The peer said that a collection is under way. */
  collects = false;
  /** The peer's clock when it answered last. */
  theirNow = 0;
  /** Whether adopted rows are worth comparing by sums before they are asked for, and before they are sent. */
  readonly comparing = { pull: true, push: true };
  /** How far our own rows were looked at in vain since the stored push cursor: that much need not be looked at again. */
  scanned: { readonly stored: string | null; readonly cursor: string } | null = null;

  constructor(
    readonly node: GroveNode,
    readonly transport: Transport,
  ) {}

  /** The peer's node id, once it has answered. */
  get known(): string | null {
    return this.#peer;
  }
  get peer(): string {
    return this.#peer as string;
  }
  get url(): string {
    return this.transport.url;
  }

  /** What every request says of us. */
  get self() {
    const { collected } = this;
    return { protocol: PROTOCOL_VERSION, node: this.node.id, ...(collected > 0 && { collected }) };
  }

  /** What every push says of us. */
  get pusher() {
    const { formerly } = this.node;
    return { ...this.self, ...(formerly.length > 0 && { formerly }) };
  }

  /** Asks who is there, once: cursors are kept under the peer's identity, not under its address. */
  async meet({ signal }: CallOptions): Promise<void> {
    await this.node.ready();
    if (this.#peer !== null) return;
    const answer = await this.transport.pull({ ...this.self, cursor: null, rows: 0 }, { signal });
    if (answer.node === this.node.id) {
      throw new GroveError(
        "self_peer",
        `${this.url} is this very node ${JSON.stringify(answer.node)}, or a copy of its database. Remove it from the peers, or give the copy an identity of its own.`,
      );
    }
    this.waits = (await this.node.store.admit(answer.node)) === "later";
    this.#peer = answer.node;
    this.#theirs = answer.tables;
    this.#kept = answer.kept ?? null;
    this.collects = answer.rounds === true || (answer.collected ?? 0) !== this.collected;
  }

  /** The row as the peer has it; null when it has none that we may see. */
  async fetch(table: string, pk: readonly Json[]): Promise<RowChange | null> {
    return (await this.fetchAll([[table, pk]])).get(JSON.stringify([table, pk])) ?? null;
  }

  /** Rows as the peer has them, by `[table, pk]` as JSON; what it knows nothing of, or what we may not see, is missing. */
  async fetchAll(keys: readonly RowKey[], signal?: AbortSignal): Promise<ReadonlyMap<string, RowChange>> {
    const found = new Map<string, RowChange>();
    for (let left = keys; left.length > 0; ) {
      const answer = await this.transport.pull({ ...this.self, cursor: null, want: left }, { signal });
      await this.check(answer);
      for (const row of answer.rows) found.set(JSON.stringify([row.table, row.pk]), row);
      const missing = left.filter((key) => !found.has(JSON.stringify(key)));
      if (!answer.more || missing.length === left.length) break;
      left = missing;
    }
    return found;
  }

  /** Whoever answers at this address next time is asked for its name again. */
  forget(): void {
    this.#peer = null;
    this.scanned = null;
  }

  /** @throws GroveError `wrong_node`, `not_collected`, `forked` */
  async check(answer: PullResponse | PushResponse | DigestResponse | CollectionResponse): Promise<void> {
    if (answer.node !== this.#peer) {
      throw new GroveError(
        "wrong_node",
        `${this.url} was node ${JSON.stringify(this.#peer)} and is now ${JSON.stringify(answer.node)}. The next sync begins with it anew.`,
      );
    }
    this.#theirs = answer.tables;
    // Pages of a stream do not say it.
    if (answer.kept) this.#kept = answer.kept;
    this.theirNow = answer.now;
    this.collects = answer.rounds === true;
    checkCollected(this.collected, answer.collected ?? 0);
    // The peer has seen us further than we are: this database was restored from a backup.
    if (!(await isRestored(this.node.store, this.node.id, this.url, answer))) return;
    if (!this.restored) this.node.observer.reset(answer.node, "out");
    this.restored = true;
  }

  /** Those tables that the peer syncs too; others cannot be asked for, and begin from zero when it does. */
  shared(tables: readonly string[]): string[] {
    return tables.filter((table) => this.#theirs.includes(table));
  }

  /** Tables to ask for: also those of which the peer keeps rows, and those of which this node does. */
  inbound({ tables, only = {}, carries = false }: ExchangeOptions): string[] {
    const kept = this.#kept ?? [];
    const wanted = tables.filter(
      (table) => this.#theirs.includes(table) || (kept.includes(table) && !Object.hasOwn(only, table)),
    );
    if (!carries) return wanted;
    const strange = [...this.#theirs, ...kept].filter((table) => !this.node.tables.includes(table));
    return [...new Set([...wanted, ...strange])];
  }

  /** Whether all that the peer has or keeps is asked for. */
  carriesAll(options: ExchangeOptions): boolean {
    const wanted = this.inbound(options);
    return [...this.#theirs, ...(this.#kept ?? [])].every((table) => wanted.includes(table));
  }

  /** Tables to send: those that the peer has, or all where it keeps what it does not know. */
  async outbound({ tables, carries = false }: ExchangeOptions): Promise<string[]> {
    const others = carries ? await this.node.store.elsewhere() : [];
    return [...tables, ...others].filter((table) => this.#kept !== null || this.#theirs.includes(table));
  }

  state(): Promise<PeerState | null> {
    return this.node.store.peer(this.peer);
  }

  /** Keeps what became of an exchange, when that is news: an idle peer costs no write. */
  async remember({ peer, pulled, pushed, error }: PeerReport): Promise<void> {
    const lastError = error === null ? null : `${error.code}: ${error.message}`;
    if (peer === null || (lastError === this.#lastError && pulled + pushed === 0)) return;
    try {
      await this.node.store.savePeer(peer, { lastError, ...(error === null && { lastSuccess: this.node.now() }) });
      this.#lastError = lastError;
    } catch {
      // The database is what failed, and the report says so.
    }
  }

  /** An error of ours, whatever went wrong. */
  error(error: unknown): GroveError {
    if (isGroveError(error)) return error;
    return new GroveError("internal", `Sync with ${this.url} failed: ${(error as Error).message}`, { cause: error });
  }
}
