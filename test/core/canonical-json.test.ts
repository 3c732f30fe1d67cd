import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { canonicalJson, isCanonical } from "#core/canonical-json.ts";
import { InvalidInputError } from "#core/errors.ts";

const nested = (depth: number): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

describe("canonical JSON", () => {
  // The examples of RFC 8785, sections 3.2.2 and 3.2.3.
  it("writes numbers, strings and literals as the RFC's example", () => {
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("sorts members by UTF-16 code units", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    const values = [...canonicalJson(value).matchAll(/:"([^"]*)"/g)].map((match) => match[1]);
    expect(values).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  test.each<[string, unknown, string]>([
    ["names that look like numbers", { 10: 1, 9: 2, a: 3 }, '{"10":1,"9":2,"a":3}'],
    ["minus zero", -0, "0"],
    ["an own member called __proto__", JSON.parse('{"b":1,"__proto__":2}'), '{"__proto__":2,"b":1}'],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ["nothing", {}, "{}"],
  ])("writes %s", (_, value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  const loop: unknown[] = [];
  loop.push(loop);
  test.each<[string, unknown]>([
    ["undefined", undefined],
    ["an undefined member", { a: undefined }],
    ["a hole in an array", Array(3)],
    ["NaN", Number.NaN],
    ["an infinity", [Infinity]],
    ["a bigint", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("a")],
    ["half a character", "a\ud800"],
    ["half a character in a name", { "\udc00": 1 }],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a value that holds itself", loop],
  ])("refuses %s", (_, value) => {
    expect(() => canonicalJson(value)).toThrow(InvalidInputError);
  });

  it("goes 64 levels deep and no further", () => {
    expect(canonicalJson(nested(64))).toHaveLength(128);
    expect(() => canonicalJson(nested(65))).toThrow(InvalidInputError);
  });

  const json = fc.jsonValue({ stringUnit: "grapheme", maxDepth: 5 });

  it("reads back as the same value, whatever the order of its members", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });

  it("is recognised, and so is what is not", () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(isCanonical(text, JSON.parse(text))).toBe(true);
        for (const other of [` ${text}`, JSON.stringify(reversed(value)), JSON.stringify(value, null, 1)]) {
          expect(isCanonical(other, JSON.parse(other))).toBe(other === text);
        }
      }),
    );
  });

  test.each([
    '{"b":1,"a":2}',
    '{"a":1,"a":2}',
    '{"a":{"c":1,"b":2}}',
    '[{"b":1,"a":2}]',
    '{"9":1,"10":2}',
    '"\\u0041"',
    "1.0",
    "1e2",
    "-0",
    '"\\ud800"',
    '"\ud800"',
    `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  ])("is not %.40s", (text) => {
    expect(isCanonical(text, JSON.parse(text))).toBe(false);
  });

  it("may speak of an escape sequence", () => {
    const text = canonicalJson({ text: "\\ud800" });
    expect(isCanonical(text, JSON.parse(text))).toBe(true);
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
