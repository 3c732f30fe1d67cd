import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSlackReceiver } from "#channels/slack.ts";
import { SECRET, type SlackApp, startSlackApp } from "./slack-app.ts";

let app: SlackApp;
beforeEach(async () => {
  app = await startSlackApp();
});
afterEach(() => app.end());

describe("people in the Slack emulator", () => {
  it("mention the bot: two events with one delivery id", async () => {
    const { delivered } = app.slack.people.write(
      "ada",
      "general",
      "@codespar fix a < b & see https://example.com/?a=1&b=2",
    );
    expect((await delivered).map(({ status }) => status)).toEqual([200, 200]);
    const [one, other] = app.messages();
    expect(one?.text).toBe("fix a < b & see https://example.com/?a=1&b=2");
    expect(one?.id).toBe(other?.id);
    expect(one?.conversation.thread).toBe(other?.conversation.thread);
  });

  it("write directly, and in threads", async () => {
    await app.slack.people.direct("ada", "status").delivered;
    const { ts, delivered } = app.slack.people.write("ada", "general", "@codespar fix it");
    await delivered;
    await app.slack.people.write("grace", "general", "stop", { thread: ts }).delivered;
    expect(app.messages().map(({ text, isDirect, mentionsBot }) => [text, isDirect, mentionsBot])).toEqual([
      ["status", true, false],
      ["fix it", false, true],
      ["fix it", false, true],
      ["stop", false, false],
    ]);
    expect(app.messages().at(-1)?.conversation.thread).toBe(ts);
  });

  it("talk to each other, edit and delete without any of it reaching an agent", async () => {
    const { ts, channel, delivered } = app.slack.people.write("ada", "general", "good morning");
    await delivered;
    await app.slack.people.edit(channel, ts, "good evening");
    await app.slack.people.remove(channel, ts);
    expect(app.heard).toHaveLength(3);
    expect(app.messages()).toEqual([]);
  });

  it("send pictures", async () => {
    const files = [{ name: "a.png", mediaType: "image/png", content: new Uint8Array(9) }];
    await app.slack.people.direct("ada", "what is this?", { files }).delivered;
    expect(app.messages()[0]?.attachments).toMatchObject([{ name: "a.png", mediaType: "image/png", bytes: 9 }]);
  });

  it("click buttons, and type commands", async () => {
    const { ts, delivered } = app.slack.people.write("ada", "general", "@codespar deploy");
    await delivered;
    const element = {
      type: "button",
      action_id: "codespar:0:approve",
      value: "approve dp-1",
      text: { type: "plain_text", text: "Approve" },
    };
    const posted = await app.call("chat.postMessage", {
      channel: app.slack.channel("general").id,
      thread_ts: ts,
      text: "Deploy?",
      blocks: [{ type: "actions", elements: [element] }],
    });
    await app.slack.settled();
    expect((await app.slack.people.click("grace", "general", posted["ts"] as string, "Approve")).status).toBe(200);
    expect(app.messages().at(-1)).toMatchObject({
      text: "approve dp-1",
      action: { name: "approve", value: "approve dp-1" },
      sender: { name: "grace" },
      conversation: { thread: ts },
    });
    expect((await app.slack.people.slash("ada", "general", "status all")).answer).toBe(
      '{"response_type":"in_channel"}',
    );
    expect(app.messages().at(-1)).toMatchObject({
      text: "status all",
      mentionsBot: true,
      conversation: { thread: null },
    });
  });

  it("enter the app's address, which Slack checks", async () => {
    const [tried] = await app.slack.people.handshake();
    expect(JSON.parse(tried?.answer ?? "")).toHaveProperty("challenge");
  });

  it("see what the app posts; the app hears of it, as a bot's message", async () => {
    await app.call("chat.postMessage", { channel: app.slack.channel("general").id, text: "Hello" });
    await app.slack.settled();
    expect(app.heard.map(({ parsed }) => parsed.kind)).toEqual(["ignored"]);
  });
});

describe("events of the Slack emulator", () => {
  it("are sent again when the app fails, four times in all, saying so", async () => {
    app.answers.push(500, 503, 500, 500);
    const tries = await app.slack.people.direct("ada", "status").delivered;
    expect(tries.map(({ status }) => status)).toEqual([500, 503, 500, 500]);
    expect(app.heard.map(({ retry, reason }) => [retry, reason])).toEqual([
      [null, null],
      ["1", "http_error"],
      ["2", "http_error"],
      ["3", "http_error"],
    ]);
    expect(new Set(app.messages().map(({ id }) => id)).size).toBe(1);
  });

  it("are sent again when the app does not answer in time", async () => {
    await app.end();
    app = await startSlackApp({ answerWithinMs: 200 });
    app.answers.push(null);
    const tries = await app.slack.people.direct("ada", "status").delivered;
    expect(tries.map(({ status }) => status)).toEqual([null, 200]);
    expect(app.heard[1]).toMatchObject({ retry: "1", reason: "http_timeout" });
  });

  it("are refused by an app with another secret", async () => {
    const { body, headers } = app.slack.sign("{}", "application/json", Date.now() - 600_000);
    const incoming = { rawBody: body, headers: new Headers(headers), now: Date.now() };
    expect(createSlackReceiver({ signingSecret: SECRET }).verify(incoming)).toEqual({
      ok: false,
      reason: "The timestamp is stale.",
    });
    expect(createSlackReceiver({ signingSecret: "" }).verify(incoming)).toMatchObject({ ok: false });
  });
});
