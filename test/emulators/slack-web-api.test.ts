import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SlackApp, startSlackApp } from "./slack-app.ts";

let app: SlackApp;
beforeEach(async () => {
  app = await startSlackApp();
});
afterEach(() => app.end());

describe("the Slack emulator's Web API", () => {
  const channel = () => app.slack.channel("general").id;
  const section = (length: number) => ({ type: "section", text: { type: "mrkdwn", text: "x".repeat(length) } });

  it("knows its token", async () => {
    expect(await app.call("auth.test", {})).toMatchObject({ ok: true, bot_id: app.slack.bot.botId });
    expect(await app.call("auth.test", {}, "xoxb-other")).toMatchObject({ ok: false, error: "invalid_auth" });
    expect(await app.call("chat.sing", {})).toMatchObject({ error: "unknown_method" });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["no text", {}, "no_text"],
    ["51 blocks", { blocks: Array.from({ length: 51 }, () => ({ type: "divider" })) }, "invalid_blocks"],
    ["a section of 3,001 characters", { blocks: [section(3001)] }, "invalid_blocks"],
    [
      "a markdown block of 12,001 characters",
      { blocks: [{ type: "markdown", text: "x".repeat(12_001) }] },
      "invalid_blocks",
    ],
    [
      "blocks of 15,000 characters in all",
      { blocks: Array.from({ length: 5 }, () => section(3000)) },
      "msg_blocks_too_long",
    ],
    ["a block of no known type", { blocks: [{ type: "video_wall" }] }, "invalid_blocks"],
    ["blocks that are no list", { text: "x", blocks: "{" }, "invalid_blocks_format"],
    ["40,001 characters", { text: "x".repeat(40_001) }, "msg_too_long"],
    ["metadata without a type", { text: "x", metadata: { event_payload: {} } }, "invalid_metadata_format"],
    ["a thread that is not there", { text: "x", thread_ts: "1.1" }, "thread_not_found"],
    ["an unknown channel", { text: "x", channel: "C0NOWHERE" }, "channel_not_found"],
  ])("refuses %s", async (_, args, error) => {
    expect(await app.call("chat.postMessage", { channel: channel(), ...args })).toMatchObject({ ok: false, error });
  });

  it.each([
    ["text of 76 characters", { text: { type: "plain_text", text: "x".repeat(76) } }],
    ["a value of 2,001 characters", { value: "x".repeat(2001) }],
    ["a style nobody knows", { style: "loud" }],
  ])("refuses a button with %s", async (_, of) => {
    const elements = [{ type: "button", action_id: "a", text: { type: "plain_text", text: "Go" }, ...of }];
    const blocks = [{ type: "actions", elements }];
    expect(await app.call("chat.postMessage", { channel: channel(), text: "x", blocks })).toMatchObject({
      error: "invalid_blocks",
    });
  });

  it("keeps edits, and refuses longer ones than a new message may be", async () => {
    const { ts } = await app.call("chat.postMessage", { channel: channel(), text: "one" });
    expect(await app.call("chat.update", { channel: channel(), ts, text: "two" })).toMatchObject({ ok: true });
    expect(await app.call("chat.update", { channel: channel(), ts, text: "é".repeat(2001) })).toMatchObject({
      error: "msg_too_long",
    });
    expect(app.slack.botMessages("general")).toMatchObject([{ text: "two", edits: 1 }]);
  });

  it("refuses to edit what others wrote", async () => {
    const { ts } = app.slack.people.write("ada", "general", "mine");
    expect(await app.call("chat.update", { channel: channel(), ts, text: "x" })).toMatchObject({
      error: "cant_update_message",
    });
    expect(await app.call("chat.update", { channel: channel(), ts: "1.1", text: "x" })).toMatchObject({
      error: "message_not_found",
    });
  });

  it("hands out metadata to those who ask, page by page", async () => {
    const { ts } = app.slack.people.write("ada", "general", "hello");
    for (let n = 0; n < 5; n++) {
      const metadata = { event_type: "codespar", event_payload: { n } };
      await app.call("chat.postMessage", { channel: channel(), thread_ts: ts, text: `reply ${n}`, metadata });
    }
    const query = { channel: channel(), ts, limit: 4, include_all_metadata: true };
    const first = await app.call("conversations.replies", query);
    const second = await app.call("conversations.replies", {
      ...query,
      cursor: first["response_metadata"].next_cursor,
    });
    expect([first["messages"].length, second["messages"].length, second["response_metadata"].next_cursor]).toEqual([
      4,
      2,
      "",
    ]);
    expect(second["messages"][1].metadata.event_payload).toEqual({ n: 4 });
    expect((await app.call("conversations.replies", { channel: channel(), ts }))["messages"][1]).not.toHaveProperty(
      "metadata",
    );
  });

  it("refuses archived channels, and those the bot is not in", async () => {
    app.slack.channel("attic").archived = true;
    const closed = app.slack.channel("private");
    closed.open = false;
    closed.members.delete(app.slack.bot.id);
    expect(await app.call("chat.postMessage", { channel: app.slack.channel("attic").id, text: "x" })).toMatchObject({
      error: "is_archived",
    });
    expect(await app.call("chat.postMessage", { channel: app.slack.channel("private").id, text: "x" })).toMatchObject({
      error: "not_in_channel",
    });
  });

  it("says whom a message would call", async () => {
    await app.call("chat.postMessage", { channel: channel(), text: "<!here> @channel" });
    await app.call("chat.postMessage", { channel: channel(), text: "@channel", parse: "full" });
    await app.call("chat.postMessage", {
      channel: channel(),
      text: "&lt;!here&gt;",
      blocks: [
        { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: "<!here>" }] }] },
      ],
    });
    expect(app.slack.botMessages().map(({ calls }) => calls)).toEqual([["@here"], ["@channel"], []]);
  });

  it("names a scope that is missing", async () => {
    await app.end();
    app = await startSlackApp({ scopes: ["commands"] });
    expect(await app.call("chat.postMessage", { channel: channel(), text: "x" })).toMatchObject({
      error: "missing_scope",
      needed: "chat:write",
    });
  });

  it("asks to wait when there are too many messages", async () => {
    await app.end();
    app = await startSlackApp({ rateLimits: true });
    const posts = Array.from({ length: 20 }, (_, n) =>
      app.call("chat.postMessage", { channel: channel(), text: `message ${n}` }),
    );
    const results = await Promise.all(posts);
    expect(results.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(5);
    const refused = results.find(({ status }) => status === 429);
    expect(refused).toMatchObject({ retryAfter: "1", error: "ratelimited" });
  });

  it("does the work and loses the answer, when told to", async () => {
    app.slack.faults.add({ match: { path: /postMessage/ }, times: 1, effect: { kind: "lose-answer" } });
    await expect(app.call("chat.postMessage", { channel: channel(), text: "x" })).rejects.toThrow("fetch failed");
    expect(app.slack.botMessages()).toHaveLength(1);
    expect(app.slack.requests).toMatchObject([{ path: "/api/chat.postMessage", status: null }]);
  });

  it("tells when something has happened", async () => {
    const seen = app.slack.until(() => app.slack.botMessages().length === 1, 5000);
    await app.call("chat.postMessage", { channel: channel(), text: "x" });
    await expect(seen).resolves.toBeUndefined();
  });
});
