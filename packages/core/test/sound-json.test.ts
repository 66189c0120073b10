// JSON as databases hold it, made into what JSON can say (fault 30).
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalize, isSound, type Json, parseSound } from "../src/index";

test("numbers that no double holds are null, and half a surrogate pair is U+FFFD, in names too", () => {
  expect(parseSound(`[1e400, -1E999, 1${"0".repeat(309)}, "\\ud800x", {"\\udc00": [1e+400]}]`)).toEqual([
    null,
    null,
    null,
    "\ufffdx",
    { "\ufffd": [null] },
  ]);
  expect(isSound("[1e400]")).toBe(false);
  expect(isSound('{"a":"\\uD800"}')).toBe(false);
});

test("what looks alike is left as it is", () => {
  for (const text of [
    '["1e400"]',
    '"\\ud83d\\ude00"',
    "[1e300]",
    "[1e-400]",
    `"${"1".repeat(400)}"`,
    '{"__proto__":"\\ud83d\\ude00"}',
  ]) {
    expect(isSound(text), text).toBe(true);
    expect(JSON.stringify(parseSound(text))).toBe(JSON.stringify(JSON.parse(text)));
  }
  expect(Object.keys(parseSound('{"__proto__": "\\ud800"}') as object)).toEqual(["__proto__"]);
});

test("whatever comes out has a canonical text, and comes out the same again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.json({ noUnicodeString: false }), (text, json) => {
      for (const source of [
        JSON.stringify(text),
        json,
        json.replaceAll(/(?<=[[:,])-?\d[\d.e+-]*(?=[,\]}])/g, "1e400"),
      ]) {
        const sound = parseSound(source);
        const printed = canonicalize(sound as Json);
        expect(parseSound(printed)).toEqual(sound);
        expect(isSound(printed)).toBe(true);
      }
    }),
  );
});
