import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startModelEmulator, type ModelEmulator } from "#emulators/model/emulator.ts";

let emulator: ModelEmulator;
beforeAll(async () => {
  emulator = await startModelEmulator({ port: 0, apiKeys: ["a-key"] });
});
afterAll(() => emulator.close());

const HEADERS = { "x-api-key": "a-key", "anthropic-version": "2023-06-01", "content-type": "application/json" };
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

const good = {
  model: "claude-sonnet-5-5",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello" }] as unknown[],
};
const older = { ...good, model: "claude-sonnet-4-5" };

async function post(body: unknown, path = "/v1/messages", headers: Record<string, string> = HEADERS) {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(emulator.url + path, { method: "POST", headers, body: sent });
  return { status: response.status, id: response.headers.get("request-id"), body: (await response.json()) as any };
}

const user = (...content: unknown[]) => ({ messages: [{ role: "user", content }] });
const text = (said: string, more = {}) => ({ type: "text", text: said, ...more });
const marked = (said: string) => text(said, { cache_control: { type: "ephemeral" } });
const image = (media_type: string, data: string) => ({ type: "image", source: { type: "base64", media_type, data } });
const tool = { name: "look", input_schema: { type: "object", properties: {} } };
const use = { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "look", input: {} }] };
const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "seen" }] };
const format = (schema: unknown) => ({ output_config: { format: { type: "json_schema", schema } } });
const conversation = (...messages: unknown[]) => ({ messages: [...good.messages, ...messages] });

describe("a request that the published types and rules allow is answered:", () => {
  test.each<[string, object]>([
    ["the least there can be", {}],
    ["a system prompt in blocks", { system: [text("Be brief.")] }],
    [
      "a system message later on",
      conversation(
        { role: "assistant", content: "Hi." },
        { role: "system", content: "x" },
        { role: "user", content: "y" },
      ),
    ],
    ["a picture", user(image("image/png", PNG), text("What is it?"))],
    ["two messages of the same role", conversation({ role: "user", content: "again" })],
    ["four marked blocks", user(marked("a"), marked("b"), marked("c"), marked("d"))],
    ["tools and their results", { tools: [tool], ...conversation(use, result) }],
    ["Anthropic's own tool", { tools: [{ type: "web_search_20260318", name: "web_search", max_uses: 1 }] }],
    ["an effort", { output_config: { effort: "low" } }],
    ["thinking between tools only", { thinking: { type: "between_tools" } }],
    ["a prefill, where the model can", { ...older, ...conversation({ role: "assistant", content: "So" }) }],
    ["a forced tool, where the model can", { ...older, tools: [tool], tool_choice: { type: "tool", name: "look" } }],
    ["an answer of no length", { max_tokens: 0 }],
  ])("%s", async (_, more) => expect((await post({ ...good, ...more })).status).toBe(200));
});

describe("a request that they do not is refused:", () => {
  test.each<[object, string]>([
    [{ max_tokens: undefined }, "max_tokens: Field required"],
    [{ max_tokens: "100" }, "max_tokens: "],
    [{ max_tokens: -1 }, "max_tokens: "],
    [{ max_tokens: 1.5 }, "max_tokens: "],
    [{ max_tokens: 128_001 }, "max_tokens: 128001 > 128000, which is the maximum allowed"],
    [{ model: undefined }, "model: Field required"],
    [{ messages: undefined }, "messages: Field required"],
    [{ messages: [] }, "messages: at least one message is required"],
    [{ temperature: 0.5 }, "temperature: Extra inputs are not permitted"],
    [{ maxTokens: 5 }, "maxTokens: Extra inputs are not permitted"],
    [{ betas: [] }, "betas: Extra inputs are not permitted"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.role: Input tag does not match"],
    [{ messages: [{ role: "assistant", content: "x" }] }, 'first message must use the "user" role'],
    [{ messages: [{ role: "user" }] }, "messages.0.content: Field required"],
    [{ messages: [{ role: "user", content: "" }] }, "messages.0: all messages must have non-empty content"],
    [{ messages: [{ role: "user", content: [] }] }, "messages.0: all messages must have non-empty content"],
    [{ messages: [{ role: "user", content: "x", name: "y" }] }, "messages.0.name: Extra inputs are not permitted"],
    [user(text("")), "text content blocks must be non-empty"],
    [user(text(" \n")), "must contain non-whitespace text"],
    [user({ type: "text" }), "messages.0.content.0.text: Field required"],
    [user({ type: "video", url: "x" }), "messages.0.content.0.type: Input tag does not match"],
    [user(text("a", { cache_control: { type: "forever" } })), "messages.0.content.0.cache_control.type: "],
    [
      user(marked("a"), marked("b"), marked("c"), marked("d"), marked("e")),
      "maximum of 4 blocks with cache_control may be provided. Found 5.",
    ],
    [
      { cache_control: { type: "ephemeral" }, system: [marked("s")], ...user(marked("a"), marked("b"), marked("c")) },
      "Found 5.",
    ],
    [{ system: [text("")] }, "system: text content blocks must be non-empty"],
    [user(image("image/tiff", PNG)), "messages.0.content.0.source.media_type: "],
    [user(image("image/jpeg", PNG)), "the image appears to be a image/png image"],
    [user(image("image/png", "AAAA")), "Could not process image"],
    [user(image("image/png", "no base64!")), "Invalid base64 data"],
    [
      user(image("image/png", PNG.slice(0, 80).padEnd(10_485_764, "A"))),
      "image exceeds 10 MB maximum: 10485764 bytes > 10485760 bytes",
    ],
    [
      conversation({ role: "assistant", content: [image("image/png", PNG)] }, { role: "user", content: "x" }),
      "`image` blocks can only be in `user` messages",
    ],
    [conversation({ role: "assistant", content: "So" }), "does not support assistant message prefill"],
    [{ ...older, ...conversation({ role: "assistant", content: "So " }) }, "cannot end with trailing whitespace"],
    [{ tools: [tool, tool] }, "tools: Tool names must be unique."],
    [{ tools: [{ ...tool, name: "no spaces" }] }, "tools.0.name: String should match pattern"],
    [{ tools: [{ name: "look" }] }, "tools.0.input_schema: Field required"],
    [{ tools: [tool], tool_choice: { type: "any" } }, 'tool_choice.type "any" is not supported for this model'],
    [{ tool_choice: { type: "auto" } }, "tool_choice may only be specified while providing tools"],
    [
      { ...older, tools: [tool], tool_choice: { type: "tool", name: "other" } },
      "Tool 'other' not found in provided tools",
    ],
    [{ tools: [tool], ...conversation(use) }, "does not support assistant message prefill"],
    [
      { tools: [tool], ...conversation(use, { role: "user", content: "and?" }) },
      "ids were found without `tool_result` blocks immediately after: t1.",
    ],
    [{ tools: [tool], ...conversation(result) }, "unexpected `tool_use_id` found in `tool_result` blocks: t1."],
    [{ thinking: { type: "enabled", budget_tokens: 2000 } }, '"thinking.type.enabled" is not supported'],
    [{ thinking: { type: "disabled" } }, '"thinking.type.disabled" is not supported'],
    [{ ...older, thinking: { type: "enabled", budget_tokens: 100 } }, "thinking.budget_tokens: "],
    [{ ...older, thinking: { type: "enabled", budget_tokens: 2000 } }, "`max_tokens` must be greater than"],
    [{ ...older, output_config: { effort: "low" } }, "does not support the effort parameter"],
    [{ stop_sequences: ["\n"] }, "each stop sequence must contain non-whitespace"],
    [format({ type: "object", properties: {} }), "'additionalProperties' must be explicitly set to false"],
    [
      format({ type: "object", additionalProperties: false, properties: { a: { type: "string", maxLength: 3 } } }),
      "property 'maxLength' is not supported",
    ],
    [
      { ...older, messages: [{ role: "user", content: "four".repeat(200_001) }] },
      "prompt is too long: 200001 tokens > 200000 maximum",
    ],
  ])("%#. %j", async (more, message) => {
    const { status, id, body } = await post({ ...good, ...more });
    expect(status).toBe(400);
    expect(body).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining(message), details: null },
      request_id: id,
    });
    expect(id).toMatch(/^req_/);
  });

  test.each<[string, number, string, unknown, (string | undefined)?, Record<string, string>?]>([
    ["no JSON", 400, "is not valid JSON", "{"],
    ["null", 400, "", "null"],
    ["a list", 400, "", "[]"],
    ["a model nobody knows", 404, "model: claude-9", { ...good, model: "claude-9" }],
    ["a wrong key", 401, "invalid x-api-key", good, undefined, { ...HEADERS, "x-api-key": "other" }],
    ["no key", 401, "x-api-key header is required", good, undefined, { "anthropic-version": "2023-06-01" }],
    ["no version", 400, "anthropic-version: header is required", good, undefined, { "x-api-key": "a-key" }],
    ["an address that is none", 404, "Not Found", good, "/v1/complete"],
    ["more than 32 MB", 413, "exceeds the maximum size", "x".repeat(32 * 1024 * 1024 + 1)],
  ])("%s", async (_, status, message, body, path, headers) => {
    const answered = await post(body, path, headers);
    expect(answered).toMatchObject({
      status,
      body: { type: "error", error: { message: expect.stringContaining(message) } },
    });
  });
});

test("fields of the beta types pass when the caller says that it uses them", async () => {
  expect((await post({ ...good, context_management: {} })).status).toBe(400);
  expect((await post({ ...good, context_management: {} }, "/v1/messages?beta=true")).status).toBe(200);
});

test("the log keeps the parsed bodies, and not more of them than it should", async () => {
  await post({ ...good, metadata: { user_id: "u" } });
  expect(emulator.requests.at(-1)).toMatchObject({
    path: "/v1/messages",
    body: { metadata: { user_id: "u" } },
    status: 200,
  });
  const big = user(text("x".repeat(25_000_000)));
  for (let n = 0; n < 4; n++) await post({ ...good, ...big });
  const kept = emulator.requests.reduce((sum, { body }) => sum + JSON.stringify(body).length, 0);
  expect(kept).toBeLessThan(70_000_000);
  expect(emulator.requests.length).toBeGreaterThan(0);
});
