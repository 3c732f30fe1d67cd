import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchSlackAttachment, mayReceiveToken } from "#channels/slack/pictures.ts";
import { BOT_TOKEN, type SlackWorld, startSlackWorld } from "./slack-world.ts";

const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);

let world: SlackWorld;
beforeEach(async () => {
  world = await startSlackWorld();
});
afterEach(() => world.slack.close());

/** The address of a picture that somebody sent. */
function sent(content: Uint8Array, name = "screen.png", mediaType = "image/png"): string {
  world.slack.people.write("ada", "general", "@codespar look", { files: [{ name, mediaType, content }] });
  return `${world.slack.url}/files-pri/${world.slack.team}-${world.slack.file(name)?.id}/${name}`;
}

describe("a picture in Slack", () => {
  it("is fetched with the bot's token", async () => {
    expect(await world.sender.fetchAttachment(sent(PNG))).toEqual({ ok: true, mediaType: "image/png", content: PNG });
  });

  it("is known by its content, not by what it is called", async () => {
    const gif = new TextEncoder().encode("GIF89a...");
    expect(await world.sender.fetchAttachment(sent(gif))).toMatchObject({ ok: true, mediaType: "image/gif" });
  });

  it("that is none is refused", async () => {
    const text = new TextEncoder().encode("hello");
    expect(await world.sender.fetchAttachment(sent(text))).toMatchObject({
      ok: false,
      reason: expect.stringContaining("no PNG") as string,
    });
  });

  it("that turns out too large is refused", async () => {
    const large = new Uint8Array(4 * 1024 * 1024 + 1);
    large.set(PNG);
    expect(await world.sender.fetchAttachment(sent(large))).toMatchObject({
      ok: false,
      reason: "The picture is larger than 4 MB.",
    });
  });

  it("that is not handed out names the missing scope", async () => {
    await world.slack.close();
    world = await startSlackWorld({ scopes: ["chat:write"] });
    expect(await world.sender.fetchAttachment(sent(PNG))).toMatchObject({
      ok: false,
      retryable: false,
      reason: expect.stringContaining("files:read") as string,
    });
  });

  it("behind a redirect is not followed", async () => {
    world.slack.faults.add({
      match: { path: /files-pri/ },
      effect: { kind: "answer", status: 302, headers: { location: "https://example.com/" } },
    });
    expect(await world.sender.fetchAttachment(sent(PNG))).toMatchObject({
      ok: false,
      reason: expect.stringContaining("files:read") as string,
    });
  });

  it("is asked for again later when Slack fails", async () => {
    world.slack.faults.add({ match: { path: /files-pri/ }, effect: { kind: "answer", status: 503 } });
    expect(await world.sender.fetchAttachment(sent(PNG))).toMatchObject({ ok: false, retryable: true });
  });

  it("elsewhere is not fetched at all", async () => {
    const elsewhere = await startSlackWorld();
    const reference = `${elsewhere.slack.url}/files-pri/T-F1/a.png`;
    expect(await fetchSlackAttachment(reference, { token: BOT_TOKEN, apiUrl: world.slack.apiUrl })).toMatchObject({
      ok: false,
    });
    expect(elsewhere.slack.requests).toEqual([]);
    await elsewhere.slack.close();
  });
});

describe("the bot's token", () => {
  const api = "https://slack.com/api/";
  it.each(["https://files.slack.com/files-pri/T-F/a.png", "https://slack.com/a", "https://acme.slack.com/files/a"])(
    "may go to %s",
    (address) => {
      expect(mayReceiveToken(address, api)).toBe(true);
    },
  );
  it.each([
    "http://files.slack.com/a.png",
    "https://files.slack.com:8443/a.png",
    "https://slack.com.example.com/a.png",
    "https://notslack.com/a.png",
    "https://user:word@files.slack.com/a.png",
    "https://example.com/files.slack.com",
    "file:///etc/passwd",
    "no address",
  ])("may not go to %s", (address) => {
    expect(mayReceiveToken(address, api)).toBe(false);
  });
  it("may go to the file hosts of another Slack, if that is the one that is used", () => {
    expect(mayReceiveToken("https://files.slack-gov.com/a.png", "https://slack-gov.com/api/")).toBe(true);
    expect(mayReceiveToken("https://files.slack-gov.com/a.png", api)).toBe(false);
  });
});
