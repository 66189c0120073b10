// Hooks at work. They run in the order in which they were registered, each on what the one before left; null skips a change;
// one that throws, hangs or returns what is no change rejects that one change and nothing else.
import {
  type ChangeRecord,
  checkRecord,
  fromRecords,
  GroveError,
  headOf,
  isGroveError,
  type Json,
  type Outcome,
  type RowChange,
  stampOf,
  toRecords,
  type WireRegister,
} from "@grove-crdt/core";
import type { AnyContext, AnyHook } from "./hook";

type MaybePromise<T> = T | Promise<T>;

export interface HookSettings {
  /** Milliseconds that a hook may take for one change, or one page. */
  readonly timeout: number;
  /** Receives what hooks throw that is no GroveError, what after-hooks throw, and which hooks hang or return rubbish. */
  readonly onError: (error: unknown) => void;
}

/** What hooks left of one row. */
export interface Filtered {
  /** Null = nothing. */
  readonly change: RowChange | null;
  /** Values that were put in place of others, by column. */
  readonly amended: Readonly<Record<string, Json>>;
  /** Fields that were skipped or failed, when any were; the whole row where `change` is null. */
  readonly refusal: Outcome | null;
  /** The changes that passed. */
  readonly records: readonly ChangeRecord[];
}

const SKIPPED: Outcome = {
  outcome: "rejected",
  code: "skipped",
  message: "A hook of the peer does not take this change.",
};

type Method = "beforeInboundChange" | "beforeOutboundChange";
/** A change on its way through the hooks: as it is, skipped, or failed. */
type Passed = ChangeRecord | null | Outcome;
const isOutcome = (passed: Passed): passed is Outcome => passed !== null && "outcome" in passed;

const isFor = (hook: AnyHook, table: string): boolean => hook.tables === undefined || hook.tables.includes(table);

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";

export class Hooks {
  constructor(
    readonly list: readonly AnyHook[],
    private readonly settings: HookSettings,
  ) {}

  has(...methods: readonly (keyof AnyHook)[]): boolean {
    return this.list.some((hook) => methods.some((method) => hook[method] !== undefined));
  }

  /** An outcome for what a hook threw, or for what it is that it returned. */
  #failure(error: unknown): Outcome {
    // Of a hook that hangs or returns rubbish nobody else would hear.
    if (!isGroveError(error) || error.code === "hook_failed") this.#report(error);
    if (isGroveError(error)) return { outcome: "rejected", code: error.code, message: error.message };
    return { outcome: "rejected", code: "hook_failed", message: "A hook of the peer failed on this change." };
  }

  #report = (error: unknown): void => {
    try {
      this.settings.onError(error);
    } catch {
      // Whoever is told of errors is no reason to fail.
    }
  };

  async #inTime<T>(promise: PromiseLike<T>): Promise<T> {
    const { timeout } = this.settings;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new GroveError("hook_failed", `A hook took longer than ${timeout} ms.`)),
        timeout,
      );
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** One change through the hooks from `start` on. Waits only for those that return a promise. */
  #pass(method: Method, record: ChangeRecord, context: AnyContext, start = 0): MaybePromise<Passed> {
    let passed: ChangeRecord = record;
    try {
      for (let n = start; n < this.list.length; n++) {
        const hook = this.list[n] as AnyHook;
        if (!hook[method] || !isFor(hook, passed.table)) continue;
        const result: unknown = hook[method](passed, context);
        if (isThenable(result)) return this.#later(method, passed, result, context, n + 1);
        const checked = checkRecord(passed, result);
        if (checked === null) return null;
        passed = frozen(checked);
      }
      return passed;
    } catch (error) {
      return this.#failure(error);
    }
  }

  async #later(
    method: Method,
    before: ChangeRecord,
    result: PromiseLike<unknown>,
    context: AnyContext,
    next: number,
  ): Promise<Passed> {
    try {
      const checked = checkRecord(before, await this.#inTime(result));
      return checked === null ? null : await this.#pass(method, frozen(checked), context, next);
    } catch (error) {
      return this.#failure(error);
    }
  }

  /** Rows through the hooks of one kind; changes are looked at side by side, so that one that hangs holds up no other. */
  async #filter(
    method: Method,
    changes: readonly RowChange[],
    context: AnyContext,
    before: ReadonlyMap<ChangeRecord, Passed> | null = null,
    records: readonly (readonly ChangeRecord[])[] = changes.map(shownRecords),
  ): Promise<Filtered[]> {
    const passing = records.map((some) =>
      some.map((record) => {
        const known = before?.has(record) ? (before.get(record) as Passed) : record;
        return known === null || isOutcome(known) ? known : this.#pass(method, known, context);
      }),
    );
    const filtered: Filtered[] = [];
    for (const [n, change] of changes.entries()) {
      const passed = await Promise.all(passing[n] as MaybePromise<Passed>[]);
      filtered.push(settle(change, records[n] as readonly ChangeRecord[], passed));
    }
    return filtered;
  }

  inbound(changes: readonly RowChange[], context: AnyContext): Promise<Filtered[]> {
    return this.#filter("beforeInboundChange", changes, context);
  }

  /** Tells the hooks what was merged. */
  async merged(records: readonly ChangeRecord[], context: AnyContext): Promise<void> {
    const running: Promise<unknown>[] = [];
    for (const record of records) {
      for (const hook of this.list) {
        if (!hook.afterInboundChange || !isFor(hook, record.table)) continue;
        try {
          const result: unknown = hook.afterInboundChange(record, context);
          if (isThenable(result)) running.push(this.#inTime(result).catch(this.#report));
        } catch (error) {
          this.#report(error);
        }
      }
    }
    await Promise.all(running);
  }

  async outbound(changes: readonly RowChange[], context: AnyContext): Promise<Filtered[]> {
    const records = changes.map(shownRecords);
    let left = new Map<ChangeRecord, Passed>(records.flat().map((record) => [record, record]));
    for (const hook of this.list) if (hook.beforeOutboundRead) left = await this.#read(hook, left, context);
    return this.#filter("beforeOutboundChange", changes, context, left, records);
  }

  #checked(before: ChangeRecord, after: unknown): Passed {
    try {
      const checked = checkRecord(before, after);
      return checked && frozen(checked);
    } catch (error) {
      return this.#failure(error);
    }
  }

  /** All changes that a hook is for, through its `beforeOutboundRead`. */
  async #read(
    hook: AnyHook,
    records: ReadonlyMap<ChangeRecord, Passed>,
    context: AnyContext,
  ): Promise<Map<ChangeRecord, Passed>> {
    const after = new Map(records);
    /** By what identifies a change: the records that it began as. Two of one name are one and the same change. */
    const given = new Map<string, ChangeRecord[]>();
    const shown: ChangeRecord[] = [];
    for (const [begun, now] of records) {
      if (now === null || isOutcome(now) || !isFor(hook, now.table)) continue;
      shown.push(now);
      const name = nameOf(now);
      given.set(name, [...(given.get(name) ?? []), begun]);
    }
    if (shown.length === 0) return after;
    const settleAll = (passed: Passed) => {
      for (const begun of [...given.values()].flat()) after.set(begun, passed);
    };
    try {
      const result: unknown = hook.beforeOutboundRead?.(Object.freeze(shown), context);
      const kept: unknown = isThenable(result) ? await this.#inTime(result) : result;
      if (!Array.isArray(kept)) throw new GroveError("hook_failed", "beforeOutboundRead did not return an array.");
      settleAll(null);
      for (const record of kept) {
        const known = given.get(nameOf(record));
        if (!known) throw new GroveError("hook_failed", "beforeOutboundRead returned a change that it was not given.");
        for (const begun of known) after.set(begun, this.#checked(records.get(begun) as ChangeRecord, record));
      }
    } catch (error) {
      settleAll(this.#failure(error));
    }
    return after;
  }
}

/** What hooks are shown is also what others are sent: nobody writes into it. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) frozen(item);
  }
  return value;
}
const shownRecords = (change: RowChange): readonly ChangeRecord[] => toRecords(change).map(frozen);

const nameOf = (record: ChangeRecord): string =>
  JSON.stringify([record?.table, record?.pk, record?.field, record?.type]);

function settle(change: RowChange, records: readonly ChangeRecord[], passed: readonly Passed[]): Filtered {
  const kept = passed.filter((item): item is ChangeRecord => item !== null && !isOutcome(item));
  const left = fromRecords(change, kept);
  if (kept.length === records.length && left) return { ...left, refusal: null, records: kept };
  const failure = passed.find((item): item is Outcome => item !== null && isOutcome(item)) ?? SKIPPED;
  const fields = records.flatMap(({ field }, n) => (kept.includes(passed[n] as ChangeRecord) ? [] : [field]));
  return {
    change: left?.change ?? null,
    amended: left?.amended ?? {},
    refusal: left ? { ...failure, fields } : failure,
    records: left ? kept : [],
  };
}

/** Values that a hook changed on their way in: as written by `node`, just after what they stand for, and the same every time. */
export function writtenAfter(change: RowChange, amended: Readonly<Record<string, Json>>, node: string): RowChange {
  const lww = Object.entries(amended).map(([field, value]) => [field, [value, stampOf(change, field)[0] + 1, node]]);
  return { ...headOf(change), lww: Object.fromEntries(lww) as RowChange["lww"] };
}

/**
 * Values that a hook changed on their way out: as written just before what they stand for, so that the original goes before
 * them wherever the two meet. Nothing is older than a value from before capture: that one fails.
 */
export function writtenBefore(
  sent: RowChange,
  left: RowChange,
  amended: Readonly<Record<string, Json>>,
): { readonly change: RowChange; readonly failed: readonly string[] } {
  const fields = Object.keys(amended);
  if (fields.length === 0) return { change: left, failed: [] };
  const lww: Record<string, WireRegister> = { ...left.lww };
  for (const field of fields) {
    const [hlc, node] = stampOf(sent, field);
    if (hlc > 0) lww[field] = [amended[field] as Json, hlc - 1, node];
  }
  const failed = fields.filter((field) => !Object.hasOwn(lww, field));
  return { change: { ...left, ...(Object.keys(lww).length > 0 && { lww }) }, failed };
}
