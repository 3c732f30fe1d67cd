import { int, object, type output } from "zod";

/**
 * What one or more model calls used, in tokens. The three kinds of input do not overlap: what was read from the cache or
 * written to it is not counted as `inputTokens` again.
 */
export const ModelUsage = object({
  inputTokens: int().nonnegative(),
  outputTokens: int().nonnegative(),
  cacheWriteTokens: int().nonnegative(),
  cacheReadTokens: int().nonnegative(),
});
export type ModelUsage = output<typeof ModelUsage>;

export const NO_USAGE: Readonly<ModelUsage> = {
  inputTokens: 0,
  outputTokens: 0,
  cacheWriteTokens: 0,
  cacheReadTokens: 0,
};

/** Both together. */
export function addUsage(one: ModelUsage, other: ModelUsage): ModelUsage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
    cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
  };
}
