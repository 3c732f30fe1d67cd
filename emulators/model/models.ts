/**
 * What a model of the emulator accepts, as its page in Anthropic's documentation says; where that is silent, what its
 * family's neighbours do. Dates are roughly right.
 */
export type EmulatedModel = {
  id: string;
  displayName: string;
  line: "haiku" | "sonnet" | "opus" | "fable" | "mythos";
  createdAt: string;
  contextTokens: number;
  maxTokens: number;
  /** Shorter prefixes are not cached, silently. */
  minCacheTokens: number;
  /** Whether it continues a message of its own. */
  prefill: boolean;
  /** Whether `tool_choice` may force a tool. */
  forcedTools: boolean;
  effort: boolean;
  thinking: readonly ("adaptive" | "between_tools" | "enabled" | "disabled")[];
};

const MILLION = { contextTokens: 1_000_000, maxTokens: 128_000, minCacheTokens: 1024, prefill: false, effort: true };
const EARLIER = { contextTokens: 200_000, maxTokens: 64_000, minCacheTokens: 1024, prefill: true, forcedTools: true };
const alwaysThinks = { ...MILLION, minCacheTokens: 512, forcedTools: false, thinking: ["adaptive"] as const };

function family(
  line: EmulatedModel["line"],
  version: string,
  createdAt: string,
  accepts: Omit<EmulatedModel, "id" | "displayName" | "line" | "createdAt">,
  snapshot?: string,
): EmulatedModel[] {
  const id = `claude-${line}-${version.replace(".", "-")}`;
  const displayName = `Claude ${line[0]?.toUpperCase()}${line.slice(1)} ${version}`;
  const model = { id, displayName, line, createdAt: `${createdAt}T00:00:00Z`, ...accepts };
  return snapshot === undefined ? [model] : [model, { ...model, id: `${id}-${snapshot}` }];
}

const thinksAtWill = { ...MILLION, forcedTools: true, thinking: ["adaptive", "disabled"] as const };
const thinksEitherWay = { ...MILLION, forcedTools: true, thinking: ["adaptive", "enabled", "disabled"] as const };
const thinksOnBudget = { ...EARLIER, thinking: ["enabled", "disabled"] as const };

/** Those that the SDK lists. */
export const MODELS: readonly EmulatedModel[] = [
  ...family("fable", "5.2", "2026-11-01", alwaysThinks),
  ...family("mythos", "5.2", "2026-11-01", alwaysThinks),
  ...family("haiku", "5.5", "2026-10-07", thinksAtWill),
  ...family("sonnet", "5.5", "2026-09-28", { ...alwaysThinks, thinking: ["adaptive", "between_tools"] }),
  ...family("opus", "5.5", "2026-09-01", alwaysThinks),
  ...family("fable", "5.1", "2026-09-01", alwaysThinks),
  ...family("mythos", "5.1", "2026-09-01", alwaysThinks),
  ...family("opus", "5", "2026-07-24", thinksAtWill),
  ...family("sonnet", "5", "2026-06-30", thinksAtWill),
  ...family("fable", "5", "2026-06-09", alwaysThinks),
  ...family("mythos", "5", "2026-06-09", alwaysThinks),
  ...family("opus", "4.8", "2026-05-28", thinksAtWill),
  ...family("opus", "4.7", "2026-04-16", thinksAtWill),
  ...family("mythos", "preview", "2026-04-07", alwaysThinks),
  ...family("sonnet", "4.6", "2026-02-17", thinksEitherWay),
  ...family("opus", "4.6", "2026-02-05", thinksEitherWay),
  ...family("opus", "4.5", "2025-11-01", { ...thinksOnBudget, effort: true }, "20251101"),
  ...family("haiku", "4.5", "2025-10-01", { ...thinksOnBudget, minCacheTokens: 4096, effort: false }, "20251001"),
  ...family("sonnet", "4.5", "2025-09-29", { ...thinksOnBudget, effort: false }, "20250929"),
];

export const modelNamed = (id: string): EmulatedModel | undefined => MODELS.find((model) => model.id === id);

/** An alias answers in the name of its snapshot, where it has one. */
export const snapshotOf = (model: EmulatedModel): string =>
  MODELS.find((other) => other.id.startsWith(`${model.id}-20`))?.id ?? model.id;

/** The model as `GET /v1/models` shows it. */
export function presentModel(model: EmulatedModel) {
  const supported = (is: boolean) => ({ supported: is });
  const thinks = (type: EmulatedModel["thinking"][number]) => supported(model.thinking.includes(type));
  return {
    type: "model" as const,
    id: model.id,
    display_name: model.displayName,
    created_at: model.createdAt,
    deprecated_at: null,
    retires_at: null,
    lifecycle: "active" as const,
    line: model.line,
    max_input_tokens: model.contextTokens,
    max_tokens: model.maxTokens,
    capabilities: {
      batch: supported(false),
      citations: supported(false),
      code_execution: supported(false),
      context_management: {
        clear_thinking_20251015: null,
        clear_tool_uses_20250919: null,
        compact_20260112: null,
        supported: false,
      },
      effort: {
        low: supported(model.effort),
        medium: supported(model.effort),
        high: supported(model.effort),
        xhigh: supported(model.effort),
        max: supported(model.effort),
        supported: model.effort,
      },
      image_input: supported(true),
      pdf_input: supported(true),
      server_tools: { code_execution: supported(false), web_search: supported(false), supported: false },
      structured_outputs: supported(true),
      thinking: {
        supported: true,
        types: {
          adaptive: thinks("adaptive"),
          between_tools: thinks("between_tools"),
          disabled: thinks("disabled"),
          enabled: thinks("enabled"),
        },
      },
    },
  };
}
