import { UpstreamError } from "#core/errors.ts";
import type { ModelUsage } from "#core/model-usage.ts";
import type { StopReason } from "@anthropic-ai/sdk/resources/messages/messages";
import type { output, ZodType } from "zod";

/** What comes before it, and it, is kept for five minutes and cheaper to read again. At most four in a request. */
type CacheControl = { type: "ephemeral" };

export type ModelText = { type: "text"; text: string; cache_control?: CacheControl };
export type ModelImage = {
  type: "image";
  /** `data` is base64, at most 10 MB of it. */
  source: { type: "base64"; media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp"; data: string };
  cache_control?: CacheControl;
};

/** Texts must not be empty. The last message is the user's: current models continue no half answer. */
export type ModelMessage = { role: "user" | "assistant"; content: string | (ModelText | ModelImage)[] };

export type ModelRequest = {
  model: string;
  system?: string | ModelText[];
  messages: ModelMessage[];
  /** Thinking counts. */
  maxTokens: number;
  /** Ends the call at once, with a ModelCallError that says `aborted`. */
  signal?: AbortSignal;
};

export type CompletionRequest = ModelRequest & {
  /** Each piece of text as it arrives. Must not throw. */
  onText?: (text: string) => void;
  stopSequences?: string[];
};

export type Completion = {
  text: string;
  /** `refusal` and `max_tokens` are answers too: `text` is what there was until then. */
  stopReason: StopReason;
  /** Why the model refused, in the API's words, where it says so. */
  refusal: string | null;
  usage: ModelUsage;
  /** The model that answered: the snapshot, when an alias was asked for. */
  model: string;
};

export type StructuredRequest<Schema extends ZodType> = ModelRequest & {
  /** An object's. What JSON schema can hold binds the model; the rest is checked afterwards. */
  schema: Schema;
  /** What the value is, for the model: "intent". */
  name: string;
};

/** `ok: false`: it refused, was cut off, or wrote something that does not fit; `text` is what it wrote. */
export type Structured<Value> = Omit<Completion, "text"> & ({ ok: true; value: Value } | { ok: false; text: string });

export type Model = {
  /** Asks for text. Throws InvalidInputError for what the API does not accept, ModelCallError for everything else. */
  complete(request: CompletionRequest): Promise<Completion>;
  /** Asks for a value of the schema's form. Throws as `complete` does. */
  structured<Schema extends ZodType>(request: StructuredRequest<Schema>): Promise<Structured<output<Schema>>>;
};

export type ModelOptions = {
  apiKey: string;
  /** Anthropic's own when absent. */
  baseUrl?: string;
  /** Milliseconds the API may be silent. While it works it sends something every few seconds, so long answers are not cut. */
  timeoutMs: number;
  fetch?: typeof globalThis.fetch;
};

/** A call that brought no answer. What it used until then has to be paid for all the same. */
export class ModelCallError extends UpstreamError {
  /** Known when the answer had begun; its output is reckoned, on the high side, from the text received. */
  readonly usage: ModelUsage;
  /** The text received before it ended. */
  readonly text: string;
  /** Whether the caller's signal ended it. */
  readonly aborted: boolean;
  constructor(
    message: string,
    call: { retryable: boolean; retryAfterMs?: number | null; usage: ModelUsage; text: string; aborted?: boolean },
    options: { cause?: unknown } = {},
  ) {
    super(
      message,
      { service: "Anthropic", retryable: call.retryable, retryAfterMs: call.retryAfterMs ?? null },
      options,
    );
    this.usage = call.usage;
    this.text = call.text;
    this.aborted = call.aborted ?? false;
  }
}
