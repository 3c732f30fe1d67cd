import Anthropic from "@anthropic-ai/sdk";
import type { Message, RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import type { ModelInfo } from "@anthropic-ai/sdk/resources/models";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { PRICES } from "#core/prices.ts";
import { startModelEmulator, type ModelEmulator } from "#emulators/model/emulator.ts";
import type { presentModel } from "#emulators/model/models.ts";
import type { ScriptedReply } from "#emulators/model/script.ts";
import type { Message as SentMessage, MessageEvent, StopReason } from "#emulators/model/wire.ts";

// What the emulator sends is what the SDK's types promise: this file would not compile otherwise.
type Promised<Sent extends Published, Published> = Sent;
export type Checked = [
  Promised<SentMessage, Message>,
  Promised<MessageEvent, RawMessageStreamEvent>,
  Promised<ReturnType<typeof presentModel>, ModelInfo>,
];

let emulator: ModelEmulator;
let client: Anthropic;
beforeAll(async () => {
  emulator = await startModelEmulator({ port: 0 });
  client = new Anthropic({ apiKey: "a-key", baseURL: emulator.url, maxRetries: 0, logLevel: "off" });
});
afterEach(() => {
  emulator.script.clear();
  emulator.hooks.onEvent = () => undefined;
});
afterAll(() => emulator.close());

const MODEL = "claude-sonnet-5-5";
const ask = { model: MODEL, max_tokens: 1000, messages: [{ role: "user" as const, content: "Hello there" }] };
const look = {
  name: "look",
  input_schema: { type: "object" as const, properties: { at: { type: "string" } }, required: ["at"] },
};

describe("the SDK builds from the stream what it is told in one piece:", () => {
  test.each<[string, ScriptedReply, StopReason]>([
    ["an answer", "Hello. ".repeat(40), "end_turn"],
    ["an empty answer", "", "end_turn"],
    ["emoji and accents", "Grüße, 👩‍💻! ".repeat(20), "end_turn"],
    [
      "a use of a tool",
      {
        blocks: [
          { type: "text", text: "Let me look." },
          { type: "tool_use", name: "look", input: { at: "src/login.ts, line 12" } },
        ],
      },
      "tool_use",
    ],
    [
      "thinking",
      {
        blocks: [
          { type: "thinking", thinking: "Hm." },
          { type: "text", text: "Yes." },
        ],
      },
      "end_turn",
    ],
    ["an answer that is cut", "four".repeat(1001), "max_tokens"],
    ["a refusal", { text: "I cannot", refusal: { category: "cyber", explanation: "No." } }, "refusal"],
    ["a pause", { text: "So far", stopReason: "pause_turn" }, "pause_turn"],
    [
      "a full context window",
      { text: "So far", stopReason: "model_context_window_exceeded" },
      "model_context_window_exceeded",
    ],
  ])("%s", async (_, reply, stopReason) => {
    emulator.script.reply(reply);
    const whole = await client.messages.create({ ...ask, tools: [look] });
    const streamed = await client.messages.stream({ ...ask, tools: [look] }).finalMessage();
    expect(whole.stop_reason).toBe(stopReason);
    // Ids differ from message to message, and `parsed_output` is the SDK's own.
    const nameless = (message: Message) =>
      JSON.parse(
        JSON.stringify({ ...message, parsed_output: undefined }).replaceAll(/(msg|toolu)_emulated_\d+/g, "$1"),
      );
    expect(nameless(streamed)).toEqual(nameless(whole));
  });
});

test("events come in the API's order", async () => {
  emulator.script.reply({
    blocks: [
      { type: "text", text: "Hi" },
      { type: "tool_use", name: "look", input: { at: "x" } },
    ],
  });
  const types: string[] = [];
  for await (const event of await client.messages.create({ ...ask, tools: [look], stream: true }))
    types.push(event.type === "content_block_delta" ? event.delta.type : event.type);
  expect(types).toEqual([
    "message_start",
    "content_block_start",
    "text_delta",
    "content_block_stop",
    "content_block_start",
    "input_json_delta",
    "input_json_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
});

test.each([
  ["twelve characters in three tokens", "abcdefghijkl", 3, "abcdefghijkl", "end_turn"],
  ["twelve characters in two", "abcdefghijkl", 2, "abcdefgh", "max_tokens"],
  ["emoji, never half of one", "👍👍👍👍👍", 1, "👍👍👍👍", "max_tokens"],
])("max_tokens cuts what was scripted: %s", async (_, said, max_tokens, expected, stopReason) => {
  emulator.script.reply(said);
  const message = await client.messages.create({ ...ask, max_tokens });
  expect(message).toMatchObject({ content: [{ text: expected }], stop_reason: stopReason });
  expect(message.usage.output_tokens).toBe(Math.min(max_tokens, 3));
});

test("a stop sequence ends the answer before it", async () => {
  emulator.script.reply("one END two STOP");
  expect(await client.messages.create({ ...ask, stop_sequences: ["STOP", "END"] })).toMatchObject({
    content: [{ text: "one " }],
    stop_reason: "stop_sequence",
    stop_sequence: "END",
  });
});

describe("without a script", () => {
  test("it says something", async () => {
    expect((await client.messages.create(ask)).content).toEqual([{ type: "text", text: "OK.", citations: null }]);
  });

  test("it uses the tool it must use", async () => {
    const forced = { ...ask, model: "claude-haiku-4-5", tools: [look], tool_choice: { type: "any" as const } };
    const message = await client.messages.create(forced);
    expect(message).toMatchObject({ stop_reason: "tool_use", content: [{ name: "look", input: { at: "sample" } }] });
  });

  test("it fits the schema", async () => {
    const schema = {
      type: "object",
      additionalProperties: false,
      properties: {
        kind: { enum: ["b", "a"] },
        sure: { type: "number" },
        names: { type: "array", items: { type: "string" } },
      },
      required: ["kind", "sure", "names"],
    };
    const message = await client.messages.create({
      ...ask,
      output_config: { format: { type: "json_schema", schema } },
    });
    expect(JSON.parse((message.content[0] as { text: string }).text)).toEqual({ kind: "b", sure: 0, names: [] });
  });
});

describe("the script", () => {
  test("queues replies, and falls back on the one for all", async () => {
    emulator.script.reply(({ text, system }) => `${system}: ${text}`);
    emulator.script.queue("first", () => "second");
    const said = async () =>
      ((await client.messages.create({ ...ask, system: "S" })).content[0] as { text: string }).text;
    expect(emulator.script.left).toBe(2);
    expect([await said(), await said(), await said()]).toEqual(["first", "second", "S: Hello there"]);
  });

  test("is not used up by requests that are refused", async () => {
    emulator.script.queue("first");
    await expect(client.messages.create({ ...ask, max_tokens: -1 })).rejects.toThrow("max_tokens");
    expect(emulator.script.left).toBe(1);
  });
});

test("hooks stop the world before a request, before its answer, and before each event", async () => {
  const order: string[] = [];
  emulator.hooks.onRequest = ({ path, status }) => void order.push(`${path} ${status}`);
  emulator.hooks.onResponse = ({ status }) => void order.push(`answer ${status}`);
  emulator.hooks.onEvent = (_, { type }) => void order.push(type);
  emulator.script.reply("Hi");
  await client.messages.stream(ask).finalMessage();
  delete emulator.hooks.onRequest;
  delete emulator.hooks.onResponse;
  expect(order.slice(0, 4)).toEqual(["/v1/messages null", "answer 200", "message_start", "content_block_start"]);
});

describe("the prompt's cache", () => {
  const long = (name: string, tokens: number) => name.padEnd(tokens * 4, ".");
  const mark = { cache_control: { type: "ephemeral" as const } };
  const usage = async (system: string, last: string, model = MODEL) => {
    const content = [{ type: "text" as const, text: last, ...mark }];
    const asked = { model, max_tokens: 10, messages: [{ role: "user" as const, content }] };
    const sent = await client.messages.create({ ...asked, system: [{ type: "text", text: system, ...mark }] });
    const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = sent.usage;
    return [input_tokens, cache_creation_input_tokens, cache_read_input_tokens];
  };

  test("is written once and then read, as far as the beginning is the same", async () => {
    expect(await usage(long("one", 1000), long("a", 100))).toEqual([0, 1100, 0]);
    expect(await usage(long("one", 1000), long("a", 100))).toEqual([0, 0, 1100]);
    expect(await usage(long("one", 1000), long("b", 100))).toEqual([0, 100, 1000]);
    expect(await usage(long("two", 1000), long("a", 100))).toEqual([0, 1100, 0]);
  });

  test("holds nothing shorter than the model's least", async () => {
    expect(await usage(long("x", 300), long("a", 100))).toEqual([400, 0, 0]);
    expect(await usage(long("x", 300), long("a", 100))).toEqual([400, 0, 0]);
    expect(await usage(long("x", 4000), long("a", 95), "claude-haiku-4-5")).toEqual([4095, 0, 0]);
  });

  test("finds an earlier conversation in a longer one", async () => {
    const turn = (role: "user" | "assistant", name: string) => ({
      role,
      content: [{ type: "text" as const, text: long(name, 600) }],
    });
    const send = async (...turns: ReturnType<typeof turn>[]) =>
      (await client.messages.create({ ...ask, cache_control: { type: "ephemeral" }, messages: turns })).usage;
    await send(turn("user", "q1"));
    const second = await send(turn("user", "q1"), turn("assistant", "a1"), turn("user", "q2"));
    expect(second).toMatchObject({ input_tokens: 0, cache_creation_input_tokens: 1200, cache_read_input_tokens: 600 });
  });
});

test("counts the tokens it will charge", async () => {
  const { input_tokens } = await client.messages.countTokens({
    model: MODEL,
    messages: ask.messages,
    system: "Be brief.",
  });
  expect(input_tokens).toBe(3 + 3);
  expect((await client.messages.create({ ...ask, system: "Be brief." })).usage.input_tokens).toBe(input_tokens);
});

test("tells about one model", async () => {
  expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL, max_tokens: 128_000, line: "sonnet" });
  await expect(client.models.retrieve("claude-9")).rejects.toThrow("404");
});

test("every model that has a price is there, under each of its names", async () => {
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toEqual(expect.arrayContaining([...Object.keys(PRICES), MODEL, "claude-haiku-4-5-20251001"]));
  expect(new Set(ids).size).toBe(ids.length);
});

test("a port that is taken is given up for a free one", async () => {
  const other = await startModelEmulator({ port: emulator.port });
  expect(other.port).not.toBe(emulator.port);
  await other.close();
});
