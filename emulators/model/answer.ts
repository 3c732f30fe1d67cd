import { sampleOf } from "./output-schema.ts";
import type { PromptUsage } from "./prompt-cache.ts";
import type { MessagesRequest } from "./request-schema.ts";
import type { ScriptedBlock, ScriptedReply } from "./script.ts";
import { countTokens, firstTokens } from "./tokens.ts";
import type { Message, MessageEvent, StopReason, Usage } from "./wire.ts";

type Call = { n: number; model: string; request: MessagesRequest; prompt: PromptUsage };

/** `input` of a use of a tool is kept as it is written: its end may be missing. */
type Piece =
  | { type: "text"; text: string }
  | { type: "thinking"; text: string }
  | { type: "tool_use"; id: string; name: string; text: string };

export type Answered = { message: Message; events: MessageEvent[] };

/** The message that a reply amounts to under the request's limits, whole and as the events that build it. */
export function answer(call: Call, reply: Exclude<ScriptedReply, string> | null): Answered {
  const given = blocksOf(call.request, reply).map((block, index) =>
    pieceOf(block, `toolu_emulated_${call.n}_${index}`),
  );
  const stopped = stopAtSequence(given, call.request.stop_sequences ?? []);
  const cut = cutAtTokens(stopped.pieces, call.request.max_tokens);
  const stopReason = ((): StopReason => {
    if (cut.isCut) return "max_tokens";
    if (stopped.sequence !== null) return "stop_sequence";
    if (reply?.refusal) return "refusal";
    return reply?.stopReason ?? (cut.pieces.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn");
  })();
  const message: Message = {
    id: `msg_emulated_${call.n}`,
    type: "message",
    role: "assistant",
    model: call.model,
    content: cut.pieces.map((piece) => contentOf(piece)),
    stop_reason: stopReason,
    stop_sequence: stopReason === "stop_sequence" ? stopped.sequence : null,
    stop_details:
      stopReason === "refusal"
        ? {
            type: "refusal",
            category: reply?.refusal?.category ?? null,
            explanation: reply?.refusal?.explanation ?? null,
          }
        : null,
    container: null,
    diagnostics: null,
    usage: usageOf(call.prompt, cut.pieces),
  };
  return { message, events: eventsOf(message, cut.pieces) };
}

function blocksOf(request: MessagesRequest, reply: Exclude<ScriptedReply, string> | null): ScriptedBlock[] {
  const format = request.output_config?.format;
  if (reply?.blocks) return reply.blocks;
  if (reply?.text !== undefined) return reply.text === "" ? [] : [{ type: "text", text: reply.text }];
  if (reply && "json" in reply) return [{ type: "text", text: JSON.stringify(reply.json) }];
  if (reply?.refusal) return [];
  if (format) return [{ type: "text", text: JSON.stringify(sampleOf(format.schema)) }];
  const choice = request.tool_choice;
  const forced = request.tools?.find(
    ({ name }) => choice?.type === "any" || (choice?.type === "tool" && choice.name === name),
  );
  if (forced) {
    const input = "input_schema" in forced ? sampleOf(forced.input_schema) : {};
    return [{ type: "tool_use", name: forced.name, input: input as Record<string, unknown> }];
  }
  return [{ type: "text", text: "OK." }];
}

function pieceOf(block: ScriptedBlock, id: string): Piece {
  if (block.type === "text") return block;
  if (block.type === "thinking") return { type: "thinking", text: block.thinking };
  return { type: "tool_use", id, name: block.name, text: JSON.stringify(block.input) };
}

/** Ends the text before the first stop sequence in it. */
function stopAtSequence(pieces: Piece[], sequences: readonly string[]): { pieces: Piece[]; sequence: string | null } {
  for (const [index, piece] of pieces.entries()) {
    if (piece.type !== "text") continue;
    const found = sequences
      .map((sequence) => ({ sequence, at: piece.text.indexOf(sequence) }))
      .filter(({ at }) => at !== -1)
      .toSorted((one, other) => one.at - other.at)[0];
    if (!found) continue;
    const rest = { ...piece, text: piece.text.slice(0, found.at) };
    return { pieces: [...pieces.slice(0, index), ...(rest.text === "" ? [] : [rest])], sequence: found.sequence };
  }
  return { pieces, sequence: null };
}

function cutAtTokens(pieces: Piece[], maxTokens: number): { pieces: Piece[]; isCut: boolean } {
  const kept: Piece[] = [];
  let left = maxTokens;
  for (const piece of pieces) {
    const tokens = countTokens(piece.text);
    if (tokens > left) {
      const text = firstTokens(piece.text, left);
      return { pieces: text === "" ? kept : [...kept, { ...piece, text }], isCut: true };
    }
    left -= tokens;
    kept.push(piece);
  }
  return { pieces: kept, isCut: maxTokens === 0 };
}

function contentOf(piece: Piece): Message["content"][number] {
  if (piece.type === "text") return { type: "text", text: piece.text, citations: null };
  if (piece.type === "thinking") return { type: "thinking", thinking: piece.text, signature: SIGNATURE };
  return { type: "tool_use", id: piece.id, name: piece.name, input: inputOf(piece.text), caller: { type: "direct" } };
}

const SIGNATURE = "emulated";

function inputOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

function usageOf(prompt: PromptUsage, pieces: readonly Piece[]): Usage {
  const count = (some: readonly Piece[]) => some.reduce((sum, { text }) => sum + countTokens(text), 0);
  const thinking = count(pieces.filter(({ type }) => type === "thinking"));
  return {
    input_tokens: prompt.input,
    // Never nothing, even for an empty answer.
    output_tokens: Math.max(1, count(pieces)),
    cache_creation_input_tokens: prompt.write,
    cache_read_input_tokens: prompt.read,
    cache_creation: { ephemeral_5m_input_tokens: prompt.write, ephemeral_1h_input_tokens: 0 },
    inference_geo: null,
    output_tokens_details: thinking > 0 ? { thinking_tokens: thinking } : null,
    server_tool_use: null,
    service_tier: "standard",
    speed: "standard",
  };
}

function eventsOf(message: Message, pieces: readonly Piece[]): MessageEvent[] {
  const { usage, stop_reason, stop_sequence, stop_details, container } = message;
  const begun: Message = {
    ...message,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: { ...usage, output_tokens: 1, output_tokens_details: null },
  };
  return [
    { type: "message_start", message: begun },
    ...pieces.flatMap((piece, index): MessageEvent[] => [
      { type: "content_block_start", index, content_block: emptyBlock(piece) },
      ...deltasOf(piece).map((delta) => ({ type: "content_block_delta" as const, index, delta })),
      { type: "content_block_stop", index },
    ]),
    {
      type: "message_delta",
      delta: { stop_reason, stop_sequence, stop_details, container },
      usage: {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_creation_input_tokens: usage.cache_creation_input_tokens,
        cache_read_input_tokens: usage.cache_read_input_tokens,
        output_tokens_details: usage.output_tokens_details,
        server_tool_use: null,
      },
    },
    { type: "message_stop" },
  ];
}

function emptyBlock(piece: Piece): Message["content"][number] {
  if (piece.type === "thinking") return { type: "thinking", thinking: "", signature: "" };
  return contentOf({ ...piece, text: "" });
}

type Delta = Extract<MessageEvent, { type: "content_block_delta" }>["delta"];

function deltasOf(piece: Piece): Delta[] {
  const parts = inParts(piece.text);
  switch (piece.type) {
    case "text":
      return parts.map((text) => ({ type: "text_delta", text }));
    case "tool_use":
      return ["", ...parts].map((json) => ({ type: "input_json_delta", partial_json: json }));
    case "thinking":
      return [
        ...parts.map((thinking) => ({ type: "thinking_delta" as const, thinking })),
        { type: "signature_delta", signature: SIGNATURE },
      ];
  }
}

/** Five tokens at a time; of a very long text more, so that it takes no more than a few hundred events. */
function inParts(text: string): string[] {
  const characters = Array.from(text);
  const size = Math.max(20, Math.ceil(characters.length / 400));
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(""),
  );
}
