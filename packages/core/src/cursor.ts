// Cursors: how far a reader has come in this node's own order of writes. Opaque to the reader, never a clock reading.
// `position` moves with every page; `floor` moves up to it only when a pull has drained. With one number for both, a
// row that is numbered anew between two pages would lose its older fields.
import { z } from "zod";
import { GroveError } from "./errors";

export interface Cursor {
  /** The incarnation in which it was issued; empty before the database has numbered anything. */
  readonly incarnation: string;
  /** The reader knows every entry numbered at most this. */
  readonly floor: number;
  /** The next page begins after the row with this number. */
  readonly position: number;
  /** The node's last number when the cursor was issued. */
  readonly last: number;
  /** The tables that it has been serving, sorted. */
  readonly tables: readonly string[];
  /** A full exchange is under way: what came from the reader is sent to it as well. */
  readonly full: boolean;
}

/** One opening of a database: its id and the first sequence number that it gave. */
export interface Incarnation {
  readonly id: string;
  readonly first: number;
}

/** Where a node stands: its newest incarnation and its last number. */
export const positionSchema = z.strictObject({ incarnation: z.string().max(64), seq: z.int().min(0) });
export type Position = z.infer<typeof positionSchema>;

const number = z.int().min(0);
const cursorSchema = z.tuple([
  z.literal(1),
  z.string().max(64),
  number,
  number,
  number,
  z.array(z.string().max(256)).max(10_000),
  z.boolean(),
]);

const toBase64Url = (text: string) => {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};
const fromBase64Url = (text: string) => {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
};

export function encodeCursor(cursor: Cursor): string {
  const { incarnation, floor, position, last, tables, full } = cursor;
  return toBase64Url(JSON.stringify([1, incarnation, floor, position, last, tables, full]));
}

/** @throws GroveError `bad_cursor` when the text was not made by {@link encodeCursor} */
export function decodeCursor(text: string): Cursor {
  try {
    const [, incarnation, floor, position, last, tables, full] = cursorSchema.parse(JSON.parse(fromBase64Url(text)));
    if (floor > position || position > last) throw new RangeError("floor, position and last are out of order");
    return { incarnation, floor, position, last, tables, full };
  } catch (cause) {
    throw new GroveError("bad_cursor", "The cursor was not issued by a grove-crdt node. Start again without one.", {
      cause,
    });
  }
}

/**
 * Whether this database still holds the history in which it stood at `position`: the incarnation is known and the
 * number does not lie past its end. If not, the database was restored from a backup, copied or replaced.
 */
export function isKnownPosition(position: Position, incarnations: readonly Incarnation[], last: number): boolean {
  if (position.incarnation === "") return position.seq === 0;
  const index = incarnations.findIndex(({ id }) => id === position.incarnation);
  if (index < 0) return false;
  const next = incarnations[index + 1];
  return position.seq <= (next ? next.first - 1 : last);
}

/** From the beginning, without what came from the reader: for a reader that is known to be new to this history. */
export const START: Cursor = { incarnation: "", floor: 0, position: 0, last: 0, tables: [], full: false };

/** From the beginning with everything: for a reader that may have lost what it sent. */
export const START_FULL: Cursor = { ...START, full: true };

/** Where serving begins for a reader that holds `cursor` and asks for `tables`. */
export function resume(
  cursor: Cursor | null,
  tables: readonly string[],
  incarnations: readonly Incarnation[],
  last: number,
): { floor: number; position: number; full: boolean; reset: boolean } {
  if (!cursor) return resume(START_FULL, tables, incarnations, last);
  if (!isKnownPosition({ incarnation: cursor.incarnation, seq: cursor.last }, incarnations, last)) {
    return { floor: 0, position: 0, full: true, reset: true };
  }
  // More tables than before: begin again, so that what was left out arrives. What came from the reader stays out.
  if (tables.some((table) => !cursor.tables.includes(table)))
    return { floor: 0, position: 0, full: cursor.full, reset: false };
  return { floor: cursor.floor, position: cursor.position, full: cursor.full, reset: false };
}

/** The cursor after a page that ended at `position`. */
export function advance(
  served: { readonly floor: number; readonly full: boolean; readonly position: number; readonly drained: boolean },
  incarnation: string,
  last: number,
  tables: readonly string[],
): Cursor {
  const { position, drained } = served;
  return {
    incarnation,
    floor: drained ? position : served.floor,
    position,
    last,
    tables: [...tables].sort(),
    full: served.full && !drained,
  };
}
