import { modelNamed, type EmulatedModel } from "./models.ts";
import { checkOutputSchema } from "./output-schema.ts";
import { promptTokens } from "./prompt-cache.ts";
import { invalid, Refusal } from "./refusal.ts";
import type { CountRequest, MessagesRequest, RequestBlock, RequestMessage } from "./request-schema.ts";

/** What the API refuses although each field is right by itself. Throws its refusal; returns the model asked for. */
export function checkRequest(request: MessagesRequest): EmulatedModel {
  const model = checkPrompt(request);
  if (request.max_tokens > model.maxTokens) {
    throw invalid(
      `max_tokens: ${request.max_tokens} > ${model.maxTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    );
  }
  const { thinking } = request;
  if (thinking?.type === "enabled" && thinking.budget_tokens >= request.max_tokens)
    throw invalid("`max_tokens` must be greater than `thinking.budget_tokens`.");
  for (const sequence of request.stop_sequences ?? [])
    if (sequence.trim() === "") throw invalid("stop_sequences: each stop sequence must contain non-whitespace");
  const tokens = promptTokens(request);
  if (tokens > model.contextTokens)
    throw invalid(`prompt is too long: ${tokens} tokens > ${model.contextTokens} maximum`);
  return model;
}

/** The part of it that counting tokens checks too. */
export function checkPrompt(request: CountRequest): EmulatedModel {
  const model = modelNamed(request.model);
  if (!model) throw new Refusal(404, `model: ${request.model}`);
  checkMessages(request.messages, model);
  for (const block of typeof request.system === "object" ? request.system : []) checkText(block.text, "system");
  checkTools(request, model);
  checkMarks(request);
  const { thinking, output_config: output } = request;
  if (thinking && !model.thinking.includes(thinking.type))
    throw invalid(`"thinking.type.${thinking.type}" is not supported for this model.`);
  if (output?.effort && !model.effort) throw invalid("This model does not support the effort parameter.");
  if (output?.format) checkOutputSchema(output.format.schema);
  return model;
}

function checkMessages(messages: readonly RequestMessage[], model: EmulatedModel): void {
  if (messages.length === 0) throw invalid("messages: at least one message is required");
  if (messages[0]?.role !== "user") throw invalid('messages: first message must use the "user" role');
  for (const [index, message] of messages.entries()) {
    const isPrefill = index === messages.length - 1 && message.role === "assistant";
    if (message.content.length === 0) {
      if (isPrefill) continue;
      throw invalid(
        `messages.${index}: all messages must have non-empty content except for the optional final assistant message`,
      );
    }
    if (typeof message.content === "string") checkText(message.content, "messages");
    else
      for (const [at, block] of message.content.entries())
        checkBlock(block, message.role, `messages.${index}.content.${at}`);
    checkToolTurn(messages, index);
  }
  const last = messages.at(-1);
  if (last?.role !== "assistant") return;
  if (!model.prefill) {
    throw invalid(
      "This model does not support assistant message prefill. The conversation must end with a user message.",
    );
  }
  const ending = typeof last.content === "string" ? last.content : last.content.at(-1);
  const text = typeof ending === "string" ? ending : ending?.type === "text" ? ending.text : "";
  if (text !== text.trimEnd()) throw invalid("messages: final assistant content cannot end with trailing whitespace");
}

function checkText(text: string, where: string): void {
  if (text === "") throw invalid(`${where}: text content blocks must be non-empty`);
  if (text.trim() === "") throw invalid(`${where}: text content blocks must contain non-whitespace text`);
}

function checkBlock(block: RequestBlock, role: RequestMessage["role"], path: string): void {
  const own = { tool_use: "assistant", thinking: "assistant", redacted_thinking: "assistant" } as const;
  const users = { tool_result: "user", image: "user", document: "user" } as const;
  const expected = { ...own, ...users }[block.type as keyof typeof own];
  if (expected !== undefined && expected !== role)
    throw invalid(`${path}: \`${block.type}\` blocks can only be in \`${expected}\` messages`);
  if (block.type === "text") checkText(block.text, "messages");
  if (block.type === "image") checkImage(block, path);
  if (block.type !== "tool_result" || typeof block.content !== "object") return;
  for (const [index, inner] of block.content.entries())
    if (inner.type === "image") checkImage(inner, `${path}.content.${index}`);
}

/** Of the base64 text, not of the picture. */
const MAX_IMAGE = 10 * 1024 * 1024;

const SIGNATURES: readonly [string, RegExp][] = [
  ["image/png", /^89504e47/],
  ["image/jpeg", /^ffd8ff/],
  ["image/gif", /^47494638/],
  ["image/webp", /^52494646.{8}57454250/],
];

function checkImage({ source }: RequestBlock & { type: "image" }, path: string): void {
  if (source.type !== "base64") return;
  const at = `${path}.image.source.base64`;
  if (source.data.length > MAX_IMAGE)
    throw invalid(`${at}: image exceeds 10 MB maximum: ${source.data.length} bytes > ${MAX_IMAGE} bytes`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(source.data)) throw invalid(`${at}.data: Invalid base64 data`);
  const start = Buffer.from(source.data.slice(0, 32), "base64").toString("hex");
  const [actual] = SIGNATURES.find(([, signature]) => signature.test(start)) ?? [];
  if (actual === undefined) throw invalid(`${at}: Could not process image`);
  if (actual !== source.media_type) {
    throw invalid(
      `${at}: The image was specified using the ${source.media_type} media type, but the image appears to be a ${actual} image`,
    );
  }
}

/** Each use of a tool is answered in the very next message, and nothing else is. */
function checkToolTurn(messages: readonly RequestMessage[], index: number): void {
  const uses = (message: RequestMessage | undefined) => idsOf(message, "assistant");
  const results = (message: RequestMessage | undefined) => idsOf(message, "user");
  const asked = uses(messages[index - 1]);
  const answered = results(messages[index]);
  const stray = answered.find((id) => !asked.includes(id));
  if (stray !== undefined) {
    throw invalid(
      `messages.${index}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    );
  }
  const missing = asked.filter((id) => !answered.includes(id));
  if (missing.length > 0) {
    throw invalid(
      `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(", ")}.`,
    );
  }
}

function idsOf(message: RequestMessage | undefined, role: "user" | "assistant"): string[] {
  if (message?.role !== role || typeof message.content === "string") return [];
  return message.content.flatMap((block) => {
    if (block.type === "tool_use") return [block.id];
    return block.type === "tool_result" ? [block.tool_use_id] : [];
  });
}

function checkTools(request: CountRequest, model: EmulatedModel): void {
  const names = (request.tools ?? []).map(({ name }) => name);
  if (new Set(names).size < names.length) throw invalid("tools: Tool names must be unique.");
  const choice = request.tool_choice;
  if (!choice || choice.type === "none") return;
  if (names.length === 0) throw invalid("tool_choice may only be specified while providing tools.");
  if (choice.type === "auto") return;
  if (choice.type === "tool" && !names.includes(choice.name))
    throw invalid(`Tool '${choice.name}' not found in provided tools`);
  if (!model.forcedTools) throw invalid(`tool_choice.type "${choice.type}" is not supported for this model.`);
  if (request.thinking && request.thinking.type !== "disabled")
    throw invalid("Thinking may not be enabled when tool_choice forces tool use.");
}

const MAX_MARKS = 4;

function checkMarks(request: CountRequest): void {
  const contents = [request.tools ?? [], request.system ?? [], ...request.messages.map(({ content }) => content)];
  const blocks = contents.flatMap((content) => (typeof content === "string" ? [] : [...content]));
  const marks = blocks.filter((block) => "cache_control" in block && block.cache_control).length;
  const found = marks + (request.cache_control ? 1 : 0);
  if (found > MAX_MARKS)
    throw invalid(`A maximum of ${MAX_MARKS} blocks with cache_control may be provided. Found ${found}.`);
}
