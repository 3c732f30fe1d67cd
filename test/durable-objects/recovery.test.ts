import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { TerminalGateway } from "#durable-objects/terminal-gateway.ts";
import {
  eventually,
  finalReply,
  gitHub,
  inside,
  keptFor,
  messageOf,
  newWorld,
  rowsOf,
  unique,
  type World,
} from "../worker/world.ts";

afterEach(() => vi.restoreAllMocks());

const recoveries = async (world: World) =>
  (await world.entries()).filter(({ action, details }) => action === "agent" && details["why"] === "recovery");
const held = (world: World) =>
  eventually(async () => expect(await gitHub("/held", { repository: world.repository })).toBeGreaterThan(0));

/** Nothing but its own alarm touches an agent afterwards: replies are looked for at the gateway. */
const crash = () => abortAllDurableObjects();

describe("after a crash", () => {
  it("a message that was being worked on is finished by the alarm alone, with one reply", async () => {
    const world = await newWorld();
    await world.hold();
    const message = messageOf(world.anna, "prs");
    await world.project.receive(message);
    await held(world);
    await crash();
    await world.release();
    expect(await finalReply(world.anna, message.id)).toMatchObject({ ok: true });
    expect(await world.finals(message.id)).toHaveLength(1);
    expect(await recoveries(world)).toMatchObject([{ subject: world.name, details: { to: "INITIALIZING" } }]);
    expect(await world.state()).toBe("IDLE");
  });

  it("a link that was being made is made once", async () => {
    const world = await newWorld();
    const bo = { ...world.anna, conversation: "elsewhere" };
    await world.hold();
    const message = messageOf(bo, `link ${world.repository}`);
    await world.coordinator.receive(message);
    await held(world);
    await crash();
    await world.release();
    expect(await finalReply(bo, message.id)).toMatchObject({ ok: true });
    expect((await world.organisationEntries()).filter(({ action }) => action === "link")).toHaveLength(1);
  });

  it("a running task comes to its end, as one pull request", async () => {
    const world = await newWorld();
    await world.hold();
    const { id } = await world.begin(world.anna, "fix the login");
    await held(world);
    await crash();
    await world.release();
    await world.project.summary();
    expect(await finalReply(world.anna, id)).toMatchObject({ ok: true });
    expect((await world.writes()).filter((line) => line.includes("/pulls"))).toHaveLength(1);
  });

  it("a reply that could not be delivered is delivered", async () => {
    const world = await newWorld({ onGitHub: false });
    const deliver = vi.spyOn(TerminalGateway.prototype, "deliver").mockRejectedValue(new Error("the gateway is away"));
    const message = messageOf(world.anna, "whoami");
    await world.project.receive(message);
    await eventually(() => expect(deliver).toHaveBeenCalled());
    await crash();
    deliver.mockRestore();
    expect(await finalReply(world.anna, message.id)).toMatchObject({ ok: true, revision: 1 });
  });

  it("what was not copied yet is copied", async () => {
    const world = await newWorld({ onGitHub: false });
    await world.project.receive(messageOf(world.anna, "whoami"));
    await crash();
    await eventually(async () => {
      const copied = await env.DB.prepare("select state from agents where organisation = ?")
        .bind(world.organisation)
        .first("state");
      expect(copied).toBe("IDLE");
    });
  });

  it("a delivery that the platform repeats is the same one", async () => {
    const world = await newWorld();
    const message = messageOf(world.anna, "fix the login");
    await world.project.receive(message);
    await crash();
    expect(await world.project.receive(message)).toEqual({ repeated: true });
    expect(await finalReply(world.anna, message.id)).toMatchObject({ ok: true });
    expect(await world.tasks()).toHaveLength(1);
  });
});

describe("after a crash of the Coordinator alone", () => {
  it("a project's agent that knew it before goes on with it", async () => {
    const world = await newWorld({ onGitHub: false });
    await world.ask(world.anna, "status");
    await inside(world.coordinator, (_, state) => state.abort("crash")).catch(() => undefined);
    // Of medium risk, so that what was kept of an earlier answer does not do.
    expect((await world.ask(world.anna, "stop")).words).toContain("Nothing is running");
    expect((await world.ask(world.anna, "autonomy L2")).ok).toBe(true);
    expect((await world.ask(world.anna, "status all")).ok).toBe(true);
  });
});

describe("a passing failure of delivery", () => {
  it("is tried again, and the chain says once that it arrived", async () => {
    const world = await newWorld({ onGitHub: false });
    vi.spyOn(TerminalGateway.prototype, "deliver").mockRejectedValueOnce(new Error("busy"));
    const { id } = await world.ask(world.anna, "whoami");
    const [row] = await world.finals(id);
    await eventually(async () => {
      const deliveries = (await world.entries()).filter(
        ({ action, subject }) => action === "delivery" && subject === row?.["id"],
      );
      expect(deliveries).toMatchObject([{ details: { ok: true, revision: 1 } }]);
    });
    expect(await keptFor(world.anna)).toHaveLength(1);
  });
});

describe("hibernation", () => {
  it("moves no agent, and writes nothing", async () => {
    const world = await newWorld({ onGitHub: false });
    await world.ask(world.anna, "status");
    await eventually(async () =>
      expect(await rowsOf(world.project, "select id from outbox where delivered_revision < revision")).toEqual([]),
    );
    const before = await world.entries();
    await evictDurableObject(world.project);
    expect(await world.project.summary()).toMatchObject({ state: "IDLE" });
    await evictDurableObject(world.coordinator);
    expect(await world.coordinator.projects()).toHaveLength(1);
    expect(await world.entries()).toEqual(before);
  });

  it("does not make a project's agent forget that it is at work", async () => {
    const world = await newWorld();
    await world.hold();
    const { id } = await world.begin(world.anna, "fix the login");
    await held(world);
    await evictDurableObject(world.project);
    expect(await world.project.summary()).toMatchObject({ state: "ACTIVE", running: 1 });
    expect(await recoveries(world)).toEqual([]);
    await world.release();
    expect(await finalReply(world.anna, id)).toMatchObject({ ok: true });
  });

  it("leaves the agent its name, which its alarm does not tell it", async () => {
    const world = await newWorld({ onGitHub: false });
    await world.ask(world.anna, "whoami");
    await evictDurableObject(world.project);
    const { words } = await world.ask(world.anna, "config");
    expect(words).toContain(`Organisation: ${world.organisation}`);
  });
});

it("keeps conversations apart that wait for a reply at the same time", async () => {
  const world = await newWorld({ onGitHub: false });
  const people = Array.from({ length: 10 }, (_, index) => ({
    account: unique("p"),
    name: `P${index}`,
    conversation: "main",
  }));
  await Promise.all(people.map((person) => world.link(person)));
  await Promise.all(people.map((person) => world.ask(person, "whoami")));
  for (const person of people) {
    const kept = await keptFor(person);
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).toContain(person.name);
  }
});
