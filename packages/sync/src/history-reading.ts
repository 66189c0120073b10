// Reading history: what a row was, and what was written to it, for the program itself and for callers, each within what it may see.
// A caller is told no more than it would have been sent at the time.
import {
  type FieldHistoryRequest,
  type FieldHistoryResponse,
  type FieldWrite,
  fieldHistory,
  GroveError,
  type HistoryRecord,
  type HistoryRequest,
  type HistoryResponse,
  isGroveError,
  type Json,
  MAX_FIELD_WRITES,
  type RowChange,
  type StateAt,
  seenHistory,
  stateThen,
  type TableModel,
  valuesThen,
} from "@grove-crdt/core";
import type { Store } from "@grove-crdt/store";
import { unknownTable } from "./answering";
import type { Caller } from "./caller";
import type { Passage } from "./passage";

/** A time as microseconds since 1970. A Date's whole millisecond counts. */
export const toMicros = (time: Date | number): number =>
  typeof time === "number" ? time : time.getTime() * 1000 + 999;

export class HistoryReading {
  constructor(
    private readonly store: Store,
    private readonly models: readonly TableModel[],
    private readonly passage: Passage,
    private readonly node: () => string,
  ) {}

  /** @throws GroveError `unknown_table`, `no_history`, `history_gone`, `bad_value` */
  async stateAt(table: string, pk: readonly Json[], time: Date | number): Promise<StateAt | null> {
    const model = this.#model(table, this.store.tables);
    return readState(model, await this.#records(model, pk), toMicros(time));
  }

  /** @throws GroveError `unknown_table`, `no_history`, `bad_value` */
  async fieldHistory(table: string, pk: readonly Json[], field: string): Promise<readonly FieldWrite[]> {
    const model = this.#model(table, this.store.tables);
    return fieldHistory(model, await this.#records(model, pk), field);
  }

  async answerState({ table, pk, at }: HistoryRequest, caller: Caller): Promise<HistoryResponse> {
    const model = this.#model(table, this.#tablesOf(caller));
    return { node: this.node(), row: readState(model, await this.#seen(model, pk, caller), at) };
  }

  async answerField(
    { table, pk, field, limit = MAX_FIELD_WRITES }: FieldHistoryRequest,
    caller: Caller,
  ): Promise<FieldHistoryResponse> {
    const model = this.#model(table, this.#tablesOf(caller));
    const fields = caller.access?.view.get(table)?.fields;
    const isTold = model.fields.some(({ name }) => name === field) && (fields?.has(field) ?? true);
    if (!isTold)
      throw new GroveError("bad_request", `field: ${table} has no synced column ${JSON.stringify(field)}.`, {
        details: { table, column: field },
      });
    const writes = fieldHistory(model, await this.#seen(model, pk, caller), field);
    return { node: this.node(), writes: writes.slice(-limit), more: writes.length > limit };
  }

  #tablesOf({ access }: Caller): readonly string[] {
    const { tables } = this.store;
    return access ? tables.filter((name) => access.tables.has(name)) : tables;
  }

  #model(table: string, tables: readonly string[]): TableModel {
    const model = tables.includes(table) ? this.models.find(({ name }) => name === table) : undefined;
    if (!model) throw unknownTable(table);
    return model;
  }

  async #records({ name, key }: TableModel, pk: readonly Json[]): Promise<readonly HistoryRecord[]> {
    if (pk.length === key.length && !pk.includes(null)) return this.store.history(name, pk);
    throw new GroveError("bad_value", `A key of ${name} has ${key.length} values and no null: ${JSON.stringify(pk)}.`);
  }

  /** What a caller may see, past the hooks that changes pass on their way out. */
  async #seen(model: TableModel, pk: readonly Json[], caller: Caller): Promise<readonly HistoryRecord[]> {
    const records = await this.#records(model, pk).catch((error: unknown) => {
      if (!isGroveError(error) || error.code !== "bad_value") throw error;
      throw new GroveError("bad_request", `pk: ${error.message}`, { cause: error });
    });
    const seen = seenHistory(model, caller.access?.view.get(model.name), records);
    const shown = await this.passage.shown(
      seen.map(({ change }) => change),
      caller,
    );
    return seen.flatMap((record, n) => (shown[n] ? [{ ...record, change: shown[n] as RowChange }] : []));
  }
}

function readState(model: TableModel, records: readonly HistoryRecord[], at: number): StateAt | null {
  const then = stateThen(model, records, at);
  if (then === "unknown")
    throw new GroveError(
      "history_gone",
      `What is kept of this row of ${model.name} begins later. Ask for a time from ${new Date((records[0]?.at ?? 0) / 1000).toISOString()} on.`,
      { details: { table: model.name, from: records[0]?.at } },
    );
  if (!then) return null;
  const { since, from, change } = then;
  return { values: valuesThen(model, change), since, from, state: change };
}
