// Cursors: how far a reader has come in this node's own order of writes. Opaque to the reader, never a clock reading.
// `position` moves with every page; `floor` moves up to it only when a pull has drained. With one number for both, a
// row that is numbered anew between two pages would lose its older fields.
import { z } from "zod";
import { sign } from "./digest";
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
  /** Of those that it has been serving in part, the fingerprint of what it served. */
  readonly views?: Readonly<Record<string, string>>;
  /** A full exchange is under way: what came from the reader is sent to it as well. */
  readonly full: boolean;
  /** Of these tables the reader sees more than before: they come first, from their beginning, and this far they have come. */
  readonly behind?: Behind;
}

export interface Behind {
  readonly tables: readonly string[];
  readonly position: number;
}

/** One opening of a database: its id and the first sequence number that it gave. */
export interface Incarnation {
  readonly id: string;
  readonly first: number;
}

/** Where a node stands: its newest incarnation and its last number. */
export const positionSchema = z.strictObject({
  // Printable: Postgres stores no text with NUL in it.
  incarnation: z
    .string()
    .max(64)
    .regex(/^[\x20-\x7e]*$/),
  seq: z.int().min(0),
});
export type Position = z.infer<typeof positionSchema>;

/** Before a database has numbered anything: part of every history. */
export const ORIGIN: Position = { incarnation: "", seq: 0 };

const number = z.int().min(0);
const cursorSchema = z.tuple([
  z.literal(1),
  z.string().max(64),
  number,
  number,
  number,
  z.array(z.string().max(256)).max(10_000),
  z.boolean(),
  z.record(z.string().max(256), z.string().max(32)).optional(),
  z.tuple([z.array(z.string().max(256)).max(10_000), number]).optional(),
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
  const { incarnation, floor, position, last, tables, full, views = {}, behind } = cursor;
  const parts: unknown[] = [1, incarnation, floor, position, last, tables, full];
  if (behind || Object.keys(views).length > 0) parts.push(views);
  if (behind) parts.push([behind.tables, behind.position]);
  return toBase64Url(JSON.stringify(parts));
}

/** @throws GroveError `bad_cursor` when the text was not made by {@link encodeCursor} */
export function decodeCursor(text: string): Cursor {
  try {
    const parts = cursorSchema.parse(JSON.parse(fromBase64Url(text)));
    const [, incarnation, floor, position, last, tables, full, views, behind] = parts;
    if (floor > position || position > last || (behind?.[1] ?? 0) > last)
      throw new RangeError("floor, position and last are out of order");
    const cursor = { incarnation, floor, position, last, tables, full, ...(views && { views }) };
    return behind ? { ...cursor, behind: { tables: behind[0], position: behind[1] } } : cursor;
  } catch (cause) {
    throw new GroveError("bad_cursor", "The cursor was not issued by a grove-crdt node. Start again without one.", {
      cause,
    });
  }
}

/** Nothing else goes back to a reader as its cursor, which is also a line of a stream. */
const SEALED = /^([\w-]+)(?:\.([\w-]*))?$/;

/** A cursor as it leaves the node: signed, since a reader that moves it would lose what lies between. */
export function sealCursor(cursor: Cursor, secret: string): string {
  const text = encodeCursor(cursor);
  return `${text}.${sign(secret, text)}`;
}

/**
 * What {@link sealCursor} made; null for a cursor that another database issued, or that somebody altered.
 *
 * @throws GroveError `bad_cursor` for what is none at all
 */
export function openCursor(sealed: string, secret: string): Cursor | null {
  const [, text = "", signature] = SEALED.exec(sealed) ?? [];
  const cursor = decodeCursor(text);
  return sign(secret, text) === signature ? cursor : null;
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

type Views = Readonly<Record<string, string>>;

/** The tables of which a reader may see something that the cursor has been leaving out. */
function widened({ tables: before, views: seen = {} }: Cursor, tables: readonly string[], views: Views): string[] {
  return tables.filter((table) => {
    if (!before.includes(table)) return true;
    return Object.hasOwn(seen, table) && !(Object.hasOwn(views, table) && seen[table] === views[table]);
  });
}

/** Where a page begins, and what it is of. */
export interface Place {
  /** The tables to serve now. */
  readonly tables: readonly string[];
  /** In these tables the reader knows every entry numbered at most this. */
  readonly floor: number;
  readonly position: number;
  readonly full: boolean;
  readonly reset: boolean;
  /** Where the other tables wait meanwhile; null = there are no others. */
  readonly waiting: { readonly floor: number; readonly position: number } | null;
}

/**
 * Where serving begins for a reader that holds `cursor` and asks for `tables`.
 *
 * @param views of the tables that it sees in part, the fingerprint: see {@link fingerprints}
 */
export function resume(
  cursor: Cursor | null,
  tables: readonly string[],
  incarnations: readonly Incarnation[],
  last: number,
  views: Views = {},
): Place {
  if (!cursor) return resume(START_FULL, tables, incarnations, last, views);
  const start = { tables, floor: 0, position: 0, full: cursor.full, reset: false, waiting: null };
  if (!isKnownPosition({ incarnation: cursor.incarnation, seq: cursor.last }, incarnations, last))
    return { ...start, full: true, reset: true };
  const { floor, position, full, behind } = cursor;
  const wider = widened(cursor, tables, views);
  const late = tables.filter((table) => wider.includes(table) || behind?.tables.includes(table));
  if (late.length === 0) return { ...start, floor, position };
  // Of more than before, what was left out comes first. What came from the reader stays out.
  if (late.length === tables.length && wider.length > 0) return start;
  const begun = wider.length > 0 ? 0 : (behind?.position ?? 0);
  return { tables: late, floor: 0, position: begun, full, reset: false, waiting: { floor, position } };
}

/** The cursor after a page that ended at `position`, and whether there is more. */
export function advance(
  { tables: served, floor, full, waiting }: Place,
  { position, drained }: { readonly position: number; readonly drained: boolean },
  incarnation: string,
  last: number,
  tables: readonly string[],
  views: Views = {},
): { readonly cursor: Cursor; readonly more: boolean } {
  const common = {
    incarnation,
    last,
    tables: [...tables].sort(),
    ...(Object.keys(views).length > 0 && { views }),
  };
  if (waiting) {
    const behind = drained ? {} : { behind: { tables: [...served].sort(), position } };
    return { cursor: { ...common, ...waiting, full, ...behind }, more: !drained || waiting.position < last };
  }
  return {
    cursor: { ...common, floor: drained ? position : floor, position, full: full && !drained },
    more: !drained,
  };
}
