import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { object } from "zod";
import { createModel, ModelCallError, type CompletionRequest, type ModelOptions } from "#clients/model.ts";
import { startModelEmulator, type ModelEmulator } from "#emulators/model/emulator.ts";
import type { ScriptedReply } from "#emulators/model/script.ts";

const KEY = "sk-a-key-of-ours";
let emulator: ModelEmulator;
beforeAll(async () => {
  emulator = await startModelEmulator({ port: 0, apiKeys: [KEY] });
});
afterEach(() => {
  emulator.script.clear();
  delete emulator.hooks.onEvent;
  delete emulator.hooks.onRequest;
});
afterAll(() => emulator.close());

const ask: CompletionRequest = {
  model: "claude-sonnet-5-5",
  maxTokens: 1000,
  messages: [{ role: "user", content: "four".repeat(50) }],
};
const connect = (options: Partial<ModelOptions> = {}) =>
  createModel({ apiKey: KEY, baseUrl: emulator.url, timeoutMs: 10_000, ...options });

/** What a call threw; one call is one request. */
async function failureOf(work: Promise<unknown>): Promise<Record<string, unknown>> {
  const before = emulator.requests.at(-1)?.n ?? 0;
  try {
    await work;
  } catch (error) {
    expect((emulator.requests.at(-1)?.n ?? 0) - before).toBeLessThanOrEqual(1);
    expect(JSON.stringify([error, (error as Error).message, (error as Error).stack])).not.toContain(KEY);
    return error as Record<string, unknown>;
  }
  throw new Error("It succeeded.");
}

const upstream = (retryable: boolean, message: string, retryAfterMs: number | null = null) => ({
  name: "UpstreamError",
  service: "Anthropic",
  retryable,
  retryAfterMs,
  message: expect.stringContaining(message),
});
const nothing = { inputTokens: 0, outputTokens: 0, cacheWriteTokens: 0, cacheReadTokens: 0 };

describe("an error of the API", () => {
  test.each<[number, object, object]>([
    [401, {}, upstream(false, "Set a valid ANTHROPIC_API_KEY")],
    [403, { message: `not for ${KEY}` }, upstream(false, "The API says: not for …")],
    [402, {}, upstream(false, "Check its billing")],
    [400, { message: "Your credit balance is too low" }, upstream(false, "Check its billing")],
    [
      404,
      {},
      upstream(
        false,
        "knows no model claude-sonnet-5-5, or the key may not use it. Set another one in the variable that names it: TASK_MODEL,",
      ),
    ],
    [408, {}, upstream(true, "failed (408)")],
    [409, {}, upstream(true, "failed (409)")],
    [429, { headers: { "retry-after": "7" } }, upstream(true, "Try again in 7 seconds", 7000)],
    [429, { headers: { "retry-after": "0" } }, upstream(true, "limits how often", 0)],
    [429, {}, upstream(true, "Try again in 60 seconds", 60_000)],
    [
      429,
      { headers: { "x-should-retry": "false" }, message: "Spending limit" },
      upstream(false, "spending limit is reached. The API says: Spending limit"),
    ],
    [500, {}, upstream(true, "failed (500)")],
    [503, { headers: { "retry-after": "3" } }, upstream(true, "failed (503)", 3000)],
    [504, {}, upstream(true, "failed (504)")],
    [529, {}, upstream(true, "overloaded")],
    [529, { headers: { "retry-after": "12" } }, upstream(true, "overloaded", 12_000)],
  ])("%i %j is told in words", async (status, more, expected) => {
    emulator.script.reply({ error: { status, ...more } });
    const failure = await failureOf(connect().complete(ask));
    expect(failure).toMatchObject({ ...expected, usage: nothing, text: "", aborted: false });
    expect(failure).toBeInstanceOf(ModelCallError);
  });

  test("names when to try again as a date, too", async () => {
    emulator.script.reply({
      error: { status: 429, headers: { "retry-after": new Date(Date.now() + 30_000).toUTCString() } },
    });
    const { retryAfterMs } = await failureOf(connect().complete(ask));
    expect(retryAfterMs).toBeGreaterThan(20_000);
    expect(retryAfterMs).toBeLessThanOrEqual(30_000);
  });

  test.each<[string, Partial<CompletionRequest>, string]>([
    ["a request it does not accept", { maxTokens: -1 }, "did not accept the request. The API says: max_tokens: "],
    [
      "a prompt that is too long",
      { model: "claude-opus-4-5", messages: [{ role: "user", content: "four".repeat(200_001) }] },
      "more than claude-opus-4-5 can read at once",
    ],
    [
      "a request that is too large",
      { messages: [{ role: "user", content: "x".repeat(33 * 1024 * 1024) }] },
      "more than claude-sonnet-5-5 can read at once",
    ],
  ])("for %s is the asker's", async (_, more, message) => {
    const failure = await failureOf(connect().complete({ ...ask, ...more }));
    expect(failure).toMatchObject({ name: "InvalidInputError", message: expect.stringMatching(message) });
  });

  test("is the same for structured output", async () => {
    emulator.script.reply({ error: { status: 529 } });
    expect(await failureOf(connect().structured({ ...ask, schema: object({}), name: "x" }))).toMatchObject(
      upstream(true, "overloaded"),
    );
  });
});

test("a key that is refused", async () => {
  expect(await failureOf(connect({ apiKey: "other" }).complete(ask))).toMatchObject(
    upstream(false, "refused the key. Set a valid ANTHROPIC_API_KEY"),
  );
});

test("a model that is not there", async () => {
  expect(await failureOf(connect().complete({ ...ask, model: "claude-sonnet-4-20250514" }))).toMatchObject(
    upstream(false, "knows no model claude-sonnet-4-20250514"),
  );
});

describe("an answer that breaks off", () => {
  const said = "Fixed the login timeout. ".repeat(10);

  test.each<[string, ScriptedReply, object]>([
    ["at once", { cutAfter: 0 }, { usage: nothing, message: expect.stringContaining("could not be reached") }],
    ["before its first event", { cutAfter: 0, text: said }, { usage: nothing }],
    [
      "after its first event",
      { cutAfter: 1, text: said },
      { text: "", usage: { ...nothing, inputTokens: 50, outputTokens: 1 } },
    ],
    [
      "in its text",
      { cutAfter: 5, text: said },
      { text: said.slice(0, 60), usage: { ...nothing, inputTokens: 50, outputTokens: 30 } },
    ],
    [
      "with an error of overload",
      { failAfter: { events: 3, type: "overloaded_error" }, text: said },
      {
        text: said.slice(0, 20),
        message: expect.stringContaining("overloaded"),
        usage: { ...nothing, inputTokens: 50, outputTokens: 10 },
      },
    ],
    [
      "with an error of the API",
      { failAfter: { events: 3, type: "api_error" }, text: said },
      { message: "The model API failed. Try again in a moment." },
    ],
    ["with a limit", { failAfter: { events: 1, type: "rate_limit_error" }, text: said }, { retryAfterMs: 60_000 }],
    [
      "with a new kind of error",
      { failAfter: { events: 1, type: "lunar_error" }, text: said },
      { message: "The model API failed. Try again in a moment." },
    ],
  ])("%s may be tried again, and is paid for", async (_, reply, expected) => {
    emulator.script.reply(reply);
    const failure = await failureOf(connect().complete(ask));
    expect(failure).toMatchObject({ name: "UpstreamError", retryable: true, aborted: false, ...expected });
  });

  test.each<[string, ScriptedReply]>([
    ["ends", { text: "Hi", cutAfter: 5 }],
    ["fails", { text: "Hi", failAfter: { events: 5, type: "api_error" } }],
  ])("is whole when it %s behind its stop reason", async (_, reply) => {
    emulator.script.reply(reply);
    expect(await connect().complete(ask)).toMatchObject({ text: "Hi", stopReason: "end_turn" });
  });
});

test.each([
  "",
  "<html>Hello</html>",
  "data: {}\n\n",
  "event: message_start\ndata: {oops\n\n",
  "event: message_start\ndata: {}\n\n",
  "event: message_start\ndata: null\n\n",
  "event: lunar\ndata: {}\n\n",
  "\u0000\u0001",
])("an answer that makes no sense: %j", async (garbage) => {
  emulator.script.reply({ garbage });
  expect(await failureOf(connect().complete(ask))).toMatchObject({
    ...upstream(true, "could not be understood. If ANTHROPIC_BASE_URL is right"),
    usage: nothing,
  });
});

test("kinds of events and blocks that nobody knows yet are passed over", async () => {
  const news: typeof fetch = async (input, init) => {
    const text = await (await fetch(input, init)).text();
    const more =
      'event: news\ndata: {"type":"news"}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"moon_delta"}}\n\n';
    return new Response(text.replace("event: content_block_stop", `${more}event: content_block_stop`), { status: 200 });
  };
  emulator.script.reply("Hi");
  expect(await connect({ fetch: news }).complete(ask)).toMatchObject({ text: "Hi", stopReason: "end_turn" });
});

describe("silence", () => {
  const timedOut = upstream(true, "did not answer within 500 ms");

  test("before the first byte ends the call", async () => {
    emulator.script.reply({ hold: new Promise(() => undefined) });
    expect(await failureOf(connect({ timeoutMs: 500 }).complete(ask))).toMatchObject({ ...timedOut, usage: nothing });
  });

  test("in the middle ends it, and what came until then is paid for", async () => {
    emulator.script.reply("Hello, ".repeat(10));
    emulator.hooks.onEvent = (_, event) =>
      event.type === "content_block_stop" ? new Promise<void>(() => undefined) : undefined;
    expect(await failureOf(connect({ timeoutMs: 500 }).complete(ask))).toMatchObject({
      ...timedOut,
      text: "Hello, ".repeat(10),
      usage: { inputTokens: 50, outputTokens: 35 },
    });
  });

  test("does not end one that goes on, however long it takes", async () => {
    emulator.script.reply({ text: "Hello, ".repeat(60), betweenMs: 60 });
    expect(await connect({ timeoutMs: 1000 }).complete(ask)).toMatchObject({ text: "Hello, ".repeat(60) });
  });
});

test("a server that is not there, and one that hangs up", async () => {
  expect(await failureOf(connect({ baseUrl: "http://127.0.0.1:1" }).complete(ask))).toMatchObject(
    upstream(true, "could not be reached. Check the network and ANTHROPIC_BASE_URL"),
  );
  const server = createServer((request) => request.socket.destroy()).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  expect(await failureOf(connect({ baseUrl: `http://127.0.0.1:${port}` }).complete(ask))).toMatchObject(
    upstream(true, "could not be reached"),
  );
  server.close();
});

// Silence would end none of these before their time is up: only the signal does.
describe("stopping", { timeout: 10_000 }, () => {
  const patient = () => connect({ timeoutMs: 600_000 });
  const stopped = { ...upstream(false, "The model call was stopped."), aborted: true };

  test("before the call asks nobody", async () => {
    const before = emulator.requests.length;
    expect(await failureOf(patient().complete({ ...ask, signal: AbortSignal.abort() }))).toMatchObject(stopped);
    expect(emulator.requests.length).toBe(before);
  });

  test("before the first byte ends the call at once", async () => {
    const stop = new AbortController();
    emulator.script.reply({ hold: new Promise(() => undefined) });
    emulator.hooks.onRequest = () => stop.abort();
    expect(await failureOf(patient().complete({ ...ask, signal: stop.signal }))).toMatchObject(stopped);
  });

  test("in the middle ends it at once, and the API sees it", async () => {
    const stop = new AbortController();
    emulator.script.reply("Hello, ".repeat(100));
    let texts = 0;
    emulator.hooks.onEvent = (_, event) =>
      event.type === "content_block_delta" && ++texts > 3 ? new Promise<void>(() => undefined) : undefined;
    let heard = 0;
    const onText = () => {
      if (++heard === 3) stop.abort();
    };
    expect(await failureOf(patient().complete({ ...ask, signal: stop.signal, onText }))).toMatchObject({
      ...stopped,
      text: "Hello, ".repeat(100).slice(0, 60),
      usage: { inputTokens: 50, outputTokens: 30 },
    });
    await expect.poll(() => emulator.requests.at(-1)?.outcome).toBe("abandoned");
  });

  test("one call leaves the others alone", async () => {
    const stop = new AbortController();
    let release = (): void => undefined;
    const hold = new Promise<void>((resolve) => (release = resolve));
    emulator.script.reply({ text: "Hi", hold });
    const model = patient();
    const [one, other] = [model.complete({ ...ask, signal: stop.signal }), model.complete(ask)];
    stop.abort();
    expect(await failureOf(one)).toMatchObject(stopped);
    release();
    expect(await other).toMatchObject({ text: "Hi" });
  });
});
