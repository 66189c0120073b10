// Passage: what changes go through on their way into the database and out of it: checks of their shape, limits, hooks.
import {
  type Access,
  type ChangeRecord,
  ENTRY_PARTS,
  FIELD_PARTS,
  isTooDeep,
  type Json,
  jsonLength,
  mayBring,
  type Outcome,
  parseRowChange,
  type RowChange,
  stampOf,
  type WireRegister,
} from "@grove-crdt/core";
import type { PeerUpdate, Store } from "@grove-crdt/store";
import { type Caller, NOBODY, type ValueLimits } from "./caller";
import type { AnyContext, AnyHook } from "./hook";
import { type Filtered, type HookSettings, Hooks, writtenAfter, writtenBefore } from "./hooks";
import { combine, isTaken, rejected, withOwn } from "./outcome";

export interface MergeReport {
  readonly outcomes: readonly Outcome[];
  readonly changed: boolean;
}

/** A row that came, checked and looked at by the hooks. */
interface Incoming {
  /** Its place among the rows that came. */
  readonly index: number;
  /** What the sender wrote of it. */
  readonly change: RowChange;
  /** Values that hooks put in place of others, as this node's own; null = none. */
  readonly amended: RowChange | null;
  readonly filtered: Filtered | null;
}

/** Why a change goes beyond what a caller may send; null = it does not. */
function beyond(change: RowChange, { value: most, depth }: ValueLimits): Outcome | null {
  for (const part of FIELD_PARTS) {
    for (const [name, value] of Object.entries(change[part] ?? {})) {
      // A register, or a list of elements, adds levels of its own.
      if (isTooDeep(value, 0, depth + (part === "document" ? 4 : 2)))
        return rejected("bad_change", `${name} is nested deeper than ${depth} levels.`);
      if (jsonLength(value) > most) return rejected("payload_too_large", `${name} has more than ${most} bytes.`);
    }
  }
  return null;
}

export interface PassageOptions {
  /** Who brings the rows; omitted = somebody who may do anything. */
  readonly caller?: Caller;
  /** Deletions stamped up to this are forgotten where the rows come from; omitted = they come from here. */
  readonly collected?: number;
}

export class Passage {
  constructor(
    private readonly store: Store,
    private readonly node: () => string,
    private readonly hooks: readonly AnyHook[],
    private readonly settings: HookSettings,
    private readonly onChanged: () => void,
    /** Told of every page that was merged, with the milliseconds that it took. */
    private readonly onMerged: (
      from: string,
      rows: readonly unknown[],
      outcomes: readonly Outcome[],
      milliseconds: number,
    ) => void,
  ) {}

  #context(peer: string, { principal, request }: Caller): AnyContext {
    return {
      principal,
      peer,
      request,
      decode: ({ table, pk, field, value }) => this.store.decode(table, pk, field, value),
    };
  }

  /** The node's own hooks are the inner ones: the last to see what comes in, and the first to see what goes out. */
  #inbound = ({ hooks = [] }: Caller) => new Hooks([...hooks, ...this.hooks], this.settings);
  #outbound = ({ hooks = [] }: Caller) => new Hooks([...this.hooks, ...hooks], this.settings);

  /**
   * Whether rows of tables that this node does not have pass. Not where anybody is to decide what comes or goes: nobody knows what
   * such rows say.
   */
  keeps({ access, hooks = [] }: Caller): boolean {
    return this.store.keeps && (access?.elsewhere ?? true) && this.hooks.length + hooks.length === 0;
  }

  filtersOutbound(caller: Caller): boolean {
    return this.#outbound(caller).has("beforeOutboundChange", "beforeOutboundRead");
  }

  /** Merges rows that `from` sent. Each is checked on its own; a bad one never holds back its neighbours. */
  async merge(
    from: string,
    rows: readonly unknown[],
    peer?: (outcomes: readonly Outcome[]) => PeerUpdate,
    { caller = NOBODY, collected }: PassageOptions = {},
  ): Promise<MergeReport> {
    const begun = performance.now();
    const outcomes: Outcome[] = [];
    const hooks = this.#inbound(caller);
    const context = this.#context(from, caller);
    const incoming = await this.#look(rows, outcomes, hooks, context, from, caller);
    const complete = (merged: readonly Outcome[]) => {
      incoming.forEach(({ index, filtered }, n) => {
        outcomes[index] = combine(merged[n] as Outcome, filtered?.refusal ?? null);
      });
      return outcomes;
    };
    const note = peer && ((merged: readonly Outcome[]) => peer(complete(merged)));
    const isAmended = incoming.some(({ amended }) => amended);
    const sent = incoming.map(({ change }) => change);
    let { outcomes: merged, changed } = await this.store.merge({
      from,
      rows: sent,
      access: caller.access,
      keep: this.keeps(caller),
      collected,
      peer: isAmended ? undefined : note,
    });
    if (isAmended) ({ outcomes: merged, changed } = await this.#mergeAmended(from, incoming, merged, caller, note));
    complete(merged);
    if (changed) this.onChanged();
    if (rows.length > 0) this.onMerged(from, rows, outcomes, performance.now() - begun);
    if (hooks.has("afterInboundChange")) {
      await hooks.merged(
        incoming.flatMap((item, n) => this.#taken(item, merged[n] as Outcome)),
        context,
      );
    }
    return { outcomes, changed };
  }

  /**
   * Merges the values that hooks put in place of others, as this node's own; only of rows that were taken, for what a sender
   * may not do it may not do through a hook. In a transaction of their own: if it does not come to that, nobody is told that
   * the rows arrived, and they come again.
   */
  async #mergeAmended(
    from: string,
    incoming: readonly Incoming[],
    before: readonly Outcome[],
    { access }: Caller,
    note: ((merged: readonly Outcome[]) => PeerUpdate) | undefined,
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly changed: boolean }> {
    const places = incoming.flatMap(({ amended, change }, n) =>
      amended && isTaken(before[n] as Outcome, access?.view.has(change.table) === true) ? [n] : [],
    );
    const joined = (own: readonly Outcome[]) => {
      const outcomes = [...before];
      incoming.forEach(({ amended }, n) => {
        // That a row is held is over in a moment: then it comes again.
        if (amended && before[n]?.code === "busy" && !places.includes(n))
          outcomes[n] = { ...(before[n] as Outcome), outcome: "refused" };
      });
      places.forEach((n, at) => {
        outcomes[n] = withOwn(before[n] as Outcome, own[at] as Outcome, (incoming[n] as Incoming).amended as RowChange);
      });
      return outcomes;
    };
    const result = await this.store.merge({
      from,
      rows: places.map((n) => (incoming[n] as Incoming).amended as RowChange),
      ownFrom: 0,
      peer: note && ((own) => note(joined(own))),
    });
    const outcomes = joined(result.outcomes);
    const changed = result.changed || before.some(({ outcome }) => outcome === "applied" || outcome === "parked");
    return { outcomes, changed };
  }

  /** What after-hooks are told of a row: what was merged of it. */
  #taken({ amended, filtered }: Incoming, { outcome, fields = [] }: Outcome): readonly ChangeRecord[] {
    const isPart = outcome === "rejected" && fields.length > 0;
    if (!isPart && outcome !== "applied" && outcome !== "parked") return [];
    return (filtered?.records ?? [])
      .filter(({ field }) => !isPart || !fields.includes(field))
      .map((record) => {
        const [, hlc, nodeId] = amended?.lww?.[record.field] ?? [];
        return hlc !== undefined && nodeId !== undefined ? { ...record, hlc, nodeId } : record;
      });
  }

  /** The rows that may be merged; the others have got their outcome. */
  async #look(
    rows: readonly unknown[],
    outcomes: Outcome[],
    hooks: Hooks,
    context: AnyContext,
    from: string,
    { limits, access }: Caller,
  ): Promise<Incoming[]> {
    const good: { readonly sent: RowChange; readonly index: number }[] = [];
    rows.forEach((row, index) => {
      const parsed = parseRowChange(row);
      if ("problem" in parsed) outcomes[index] = rejected("bad_change", parsed.problem);
      else {
        const refusal = limits ? beyond(parsed.change, limits) : null;
        if (refusal) outcomes[index] = refusal;
        else good.push({ sent: parsed.change, index });
      }
    });
    if (!hooks.has("beforeInboundChange", "afterInboundChange"))
      return good.map(({ index, sent }) => ({ index, change: sent, amended: null, filtered: null }));
    // What no table here can take is no business of hooks; the store says why.
    const isOurs = ({ table }: RowChange) => this.store.tables.includes(table) && (access?.tables.has(table) ?? true);
    const shown = good.filter(({ sent }) => isOurs(sent));
    const filtered = await hooks.inbound(
      shown.map(({ sent }) => sent),
      context,
    );
    const looked = new Map(shown.map(({ index }, n) => [index, filtered[n] as Filtered]));
    return good.flatMap(({ sent, index }): Incoming[] => {
      const some = looked.get(index);
      if (!some) return [{ index, change: sent, amended: null, filtered: null }];
      if (some.change)
        return [{ index, ...this.#amend(from, sent, some.change, some.amended, access), filtered: some }];
      outcomes[index] = some.refusal as Outcome;
      return [];
    });
  }

  /**
   * Parts what the sender wrote from what hooks wrote in its place. Of a field that the sender may not write the original stays,
   * so that the store refuses it.
   */
  #amend(
    from: string,
    sent: RowChange,
    left: RowChange,
    amended: Filtered["amended"],
    access: Access | undefined,
  ): Pick<Incoming, "change" | "amended"> {
    const fields = access?.view.get(sent.table)?.fields;
    const own: Record<string, Json> = {};
    const lww = { ...left.lww };
    for (const [field, value] of Object.entries(amended)) {
      const [, writer] = stampOf(sent, field);
      const mayWrite = (fields?.has(field) ?? true) && mayBring(access, from, writer);
      if (mayWrite) own[field] = value;
      else lww[field] = sent.lww?.[field] as WireRegister;
    }
    return {
      change: Object.keys(lww).length > 0 ? { ...left, lww } : left,
      amended: Object.keys(own).length > 0 ? writtenAfter(sent, own, this.node()) : null,
    };
  }

  /** What hooks leave of rows that a caller looks at, which goes to no peer; null = nothing. What they fail on is not shown. */
  async shown(rows: readonly RowChange[], caller: Caller): Promise<readonly (RowChange | null)[]> {
    const hooks = this.#outbound(caller);
    if (rows.length === 0 || !hooks.has("beforeOutboundChange", "beforeOutboundRead")) return rows;
    const filtered = await hooks.outbound(rows, this.#context(caller.id ?? "", caller));
    return filtered.map(({ change, amended }, n) =>
      change ? writtenBefore(rows[n] as RowChange, change, amended).change : null,
    );
  }

  /**
   * What hooks leave of rows that go out. What they fail on is kept as rejected, and goes when it is sent again; it is settled by
   * whoever learns that it arrived.
   *
   * @param caller who asked; absent for what this node pushes by itself
   */
  async outgoing(peer: string, rows: readonly RowChange[], caller?: Caller): Promise<Outgoing> {
    const hooks = this.#outbound(caller ?? NOBODY);
    if (rows.length === 0 || !hooks.has("beforeOutboundChange", "beforeOutboundRead")) return { rows, failed: NONE };
    const filtered = await hooks.outbound(rows, this.#context(peer, caller ?? NOBODY));
    const sent: RowChange[] = [];
    const written: RowChange[] = [];
    const failures = new Map<RowChange, Failed>();
    const outcomes = filtered.map(({ change, amended, refusal }, n): Outcome => {
      // What a hook skips is not meant for the peer, and nothing to keep an account of.
      const failure = refusal && refusal.code !== "skipped" ? refusal : null;
      if (!change) return failure ?? { outcome: "applied" };
      const left = writtenBefore(rows[n] as RowChange, change, amended);
      const { failed } = left;
      const isEmpty = failed.length > 0 && !left.change.lww && ENTRY_PARTS.every((part) => !change[part]);
      if (!isEmpty) {
        sent.push(left.change);
        written[n] = left.change;
      }
      if (failed.length === 0) return failure ?? { outcome: "applied" };
      const first = failure ?? rejected("hook_failed", "A value from before capture cannot be sent as another.");
      return { ...first, fields: [...(failure?.fields ?? []), ...failed] };
    });
    const kept = rows.map((row, n): Failed => ({ row, outcome: outcomes[n] as Outcome }));
    for (const [n, { row, outcome }] of kept.entries())
      if (outcome.outcome === "rejected") failures.set(written[n] ?? row, { row, outcome });
    const held = kept.filter(({ outcome }) => outcome.outcome === "rejected");
    if (held.length > 0) {
      await this.store.settleRejections(
        peer,
        true,
        held.map(({ row }) => row),
        held.map(({ outcome }) => outcome),
      );
    }
    return { rows: sent, failed: failures };
  }
}

/** What goes out, and of which of these rows a part stays behind since a hook failed on it. */
export interface Outgoing {
  readonly rows: readonly RowChange[];
  readonly failed: ReadonlyMap<RowChange, Failed>;
}
interface Failed {
  /** As it would have gone. */
  readonly row: RowChange;
  readonly outcome: Outcome;
}
const NONE: Outgoing["failed"] = new Map();
