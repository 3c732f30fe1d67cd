import { ModelUsage, NO_USAGE } from "#core/model-usage.ts";
import { mostTokens } from "#core/prices.ts";
import type { RawMessageStreamEvent, StopReason } from "@anthropic-ai/sdk/resources/messages/messages";
import { string } from "zod";

/** What has arrived of one streamed answer. */
export class Answer {
  text = "";
  model: string | null = null;
  /** Null until the answer is complete. */
  stopReason: StopReason | null = null;
  refusal: string | null = null;
  #usage: ModelUsage | null = null;

  /** Takes the next event. Returns the text it brought. Throws when it is not what the SDK's types promise. */
  take(event: RawMessageStreamEvent): string {
    switch (event.type) {
      case "message_start": {
        const { usage } = event.message;
        this.model = event.message.model;
        this.#usage = ModelUsage.parse({
          inputTokens: usage.input_tokens,
          outputTokens: usage.output_tokens,
          cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
          cacheReadTokens: usage.cache_read_input_tokens ?? 0,
        });
        return "";
      }
      case "content_block_start":
        return event.content_block.type === "text" ? this.#add(event.content_block.text) : "";
      case "content_block_delta":
        return event.delta.type === "text_delta" ? this.#add(event.delta.text) : "";
      case "message_delta": {
        const before = this.#usage ?? NO_USAGE;
        // Cumulative, and null where nothing new is said.
        this.#usage = ModelUsage.parse({
          inputTokens: event.usage.input_tokens ?? before.inputTokens,
          outputTokens: event.usage.output_tokens,
          cacheWriteTokens: event.usage.cache_creation_input_tokens ?? before.cacheWriteTokens,
          cacheReadTokens: event.usage.cache_read_input_tokens ?? before.cacheReadTokens,
        });
        this.stopReason = event.delta.stop_reason;
        this.refusal = event.delta.stop_details?.explanation ?? null;
        return "";
      }
      default:
        return "";
    }
  }

  /** Final once there is a stop reason; before, the output is reckoned from its text, on the high side. */
  get usage(): ModelUsage {
    const known = this.#usage ?? NO_USAGE;
    if (this.stopReason !== null) return known;
    return { ...known, outputTokens: Math.max(known.outputTokens, mostTokens(this.text)) };
  }

  #add(text: string): string {
    const added = string().parse(text);
    this.text += added;
    return added;
  }
}
