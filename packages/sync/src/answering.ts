// Answering: the protocol's questions, whoever carries them, each within what the caller may see and do.
import {
  type Access,
  type Collection,
  type CollectionRequest,
  type CollectionResponse,
  type Cursor,
  checkProtocol,
  DEFAULT_PAGE_BYTES,
  DEFAULT_PAGE_ROWS,
  type DigestRequest,
  type DigestResponse,
  GroveError,
  isOpen,
  isTooDeep,
  LEAF_DEPTH,
  memberOf,
  narrow,
  ORIGIN,
  type Outcome,
  openCursor,
  type Position,
  PROTOCOL_VERSION,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
  type RowChange,
  type RowKey,
  type RowSum,
  roundsFor,
  roundsFrom,
  roundsToTell,
  START_FULL,
  type StreamRequest,
  sealCursor,
  type View,
  viewOf,
  WHOLE,
} from "@grove-crdt/core";
import { checkCollected, type PeerState, type PeerUpdate, type Store } from "@grove-crdt/store";
import { findUnequal, readWhole } from "./agreement";
import type { Caller } from "./caller";
import { joinsLater, refuseStruck } from "./collecting";
import { type Digests, seenFields } from "./digests";
import type { FollowerOptions } from "./follower";
import { isRestored } from "./history";
import type { Passage } from "./passage";
import { Streams } from "./streams";
import type { Watcher } from "./watcher";

export type FollowOptions = Omit<FollowerOptions, "peer" | "tables" | "view" | "cursor">;

/** What answers say of the node. */
export interface Identity {
  readonly id: string;
  /** Signs cursors. */
  readonly secret: string;
  readonly now: () => number;
  /** Gives false stamps of its own true ones, if the clock of the one who complains agrees with its own. */
  restamp(theirs: number): Promise<number>;
}

interface Seen {
  readonly tables: readonly string[];
  readonly view: View;
}

export class Answering {
  readonly #streams: Streams;
  readonly #digests: Digests;
  /** Peers that are known to be met. */
  readonly #admitted = new Set<string>();
  /** Peers of which it stands in the database that they were given something. */
  readonly #served = new Set<string>();
  /** Peers whose principal is known: a node id is bound once. */
  readonly #bound = new Map<string, string>();

  /** By peer: rows that a hook had held back in part and that a page carried whole; settled once the page's cursor comes back. */
  readonly #given = new Map<string, { readonly cursor: string; readonly rows: readonly RowChange[] }>();

  constructor(
    private readonly store: Store,
    watcher: Watcher,
    private readonly passage: Passage,
    private readonly identity: Identity,
    digests: Digests,
  ) {
    this.#digests = digests;
    this.#streams = new Streams(store, watcher, identity);
  }

  /** Names of the tables that exist for a caller. */
  #tablesOf({ access }: Caller): readonly string[] {
    const { tables } = this.store;
    return access ? tables.filter((name) => access.tables.has(name)) : tables;
  }

  /** Tables that this node does not have and of which it keeps rows; null = it keeps none for the caller. */
  async #keptFor(caller: Caller): Promise<readonly string[] | null> {
    return this.passage.keeps(caller) ? this.store.elsewhere() : null;
  }

  #seesAll({ access }: Caller): boolean {
    return access === undefined || this.store.tables.every((name) => access.tables.has(name) && !access.view.has(name));
  }

  /** What is asked for, as far as the caller may see it. @throws GroveError `unknown_table` */
  async #seen({ tables, only }: Pick<PullRequest, "tables" | "only">, caller: Caller): Promise<Seen> {
    const known = this.#tablesOf(caller);
    const asked = tables ? [...new Set(tables)] : known;
    const strange = asked.filter((table) => !known.includes(table));
    const kept = strange.length > 0 ? ((await this.#keptFor(caller)) ?? []) : [];
    const unknown =
      strange.find((table) => !kept.includes(table)) ?? Object.keys(only ?? {}).find((table) => !known.includes(table));
    if (unknown !== undefined) throw unknownTable(unknown);
    const view = caller.access?.view ?? WHOLE;
    return { tables: asked, view: only ? narrow(view, viewOf(only)) : view };
  }

  async #answer(peer: string, caller: Caller, { upTo, rounds }: Collection) {
    const [at, known, kept] = await Promise.all([this.store.position(), this.store.peer(peer), this.#keptFor(caller)]);
    const { id, now } = this.identity;
    return {
      protocol: PROTOCOL_VERSION,
      node: id,
      at,
      seen: seenOf(known),
      ...(known?.displaced && { displaced: known.displaced }),
      now: now(),
      tables: [...this.#tablesOf(caller)],
      ...(kept && { kept: [...kept] }),
      ...(upTo > 0 && { collected: upTo }),
      ...(rounds.some(isOpen) && { rounds: true as const }),
    };
  }

  /** @throws GroveError `self_peer`, `node_id_taken`, `struck_off`, `collecting` */
  async #meet(peer: string, { id: principal }: Caller, onlyLooks = false): Promise<Collection> {
    if (peer === this.identity.id) {
      if (onlyLooks) return this.store.collection();
      throw new GroveError(
        "self_peer",
        `The node ${JSON.stringify(peer)} talks to itself, or to a copy of its own database. Give the copy an identity of its own.`,
      );
    }
    const { collection, isLate } = await this.#admit(peer);
    // Who only wants to know who is there is told, and not noted.
    if (isLate && onlyLooks) return collection;
    if (isLate) throw joinsLater(`the node ${JSON.stringify(peer)}`);
    if (principal === null || this.#bound.get(peer) === principal) return collection;
    if ((await this.store.bindPeer(peer, principal)) !== principal) {
      throw new GroveError(
        "node_id_taken",
        `The node id ${JSON.stringify(peer)} belongs to another principal. Give each database an id of its own; for a device that changed hands, call node.release(${JSON.stringify(peer)}) at this node.`,
      );
    }
    this.#bound.set(peer, principal);
    return collection;
  }

  /** What has been collected so far, and whether the peer is new and has to wait for the end of a round. @throws GroveError `struck_off` */
  async #admit(peer: string): Promise<{ readonly collection: Collection; readonly isLate: boolean }> {
    const collection = await this.store.collection();
    if (collection.rejoining)
      throw new GroveError("struck_off", "This node begins anew from a peer's rows. Ask again when it has ended.");
    refuseStruck(collection, peer);
    const isLate = !this.#admitted.has(peer) && (await this.store.admit(peer)) === "later";
    if (!isLate) this.#admitted.add(peer);
    return { collection, isLate };
  }

  /**
   * Whom it gave anything a database remembers, before it does: one that was put back to a time before could else not tell that somebody
   * may have deleted what it gave.
   */
  async #noteServed(peer: string): Promise<void> {
    if (this.#served.has(peer)) return;
    if (!(await this.store.peer(peer))?.seen) await this.store.savePeer(peer, { seen: ORIGIN });
    this.#served.add(peer);
  }

  release(peer: string): Promise<void> {
    this.#bound.delete(peer);
    return this.store.releasePeer(peer);
  }

  /**
   * What was written under another id of the same principal's is its own: a copy of a database was given a new one. An id that
   * nobody came with is the principal's who says that it was its own, as it would be by coming with it.
   */
  async #withOwn(access: Access, { id }: Caller, formerly: readonly string[] = []): Promise<Access> {
    if (access.mayRelay || id === null) return access;
    for (const former of formerly) if (former !== this.identity.id) await this.store.bindPeer(former, id);
    return { ...access, own: new Set(await this.store.peersOf(id)) };
  }

  /** A reader's cursor; one that this database did not sign begins anew. @throws GroveError `bad_cursor` */
  #open(sealed: string): { readonly cursor: Cursor; readonly foreign: boolean } {
    const cursor = openCursor(sealed, this.identity.secret);
    return { cursor: cursor ?? START_FULL, foreign: cursor === null };
  }

  /**
   * The asking node saw this database further than it is: it was restored, and both sides begin anew.
   *
   * @throws GroveError `forked`
   */
  async #isRestored({ node, seen, displaced }: Pick<PullRequest, "node" | "seen" | "displaced">): Promise<boolean> {
    return isRestored(this.store, this.identity.id, JSON.stringify(node), { seen, displaced });
  }

  /** @throws GroveError `protocol_mismatch`, `unknown_table`, `bad_cursor`, `self_peer`, `node_id_taken` */
  async pull(request: PullRequest, caller: Caller): Promise<PullResponse> {
    checkProtocol(request.protocol);
    const { node: peer } = request;
    const { tables, view } = await this.#seen(request, caller);
    const { rows = DEFAULT_PAGE_ROWS, bytes = DEFAULT_PAGE_BYTES } = request;
    const given = request.cursor === null ? null : this.#open(request.cursor);
    // Who asks without wanting rows only wants to know who is there; a node may so find out that it talks to itself.
    const collection = await this.#meet(peer, caller, request.rows === 0);
    const collected = request.collected ?? 0;
    if (request.rows !== 0) {
      checkCollected(collection.upTo, collected);
      await this.#noteServed(peer);
    }
    if (request.want) {
      const kept = request.tables ? [] : ((await this.#keptFor(caller)) ?? []);
      const want = request.want.filter(([table]) => tables.includes(table) || kept.includes(table));
      const whole = await readWhole(this.store, want, { rows, bytes }, view);
      const unmoved = request.cursor ?? sealCursor(START_FULL, this.identity.secret);
      const more = whole.taken < want.length;
      const { rows: sent } = await this.passage.outgoing(peer, whole.rows, caller);
      const answer = await this.#answer(peer, caller, await this.store.collection());
      // They were read somewhere between then and now.
      checkCollected(answer.collected ?? 0, collected);
      return { ...answer, cursor: unmoved, more, rows: sent };
    }
    if (request.now !== undefined) await this.identity.restamp(request.now);
    await this.#settle(peer, request.cursor);
    const isBehind = await this.#isRestored(request);
    const restored = isBehind || given?.foreign === true;
    const served = await this.store.serve({
      cursor: restored ? START_FULL : (given?.cursor ?? null),
      tables,
      view,
      peer,
      rows,
      bytes,
      // Hooks have to see what leaves.
      sums: request.sums && !this.passage.filtersOutbound(caller),
    });
    if (request.rows !== 0) checkCollected(served.collected, collected);
    const cursor = sealCursor(served.cursor, this.identity.secret);
    const { rows: sent, failed } = await this.passage.outgoing(peer, served.rows, caller);
    if (this.passage.filtersOutbound(caller)) {
      const held = await this.#heldBack(peer);
      const whole = sent.filter((row) => !failed.has(row) && held.has(nameOf(row)));
      if (whole.length > 0) this.#given.set(peer, { cursor, rows: whole });
    }
    return {
      ...(await this.#answer(peer, caller, { ...collection, upTo: served.collected })),
      cursor,
      more: served.more,
      ...((served.reset || restored) && { reset: true }),
      ...(isBehind && { restored: true }),
      rows: [...sent],
      ...(served.sums.length > 0 && { sums: [...served.sums] }),
    };
  }

  /** The rows of which something is on record that did not reach the peer. */
  async #heldBack(peer: string): Promise<ReadonlySet<string>> {
    const rejections = await this.store.rejections();
    return new Set(rejections.filter((one) => one.sent && one.peer === peer).map(nameOf));
  }

  /** A peer that comes back with the cursor of a page has what was in it. */
  async #settle(peer: string, cursor: string | null): Promise<void> {
    const given = this.#given.get(peer);
    if (!given) return;
    this.#given.delete(peer);
    if (given.cursor !== cursor) return;
    const taken = given.rows.map((): Outcome => ({ outcome: "applied" }));
    await this.store.settleRejections(peer, true, given.rows, taken);
  }

  /**
   * The pages of a stream, of which the first one comes at once. The caller turns them to text.
   *
   * @throws GroveError as {@link pull}; while it runs `slow_reader`
   */
  async follow(
    request: StreamRequest,
    options: FollowOptions,
    caller: Caller,
  ): Promise<AsyncGenerator<PullResponse, undefined>> {
    checkProtocol(request.protocol);
    const { node: peer } = request;
    const { tables, view } = await this.#seen(request, caller);
    const given = request.cursor === null ? null : this.#open(request.cursor);
    const collection = await this.#meet(peer, caller);
    checkCollected(collection.upTo, request.collected ?? 0);
    await this.#noteServed(peer);
    const restored = (await this.#isRestored(request)) || given?.foreign === true;
    const { seen } = await this.#answer(peer, caller, collection);
    const pages = this.#streams.follow({
      ...options,
      peer,
      tables: [...tables].sort(),
      view,
      known: this.#tablesOf(caller),
      cursor: restored || !given ? START_FULL : given.cursor,
      seen,
      restored,
    });
    return this.passage.filtersOutbound(caller) ? this.#filtered(pages, peer, caller) : pages;
  }

  async *#filtered(
    pages: AsyncIterable<PullResponse>,
    peer: string,
    caller: Caller,
  ): AsyncGenerator<PullResponse, undefined> {
    for await (const page of pages) {
      const { rows } = await this.passage.outgoing(peer, page.rows, caller);
      yield { ...page, rows };
    }
    return undefined;
  }

  /** @throws GroveError `protocol_mismatch`, `unknown_table`, `self_peer`, `node_id_taken`, `forbidden` where hooks decide what leaves */
  async digest(request: DigestRequest, caller: Caller): Promise<DigestResponse> {
    checkProtocol(request.protocol);
    const { node: peer } = request;
    const { tables, view } = await this.#seen(request, caller);
    const collection = await this.#meet(peer, caller);
    checkCollected(collection.upTo, request.collected ?? 0);
    if (this.passage.filtersOutbound(caller))
      throw new GroveError("forbidden", "Hooks decide here which changes leave, so there is nothing to compare with.");
    const below = new Map(Object.entries(request.below ?? Object.fromEntries(tables.map((table) => [table, [""]]))));
    const unknown = [...below.keys()].find((table) => !tables.includes(table));
    if (unknown !== undefined) throw unknownTable(unknown);
    const inner = [...below].map(
      ([table, paths]) => [table, paths.filter(({ length }) => length < LEAF_DEPTH)] as const,
    );
    const asked = inner.filter(([, paths]) => paths.length > 0);
    // The first question is about the tables as they are now.
    const kept = request.below !== undefined;
    const { recount } = request;
    const trees = asked.length > 0 ? await this.#digests.trees(tables, view, { kept, recount }) : null;
    const sums: [string, Record<string, string>][] = [];
    for (const [table, paths] of asked) sums.push([table, { ...(await trees?.get(table)?.below(paths)) }]);
    const leaves = new Map(
      [...below].flatMap(([table, paths]): [string, Set<string>][] => {
        const some = paths.filter(({ length }) => length === LEAF_DEPTH);
        return some.length > 0 ? [[table, new Set(some)]] : [];
      }),
    );
    const rows = leaves.size > 0 ? await this.#digests.rows(leaves, view, { recount }) : new Map<string, never[]>();
    const fields = seenFields(view, tables);
    return {
      ...(await this.#answer(peer, caller, collection)),
      sums: Object.fromEntries(sums),
      rows: Object.fromEntries([...rows].map(([table, found]) => [table, found.map(([pk, sum]) => [[...pk], sum])])),
      ...(Object.keys(fields).length > 0 && { fields }),
    };
  }

  /**
   * Who may bring anything may tell of anything; everybody else tells of itself alone, and hears of no more than it needs.
   *
   * @throws GroveError `protocol_mismatch`, `self_peer`, `node_id_taken`, `struck_off`, `collecting`
   */
  async collection(request: CollectionRequest, caller: Caller): Promise<CollectionResponse> {
    checkProtocol(request.protocol);
    const { node: peer, rounds, gave = [] } = request;
    const { access } = caller;
    const isTrusted = access === undefined || access.mayRelay;
    // What this node takes for open may have ended long ago: a peer that is new to it may know.
    if (isTrusted && (await this.#admit(peer)).isLate) await this.store.stepCollection({ heard: rounds });
    const known = await this.#meet(peer, caller);
    const own = new Set([peer]);
    const heard = isTrusted ? rounds : roundsFrom(rounds, known, own);
    const took = isTrusted
      ? gave
      : gave.map(([id, closings]) => {
          const round = heard.find((one) => one.id === id);
          const closing = round && memberOf(round, peer)?.closing;
          return [id, closings.filter((one) => one === closing)] as const;
        });
    const { collection, isStruck } = await this.store.stepCollection({ heard, took });
    if (isStruck) {
      const message = `The node ${JSON.stringify(this.identity.id)} was struck off: deletions were forgotten that it has not heard of. It has to rejoin.`;
      throw new GroveError("struck_off", message);
    }
    const tables = new Set(this.#tablesOf(caller));
    return {
      ...(await this.#answer(peer, caller, collection)),
      rounds: isTrusted ? roundsToTell(collection) : roundsFor(collection, this.identity.id, peer, tables),
      view: this.passage.filtersOutbound(caller) ? "filtered" : this.#seesAll(caller) ? "whole" : "part",
    };
  }

  /** @throws GroveError `protocol_mismatch`, `self_peer`, `node_id_taken`, `not_collected` */
  async push(
    request: Omit<PushRequest, "rows"> & { readonly rows: readonly unknown[] },
    caller: Caller,
  ): Promise<PushResponse> {
    checkProtocol(request.protocol);
    const { node: peer } = request;
    const collection = await this.#meet(peer, caller);
    // What is answered as `seen` is from before this push, so that a restored pusher can tell.
    const seen = seenOf(await this.store.peer(peer));
    const reset = await this.#isRestored(request);
    const update = { seen: request.at, ...displacedBy(request, seen) };
    const { access } = caller;
    const known = access ? { ...caller, access: await this.#withOwn(access, caller, request.formerly) } : caller;
    const { outcomes } = await this.passage.merge(peer, request.rows, () => update, {
      caller: known,
      collected: request.collected ?? 0,
    });
    const { sums = [] } = request;
    // What the caller may not see is as if it were not there.
    const isHidden = ([table]: RowKey | RowSum) => access !== undefined && !access.tables.has(table);
    const unequal = await findUnequal(
      this.store,
      sums.filter((sum) => !isHidden(sum)),
      access?.view,
    );
    const want = [...unequal, ...sums.filter(isHidden).map(([table, pk]): RowKey => [table, pk])];
    const answer = {
      ...(await this.#answer(peer, caller, collection)),
      seen,
      ...(reset && { reset }),
      outcomes: [...outcomes],
    };
    caller.onRefused?.(
      outcomes.flatMap(({ outcome, code = outcome, fields }, n) => {
        if (outcome !== "rejected") return [];
        const { table, pk } = (request.rows[n] ?? {}) as Partial<RowChange>;
        // What was refused may be anything, and too deep for whoever makes it into text.
        const name = typeof table === "string" ? table.slice(0, 256) : "";
        return [{ table: name, pk: Array.isArray(pk) && !isTooDeep(pk) ? pk : [], code, fields }];
      }),
    );
    return want.length > 0 ? { ...answer, want } : answer;
  }
}

/** Where a peer was seen; null = nowhere yet. */
const seenOf = (known: PeerState | null): Position | null => (known?.seen?.incarnation ? known.seen : null);

/** A peer that was restored stands in another history now than it did. */
const displacedBy = ({ restored, at }: Pick<PushRequest, "restored" | "at">, seen: Position | null): PeerUpdate =>
  restored && seen && seen.incarnation !== at.incarnation ? { displaced: seen } : {};

const nameOf = ({ table, pk }: Pick<RowChange, "table" | "pk">): string => JSON.stringify([table, pk]);

export const unknownTable = (table: string): GroveError =>
  new GroveError("unknown_table", `The table ${JSON.stringify(table)} is not synced by this node.`, {
    details: { table },
  });
