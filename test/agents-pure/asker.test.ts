import { describe, expect, it } from "vitest";
import { Asker } from "#agents/task/asker.ts";
import { type CompletionRequest, type Model, ModelCallError } from "#clients/model-types.ts";
import { InvalidInputError } from "#core/errors.ts";
import { costOf, type Prices } from "#core/prices.ts";
import type { ModelSpend, Reserved } from "#core/task.ts";

const PRICES: Prices = { large: { input: 2, output: 10, cacheWrite: 2.5, cacheRead: 0.2 } };
const usage = { inputTokens: 1000, outputTokens: 50, cacheWriteTokens: 0, cacheReadTokens: 0 };
const request = { model: "large", messages: [{ role: "user" as const, content: "Do it." }], maxTokens: 16_000 };

function asking(reserved: Reserved | null, complete: Model["complete"] = async () => ANSWER) {
  const asked: CompletionRequest[] = [];
  const spends: ModelSpend[] = [];
  const reserves: [string, number][] = [];
  const model = {
    complete: (given: CompletionRequest) => {
      asked.push(given);
      return complete(given);
    },
  } as Model;
  const asker = new Asker({
    model,
    prices: () => PRICES,
    reserve: async (call, usd) => {
      reserves.push([call, usd]);
      return reserved ?? { grantedUsd: usd, limit: null };
    },
  });
  const tools = { spent: (spend: ModelSpend) => void spends.push(spend) };
  return { ask: () => asker.complete("ask", "the task", request, tools), asked, spends, reserves };
}

const ANSWER = { text: "Done.", stopReason: "end_turn", refusal: null, usage, model: "large" } as const;

describe("a model call", () => {
  it("is made with all the tokens wanted when its money is granted", async () => {
    const { ask, asked, reserves } = asking(null);
    await ask();
    expect(asked.map(({ maxTokens }) => maxTokens)).toEqual([16_000]);
    expect(reserves).toEqual([["ask", expect.any(Number)]]);
    // All its output, and something for what it reads.
    expect(reserves[0]?.[1]).toBeGreaterThan(0.16);
  });

  it("is made with as many tokens as the money pays for, and can cost no more", async () => {
    const { ask, asked } = asking({ grantedUsd: 0.01, limit: "task" });
    await ask();
    const { maxTokens = 0 } = asked[0] ?? {};
    expect(maxTokens).toBeGreaterThan(256);
    expect(costOf("large", { ...usage, inputTokens: 500, outputTokens: maxTokens }, PRICES)).toBeLessThanOrEqual(0.01);
  });

  it.for([
    ["task", "This task has reached its ceiling"],
    ["project", "This project's budget for models is used up for this month"],
  ] as const)("is not made when the money of the %s is used up", async ([limit, words]) => {
    const { ask, asked } = asking({ grantedUsd: 0.0001, limit });
    await expect(ask()).rejects.toThrow(words);
    expect(asked).toEqual([]);
  });

  it("is noted with what it cost", async () => {
    const { ask, spends } = asking(null);
    await ask();
    expect(spends).toEqual([{ model: "large", purpose: "the task", usage, costUsd: 0.0025 }]);
  });

  it("that broke off is noted with what it had used until then", async () => {
    const broken = new ModelCallError("It broke off.", { retryable: true, usage, text: "Do" });
    const { ask, spends } = asking(null, () => Promise.reject(broken));
    await expect(ask()).rejects.toBe(broken);
    expect(spends.map(({ costUsd }) => costUsd)).toEqual([0.0025]);
  });

  it("that was not accepted is noted too, at no cost", async () => {
    const { ask, spends } = asking(null, () => Promise.reject(new InvalidInputError("No.")));
    await expect(ask()).rejects.toThrow("No.");
    expect(spends.map(({ costUsd }) => costUsd)).toEqual([0]);
  });
});
