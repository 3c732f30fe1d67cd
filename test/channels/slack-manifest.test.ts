import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SlackWorld, startSlackWorld } from "./slack-world.ts";

const MANIFEST = readFileSync(new URL("../../docs/slack-manifest.yaml", import.meta.url), "utf8");

/** The items of a list in the manifest, by its key. */
const listed = (key: string): string[] => {
  const items = new RegExp(`^ *${key}:\\n((?: +- \\S+.*\\n)+)`, "m").exec(MANIFEST)?.[1] ?? "";
  return [...items.matchAll(/- (\S+)/g)].map(([, item]) => item ?? "");
};

describe("an app made from the manifest", () => {
  let world: SlackWorld;
  beforeAll(async () => {
    world = await startSlackWorld({ scopes: listed("bot") });
  });
  afterAll(() => world.slack.close());

  const loseAnswer = () =>
    world.slack.faults.add({ match: { path: /postMessage/ }, times: 1, effect: { kind: "lose-answer" } });

  it("hears of mentions, and of messages in all kinds of conversation", () => {
    expect(listed("bot_events")).toEqual([
      "app_mention",
      "message.channels",
      "message.groups",
      "message.im",
      "message.mpim",
    ]);
  });

  it("has one address for everything", () => {
    const addresses = [...MANIFEST.matchAll(/(?:request_url|url): (\S+)/g)].map(([, address]) => address);
    expect(new Set(addresses)).toEqual(new Set(["https://codespar.example.workers.dev/webhooks/slack"]));
    expect(addresses).toHaveLength(3);
  });

  it("may send, edit, and find again what was sent", async () => {
    loseAnswer();
    for (const revision of [1, 1, 2]) await world.sender.send(world.say(`State ${revision}`, { revision }));
    expect(world.said()).toEqual(["State 2"]);
    expect(world.slack.requests.filter(({ error }) => error !== null)).toEqual([]);
  });

  it("may find again what was sent directly", async () => {
    const { channel } = world.slack.people.direct("ada", "status");
    const conversation = { workspace: world.slack.team, id: channel, thread: null };
    const reply = world.say("Well.", { id: "direct", target: { channel: "slack", conversation, replyTo: null } });
    loseAnswer();
    await world.sender.send(reply);
    expect(await world.sender.send(reply)).toEqual({ ok: true });
    expect(world.slack.botMessages(channel)).toHaveLength(1);
  });

  it("may answer in a public channel that the bot was not invited to", async () => {
    const open = world.slack.channel("open");
    open.members.clear();
    const conversation = { workspace: world.slack.team, id: open.id, thread: null };
    const reply = world.say("Here.", { id: "open", target: { channel: "slack", conversation, replyTo: null } });
    expect(await world.sender.send(reply)).toEqual({ ok: true });
  });

  it("may attach files, look at pictures, and ask for names", async () => {
    const long = world.reply({ id: "long", blocks: [{ type: "code", code: "line\n".repeat(9000), language: null }] });
    expect(await world.sender.send(long)).toEqual({ ok: true });
    const content = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]);
    world.slack.people.write("ada", "general", "look", {
      files: [{ name: "a.jpg", mediaType: "image/jpeg", content }],
    });
    const picture = `${world.slack.url}/files-pri/T-${world.slack.file("a.jpg")?.id}/a.jpg`;
    expect(await world.sender.fetchAttachment(picture)).toMatchObject({ ok: true });
    expect(await world.sender.nameOf(world.slack.person("ada").id)).toBe("ada");
  });
});
