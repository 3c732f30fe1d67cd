import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { CommandName } from "#core/command.ts";
import { COMMANDS, commandEntry } from "#core/command-table.ts";
import { parseCommand } from "#core/commands.ts";
import { type Role, Role as Roles, may } from "#core/permissions.ts";
import { instanceOf } from "#core/task.ts";
import type { Context, Work } from "#durable-objects/project-agent/handlers/handler.ts";
import { HANDLERS } from "#durable-objects/project-agent/handlers/index.ts";
import { eventually, messageOf, newWorld, openPullRequest, rowsOf, unique, type World } from "../worker/world.ts";

type Run = {
  name: CommandName;
  delivery: string;
  chain: ReturnType<Context["audit"]["newest"]>;
  decisionSequence: number;
};

/** Every handler, watched: what stands in the chain at the moment it begins to run. */
function watchHandlers(): { runs: Run[]; stop: () => void } {
  const runs: Run[] = [];
  const handlers = HANDLERS as Record<CommandName, ((args: any) => Work) | null>;
  const originals = { ...handlers };
  for (const name of CommandName.options) {
    const original = originals[name];
    if (!original) continue;
    handlers[name] = (args) => {
      const work = original(args);
      const seen = (context: Context) => {
        runs.push({
          name,
          delivery: context.message.id,
          chain: context.audit.newest(50),
          decisionSequence: context.decisionSequence,
        });
      };
      return work.when === "now"
        ? { when: "now", run: (context) => (seen(context), work.run(context)) }
        : { when: "later", run: (context) => (seen(context), work.run(context)) };
    };
  }
  return { runs, stop: () => Object.assign(handlers, originals) };
}

let watched: ReturnType<typeof watchHandlers> | undefined;
afterEach(() => watched?.stop());

/** The state that commands change, without the records of what was asked. */
async function stateOf({ coordinator, project, writes }: World) {
  const tables = ["projects", "conversations", "workspaces", "identities", "accounts", "roles", "claim_codes"];
  const organisation = await Promise.all(
    tables.map((table) => rowsOf(coordinator, `select * from ${table} order by 1, 2`)),
  );
  return { organisation, tasks: await rowsOf(project, "select * from tasks"), writes: await writes() };
}

const exampleOf = (name: CommandName): string => commandEntry(name).example;

it("has an example that is the command itself, and a handler or none, for every command", () => {
  expect(Object.keys(HANDLERS).toSorted()).toEqual([...CommandName.options].toSorted());
  for (const { name, example, available } of COMMANDS) {
    expect(parseCommand(example)).toMatchObject({ ok: true, command: { name } });
    expect([name, HANDLERS[name] !== null]).toEqual([name, available]);
  }
});

describe("in a project, each command is entered and decided on before it has any effect", () => {
  it.for(CommandName.options)("%s", async (name) => {
    const world = await newWorld({
      onGitHub: ["task", "merge"].includes(commandEntry(name).permission) || name === "prs",
    });
    watched = watchHandlers();
    const { id } = await world.ask(world.anna, exampleOf(name));

    const entries = await world.entries();
    const command = entries.find(({ action, details }) => action === "command" && details["delivery"] === id);
    const decision = entries.find(({ action, details }) => action === "decision" && details["delivery"] === id);
    expect(command).toMatchObject({ subject: name, actor: { kind: "person" } });
    expect(decision).toMatchObject({ subject: name, sequence: (command?.sequence ?? 0) + 1 });
    const allowed = decision?.details["effect"] === "allow";

    // The handler ran if there is one and it was allowed, and found its decision in the chain.
    expect(watched.runs.map((run) => [run.name, run.delivery])).toEqual(allowed && HANDLERS[name] ? [[name, id]] : []);
    for (const run of watched.runs) {
      expect(run.decisionSequence).toBe(decision?.sequence);
      expect(run.chain.find(({ sequence }) => sequence === run.decisionSequence)).toMatchObject({
        action: "decision",
        details: { effect: "allow" },
      });
    }
    // So did the task, if there is one.
    const tasks = await rowsOf<{ decision_sequence: number }>(world.project, "select decision_sequence from tasks");
    expect(tasks.every((task) => task.decision_sequence === decision?.sequence)).toBe(true);
    // Everything else in the chain that belongs to it comes after.
    const others = entries.filter(
      ({ action, subject }) => action === "tool" || (action === "agent" && subject.startsWith("task-")),
    );
    expect(others.every(({ sequence }) => sequence > (decision?.sequence ?? Infinity))).toBe(true);
  });
});

describe("each command of the Coordinator is entered and decided on before it has any effect", () => {
  const commands = [
    "help",
    "whoami",
    "claim",
    "link",
    "register",
    "role",
    "permissions",
    "autonomy",
    "unlink",
  ] as const;

  it.for(commands)("%s", async (name) => {
    const world = await newWorld();
    const stranger = { account: unique("bo"), name: "Bo", conversation: "elsewhere" };
    await world.give(stranger, "owner");
    const { code } = await world.coordinator.createClaimCode();
    const text =
      { claim: `claim ${code}`, link: `link ${world.repository}`, role: `role ${world.anna.account} maintainer` }[
        name as string
      ] ?? exampleOf(name);
    const parsed = parseCommand(text);
    if (!parsed.ok) throw new Error(`${text} is no command`);
    const message = messageOf(
      name === "autonomy" || name === "unlink" || name === "role" ? world.anna : stranger,
      text,
    );
    const before = await world.organisationEntries();
    await world.coordinator.perform({ message, command: parsed.command });

    const added = (await world.organisationEntries()).slice(before.length);
    expect(added.slice(0, 2)).toMatchObject([
      { action: "command", subject: name, details: { delivery: message.id } },
      { action: "decision", subject: name, details: { delivery: message.id, effect: "allow" } },
    ]);
  });

  it("also for what a conversation asks that nobody linked", async () => {
    const world = await newWorld();
    const bo = { account: unique("bo"), name: "Bo", conversation: "elsewhere" };
    const help = await world.ask(bo, "help", { to: world.coordinator });
    const fix = await world.ask(bo, "fix the login", { to: world.coordinator });
    const entries = await world.organisationEntries();
    const about = (id: string) =>
      entries.filter(({ details }) => details["delivery"] === id).map(({ action }) => action);
    expect(about(help.id)).toEqual(["command", "decision"]);
    expect(about(fix.id)).toEqual(["command"]);
  });
});

describe("a role that may not do it leads to no effect", () => {
  const refused = Roles.options.flatMap((role) =>
    COMMANDS.filter(({ name, permission }) => !may(role, permission) && name !== "claim").map(({ name }) => ({
      role,
      name,
    })),
  );

  it.for(Roles.options.filter((role) => refused.some((pair) => pair.role === role)))("of %s", async (role: Role) => {
    const world = await newWorld({ onGitHub: false });
    const person = await world.person(role);
    watched = watchHandlers();
    const before = await stateOf(world);
    const names = refused.filter((pair) => pair.role === role).map(({ name }) => name);
    const replies = await Promise.all(names.map((name) => world.ask(person, exampleOf(name))));

    expect(replies.filter(({ ok }) => ok)).toEqual([]);
    expect(watched.runs).toEqual([]);
    expect(await stateOf(world)).toEqual(before);
    const entries = await world.entries();
    for (const { id } of replies) {
      expect(
        entries.find(({ action, details }) => action === "decision" && details["delivery"] === id)?.details["effect"],
      ).toBe("deny");
    }
  });

  it("of the Coordinator's own commands, asked directly", async () => {
    const world = await newWorld();
    const person = await world.person("read-only");
    const before = await stateOf(world);
    for (const name of ["link", "unlink", "autonomy", "role", "register"] as const) {
      const parsed = parseCommand(name === "role" ? `role ${person.account} owner` : exampleOf(name));
      if (!parsed.ok) throw new Error(`${name} is no command`);
      const performed = await world.coordinator.perform({ message: messageOf(person, name), command: parsed.command });
      expect([name, performed.ok]).toEqual([name, false]);
    }
    expect(await stateOf(world)).toEqual(before);
  });
});

describe("what needs an approval says so and is not done", () => {
  it.for(["deploy", "rollback", "resume"] as const)("%s", async (name) => {
    const world = await newWorld({ onGitHub: false });
    watched = watchHandlers();
    const { ok, words } = await world.ask(world.anna, exampleOf(name));
    expect(ok).toBe(false);
    expect(words).toMatch(/needs .*approval.* was not done/);
    expect(watched.runs).toEqual([]);
  });

  it("merging a pull request whose diff is guarded", async () => {
    const world = await newWorld();
    const number = await openPullRequest(world.repository, { ".github/workflows/deploy.yml": "on: push\n" });
    const before = await world.writes();
    const { id, ok, words } = await world.ask(world.anna, `merge PR #${number}`);
    expect(ok).toBe(false);
    expect(words).toMatch(/needs one person's approval and was not done/);
    expect(words).toContain(".github/workflows/deploy.yml: CI workflow");
    expect(await world.writes()).toEqual(before);
    const decisions = (await world.entries()).filter(
      ({ action, details }) => action === "decision" && details["delivery"] === id,
    );
    expect(decisions.map(({ details }) => [details["guarded"], details["effect"]])).toEqual([
      [false, "allow"],
      [true, "require_approval"],
    ]);
  });

  it("but merging an ordinary one is done", async () => {
    const world = await newWorld();
    const number = await openPullRequest(world.repository, { "src/login.ts": "export const timeout = 30;\n" });
    const { ok, words } = await world.ask(world.anna, `merge PR #${number}`);
    expect([ok, words.split("\n")[0]]).toEqual([true, expect.stringContaining(`Merged #${number}`)]);
  });
});

describe("a Workflow for a task that no decision recorded", () => {
  it("writes nothing to GitHub", async () => {
    const world = await newWorld();
    const taskId = "task-forged00";
    const spec = {
      taskId,
      organisation: world.organisation,
      project: world.name,
      kind: "fix" as const,
      instruction: "anything",
      repository: { owner: "acme", name: world.name },
      requestedBy: { identity: "nobody", name: "Nobody", githubLogin: null },
      requestedAt: "2026-01-02T03:04:05Z",
      mode: "simulation" as const,
      auditReference: "none",
    };
    const instance = await env.TASK_AGENT.create({ id: instanceOf(taskId, 1), params: { spec, attempt: 1 } });
    await eventually(async () => expect((await instance.status()).status).toBe("complete"));
    expect(await world.writes()).toEqual([]);
    const branches = (
      await fetch(`${env.GITHUB_API_URL}/repos/${world.repository}/branches/codespar%2F${taskId}`, {
        headers: { authorization: "token write-token", "user-agent": "tests" },
      })
    ).status;
    expect(branches).toBe(404);
    expect(await world.tasks()).toEqual([]);
  });

  it("also when the agent has just woken", async () => {
    const world = await newWorld();
    await world.ask(world.anna, "status");
    await evictDurableObject(world.project);
    expect(
      await world.project.report({
        taskId: "task-forged00",
        attempt: 1,
        sequence: 1,
        progress: "x",
        spent: [],
        tools: [],
        result: null,
      }),
    ).toEqual({ goOn: false });
  });
});
