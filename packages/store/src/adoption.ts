// The loop of an adoption, the same for every dialect: chunk after chunk, each its own transaction.
import { type FieldModel, GroveError, shapeOf, type TableModel } from "@grove-crdt/core";
import type { AdoptOptions } from "./store";

/** Rows that one transaction looks at: some ten milliseconds, in which others wait. */
export const ADOPT_CHUNK = 5_000;

export interface AdoptedChunk<Key> {
  /** Rows that it looked at. */
  readonly rows: number;
  /** Where the next chunk begins; null at the end of the table. */
  readonly last: Key | null;
}

/** @throws GroveError `aborted` */
export async function adoptInChunks<Key>(
  table: string,
  total: number | null,
  { onProgress, signal }: AdoptOptions,
  adopt: (after: Key | null) => Promise<AdoptedChunk<Key>>,
): Promise<void> {
  let rows = 0;
  let after: Key | null = null;
  do {
    if (signal?.aborted) {
      const message = `The adoption of ${table} was interrupted after ${rows} rows. What was adopted stays so; call again to go on.`;
      throw new GroveError("aborted", message, { details: { table, rows }, cause: signal.reason });
    }
    const chunk: AdoptedChunk<Key> = await adopt(after);
    rows += chunk.rows;
    after = chunk.last;
    onProgress?.({ table, rows, total });
    // Timers, sockets and other writers get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  } while (after !== null);
}

/** Says that rows hold what a guard trigger would not have let in: nothing could be counted in it or added to it. */
export function unfit({ name }: TableModel, field: FieldModel, rows: number, example: unknown): GroveError {
  const what =
    field.type === "counter"
      ? "no whole number"
      : field.storage === "array"
        ? "no array of one dimension, counted from 1,"
        : `no JSON ${shapeOf(field.type)}`;
  return new GroveError(
    "bad_value",
    `${name}.${field.name} holds ${what} in ${rows} row${rows === 1 ? "" : "s"}, for example in ${JSON.stringify(example)}. Mend the values, then adopt again: \`npx grove-crdt adopt\` or node.adopt().`,
    { details: { table: name, column: field.name, rows } },
  );
}
