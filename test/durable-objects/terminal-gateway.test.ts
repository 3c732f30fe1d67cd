import { evictDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { text, toPlainText } from "#core/response.ts";
import type { TerminalMessage } from "#core/terminal-protocol.ts";
import { ProjectAgent } from "#durable-objects/project-agent/agent.ts";
import { connect, setUp, tokenOf } from "../worker/client.ts";
import { eventually, gatewayOf, keptFor, unique } from "../worker/world.ts";

afterEach(() => vi.restoreAllMocks());

const person = (account: string, conversation = "main") => ({ account, name: account, conversation });
const final = (id: string, words: string, revision = 1): TerminalMessage => ({
  type: "message",
  id,
  revision,
  kind: "final",
  ok: true,
  inReplyTo: id,
  blocks: [text(words)],
});

describe("a terminal", () => {
  it("is told who it is taken for, before anything else", async () => {
    const account = unique("anna");
    const terminal = await connect(tokenOf(account));
    const welcome = await terminal.event("welcome");
    expect(terminal.events[0]).toBe(welcome);
    expect(welcome).toMatchObject({
      account,
      conversation: "main",
      commands: expect.arrayContaining(["fix", "status"]),
    });
  });

  it("gets its message accepted, and then one final reply", async () => {
    const { account, token, project } = await setUp();
    const terminal = await connect(token);
    terminal.send({ type: "message", id: "one", text: "status" });
    await terminal.event("accepted", ({ id }) => id === "one");
    const reply = await terminal.finalOf("one");
    expect(toPlainText(reply.blocks)).toContain(`Project: ${project}`);
    terminal.ack(reply);
    await terminal.ping();
    expect(terminal.events.filter((event) => event.type === "message" && event.kind === "final")).toHaveLength(1);
    await eventually(async () => expect(await keptFor(person(account))).toEqual([]));
  });

  it("gets one reply when it sends a message twice", async () => {
    const { token } = await setUp();
    const terminal = await connect(token);
    for (const _ of [1, 2]) terminal.send({ type: "message", id: "one", text: "whoami" });
    const reply = await terminal.finalOf("one");
    terminal.ack(reply);
    await eventually(() => expect(terminal.events.filter(({ type }) => type === "accepted")).toHaveLength(2));
    await terminal.ping();
    expect(terminal.events.filter((event) => event.type === "message")).toHaveLength(1);
  });

  it("sees the same as another terminal of its conversation", async () => {
    const { token } = await setUp();
    const [one, two] = await Promise.all([connect(token), connect(token)]);
    one.send({ type: "message", id: "one", text: "whoami" });
    const [first, second] = await Promise.all([one.finalOf("one"), two.finalOf("one")]);
    expect(first).toEqual(second);
    one.ack(first);
  });

  it("is told when a message could not be stored, and can send it again", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { token } = await setUp();
    const terminal = await connect(token);
    vi.spyOn(ProjectAgent.prototype, "receive").mockRejectedValueOnce(new Error("away"));
    terminal.send({ type: "message", id: "one", text: "whoami" });
    expect((await terminal.event("error", ({ id }) => id === "one")).message).toContain("Send it again");
    terminal.send({ type: "message", id: "one", text: "whoami" });
    terminal.ack(await terminal.finalOf("one"));
  });
});

describe("a message for a terminal that is not connected", () => {
  it("is kept, and delivered once on connecting", async () => {
    const account = unique("anna");
    await gatewayOf(person(account)).deliver(final("one", "done"));
    const terminal = await connect(tokenOf(account));
    const reply = await terminal.finalOf("one");
    terminal.ack(reply);
    await terminal.ping();
    expect(terminal.events.filter(({ type }) => type === "message")).toHaveLength(1);
    terminal.socket.close(1000);
    const again = await connect(tokenOf(account));
    await again.ping();
    expect(again.events.filter(({ type }) => type === "message")).toEqual([]);
  });

  it("is kept in its newest revision only", async () => {
    const account = unique("anna");
    const gateway = gatewayOf(person(account));
    await gateway.deliver({ ...final("one", "working"), kind: "progress" });
    await gateway.deliver(final("one", "done", 2));
    expect(await keptFor(person(account))).toMatchObject([{ revision: 2, kind: "final" }]);
  });

  it("is kept too when a terminal is connected and does not say that it showed it", async () => {
    const account = unique("anna");
    const terminal = await connect(tokenOf(account));
    await gatewayOf(person(account)).deliver(final("one", "done"));
    expect(await keptFor(person(account))).toHaveLength(1);
    // A late acknowledgement still counts; one of an older revision does not.
    terminal.send({ type: "ack", id: "one", revision: 0 });
    await terminal.ping();
    expect(await keptFor(person(account))).toHaveLength(1);
    terminal.send({ type: "ack", id: "one", revision: 1 });
    await terminal.ping();
    expect(await keptFor(person(account))).toEqual([]);
  });

  it("comes with an id that can be acknowledged, however long the names are", async () => {
    const account = `${unique("a")}${"a".repeat(80)}`;
    const conversation = "c".repeat(99);
    const terminal = await connect(tokenOf(account), conversation);
    const id = '"'.repeat(100);
    terminal.send({ type: "message", id, text: "whoami" });
    terminal.ack(await terminal.finalOf(id));
    await terminal.ping();
    expect(terminal.events.filter(({ type }) => type === "error")).toEqual([]);
    await eventually(async () => expect(await keptFor(person(account, conversation))).toEqual([]));
  });
});

describe("hibernation", () => {
  it("keeps connections and who is at them", async () => {
    const { account, token } = await setUp();
    const terminal = await connect(token);
    await terminal.ping();
    await evictDurableObject(gatewayOf(person(account)));
    await terminal.ping();
    expect(terminal.isClosed()).toBe(false);
    terminal.send({ type: "message", id: "one", text: "whoami" });
    const reply = await terminal.finalOf("one");
    expect(toPlainText(reply.blocks)).toContain(`Account: ${account}`);
    terminal.ack(reply);
  });
});

describe("a frame that the protocol does not know", () => {
  const frames: Record<string, string | ArrayBuffer> = {
    empty: "",
    "no JSON": "{",
    null: "null",
    "a list": "[]",
    "a number": "17",
    "another type": '{"type":"shutdown"}',
    "no id": '{"type":"message","text":"status"}',
    "an empty id": '{"type":"message","id":"","text":"status"}',
    "too long an id": JSON.stringify({ type: "message", id: "x".repeat(101), text: "status" }),
    "no text": '{"type":"message","id":"one"}',
    "text that is none": '{"type":"message","id":"one","text":{"toString":"x"}}',
    "an acknowledgement of nothing": '{"type":"ack"}',
    "a prototype": '{"__proto__":{"type":"ping"}}',
    binary: new Uint8Array([0, 255, 1]).buffer,
    "a megabyte": "x".repeat(1_100_000),
    "deep nesting": "[".repeat(50_000),
  };

  it("is answered, and leaves the connection as it was", async () => {
    const { account, token } = await setUp();
    const terminal = await connect(token);
    for (const [index, frame] of Object.values(frames).entries()) {
      terminal.send(frame);
      await eventually(() => expect(terminal.events.filter(({ type }) => type === "error")).toHaveLength(index + 1));
    }
    await terminal.ping();
    expect(terminal.isClosed()).toBe(false);
    expect(await keptFor(person(account))).toEqual([]);
  });

  it("is answered with its id when its text is too long, and taken when it is just not", async () => {
    const { token } = await setUp();
    const terminal = await connect(token);
    terminal.send({ type: "message", id: "long", text: "x".repeat(100_001) });
    expect((await terminal.event("error", ({ id }) => id === "long")).message).toContain("100,001 characters");
    terminal.send({ type: "message", id: "just", text: "x".repeat(100_000) });
    terminal.ack(await terminal.finalOf("just"));
  });
});

describe("one account's token", () => {
  it("opens its own conversation of a name, not another's", async () => {
    const anna = await setUp();
    const bo = unique("bo");
    const [annas, bos] = await Promise.all([connect(anna.token), connect(tokenOf(bo))]);
    expect(await bos.event("welcome")).toMatchObject({ account: bo });
    annas.send({ type: "message", id: "one", text: "whoami" });
    annas.ack(await annas.finalOf("one"));
    await bos.ping();
    expect(bos.events.map(({ type }) => type)).toEqual(["welcome", "pong"]);
    bos.send({ type: "message", id: "two", text: "status" });
    const reply = await bos.finalOf("two");
    expect([reply.ok, toPlainText(reply.blocks)]).toEqual([false, expect.stringContaining("not linked to a project")]);
    bos.ack(reply);
  });

  it("cannot name another's conversation", async () => {
    const anna = await setUp();
    await expect(connect(tokenOf(unique("bo")), `${anna.account}:main`)).rejects.toThrow("400");
    await expect(connect(tokenOf(unique("bo")), `..%2F${anna.account}`)).rejects.toThrow("400");
  });

  it("cannot say that it is another's session", async () => {
    const anna = await setUp();
    const bo = unique("bo");
    const session = encodeURIComponent(JSON.stringify({ account: anna.account, name: "Anna", conversation: "main" }));
    const terminal = await connect(tokenOf(bo), "main", { "x-terminal-session": session });
    expect(await terminal.event("welcome")).toMatchObject({ account: bo });
  });
});
