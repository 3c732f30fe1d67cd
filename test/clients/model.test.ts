import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { boolean, enum as oneOf, number, object, string } from "zod";
import { createModel, type CompletionRequest, type Model } from "#clients/model.ts";
import { modelFromEnv, modelNames } from "#clients/model-env.ts";
import { startModelEmulator, type ModelEmulator } from "#emulators/model/emulator.ts";
import type { ScriptedReply } from "#emulators/model/script.ts";

const KEY = "sk-a-key-of-ours";
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

let emulator: ModelEmulator;
let model: Model;
beforeAll(async () => {
  emulator = await startModelEmulator({ port: 0, apiKeys: [KEY] });
  model = createModel({ apiKey: KEY, baseUrl: emulator.url, timeoutMs: 10_000 });
});
afterEach(() => emulator.script.clear());
afterAll(() => emulator.close());

const ask: CompletionRequest = {
  model: "claude-sonnet-5-5",
  maxTokens: 1000,
  messages: [{ role: "user", content: "Hello there" }],
};
const lastBody = () => emulator.requests.at(-1)?.body as Record<string, any>;

test("an answer, with what it used, and its text as it comes", async () => {
  const said = "Fixed the login timeout. ".repeat(10);
  emulator.script.reply(said);
  const parts: string[] = [];
  const completion = await model.complete({ ...ask, system: "Be brief.", onText: (text) => parts.push(text) });
  expect(completion).toEqual({
    text: said,
    stopReason: "end_turn",
    refusal: null,
    usage: { inputTokens: 6, outputTokens: Math.ceil(said.length / 4), cacheWriteTokens: 0, cacheReadTokens: 0 },
    model: "claude-sonnet-5-5",
  });
  expect(parts.join("")).toBe(said);
  expect(parts.length).toBeGreaterThan(5);
});

test("an alias answers in the name of its snapshot", async () => {
  expect((await model.complete({ ...ask, model: "claude-haiku-4-5" })).model).toBe("claude-haiku-4-5-20251001");
});

test("only what was asked for is sent", async () => {
  await model.complete({ ...ask, system: "" });
  expect(lastBody()).toEqual({ model: ask.model, max_tokens: 1000, messages: ask.messages, stream: true });
});

describe("an end of its own kind is a value:", () => {
  test.each<[string, ScriptedReply, Partial<CompletionRequest>, object]>([
    ["cut off", "four".repeat(20), { maxTokens: 10 }, { stopReason: "max_tokens", text: "four".repeat(10) }],
    ["a stop sequence", "one END two", { stopSequences: ["END"] }, { stopReason: "stop_sequence", text: "one " }],
    [
      "a refusal",
      { text: "I", refusal: { category: "bio", explanation: "No." } },
      {},
      { stopReason: "refusal", text: "I", refusal: "No." },
    ],
    ["a refusal without a word", { refusal: {} }, {}, { stopReason: "refusal", text: "", refusal: null }],
    ["a pause", { text: "So far", stopReason: "pause_turn" }, {}, { stopReason: "pause_turn", text: "So far" }],
    [
      "a full context window",
      { text: "x", stopReason: "model_context_window_exceeded" },
      {},
      { stopReason: "model_context_window_exceeded" },
    ],
    [
      "a use of a tool",
      {
        blocks: [
          { type: "text", text: "Look" },
          { type: "tool_use", name: "look", input: { a: 1 } },
        ],
      },
      {},
      { stopReason: "tool_use", text: "Look" },
    ],
    ["an empty answer", "", {}, { stopReason: "end_turn", text: "" }],
  ])("%s", async (_, reply, more, expected) => {
    emulator.script.reply(reply);
    expect(await model.complete({ ...ask, ...more })).toMatchObject(expected);
  });
});

test("what the model thinks is no part of its text, and is paid for", async () => {
  emulator.script.reply({
    blocks: [
      { type: "thinking", thinking: "four".repeat(9) },
      { type: "text", text: "Yes." },
    ],
  });
  expect(await model.complete(ask)).toMatchObject({ text: "Yes.", usage: { outputTokens: 10 } });
});

test("characters that arrive in pieces stay whole", async () => {
  const said = "Grüße 👩‍💻 日本語 ".repeat(5);
  emulator.script.reply(said);
  const bytewise: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const body = response.body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => chunk.forEach((_, at) => controller.enqueue(chunk.slice(at, at + 1))),
      }),
    );
    return new Response(body ?? null, response);
  };
  const parts: string[] = [];
  const bytes = createModel({ apiKey: KEY, baseUrl: emulator.url, timeoutMs: 10_000, fetch: bytewise });
  expect((await bytes.complete({ ...ask, onText: (text) => parts.push(text) })).text).toBe(said);
  expect(parts.join("")).toBe(said);
  expect(parts.join("")).not.toContain("\uFFFD");
});

test("a marked system prompt is written to the cache once, and then read", async () => {
  const system = [{ type: "text" as const, text: "four".repeat(600), cache_control: { type: "ephemeral" as const } }];
  const usages = [await model.complete({ ...ask, system }), await model.complete({ ...ask, system })].map(
    ({ usage }) => usage,
  );
  expect(usages).toEqual([
    { inputTokens: 3, outputTokens: 1, cacheWriteTokens: 600, cacheReadTokens: 0 },
    { inputTokens: 3, outputTokens: 1, cacheWriteTokens: 0, cacheReadTokens: 600 },
  ]);
});

test("a picture is sent along", async () => {
  const source = { type: "base64" as const, media_type: "image/png" as const, data: PNG };
  const content = [
    { type: "image" as const, source },
    { type: "text" as const, text: "What is it?" },
  ];
  const { usage } = await model.complete({ ...ask, messages: [{ role: "user", content }] });
  expect(usage.inputTokens).toBeGreaterThan(1000);
  expect(lastBody().messages[0].content[0].source.data).toBe(PNG);
});

test("a hundred calls at once each get their own answer", async () => {
  emulator.script.reply(({ text }) => `You said ${text}`);
  const texts = Array.from({ length: 100 }, (_, index) => `number ${index}`);
  const said = await Promise.all(
    texts.map((content) => model.complete({ ...ask, messages: [{ role: "user", content }] })),
  );
  expect(said.map(({ text }) => text)).toEqual(texts.map((text) => `You said ${text}`));
});

describe("structured output", () => {
  const Intent = object({
    intent: oneOf(["fix", "status"]),
    confidence: number().min(0).max(1),
    note: string().max(200).optional(),
    urgent: boolean(),
  });
  const asked = { ...ask, model: "claude-haiku-4-5-20251001", schema: Intent, name: "intent" };

  test("is a value of the schema's form", async () => {
    emulator.script.reply({ json: { intent: "fix", confidence: 0.9, urgent: true } });
    const answer = await model.structured(asked);
    expect(answer).toMatchObject({
      ok: true,
      value: { intent: "fix", confidence: 0.9, urgent: true },
      stopReason: "end_turn",
    });
    expect(answer.usage.outputTokens).toBeGreaterThan(5);
  });

  test("tells the API a schema that it supports", async () => {
    expect(await model.structured(asked)).toMatchObject({ ok: true, value: { intent: "fix", confidence: 0 } });
    expect(lastBody().output_config.format).toMatchObject({
      type: "json_schema",
      schema: {
        type: "object",
        title: "intent",
        additionalProperties: false,
        required: ["intent", "confidence", "urgent"],
      },
    });
  });

  test.each<[string, ScriptedReply, Partial<typeof asked>, object]>([
    ["no JSON", "I think it is a fix.", {}, { text: "I think it is a fix." }],
    ["JSON of another form", '{"intent":"fix"}', {}, { text: '{"intent":"fix"}' }],
    ["a value the schema's bounds forbid", { json: { intent: "fix", confidence: 7, urgent: true } }, {}, {}],
    [
      "JSON that was cut off",
      { json: { intent: "fix", confidence: 1, urgent: true } },
      { maxTokens: 3 },
      { stopReason: "max_tokens", text: '{"intent":"f' },
    ],
    ["a refusal", { refusal: { explanation: "No." } }, {}, { stopReason: "refusal", text: "", refusal: "No." }],
    ["null", { json: null }, {}, { text: "null" }],
  ])("that is %s is a value too", async (_, reply, more, expected) => {
    emulator.script.reply(reply);
    const answer = await model.structured({ ...asked, ...more });
    expect(answer).toMatchObject({ ok: false, ...expected });
    expect(answer.usage.inputTokens).toBeGreaterThan(0);
  });
});

describe("from the environment", () => {
  test("comes the model, when there is a key", async () => {
    expect(modelFromEnv({ ANTHROPIC_BASE_URL: emulator.url })).toBeNull();
    expect(modelFromEnv({ ANTHROPIC_API_KEY: "" })).toBeNull();
    const env = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: emulator.url, MODEL_TIMEOUT_MS: "5000" };
    expect(await modelFromEnv(env)?.complete(ask)).toMatchObject({ text: "OK." });
  });

  test.each([
    [{}, { task: "claude-sonnet-5-5", review: "claude-sonnet-5-5", nlu: "claude-haiku-4-5-20251001" }],
    [
      { TASK_MODEL: "a" },
      { task: "a", review: "a", smart: "a", planning: "a", lens: "a", nlu: "claude-haiku-4-5-20251001" },
    ],
    [
      { TASK_MODEL: "a", REVIEW_MODEL: "b", SMART_MODEL: "c", PLANNING_MODEL: "d", LENS_MODEL: "e", NLU_MODEL: "f" },
      { task: "a", review: "b", smart: "c", planning: "d", lens: "e", nlu: "f" },
    ],
    [
      { TASK_MODEL: "", NLU_MODEL: "" },
      { task: "claude-sonnet-5-5", nlu: "claude-haiku-4-5-20251001" },
    ],
  ])("%j names the models", (env, expected) => expect(modelNames(env)).toMatchObject(expected));
});
