import { describe, expect, it } from "vitest";
import { text } from "#core/response.ts";
import type { TerminalMessage } from "#core/terminal-protocol.ts";
import { connect, errorOf, post, setUp, tokenOf } from "../worker/client.ts";
import { gatewayOf, keptFor, unique } from "../worker/world.ts";

describe("a final reply that a connected terminal does not acknowledge", () => {
  it("is shown to one that connects meanwhile, whose acknowledgement counts", async () => {
    const person = { account: unique("anna"), name: "Anna", conversation: "main" };
    const deaf = await connect(tokenOf(person.account));
    const reply: TerminalMessage = {
      type: "message",
      id: "one",
      revision: 1,
      kind: "final",
      ok: true,
      inReplyTo: "one",
      blocks: [text("done")],
    };
    const delivered = gatewayOf(person).deliver(reply);
    await deaf.finalOf("one");
    const second = await connect(tokenOf(person.account));
    second.ack(await second.finalOf("one"));
    await delivered;
    expect(await keptFor(person)).toEqual([]);
  });
});

describe("a delivery id", () => {
  const strange: [string, string][] = [
    ["half a character", "\ud800"],
    ["a space", "a b"],
    ["a line break", "a\n"],
    ["a nul", "\u0000"],
    ["an emoji", "🚀"],
    ["a letter with an accent", "é"],
    ["a zero-width space", "a\u200b"],
  ];

  it("that would not come back as it was sent is refused over the WebSocket", async () => {
    const { account, token } = await setUp();
    const terminal = await connect(token);
    for (const [, id] of strange) terminal.send({ type: "message", id, text: "whoami" });
    terminal.send({ type: "message", id: "plain", text: "whoami" });
    terminal.ack(await terminal.finalOf("plain"));
    await terminal.ping();
    const [errors, accepted] = ["error", "accepted"].map((kind) => terminal.events.filter(({ type }) => type === kind));
    expect(errors).toEqual(strange.map(() => expect.objectContaining({ message: expect.stringContaining("nothing") })));
    expect(accepted).toEqual([{ type: "accepted", id: "plain" }]);
    expect(await keptFor({ account, name: account, conversation: "main" })).toEqual([]);
  });

  it.for(strange)("of %s is refused over HTTP", async ([, id]) => {
    const response = await post("/api/messages", { id, conversation: "main", text: "whoami" });
    expect([response.status, (await errorOf(response)).message]).toEqual([
      400,
      expect.stringContaining("printable ASCII"),
    ]);
  });

  it("of any printable characters is taken", async () => {
    const { token } = await setUp();
    const id = Array.from({ length: 94 }, (_, index) => String.fromCodePoint(0x21 + index)).join("");
    const response = await post("/api/messages", { id, conversation: "main", text: "whoami" }, token);
    expect([response.status, await response.json()]).toEqual([202, { id, repeated: false }]);
    const terminal = await connect(token);
    terminal.ack(await terminal.finalOf(id));
    await terminal.ping();
  });
});
