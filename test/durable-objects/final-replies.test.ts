import { afterEach, describe, expect, it, vi } from "vitest";
import { COMMANDS } from "#core/command-table.ts";
import { parseCommand } from "#core/commands.ts";
import { Role } from "#core/permissions.ts";
import { Coordinator } from "#durable-objects/coordinator/coordinator.ts";
import { HANDLERS } from "#durable-objects/project-agent/handlers/index.ts";
import { env } from "cloudflare:workers";
import {
  eventually,
  finalReply,
  gitHub,
  messageOf,
  newRepository,
  newWorld,
  rowsOf,
  unique,
  type World,
} from "../worker/world.ts";

afterEach(() => vi.restoreAllMocks());

/** Failures that are expected here are logged; that is not what these tests are about. */
const quietly = () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
};

/** Nothing is left to do in any inbox. */
const settled = (world: World) =>
  eventually(async () => {
    for (const agent of [world.coordinator, world.project]) {
      expect(await rowsOf(agent, "select key from inbox where state != 'done'")).toEqual([]);
    }
  });

describe("every message ends in exactly one final reply", () => {
  it.for(Role.options)("whatever a person asks who is %s", async (role) => {
    quietly();
    const world = await newWorld();
    const person = await world.person(role);
    // Each command in a conversation of its own: some of them end the link.
    const people = COMMANDS.map((_, index) => ({ ...person, conversation: `talk-${index}` }));
    await world.linkMany(people);
    const replies = await Promise.all(
      COMMANDS.map(({ example }, index) => world.ask(people[index] ?? world.anna, example)),
    );
    await settled(world);
    for (const [index, { name }] of COMMANDS.entries()) {
      const reply = replies[index];
      expect([name, await world.finals(reply?.id ?? "")]).toEqual([
        name,
        [expect.objectContaining({ ok: reply?.ok ? 1 : 0 })],
      ]);
      expect([name, reply?.words]).toEqual([name, expect.stringMatching(/\S/)]);
      if (HANDLERS[name] === null) expect([name, reply?.ok]).toEqual([name, false]);
    }
  });

  it("whatever a conversation says that nobody linked", async () => {
    const world = await newWorld();
    const bo = { account: unique("bo"), name: "Bo", conversation: "elsewhere" };
    const texts = [...COMMANDS.map(({ example }) => example), "", "good morning everyone", "autonomy L9"];
    const replies = await Promise.all(texts.map((text) => world.ask(bo, text, { to: world.coordinator })));
    await settled(world);
    for (const { id } of replies) expect(await world.finals(id)).toHaveLength(1);
    // Bo is nobody here: only these may be asked, and only these succeed.
    const succeeded = texts.filter((_, index) => replies[index]?.ok);
    expect(succeeded).toEqual(["help fix", "whoami"]);
  });

  const strange: Record<string, string> = {
    "no text": "",
    spaces: "   \n\t  ",
    "a mention alone": "@codespar",
    emoji: "🚀🎉👩‍👩‍👧‍👦",
    "right-to-left": "שלום תקן את הבאג",
    "zero-width characters": "\u200b\u200d\ufeff\u2060",
    "bidirectional controls": "\u202efix the login\u202c",
    "half a character": "\ud800 status",
    "a nul": "status\u0000",
    "stacked marks": `e${"\u0301".repeat(5000)}`,
    "an unknown word": "frobnicate the widgets",
    "a near miss": "statsu",
    "bad arguments": "autonomy L9",
    SQL: "'; drop table inbox; --",
    "a prototype": "__proto__",
    "a constructor": "constructor",
    "100,000 characters": "x".repeat(100_000),
    "100,000 emoji halves": "🚀".repeat(50_000),
    "a task of 100,000 characters": `fix ${"x".repeat(99_996)}`,
    "a task of quotes and control characters": `instruct ${'"\u0001\\'.repeat(30_000)}`,
  };

  it.for(Object.keys(strange))("to %s", async (what) => {
    const text = strange[what] ?? "";
    const world = await newWorld({ onGitHub: parseCommand(text).ok });
    const { id, words } = await world.ask(world.anna, text);
    await settled(world);
    expect(await world.finals(id)).toHaveLength(1);
    expect(words).toMatch(/\S/);
    expect(words).not.toMatch(/\bat .*\.ts|Error:/);
  });

  it("to what comes with a delivery id of any characters", async () => {
    const world = await newWorld({ onGitHub: false });
    for (const id of ["\u0000\u0001", "🚀".repeat(50), '"]["', "'; drop table inbox", "x".repeat(200)]) {
      await world.project.receive(messageOf(world.anna, "whoami", id));
      expect(await finalReply(world.anna, id)).toMatchObject({ ok: true });
    }
  });

  it("once to the same delivery that comes twenty times at once", async () => {
    const world = await newWorld();
    const message = messageOf(world.anna, "fix the login timeout");
    const accepted = await Promise.all(Array.from({ length: 20 }, () => world.project.receive(message)));
    expect(accepted.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(await finalReply(world.anna, message.id)).toMatchObject({ ok: true });
    await settled(world);
    expect(await world.tasks()).toHaveLength(1);
    expect((await world.writes()).filter((line) => line.startsWith("POST") && line.includes("/pulls"))).toHaveLength(1);
    const about = (await world.entries()).filter(({ details }) => details["delivery"] === message.id);
    expect(about.map(({ action }) => action)).toEqual(["command", "decision"]);
  });

  it("when the Coordinator does not answer", async () => {
    quietly();
    const world = await newWorld({ onGitHub: false });
    vi.spyOn(Coordinator.prototype, "standing").mockRejectedValue(new Error("secret stack"));
    const { ok, words } = await world.ask(world.anna, "fix the login");
    expect([ok, words]).toEqual([false, expect.stringContaining("Something inside CodeSpar failed")]);
    expect(words).not.toContain("secret");
    expect(await world.tasks()).toEqual([]);
  });

  it("when the Coordinator fails in the middle of a command of its own", async () => {
    quietly();
    const world = await newWorld({ onGitHub: false });
    vi.spyOn(Coordinator.prototype, "perform").mockRejectedValue(new Error("gone"));
    const { ok, words } = await world.ask(world.anna, "autonomy L3");
    expect([ok, words]).toEqual([false, expect.stringContaining("Something inside CodeSpar failed")]);
  });

  it.for([
    ["does not answer as promised", { kind: "malformed-body" }],
    ["is broken", { kind: "answer", status: 500 }],
    ["limits requests", { kind: "answer", status: 429, headers: { "retry-after": "30" } }],
    ["refuses the token", { kind: "answer", status: 401, body: { message: "Bad credentials" } }],
    ["knows nothing of the repository", { kind: "answer", status: 404, body: { message: "Not Found" } }],
    ["breaks the connection", { kind: "lose-answer" }],
  ] as const)("when GitHub %s", async ([, effect]) => {
    quietly();
    const world = await newWorld();
    await gitHub("/fault", { path: `^/repos/${world.repository}`, effect });
    const replies = await Promise.all(
      ["prs", "status build", "merge PR #1"].map((text) => world.ask(world.anna, text)),
    );
    expect(replies.map(({ ok }) => ok)).toEqual([false, false, false]);
    for (const { id, words } of replies) {
      expect(words).toMatch(/GitHub|the token may not see the repository/);
      expect(words).not.toMatch(/\bat .*\.ts|ZodError|undefined/);
      expect(await world.finals(id)).toHaveLength(1);
    }
  });
});

describe("a message that comes to the wrong agent", () => {
  /** A second project of the same organisation, and an agent that old routes still lead to. */
  async function twoProjects() {
    const world = await newWorld();
    const other = (await newRepository()).split("/")[1] ?? "";
    const bo = { ...world.anna, conversation: "elsewhere" };
    await world.coordinator.setup({ ...bo, project: { name: other, repository: { owner: "acme", name: other } } });
    return { world, other, bo, otherAgent: env.PROJECT_AGENT.getByName(`${world.organisation}/${other}`) };
  }

  it("is answered by the project that its conversation is linked to", async () => {
    const { world, other, bo, otherAgent } = await twoProjects();
    const { id, words } = await world.ask(bo, "status", { to: world.project });
    expect(words).toContain(`Project: ${other}`);
    expect(await world.finals(id, [world.coordinator, world.project, otherAgent])).toHaveLength(1);
    expect(await world.finals(id, [otherAgent])).toHaveLength(1);
  });

  it("is answered by the Coordinator when its conversation was unlinked", async () => {
    const world = await newWorld({ onGitHub: false });
    await world.ask(world.anna, "unlink");
    const { id, ok, words } = await world.ask(world.anna, "fix the login");
    expect([ok, words]).toEqual([false, expect.stringContaining("not linked to a project")]);
    expect(await world.finals(id)).toHaveLength(1);
    expect(await world.tasks()).toEqual([]);
  });

  it("is answered when the Coordinator learns of the link before the edge does", async () => {
    const world = await newWorld({ onGitHub: false });
    const { id, words } = await world.ask(world.anna, "status", { to: world.coordinator });
    expect(words).toContain(`Project: ${world.name}`);
    expect(await world.finals(id, [world.project])).toHaveLength(1);
  });

  it("is answered when the conversation has come back meanwhile", async () => {
    const { world, bo, otherAgent } = await twoProjects();
    // The first project learns that the conversation belongs to the other one …
    await world.ask(bo, "whoami", { to: world.project });
    await world.ask(bo, `link ${world.repository}`, { to: otherAgent });
    // … and now it belongs to the first, which finds that out without passing the message around.
    const passedOn = vi.spyOn(Coordinator.prototype, "receive");
    const { words } = await world.ask(bo, "status", { to: world.project });
    expect(words).toContain(`Project: ${world.name}`);
    expect(passedOn).not.toHaveBeenCalled();
  });

  it("is answered when it is handed over and back", async () => {
    const world = await newWorld({ onGitHub: false });
    // As if the link had changed between the two questions: the first hears that it is not linked here.
    const elsewhere = { ...(await world.standing(world.anna)), project: null };
    vi.spyOn(Coordinator.prototype, "standing").mockResolvedValueOnce(elsewhere);
    const anna = await world.ask(world.anna, "status", { to: world.project });
    expect(anna.words).toContain(`Project: ${world.name}`);
    await settled(world);
    expect(await world.finals(anna.id)).toHaveLength(1);
  });
});
