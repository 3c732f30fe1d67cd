import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startModelEmulator, type ModelEmulator } from "#emulators/model/emulator.ts";

let emulator: ModelEmulator;
beforeAll(async () => {
  emulator = await startModelEmulator({ port: 0 });
});
afterEach(() => emulator.script.clear());
afterAll(() => emulator.close());

const post = (more: object = {}, signal: AbortSignal | null = null) =>
  fetch(`${emulator.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "any", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({
      model: "claude-sonnet-5-5",
      max_tokens: 100,
      messages: [{ role: "user", content: "x" }],
      ...more,
    }),
    signal,
  });

test.each([
  [429, "rate_limit_error"],
  [500, "api_error"],
  [503, "api_error"],
  [529, "overloaded_error"],
])("an error %i has the type %s, the headers given, and the API's form", async (status, type) => {
  emulator.script.reply({ error: { status, message: "No.", headers: { "retry-after": "7" } } });
  const response = await post({ stream: true });
  expect([response.status, response.headers.get("retry-after")]).toEqual([status, "7"]);
  expect(await response.json()).toEqual({
    type: "error",
    error: { type, message: "No.", details: null },
    request_id: response.headers.get("request-id"),
  });
});

test("an answer in one piece breaks in its middle", async () => {
  emulator.script.reply({ text: "Hello", cutAfter: 3 });
  const response = await post();
  await expect(response.text()).rejects.toThrow("terminated");
});

test("a connection that is broken without a word", async () => {
  emulator.script.reply({ cutAfter: 0 });
  await expect(post()).rejects.toThrow("fetch failed");
  await expect.poll(() => emulator.requests.at(-1)).toMatchObject({ status: 200, outcome: "abandoned" });
});

test("a stream breaks after as many events as it is told", async () => {
  emulator.script.reply({ text: "Hello", cutAfter: 2 });
  const response = await post({ stream: true });
  let received = "";
  const reading = (async () => {
    for await (const chunk of response.body ?? []) received += new TextDecoder().decode(chunk);
  })();
  await expect(reading).rejects.toThrow("terminated");
  expect(received.match(/^event: .*/gm)).toEqual(["event: message_start", "event: ping", "event: content_block_start"]);
});

test("garbage is sent as it is, with the type of what was asked for", async () => {
  emulator.script.reply({ garbage: "<html>" });
  const [whole, streamed] = [await post(), await post({ stream: true })];
  expect([await whole.text(), whole.headers.get("content-type")]).toEqual(["<html>", "application/json"]);
  expect([await streamed.text(), streamed.headers.get("content-type")]).toEqual([
    "<html>",
    "text/event-stream; charset=utf-8",
  ]);
});

test("an answer that is held comes when it is let go", async () => {
  let release = (): void => undefined;
  emulator.script.reply({ text: "Hi", hold: new Promise<void>((resolve) => (release = resolve)) });
  let answered = false;
  const response = post().then((arrived) => ((answered = true), arrived));
  await expect.poll(() => emulator.requests.at(-1)?.outcome).toBe("running");
  expect(answered).toBe(false);
  release();
  expect((await response).status).toBe(200);
});

test("a caller who goes is noticed, also while the answer is held", async () => {
  const leave = new AbortController();
  emulator.script.reply({ hold: new Promise(() => undefined), delayMs: 600_000 });
  emulator.hooks.onRequest = () => leave.abort();
  await expect(post({}, leave.signal)).rejects.toThrow("aborted");
  delete emulator.hooks.onRequest;
  await expect.poll(() => emulator.requests.at(-1)).toMatchObject({ status: null, outcome: "abandoned" });
});

test("closing ends what still runs", async () => {
  const other = await startModelEmulator({ port: 0 });
  other.script.reply({ hold: new Promise(() => undefined), delayMs: 600_000 });
  const ended = fetch(`${other.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "any", "anthropic-version": "2023-06-01" },
    body: JSON.stringify({ model: "claude-sonnet-5-5", max_tokens: 1, messages: [{ role: "user", content: "x" }] }),
  }).catch((error: unknown) => String(error));
  await expect.poll(() => other.requests.length).toBe(1);
  await other.close();
  expect(await ended).toContain("fetch failed");
});

test("a script that throws is the emulator's own failure", async () => {
  emulator.script.reply(() => {
    throw new Error("a mistake in the test");
  });
  expect((await post()).status).toBe(500);
});
