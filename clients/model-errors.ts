import { InvalidInputError } from "#core/errors.ts";
import { APIConnectionError, APIConnectionTimeoutError, APIError } from "@anthropic-ai/sdk/core/error";
import type { Answer } from "./model-answer.ts";
import { ModelCallError } from "./model-types.ts";

export type Attempt = {
  model: string;
  answer: Answer;
  apiKey: string;
  timeoutMs: number;
  /** Whether the API was silent for too long, or the caller ended the call. */
  timedOut: boolean;
  aborted: boolean;
};

const VARIABLES = "TASK_MODEL, REVIEW_MODEL, SMART_MODEL, PLANNING_MODEL, LENS_MODEL or NLU_MODEL";

/**
 * Turns whatever a call threw into one of CodeSpar's errors. `error` is undefined when the stream just ended. `now` is
 * epoch milliseconds.
 */
export function toFailure(error: unknown, attempt: Attempt, now: number): InvalidInputError | ModelCallError {
  const { answer, model } = attempt;
  const failure = (
    message: string,
    retryable: boolean,
    more: { retryAfterMs?: number | null; aborted?: boolean } = {},
  ) => new ModelCallError(message, { retryable, usage: answer.usage, text: answer.text, ...more }, { cause: error });

  if (attempt.aborted) return failure("The model call was stopped.", false, { aborted: true });
  if (attempt.timedOut || error instanceof APIConnectionTimeoutError)
    return failure(`The model did not answer within ${attempt.timeoutMs} ms. Try again in a moment.`, true);
  if (!isRefusal(error)) {
    if (answer.model !== null) return failure("The model's answer broke off. Try again in a moment.", true);
    if (error instanceof APIConnectionError)
      return failure("The model could not be reached. Check the network and ANTHROPIC_BASE_URL.", true);
    return failure(
      "The model's answer could not be understood. If ANTHROPIC_BASE_URL is right, try again in a moment.",
      true,
    );
  }

  const said = withoutKey(error.apiMessage ?? "", attempt.apiKey);
  const quoted = said === "" ? "" : ` The API says: ${said}`;
  const retryAfterMs = delayOf(error, now);
  // The API says so itself where the status alone would mislead, as for a spending limit that answers 429.
  const final = error.headers?.get("x-should-retry") === "false" || /spend_limit/.test(error.errorCode ?? "");

  switch (kindOf(error)) {
    case "credentials":
      return failure(
        `The model API refused the key. Set a valid ANTHROPIC_API_KEY (\`wrangler secret put ANTHROPIC_API_KEY\`).${quoted}`,
        false,
      );
    case "billing":
      return failure(
        `The model API cannot be paid for with this ANTHROPIC_API_KEY. Check its billing.${quoted}`,
        false,
      );
    case "unknown-model":
      return failure(
        `The model API knows no model ${model}, or the key may not use it. Set another one in the variable that names it: ${VARIABLES}.`,
        false,
      );
    case "too-large":
      return new InvalidInputError(
        `That is more than ${model} can read at once. Ask for less, or with fewer and smaller files and pictures.${quoted}`,
        { cause: error },
      );
    case "invalid":
      return new InvalidInputError(`The model API did not accept the request.${quoted}`, { cause: error });
    case "limit":
      if (final) return failure(`The model API's spending limit is reached.${quoted}`, false);
      return failure(
        `The model API limits how often it may be asked. Try again in ${inWords(retryAfterMs ?? LIMIT_MS)}.`,
        true,
        { retryAfterMs: retryAfterMs ?? LIMIT_MS },
      );
    case "overloaded":
      return failure("The model is overloaded just now. Try again in a moment.", true, { retryAfterMs });
    case "passing":
      return failure(`The model API failed${statusOf(error)}. Try again in a moment.`, !final, { retryAfterMs });
  }
}

/** Limits are per minute; the API nearly always says how long to wait. */
const LIMIT_MS = 60_000;

/** The API said no, before its answer or in the middle of it. */
function isRefusal(error: unknown): error is APIError {
  return error instanceof APIError && !(error instanceof APIConnectionError);
}

type Kind = "credentials" | "billing" | "unknown-model" | "too-large" | "invalid" | "limit" | "overloaded" | "passing";

function kindOf(error: APIError): Kind {
  // An error in the middle of a stream has no status, only a type.
  const status = error.status ?? STATUS_OF_TYPE[error.type ?? ""] ?? 500;
  const said = error.apiMessage ?? "";
  if (status === 401 || status === 403) return "credentials";
  if (status === 402 || /credit balance/i.test(said)) return "billing";
  if (status === 404) return "unknown-model";
  if (status === 413 || (status === 400 && /prompt is too long|exceed/i.test(said))) return "too-large";
  if (status === 429) return "limit";
  if (status === 529) return "overloaded";
  // A time limit or a conflict passes, as the API's own failures do.
  return status >= 500 || status === 408 || status === 409 ? "passing" : "invalid";
}

const STATUS_OF_TYPE: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  rate_limit_error: 429,
  timeout_error: 504,
  api_error: 500,
  overloaded_error: 529,
};

const statusOf = (error: APIError): string => (error.status === undefined ? "" : ` (${error.status})`);

/** How long the API asks to wait, in milliseconds, or null. */
function delayOf(error: APIError, now: number): number | null {
  const given = error.headers?.get("retry-after");
  if (!given) return null;
  const seconds = Number(given);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(given);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** The API never repeats a key; what stands in front of it might. */
function withoutKey(text: string, apiKey: string): string {
  return text.replaceAll(apiKey, "…").slice(0, 500);
}

function inWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
