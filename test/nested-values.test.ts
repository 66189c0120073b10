// Odd values in sets, lists and documents, as SQL may write them: refused where they are written, or the same on the other side, or
// kept out there with the reason; and never does one stop a node (faults 30 and 31).
import { expect, test } from "vitest";
import { contents, metadata } from "./support/comparison";
import { describeAcross } from "./support/dialects";
import { open } from "./support/nested-tables";
import { settle } from "./support/network";
import type { TestNode } from "./support/node";

/** As JSON, by what is odd in them; what is no JSON at all is refused by every database. */
const VALUES = {
  "numbers that no double holds": ["1e400", "-1e400"],
  "numbers that are none": ["NaN", "Infinity", "-Infinity"],
  zeros: ["-0", "-0.0", "1e-400"],
  "numbers in other spellings": ["1.0", "1e5", "12345678901234567890", "0.1000"],
  NUL: ['"\\u0000"', '{"\\u0000": 1}'],
  "half a surrogate pair": ['"\\ud800"', '"x\\udc00"', '{"\\ud800": 1}'],
  "texts in other spellings": ['"\\u00e9"', '"\\ud83d\\ude00"', '"e\u0301"'],
  "names of JavaScript's own": ['{"__proto__": {"x": 1}}', '{"constructor": 1, "prototype": 2}', '"__proto__"'],
  "names twice": ['{"a": 1, "a": 2}'],
  "what tags look like": ['{"$grove": "text", "value": "x"}', '{"$grove": 1}'],
  nothing: ["null", "{}", "[]", '""'],
} as const;
/** By column: a value as it may stand there, with spaces and names in an order of their own. */
const PLACES: readonly (readonly [column: string, wrap: (json: string) => string])[] = [
  ["tags", (json) => `[ ${json} ]`],
  ["cards", (json) => `[${json}]`],
  ["cards", (json) => `[ {"id": ${json}, "a": 1} ]`],
  ["data", (json) => `{ "b": 1, "a": ${json}}`],
  ["data", (json) => `{"tags": [${json}]}`],
  ["data", (json) => `{"steps": [ ${json}, ${json}]}`],
  ["data", (json) => `{"stats": {"views": ${json}}}`],
  ["data", (json) => `{"stats": ${json}, "tags": ${json}, "steps": ${json}}`],
];

const rows = Object.entries(VALUES).flatMap(([odd, values]) =>
  values.flatMap((value, n) =>
    PLACES.map(([column, wrap], m) => ({ id: `${odd} ${n} ${m}`.replaceAll("'", ""), column, json: wrap(value) })),
  ),
);

/** What a node has of each row, and the rows that it keeps out with a reason. */
async function read(
  node: TestNode,
): Promise<{ shown: Map<string, string>; states: Map<string, string>; out: Set<string> }> {
  const { plans = [] } = await contents(node);
  const states = Object.entries(await metadata(node)).map(([key, state]): [string, string] => [
    (JSON.parse(key.slice("plans ".length)) as [string])[0],
    state,
  ]);
  return {
    shown: new Map(plans.map((text) => [(JSON.parse(text) as [string])[0], text])),
    states: new Map(states),
    out: new Set((await node.node.parked()).map(({ pk }) => pk[0] as string)),
  };
}

describeAcross("odd values in sets, lists and documents", () => {
  for (const [from, to] of [
    ["sqlite", "postgres"],
    ["postgres", "sqlite"],
  ] as const)
    test(`written on ${from}: refused, or the same on ${to}, or out there with the reason (faults 30 and 31)`, async () => {
      const a = await open(from, "a");
      const b = await open(to, "b", a.clock);
      const refused: string[] = [];
      for (const { id, column, json } of rows) {
        await a.sql(`INSERT INTO plans (id) VALUES ('${id}')`);
        const written = await a.sql(`UPDATE plans SET ${column} = '${json}' WHERE id = '${id}'`).catch(() => null);
        if (written === null) refused.push(id);
      }
      await settle([b, a]);
      // None of them stands in the way of what is written after it.
      await a.sql("INSERT INTO plans (id) VALUES ('neighbour')");
      await a.sql("UPDATE plans SET title = 'later'");
      await settle([b, a]);
      const [one, other] = [await read(a), await read(b)];
      expect(other.shown.has("neighbour")).toBe(true);
      const wrong = [...one.shown.keys()].filter(
        (id) =>
          !other.out.has(id) &&
          (one.shown.get(id) !== other.shown.get(id) || one.states.get(id) !== other.states.get(id)),
      );
      expect(wrong).toEqual([]);
      expect(one.out.size).toBe(0);
      // What is no JSON is refused everywhere, and most of the rest by nobody.
      expect(refused.filter((id) => id.startsWith("numbers that are none"))).toHaveLength(3 * PLACES.length);
      expect(refused.length + other.out.size).toBeLessThan(rows.length / 2);
      await Promise.all([a.close(), b.close()]);
    });
});
