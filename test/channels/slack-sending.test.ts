import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NormalizedMessage } from "#core/message.ts";
import type { Fault } from "#emulators/github/faults.ts";
import { type SlackWorld, startSlackWorld } from "./slack-world.ts";

let world: SlackWorld;
beforeEach(async () => {
  world = await startSlackWorld();
});
afterEach(() => world.slack.close());

const befall = (path: RegExp, effect: Fault["effect"], times = 1) =>
  world.slack.faults.add({ match: { path }, times, effect });
const answerWith = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  befall(/chat\.postMessage/, { kind: "answer", status, headers, body });
const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n} of the output`).join("\n");

describe("a response in Slack", () => {
  it("is posted into the thread with one call, marked with its id and revision", async () => {
    await world.sender.send(world.say("Looking into it."));
    const [message] = world.slack.botMessages();
    expect(world.slack.thread("general", world.asked.ts)).toHaveLength(2);
    expect(message?.metadata).toEqual({
      event_type: "codespar",
      event_payload: { id: "reply-1", revision: 1, part: 0 },
    });
    expect(world.slack.requests.map(({ path }) => path)).toEqual(["/api/chat.postMessage"]);
  });

  it("is edited in place, by one call a revision", async () => {
    for (const revision of [1, 2, 3]) await world.sender.send(world.say(`State ${revision}`, { revision }));
    expect(world.said()).toEqual(["State 3"]);
    expect(world.slack.botMessages()[0]?.metadata?.event_payload["revision"]).toBe(3);
    expect([world.calls("chat.postMessage"), world.calls("chat.update")]).toEqual([1, 2]);
  });

  it("is divided when it is long, and edited in all its messages", async () => {
    const text = (word: string) =>
      Array.from({ length: 30 }, (_, n) => `${word} ${n} ${"so it goes ".repeat(60)}.`).join("\n\n");
    await world.sender.send(world.reply({ blocks: [{ type: "text", text: text("before") }] }));
    expect(world.said().length).toBeGreaterThan(1);
    expect(
      await world.sender.send(world.reply({ revision: 2, blocks: [{ type: "text", text: text("after") }] })),
    ).toEqual({ ok: true });
    expect(world.said().join(" ")).not.toContain("before");
    for (let n = 0; n < 30; n++) expect(world.said().join(" ")).toContain(`after ${n} `);
  });

  it("takes away the messages that a shorter revision does not need", async () => {
    await world.sender.send(world.say("It goes on and on. ".repeat(1200)));
    await world.sender.send(world.say("Done.", { revision: 2 }));
    expect(world.said()).toEqual(["Done."]);
  });

  it("is attached as a file, once, when it is far too long", async () => {
    const long = world.reply({ blocks: [{ type: "code", code: lines(4000), language: null }] });
    expect(await world.sender.send(long)).toEqual({ ok: true });
    expect(await world.restarted().send(long)).toEqual({ ok: true });
    expect(new TextDecoder().decode(world.slack.file("codespar-reply-1.txt")?.content)).toBe(lines(4000));
    expect(world.slack.botMessages().filter(({ files }) => files.length > 0)).toHaveLength(1);
    expect(world.said().join(" ")).toContain("codespar-reply-1.txt");
  });

  it("is not attached twice although the answer was lost", async () => {
    const long = world.reply({ blocks: [{ type: "code", code: lines(4000), language: null }] });
    befall(/completeUploadExternal/, { kind: "lose-answer" });
    expect(await world.sender.send(long)).toMatchObject({ ok: false, retryable: true });
    expect(await world.restarted().send(long)).toEqual({ ok: true });
    expect(world.slack.botMessages().filter(({ files }) => files.length > 0)).toHaveLength(1);
  });

  it("is progress without a file, however long", async () => {
    await world.sender.send(
      world.reply({ kind: "progress", blocks: [{ type: "code", code: lines(4000), language: null }] }),
    );
    expect(world.slack.botMessages()).toHaveLength(1);
  });

  it("is one message although every answer on the way is lost once", async () => {
    befall(/chat\.postMessage/, { kind: "lose-answer" });
    befall(/conversations\.replies/, { kind: "lose-answer" });
    befall(/chat\.update/, { kind: "lose-answer" });
    const results = [];
    for (const revision of [1, 1, 2, 2, 2])
      results.push((await world.restarted().send(world.say(`State ${revision}`, { revision }))).ok);
    expect(results).toEqual([false, false, false, true, true]);
    expect(world.said()).toEqual(["State 2"]);
  });

  it("is found in a long thread, and not mistaken for another's", async () => {
    for (let n = 0; n < 450; n++) world.slack.people.write("grace", "general", `talk ${n}`, { thread: world.asked.ts });
    await world.sender.send(world.say("Another one.", { id: "reply-2" }));
    befall(/chat\.postMessage/, { kind: "lose-answer" });
    await world.sender.send(world.say("This one."));
    expect(await world.restarted().send(world.say("This one."))).toEqual({ ok: true });
    expect(world.said()).toEqual(["Another one.", "This one."]);
  });

  it("is not mistaken for what another app wrote with the same mark", async () => {
    const { ts } = world.slack.people.write("grace", "general", "not the bot's", { thread: world.asked.ts });
    const other = world.slack.thread("general", world.asked.ts).find((message) => message.ts === ts);
    const metadata = { event_type: "codespar", event_payload: { id: "reply-1", revision: 1, part: 0 } };
    Object.assign(other ?? {}, { botId: "B0OTHER", metadata });
    befall(/chat\.postMessage/, { kind: "answer", status: 503 });
    await world.sender.send(world.say("The real one."));
    expect(await world.restarted().send(world.say("The real one."))).toEqual({ ok: true });
    expect(world.said()).toEqual(["The real one."]);
  });

  it("goes on where Slack asked it to wait", async () => {
    const text = Array.from({ length: 30 }, (_, n) => `number ${n} ${"so it goes ".repeat(60)}.`).join("\n\n");
    const long = world.reply({ blocks: [{ type: "text", text }] });
    await world.sender.send({ ...long, id: "measure" });
    const whole = world.said();
    let posts = 0;
    world.slack.hooks.onRequest = ({ path }) => {
      if (path !== "/api/chat.postMessage" || ++posts !== 2) return;
      answerWith({ ok: false, error: "ratelimited" }, 429, { "retry-after": "1" });
    };
    expect(await world.sender.send(long)).toMatchObject({ ok: false, retryAfterMs: 1000 });
    expect(await world.restarted().send(long)).toEqual({ ok: true });
    expect(world.said()).toEqual([...whole, ...whole]);
  });

  it("is found in a direct conversation, which has no thread", async () => {
    const { channel, ts } = world.slack.people.direct("ada", "status");
    const conversation = { workspace: world.slack.team, id: channel, thread: null };
    const reply = world.say("All is well.", {
      target: { channel: "slack", conversation, replyTo: `${channel}:${ts}` },
    });
    befall(/chat\.postMessage/, { kind: "lose-answer" });
    await world.sender.send(reply);
    expect(await world.restarted().send(reply)).toEqual({ ok: true });
    expect(world.said()).toEqual(["All is well."]);
  });

  it("is posted anew when somebody has deleted it meanwhile", async () => {
    await world.sender.send(world.say("Working."));
    const [message] = world.slack.botMessages();
    await world.slack.people.remove("general", message?.ts ?? "");
    expect(await world.sender.send(world.say("Done.", { revision: 2 }))).toEqual({ ok: true });
    expect(world.said()).toEqual(["Done."]);
  });

  it("is said in words when Slack refuses its blocks", async () => {
    answerWith({
      ok: false,
      error: "invalid_blocks",
      response_metadata: { messages: ["[ERROR] downloading image failed"] },
    });
    expect(await world.sender.send(world.say("The chart & more"))).toEqual({ ok: true });
    expect(world.slack.botMessages()).toMatchObject([{ text: "The chart &amp; more", blocks: [] }]);
  });

  it("calls nobody, whatever it says", async () => {
    await world.sender.send(world.say("@here <!channel> <@U0ADA> `<!everyone>`"));
    await world.sender.send(world.say("@channel <!here> again", { revision: 2 }));
    expect(world.slack.botMessages()[0]?.calls).toEqual([]);
  });
});

describe("a failure of Slack", () => {
  const failure = () => world.sender.send(world.say("Hello"));

  it("that asks to wait says how long, and is not followed by a search", async () => {
    answerWith({ ok: false, error: "ratelimited" }, 429, { "retry-after": "7" });
    expect(await failure()).toEqual({
      ok: false,
      retryable: true,
      retryAfterMs: 7000,
      reason: "Slack asks for fewer messages.",
    });
    expect(await failure()).toEqual({ ok: true });
    expect(world.calls("conversations.replies")).toBe(0);
  });

  it.each(["internal_error", "fatal_error", "service_unavailable", "ratelimited"])(
    "that passes (%s) is tried again",
    async (error) => {
      answerWith({ ok: false, error });
      expect(await failure()).toMatchObject({ ok: false, retryable: true });
      expect(await failure()).toEqual({ ok: true });
      expect(world.said()).toEqual(["Hello"]);
    },
  );

  it.each([500, 502, 503, 429])("with status %i is tried again", async (status) => {
    answerWith("busy", status);
    expect(await failure()).toMatchObject({ ok: false, retryable: true });
  });

  it("with an answer that is none is tried again, and what was done is found", async () => {
    befall(/chat\.postMessage/, { kind: "malformed-body" });
    expect(await failure()).toMatchObject({ ok: false, retryable: true, reason: "Slack's answer could not be read." });
    expect(await failure()).toEqual({ ok: true });
    expect(world.said()).toEqual(["Hello"]);
  });

  it("is not followed elsewhere, with the token", async () => {
    answerWith("", 302, { location: "https://example.com/" });
    expect(await failure()).toMatchObject({ ok: false, retryable: false, reason: "Slack answered 302." });
  });

  it.each([
    ["not_in_channel", "Invite it"],
    ["channel_not_found", "Invite it"],
    ["is_archived", "archived"],
    ["invalid_auth", "SLACK_BOT_TOKEN"],
    ["account_inactive", "Install it again"],
    ["token_revoked", "Install the app again"],
    ["restricted_action", "does not let the bot post"],
    ["some_new_error", "some_new_error"],
  ])("that does not pass (%s) says what to do", async (error, advice) => {
    answerWith({ ok: false, error });
    expect(await failure()).toMatchObject({
      ok: false,
      retryable: false,
      reason: expect.stringContaining(advice) as string,
    });
  });

  it("for want of a scope names it", async () => {
    answerWith({ ok: false, error: "missing_scope", needed: "chat:write", provided: "commands" });
    expect(await failure()).toMatchObject({
      retryable: false,
      reason: expect.stringContaining("(chat:write)") as string,
    });
  });

  it("never tells the token", async () => {
    const results = [await world.restarted("xoxb-wrong").send(world.say("Hello"))];
    befall(/chat\.postMessage/, { kind: "lose-answer" });
    results.push(await failure());
    expect(JSON.stringify(results)).not.toContain("xoxb");
  });

  it("to look, for want of a scope, costs nobody the answer", async () => {
    await world.slack.close();
    world = await startSlackWorld({ scopes: ["chat:write"] });
    befall(/chat\.postMessage/, { kind: "answer", status: 503, body: "busy" });
    expect(await failure()).toMatchObject({ retryable: true });
    expect(await failure()).toEqual({ ok: true });
  });
});

describe("the first sign", () => {
  const message = (): NormalizedMessage => ({
    id: "delivery-1",
    channel: "slack",
    conversation: world.reply({}).target.conversation,
    sender: { account: "U1", name: "ada" },
    text: "fix the login",
    mentionsBot: true,
    isDirect: false,
    action: null,
    replyTo: null,
    attachments: [],
    sentAt: 0,
    metadata: {},
  });

  it("is a status under the thread, which the reply takes away", async () => {
    await world.sender.acknowledge(message());
    expect(world.slack.status("general", world.asked.ts)).toBe("is working on it…");
    await world.sender.send(world.say("Done."));
    expect(world.slack.status("general", world.asked.ts)).toBeNull();
  });

  it("fails without anybody noticing", async () => {
    befall(/setStatus/, { kind: "lose-answer" });
    await expect(world.sender.acknowledge(message())).resolves.toBeUndefined();
  });
});

describe("a person's name", () => {
  it("is asked for once", async () => {
    const { id } = world.slack.person("ada");
    expect([await world.sender.nameOf(id), await world.sender.nameOf(id)]).toEqual(["ada", "ada"]);
    expect(world.calls("users.info")).toBe(1);
  });

  it("is unknown when Slack does not say", async () => {
    expect(await world.sender.nameOf("U0NOBODY")).toBeNull();
  });
});
