import { int, number, object, type output, record, string } from "zod";
import { InvalidInputError } from "./errors.ts";
import type { ModelUsage } from "./model-usage.ts";

const rate = number().nonnegative();

/** US dollars per million tokens. Cache writes are those that live for five minutes, the only kind CodeSpar asks for. */
const Rates = object({ input: rate, output: rate, cacheWrite: rate, cacheRead: rate });
type Rates = output<typeof Rates>;

/** `longPrompt` holds for the whole call once its prompt, cached or not, has more than `over` tokens. */
const Price = Rates.extend({ longPrompt: Rates.extend({ over: int().nonnegative() }).optional() });
type Price = output<typeof Price>;

/** Prices by model name. What configuration gives as JSON in MODEL_PRICES has this form too. */
export const Prices = record(string().min(1), Price);
export type Prices = output<typeof Prices>;

/** Cache writes cost 1.25 times the input, by rule; reads a tenth, or less. */
function rates(input: number, outputRate: number, cacheRead = input / 10): Rates {
  return { input, output: outputRate, cacheWrite: input * 1.25, cacheRead };
}

/**
 * As published on platform.claude.com (About Claude, Pricing; the models' own pages) on 2026-10-16. Models are named
 * without the date of their snapshot.
 */
export const PRICES: Readonly<Prices> = {
  "claude-haiku-5-5": { ...rates(0.1, 0.5), longPrompt: { over: 100_000, ...rates(0.5, 2.5) } },
  "claude-haiku-4-5": rates(1, 5),
  "claude-sonnet-5-5": rates(2, 10, 0.1),
  "claude-sonnet-5": rates(2, 10),
  "claude-sonnet-4-6": rates(3, 15),
  "claude-sonnet-4-5": rates(3, 15),
  "claude-opus-5-5": rates(4, 20, 0.2),
  "claude-opus-5": rates(5, 25),
  "claude-opus-4-8": rates(5, 25),
  "claude-opus-4-7": rates(5, 25),
  "claude-opus-4-6": rates(5, 25),
  "claude-opus-4-5": rates(5, 25),
  // No price found for 5.2 of either: these are the last ones published in their families.
  "claude-fable-5-2": rates(10, 50, 0.25),
  "claude-mythos-5-2": rates(10, 50, 0.25),
  "claude-fable-5-1": rates(10, 50, 0.25),
  "claude-mythos-5-1": rates(10, 50, 0.25),
  "claude-fable-5": rates(10, 50),
  "claude-mythos-5": rates(10, 50),
  "claude-mythos-preview": rates(25, 125),
};

/**
 * The table, with what MODEL_PRICES says put over it model by model. `json` is that variable; empty or absent changes
 * nothing. Throws InvalidInputError in words for who configures.
 */
export function pricesFrom(json: string | undefined): Prices {
  if (json === undefined || json.trim() === "") return { ...PRICES };
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch (cause) {
    throw new InvalidInputError(`MODEL_PRICES is not JSON. ${EXPECTED}`, { cause });
  }
  const parsed = Prices.safeParse(given);
  if (parsed.success) return { ...PRICES, ...parsed.data };
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") ?? "";
  throw new InvalidInputError(
    `MODEL_PRICES is wrong${where === "" ? "" : ` at ${where}`}: ${issue?.message ?? "not understood"}. ${EXPECTED}`,
    { cause: parsed.error },
  );
}

const EXPECTED =
  'It holds US dollars per million tokens, like {"claude-sonnet-5-5": {"input": 2, "output": 10, "cacheWrite": 2.5, "cacheRead": 0.1}}.';

/** Snapshots carry a date: `claude-haiku-4-5-20251001`, on some platforms with `@`; gateways put a name and `/` in front. */
const undated = (model: string): string => model.replace(/^[\w.-]+\//, "").replace(/[-@](\d{8}|latest)$/, "");

/** The price of a model, of a dated snapshot of it, or of the name without its date; of an unknown one, the dearest. */
function priceOf(model: string, prices: Prices): Price {
  if (Object.hasOwn(prices, model)) return prices[model] as Price;
  const name = undated(model);
  const known = Object.keys(prices).find((key) => undated(key) === name);
  return known === undefined ? dearest(prices) : (prices[known] as Price);
}

/** At least as dear as every known model, whatever the mixture of tokens. */
function dearest(prices: Prices): Price {
  const all = Object.values(prices).flatMap((price) => (price.longPrompt ? [price, price.longPrompt] : [price]));
  const most = (kind: keyof Rates) => Math.max(0, ...all.map((price) => price[kind]));
  return { input: most("input"), output: most("output"), cacheWrite: most("cacheWrite"), cacheRead: most("cacheRead") };
}

/** What a call cost, in US dollars. An unknown model is priced as the dearest known. */
export function costOf(model: string, usage: ModelUsage, prices: Prices): number {
  const price = priceOf(model, prices);
  const prompt = usage.inputTokens + usage.cacheWriteTokens + usage.cacheReadTokens;
  const charged = price.longPrompt && prompt > price.longPrompt.over ? price.longPrompt : price;
  return (
    (usage.inputTokens * charged.input +
      usage.outputTokens * charged.output +
      usage.cacheWriteTokens * charged.cacheWrite +
      usage.cacheReadTokens * charged.cacheRead) /
    1_000_000
  );
}

/**
 * How far `max_tokens` must be clamped, at most to `wanted`, so that a call cannot cost more than `budgetUsd`. The whole
 * input is reckoned at its dearest kind, because nobody knows beforehand what the cache holds. 0: not affordable at all.
 */
export function affordableTokens(call: {
  model: string;
  inputTokensEstimate: number;
  budgetUsd: number;
  wanted: number;
  prices: Prices;
}): number {
  const price = priceOf(call.model, call.prices);
  const { longPrompt } = price;
  const possible = longPrompt && call.inputTokensEstimate > longPrompt.over ? [price, longPrompt] : [price];
  const affordable = possible.map((charged) => {
    const input = call.inputTokensEstimate * Math.max(charged.input, charged.cacheWrite, charged.cacheRead);
    const left = call.budgetUsd * 1_000_000 - input;
    return left > 0 ? left / charged.output : 0;
  });
  const tokens = Math.floor(Math.min(call.wanted, ...affordable));
  return tokens > 0 ? tokens : 0;
}

/** What the API adds of its own: the instructions for structured output, the frame of the messages. */
const REQUEST_OVERHEAD_TOKENS = 500;
/** The most one picture takes, at the highest resolution a model looks at. */
const IMAGE_TOKENS = 5_000;

/**
 * More tokens than the text and that many images can take: one per two ASCII characters (code and newer tokenizers need
 * about one per two and a half), two per other UTF-16 unit. Given a number of characters alone, two for each of them.
 */
export function estimateTokens(text: string | number, images: number): number {
  return REQUEST_OVERHEAD_TOKENS + images * IMAGE_TOKENS + (typeof text === "number" ? text * 2 : mostTokens(text));
}

/** The same without what surrounds it: for output that was received. */
export function mostTokens(text: string): number {
  let ascii = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) < 128) ascii++;
  return Math.ceil(ascii / 2) + (text.length - ascii) * 2;
}

/** For people: cents, and below one cent what is left of it. */
export const dollars = (usd: number): string => `$${usd > 0 && usd < 0.01 ? usd.toFixed(4) : usd.toFixed(2)}`;
