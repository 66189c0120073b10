// Damage: from a request as a peer would send it to one that lies near it. Everything is drawn from one seed, so that a run
// can be repeated.

/** JSON as generators build it. */
export type Value = null | boolean | number | string | Value[] | { [name: string]: Value };

/** Mulberry32: numbers in [0, 1), the same for a seed. */
export class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b9);
  }
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  below(most: number): number {
    return Math.floor(this.next() * most);
  }
  of(part: number): boolean {
    return this.next() < part;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** One request before it is sent. */
export interface Draft {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** Of a stream, its query; each value as text. */
  query: Record<string, string> | null;
  /** Null = none. */
  body: Value;
  gzip: boolean;
}

/** Text that stands in the JSON as it is: what JSON.stringify would never write. */
const raw = (text: string): string => `\u0001${text}\u0001`;
const nested = (levels: number): string => raw(`${"[".repeat(levels)}${"]".repeat(levels)}`);
export const toText = (value: Value): string => JSON.stringify(value).replaceAll(/"\\u0001(.*?)\\u0001"/g, "$1");

/** A property of this name is made, where a literal would set the prototype. */
const parsed = (text: string): Value => JSON.parse(text) as Value;

export const HOSTILE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "",
  " ",
  "title; DROP TABLE notes; --",
  "notes' OR '1'='1",
  'a"b`c]d',
  "../../../etc/passwd",
  "a\u0000b",
  "\ud800",
  "größe 北京 😀",
  "x".repeat(256),
  "y".repeat(257),
  "rowid",
  "0",
  "$grove",
] as const;

const HOSTILE_VALUES: readonly Value[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 48,
  2 ** 53,
  -(2 ** 53) - 2,
  1e308,
  5e-324,
  raw("-0"),
  raw("1e400"),
  raw("-1e400"),
  raw("9007199254740993"),
  raw(`1${"0".repeat(400)}`),
  "NaN",
  "Infinity",
  "-0",
  "9".repeat(64),
  `-${"9".repeat(63)}`,
  "9223372036854775808",
  "1e5",
  "",
  "\u0000",
  "\ud800",
  "x\udc00y",
  "\uffff",
  "x".repeat(20_000),
  // What cannot be packed is too long for an index.
  Array.from({ length: 3_000 }, (_, n) => Math.imul(n + 1, 0x9e3779b1).toString(36)).join(""),
  "2024-02-30T25:00:00Z",
  "275760-09-13T00:00:00.000001Z",
  // Ids of positions that are spelled in another way, or are none.
  "01.n-a",
  "A.n-a",
  "1.",
  ".n-a",
  "zzzzzzzzzzzz.n-a",
  "2gosa7pa2gv.n-a",
  "1.n-a\u0000",
  [],
  {},
  [null],
  [[]],
  Array.from({ length: 40 }, (_, n) => n),
  nested(5),
  nested(200),
  nested(996),
  nested(1_001),
  nested(20_000),
  parsed('{"__proto__":{"polluted":true}}'),
  parsed('{"constructor":{"prototype":{"polluted":true}}}'),
  { $grove: "text", value: "x" },
  { $grove: "number", value: "1e999" },
  { $grove: "bytes", value: "!!" },
  { $grove: "nothing", value: null },
  { $grove: "integer", value: raw("1e400") },
  ...HOSTILE_NAMES,
];

export const hostile = (chance: Chance): Value => structuredClone(chance.pick(HOSTILE_VALUES));

interface Place {
  readonly parent: Value[] | { [name: string]: Value };
  readonly name: string;
  readonly value: Value;
}
const has = (value: Value): value is Value[] | { [name: string]: Value } => typeof value === "object" && value !== null;

/** Every place of a body where something stands. */
function places(parent: Value, found: Place[] = []): Place[] {
  if (!has(parent)) return found;
  for (const [name, value] of Object.entries(parent)) {
    // A row that was read may have properties without a value.
    if (value === undefined) continue;
    found.push({ parent, name, value });
    // What is deep already is damaged enough.
    if (found.length < 500) places(value, found);
  }
  return found;
}

function put({ parent, name }: Omit<Place, "value">, value: Value): void {
  // Not by assignment, which would set a prototype.
  Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Something of a body becomes something else. */
function damageBody(chance: Chance, draft: Draft): void {
  const found = places(draft.body);
  if (found.length === 0 || chance.of(0.02)) {
    draft.body = hostile(chance);
    return;
  }
  const place = chance.pick(found);
  const { parent, name, value } = place;
  const kind = chance.below(9);
  if (kind === 0 && Array.isArray(parent)) {
    // Not by splice: the array's own `constructor` may be what damage has made of it.
    parent.copyWithin(Number(name), Number(name) + 1);
    parent.length -= 1;
  } else if (kind === 0) Reflect.deleteProperty(parent, name);
  else if (kind === 1 && Array.isArray(parent)) parent.push(structuredClone(value));
  else if (kind === 1 || kind === 2) put({ parent, name: chance.pick(HOSTILE_NAMES) }, structuredClone(value));
  else if (kind === 3) put(place, [value]);
  else if (kind === 4) put(place, typeof value === "string" ? damageText(chance, value) : toText(value));
  else if (kind === 5) put(place, structuredClone(chance.pick(found).parent));
  // No database stores these as they are.
  else if (kind === 6 && typeof value === "string") put(place, value + chance.pick(["\u0000", "\ud800", "\uffff"]));
  else put(place, hostile(chance));
}

/** A few characters are others, or the end is missing. */
export function damageText(chance: Chance, text: string): string {
  const at = chance.below(text.length + 1);
  const one = chance.pick(["A", "_", ".", "0", "%", '"', "{", "\u00e9", "\u0000"]);
  switch (chance.below(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + one + text.slice(at);
    case 2:
      return text + text.slice(at);
    default:
      return text.slice(0, at) + one + text.slice(at + 1);
  }
}

function damageHeaders(chance: Chance, { headers }: Draft, tokens: readonly string[]): void {
  switch (chance.below(7)) {
    case 0:
      delete headers[chance.pick(Object.keys(headers))];
      break;
    case 1:
      headers["content-type"] = chance.pick([
        "text/plain",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "x",
      ]);
      break;
    case 2:
      headers["content-encoding"] = chance.pick([
        "gzip",
        "deflate",
        "br",
        "GZIP",
        "gzip, gzip",
        "identity",
        "__proto__",
      ]);
      break;
    case 3:
      headers["content-length"] = chance.pick(["0", "-1", "x", "5", "1e9", "99999999999999999999"]);
      break;
    case 4:
      headers.authorization = chance.pick([
        "",
        "Bearer",
        "Bearer nobody-has-such-a-token",
        "Basic bm9ib2R5Om5vYm9keQ==",
        "Bearer __proto__",
        ...tokens,
      ]);
      break;
    case 5:
      headers["last-event-id"] = chance.pick(["", "x", "null", "../..", "AAAA.BBBB", "%00", "9".repeat(9_000)]);
      break;
    default:
      headers["x-http-method-override"] = "DELETE";
  }
}

function damageQuery(chance: Chance, query: Record<string, string>): void {
  const name = chance.pick(Object.keys(query));
  switch (chance.below(6)) {
    case 0:
      delete query[name];
      break;
    case 1:
      put({ parent: query, name: chance.pick(HOSTILE_NAMES) }, query[name] ?? "");
      break;
    case 2:
      query[name] = toText(hostile(chance));
      break;
    case 3:
      query[chance.pick(["tables", "only", "seen", "cursor", "rows", "want"])] = toText(hostile(chance));
      break;
    default:
      query[name] = damageText(chance, query[name] ?? "");
  }
}

const METHODS = ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "POST"];
const PATHS = [
  "/",
  "/pull/",
  "/push/notes",
  "/PULL",
  "//pull",
  "/stream/",
  "/__proto__",
  "/%70ull",
  "/..%2fpull",
  "/%zz",
];

/** The request, worse by one thing. */
export function damage(chance: Chance, draft: Draft, tokens: readonly string[]): void {
  const kind = chance.next();
  if (kind < 0.1) damageHeaders(chance, draft, tokens);
  else if (kind < 0.13) draft.method = chance.pick(METHODS);
  else if (kind < 0.15) draft.path = chance.pick([...PATHS, "/pull", "/push", "/stream"]);
  else if (kind < 0.17) draft.gzip = true;
  else if (draft.query) damageQuery(chance, draft.query);
  else damageBody(chance, draft);
}

/** The body as it goes out; now and then its text is damaged once more. */
export function bodyOf(chance: Chance, { body, gzip, headers }: Draft, spoil: boolean): string {
  let text = toText(body);
  if (spoil) {
    const names = [...text.matchAll(/"(\w+)":/g)];
    // One name twice, which only a text can say.
    if (names.length > 0 && chance.of(0.5)) {
      const { index, 0: name } = chance.pick(names);
      text = `${text.slice(0, index)}${name}${toText(hostile(chance))},${text.slice(index)}`;
    } else text = damageText(chance, text);
  }
  if (gzip) headers["content-encoding"] ??= chance.pick(["gzip", "x-gzip"]);
  return text;
}
