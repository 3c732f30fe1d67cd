import { ModelCallError, type CompletionRequest, type Model, type StructuredRequest } from "#clients/model-types.ts";
import { InvalidInputError } from "#core/errors.ts";
import { type ModelUsage, NO_USAGE } from "#core/model-usage.ts";
import { affordableTokens, costOf, estimateTokens, type Prices } from "#core/prices.ts";
import type { ModelSpend, Reserved } from "#core/task.ts";
import type { ZodType } from "zod";

export type AskerSetup = {
  model: Model;
  /** Throws InvalidInputError when they are configured wrongly. */
  prices: () => Prices;
  /** Sets money aside for a call; again under the same name sets nothing aside twice. */
  reserve: (call: string, usd: number) => Promise<Reserved>;
};

/** Where a call's cost is noted. */
type Purse = { spent: (spend: ModelSpend) => void };

/** An answer that has to end before this says nothing. */
const LEAST_TOKENS = 256;

/**
 * Asks models within a task's money: what a call can cost at most is set aside before it, `max_tokens` is clamped to what was
 * granted, and what it cost is noted, also when it brought no answer (design: product, "Models").
 */
export class Asker {
  readonly #at: AskerSetup;

  constructor(setup: AskerSetup) {
    this.#at = setup;
  }

  /** `call` names the call within its task, `purpose` says what it was for. Throws InvalidInputError when the money is used up. */
  complete(call: string, purpose: string, request: CompletionRequest, purse: Purse) {
    return this.#paid(call, purpose, request, purse, (maxTokens) => this.#at.model.complete({ ...request, maxTokens }));
  }

  structured<Schema extends ZodType>(call: string, purpose: string, request: StructuredRequest<Schema>, purse: Purse) {
    return this.#paid(call, purpose, request, purse, (maxTokens) =>
      this.#at.model.structured({ ...request, maxTokens }),
    );
  }

  async #paid<Answer extends { usage: ModelUsage; model: string }>(
    call: string,
    purpose: string,
    { model, system, messages, maxTokens }: Pick<CompletionRequest, "model" | "system" | "messages" | "maxTokens">,
    { spent }: Purse,
    ask: (maxTokens: number) => Promise<Answer>,
  ): Promise<Answer> {
    const prices = this.#at.prices();
    const parts = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
    const pictures = parts.filter(({ type }) => type === "image");
    const texts = JSON.stringify([system, messages], (name, value: unknown) => (name === "data" ? "" : value));
    const inputTokensEstimate = estimateTokens(texts, pictures.length);
    const most = { inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: inputTokensEstimate, outputTokens: maxTokens };
    const { grantedUsd, limit } = await this.#at.reserve(call, costOf(model, most, prices));
    const affordable = { model, inputTokensEstimate, budgetUsd: grantedUsd, wanted: maxTokens, prices };
    const clamped = limit === null ? maxTokens : affordableTokens(affordable);
    if (clamped < Math.min(LEAST_TOKENS, maxTokens)) throw new InvalidInputError(usedUp(limit));
    const note = (usage: ModelUsage, answered: string) =>
      spent({ model: answered, purpose, usage, costUsd: costOf(answered, usage, prices) });
    try {
      const answer = await ask(clamped);
      note(answer.usage, answer.model);
      return answer;
    } catch (error) {
      if (error instanceof ModelCallError) note(error.usage, model);
      else if (error instanceof InvalidInputError) note(NO_USAGE, model);
      throw error;
    }
  }
}

const usedUp = (limit: Reserved["limit"]): string =>
  limit === "project"
    ? "This project's budget for models is used up for this month. Whoever runs CodeSpar can raise MONTHLY_BUDGET_USD."
    : "This task has reached its ceiling for model calls, so no further call was made. A smaller task may fit.";
