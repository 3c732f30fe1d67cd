import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toPlainText } from "#core/response.ts";
import { Coordinator } from "#durable-objects/coordinator/coordinator.ts";
import { finalReply, keptFor, messageOf, newWorld, type Person, type World } from "../worker/world.ts";

// Failures are logged; that is not what these tests are about.
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => vi.restoreAllMocks());

/** The finals that a person was given for a delivery, by whichever agent. */
const shown = async (person: Person, id: string) =>
  (await keptFor(person)).filter(({ inReplyTo, kind }) => inReplyTo === id && kind === "final");
const answeredOnce = async (world: World, id: string) => {
  expect(await world.finals(id)).toHaveLength(1);
  expect(await shown(world.anna, id)).toHaveLength(1);
};

describe("a Coordinator that fails in passing", () => {
  it.for(["fix the login", "whoami"])("lets `%s` be tried again, and answered once", async (text) => {
    const world = await newWorld();
    const standing = vi.spyOn(Coordinator.prototype, "standing");
    for (const _ of [1, 2]) standing.mockRejectedValueOnce(new Error("overloaded"));
    const { id, ok } = await world.ask(world.anna, text);
    expect(ok).toBe(true);
    await answeredOnce(world, id);
    expect(await world.tasks()).toHaveLength(text === "whoami" ? 0 : 1);
  });

  it("after it did what it was asked for, does it once", async () => {
    const world = await newWorld({ onGitHub: false });
    vi.spyOn(Coordinator.prototype, "perform").mockImplementationOnce(async function (this: Coordinator, request) {
      // The next call of it is the real one.
      await Coordinator.prototype.perform.call(this, request);
      throw new Error("the answer was lost");
    });
    const { id, ok, words } = await world.ask(world.anna, "autonomy L3");
    expect([ok, words]).toEqual([true, expect.stringContaining("at autonomy L3 now, was L1")]);
    await answeredOnce(world, id);
    expect((await world.organisationEntries()).filter(({ action }) => action === "autonomy")).toHaveLength(1);
  });

  it("while a message is handed over to it, gets it again", async () => {
    const world = await newWorld({ onGitHub: false });
    await world.ask(world.anna, "unlink");
    vi.spyOn(Coordinator.prototype, "receive").mockRejectedValueOnce(new Error("overloaded"));
    const { id, words } = await world.ask(world.anna, "status");
    expect(words).toContain("not linked to a project");
    await answeredOnce(world, id);
  });
});

describe("a Coordinator that keeps failing", () => {
  it("ends the message once, in words, and what follows it in the conversation is answered too", async () => {
    const world = await newWorld({ onGitHub: false });
    vi.spyOn(Coordinator.prototype, "perform").mockRejectedValue(new Error("secret stack"));
    await world.project.receive(messageOf(world.anna, "autonomy L3", "one"));
    await world.project.receive(messageOf(world.anna, "whoami", "two"));
    const first = await finalReply(world.anna, "one");
    expect([first.ok, toPlainText(first.blocks)]).toEqual([
      false,
      expect.stringContaining("Something inside CodeSpar failed"),
    ]);
    expect(JSON.stringify(first)).not.toContain("secret");
    expect(await finalReply(world.anna, "two")).toMatchObject({ ok: true });
    for (const id of ["one", "two"]) await answeredOnce(world, id);
  });
});
