// The length of a JSON text that is not made.
import fc from "fast-check";
import { expect, test } from "vitest";
import { effort } from "../../../test/support/effort";
import { jsonLength } from "../src/index";

test("the length is that of the text that JSON.stringify makes", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\u007f", "\u0080", "\u2028", "\ud800", "a\udc00b", "😀", '"', "\\", "\n", "\u0000"),
  );
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      texts,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
      fc.constantFrom<unknown>(null, true, false, -0, 10, -10, 1e15, 1e16, 1e21, 2 ** 53, -(2 ** 53), 5e-324),
      fc.array(tie("value")),
      fc.dictionary(texts, fc.oneof(tie("value"), fc.constant(undefined))),
    ),
  })).value;
  fc.assert(
    fc.property(values, (value) => {
      expect(jsonLength(value)).toBe(JSON.stringify(value).length);
    }),
    { numRuns: effort(5_000) },
  );
});
