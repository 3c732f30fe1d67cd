import { createModel, type Model } from "./model.ts";

/** The bindings that say how to reach the model, and which model does what. */
export type ModelEnv = {
  /** Without it nothing is asked: simulation mode. */
  ANTHROPIC_API_KEY?: string;
  ANTHROPIC_BASE_URL?: string;
  /** Milliseconds the API may be silent. */
  MODEL_TIMEOUT_MS?: string;
  /** JSON that takes the place of prices in the table: see `core/prices.ts`. */
  MODEL_PRICES?: string;
  TASK_MODEL?: string;
  REVIEW_MODEL?: string;
  SMART_MODEL?: string;
  PLANNING_MODEL?: string;
  LENS_MODEL?: string;
  NLU_MODEL?: string;
};

/** The API sends something every few seconds, except before its first word on a busy day. */
const DEFAULT_TIMEOUT_MS = 120_000;

/** The model as the bindings describe it, or null when they hold no key: simulation mode. */
export function modelFromEnv(env: ModelEnv): Model | null {
  if (!env.ANTHROPIC_API_KEY) return null;
  return createModel({
    apiKey: env.ANTHROPIC_API_KEY,
    ...(env.ANTHROPIC_BASE_URL ? { baseUrl: env.ANTHROPIC_BASE_URL } : {}),
    timeoutMs: Number(env.MODEL_TIMEOUT_MS) || DEFAULT_TIMEOUT_MS,
  });
}

export type ModelNames = { task: string; review: string; smart: string; planning: string; lens: string; nlu: string };

/** Which model does what. All but the small one follow TASK_MODEL. */
export function modelNames(env: ModelEnv): ModelNames {
  const task = env.TASK_MODEL || "claude-sonnet-5-5";
  return {
    task,
    review: env.REVIEW_MODEL || task,
    smart: env.SMART_MODEL || task,
    planning: env.PLANNING_MODEL || task,
    lens: env.LENS_MODEL || task,
    nlu: env.NLU_MODEL || "claude-haiku-4-5-20251001",
  };
}
