// What the emulator sends, in the shapes of @anthropic-ai/sdk's `Message` and `RawMessageStreamEvent`.

export type StopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "pause_turn"
  | "refusal"
  | "model_context_window_exceeded";

export type StopDetails = {
  type: "refusal";
  category: "cyber" | "bio" | "frontier_llm" | "reasoning_extraction" | "general_harms" | null;
  explanation: string | null;
};

export type TextBlock = { type: "text"; text: string; citations: null };
export type ThinkingBlock = { type: "thinking"; thinking: string; signature: string };
export type ToolUseBlock = { type: "tool_use"; id: string; name: string; input: unknown; caller: { type: "direct" } };
export type Block = TextBlock | ThinkingBlock | ToolUseBlock;

export type Usage = {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
  inference_geo: string | null;
  output_tokens_details: { thinking_tokens: number } | null;
  server_tool_use: null;
  service_tier: "standard";
  speed: "standard";
};

export type Message = {
  id: string;
  type: "message";
  role: "assistant";
  model: string;
  content: Block[];
  stop_reason: StopReason | null;
  stop_sequence: string | null;
  stop_details: StopDetails | null;
  container: null;
  diagnostics: null;
  usage: Usage;
};

export type MessageEvent =
  | { type: "message_start"; message: Message }
  | { type: "content_block_start"; index: number; content_block: Block }
  | {
      type: "content_block_delta";
      index: number;
      delta:
        | { type: "text_delta"; text: string }
        | { type: "thinking_delta"; thinking: string }
        | { type: "signature_delta"; signature: string }
        | { type: "input_json_delta"; partial_json: string };
    }
  | { type: "content_block_stop"; index: number }
  | {
      type: "message_delta";
      delta: Pick<Message, "stop_reason" | "stop_sequence" | "stop_details" | "container">;
      usage: Pick<
        Usage,
        | "input_tokens"
        | "output_tokens"
        | "cache_creation_input_tokens"
        | "cache_read_input_tokens"
        | "output_tokens_details"
        | "server_tool_use"
      >;
    }
  | { type: "message_stop" };

/** What keeps the connection alive, and is no part of the message. */
export type PingEvent = { type: "ping" };
