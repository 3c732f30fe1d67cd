import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addUsage, ModelUsage, NO_USAGE } from "#core/model-usage.ts";
import { affordableTokens, costOf, estimateTokens, mostTokens, PRICES, Prices, pricesFrom } from "#core/prices.ts";

const million = (kind: keyof ModelUsage): ModelUsage => ({ ...NO_USAGE, [kind]: 1_000_000 });
const costs = (model: string, prices: Prices = PRICES) => [
  costOf(model, million("inputTokens"), prices),
  costOf(model, million("outputTokens"), prices),
  costOf(model, million("cacheWriteTokens"), prices),
  costOf(model, million("cacheReadTokens"), prices),
];

describe("a million tokens of each kind", () => {
  test.each([
    ["claude-sonnet-5-5", [2, 10, 2.5, 0.1]],
    ["claude-sonnet-5", [2, 10, 2.5, 0.2]],
    ["claude-haiku-4-5-20251001", [1, 5, 1.25, 0.1]],
    ["claude-haiku-4-5", [1, 5, 1.25, 0.1]],
    ["claude-haiku-4-5-latest", [1, 5, 1.25, 0.1]],
    ["anthropic/claude-haiku-4-5", [1, 5, 1.25, 0.1]],
    ["claude-opus-5-5", [4, 20, 5, 0.2]],
    ["claude-opus-4-5@20251101", [5, 25, 6.25, 0.5]],
  ])("of %s cost %j", (model, expected) => {
    for (const [index, cost] of costs(model).entries()) expect(cost).toBeCloseTo(expected[index] ?? NaN, 9);
  });

  test("of a model that answers long prompts dearer cost its long prompt's price", () => {
    expect(costOf("claude-haiku-5-5", million("inputTokens"), PRICES)).toBeCloseTo(0.5);
    expect(costOf("claude-haiku-5-5", { ...NO_USAGE, inputTokens: 100_000 }, PRICES)).toBeCloseTo(0.01);
    const cached = { ...NO_USAGE, cacheReadTokens: 100_000, inputTokens: 1, outputTokens: 1_000_000 };
    expect(costOf("claude-haiku-5-5", cached, PRICES)).toBeCloseTo(2.5, 1);
  });

  // A newer model than the table's is not one of its elders, however its name begins.
  test.each(["claude-sonnet-5-9", "claude-opus-5-5-mini", "claude-haiku-4-50", "gpt-x", "", "constructor"])(
    "of %j, which nobody knows, cost as much as of the dearest",
    (model) => {
      for (const known of Object.keys(PRICES))
        for (const [index, cost] of costs(model).entries())
          expect(cost).toBeGreaterThanOrEqual(costs(known)[index] ?? NaN);
    },
  );
});

describe("MODEL_PRICES", () => {
  const own = { input: 7, output: 8, cacheWrite: 9, cacheRead: 1 };

  test.each([undefined, "", "  "])("%j changes nothing", (json) => expect(pricesFrom(json)).toEqual(PRICES));

  test("puts its models over the table's, and adds those it does not know", () => {
    const prices = pricesFrom(JSON.stringify({ "claude-sonnet-5-5": own, "our-model-20260101": own }));
    expect(costs("claude-sonnet-5-5", prices)).toEqual([7, 8, 9, 1]);
    expect(costs("our-model", prices)).toEqual([7, 8, 9, 1]);
    expect(costs("claude-sonnet-5", prices)).toEqual(costs("claude-sonnet-5"));
  });

  test.each([
    ["{", "is not JSON"],
    ["[]", "is wrong"],
    ['{"m": {"input": 1}}', "is wrong at m.output"],
    ['{"m": {"input": -1, "output": 1, "cacheWrite": 1, "cacheRead": 1}}', "is wrong at m.input"],
    ['{"m": {"input": "1", "output": 1, "cacheWrite": 1, "cacheRead": 1}}', "is wrong at m.input"],
  ])("%s is told to who wrote it", (json, expected) => {
    expect(() => pricesFrom(json)).toThrow(expect.objectContaining({ name: "InvalidInputError" }));
    expect(() => pricesFrom(json)).toThrow(expected);
  });
});

describe("what a budget affords", () => {
  const call = { model: "claude-sonnet-5-5", inputTokensEstimate: 0, budgetUsd: 5, wanted: 64_000, prices: PRICES };

  test.each([
    ["all that is wanted", {}, 64_000],
    ["less", { budgetUsd: 0.01 }, 1000],
    ["less, for what a written cache takes of it", { budgetUsd: 0.01, inputTokensEstimate: 2000 }, 500],
    ["nothing, when the input takes it all", { budgetUsd: 0.01, inputTokensEstimate: 4000 }, 0],
    ["nothing for less than a token", { budgetUsd: 0.000009 }, 0],
    ["nothing of nothing", { budgetUsd: 0 }, 0],
    ["nothing of debts", { budgetUsd: -1 }, 0],
    ["nothing when nothing is wanted", { wanted: 0 }, 0],
    ["nothing of what is no number", { budgetUsd: Number.NaN }, 0],
    ["whole tokens", { budgetUsd: 0.000_019 }, 1],
    ["less of an unknown model", { model: "unknown", budgetUsd: 0.0125 }, 100],
    ["less behind a long prompt", { model: "claude-haiku-5-5", inputTokensEstimate: 100_001, budgetUsd: 0.063 }, 199],
  ])("is %s", (_, given, expected) => expect(affordableTokens({ ...call, ...given })).toBe(expected));

  test("never costs more than the budget, whatever the cache does", () => {
    const share = fc.nat({ max: 100 });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(PRICES), "unknown"),
        fc.nat({ max: 300_000 }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.nat({ max: 128_000 }),
        share,
        share,
        (model, estimate, budgetUsd, wanted, written, read) => {
          const outputTokens = affordableTokens({
            model,
            inputTokensEstimate: estimate,
            budgetUsd,
            wanted,
            prices: PRICES,
          });
          expect(outputTokens).toBeLessThanOrEqual(wanted);
          if (outputTokens === 0) return;
          const cacheWriteTokens = Math.floor((estimate * written) / 100);
          const cacheReadTokens = Math.floor(((estimate - cacheWriteTokens) * read) / 100);
          const inputTokens = estimate - cacheWriteTokens - cacheReadTokens;
          const usage = { inputTokens, outputTokens, cacheWriteTokens, cacheReadTokens };
          expect(costOf(model, usage, PRICES)).toBeLessThanOrEqual(budgetUsd * (1 + 1e-9));
        },
      ),
    );
  });
});

describe("an estimate", () => {
  test.each([
    ["", 0, 500],
    ["abcd", 0, 502],
    ["abc", 0, 502],
    ["é", 0, 502],
    ["👍", 0, 504],
    [10, 0, 520],
    ["", 2, 10_500],
  ])("of %j and %i pictures is %i tokens", (text, images, expected) =>
    expect(estimateTokens(text, images)).toBe(expected),
  );

  test("from a number of characters is never below the one from the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(estimateTokens(text.length, 0)).toBeGreaterThanOrEqual(estimateTokens(text, 0));
        expect(estimateTokens(text, 0)).toBe(estimateTokens("", 0) + mostTokens(text));
      }),
    );
  });
});

test("usages are added kind by kind", () => {
  const usage = ModelUsage.parse({ inputTokens: 1, outputTokens: 2, cacheWriteTokens: 3, cacheReadTokens: 4 });
  expect(addUsage(usage, usage)).toEqual({ inputTokens: 2, outputTokens: 4, cacheWriteTokens: 6, cacheReadTokens: 8 });
  expect(addUsage(NO_USAGE, usage)).toEqual(usage);
});

test("the table has the form that configuration has", () => expect(Prices.parse(PRICES)).toEqual(PRICES));
