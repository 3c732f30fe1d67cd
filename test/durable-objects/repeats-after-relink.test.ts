import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { terminalConversation } from "#channels/terminal.ts";
import type { SetupRequest } from "#core/rpc.ts";
import { createRouteLookup } from "#db/routes.ts";
import { Coordinator } from "#durable-objects/coordinator/coordinator.ts";
import {
  eventually,
  finalReply,
  type Person,
  messageOf,
  newRepository,
  newWorld,
  rowsOf,
  type World,
} from "../worker/world.ts";

afterEach(() => vi.restoreAllMocks());

/** A project, and another one of the same organisation. */
async function twoProjects() {
  const world = await newWorld();
  const repository = await newRepository();
  const agentOf = (name: string) => env.PROJECT_AGENT.getByName(`${world.organisation}/${name}`);
  const other = agentOf(repository.split("/")[1] ?? "");
  const agents = [world.coordinator, world.project, other];
  return { world, repository, other, agents };
}
type Projects = Awaited<ReturnType<typeof twoProjects>>;

/** Waits until these have nothing left to do. */
const settled = (agents: readonly unknown[]) =>
  eventually(async () => {
    for (const agent of agents) {
      expect(await rowsOf(agent, "select key from inbox where state != 'done'")).toEqual([]);
    }
  });

/** Repeats a delivery at each of the agents, and waits until none of them has anything left to do. */
async function repeat({ world, agents, other }: Projects, text: string, id: string): Promise<void> {
  const message = messageOf(world.anna, text, id);
  for (const agent of [other, world.project, world.coordinator]) await agent.receive(message);
  await settled(agents);
}

const tasksOf = (agent: unknown) => rowsOf(agent, "select id from tasks");

describe("a delivery that the platform repeats", () => {
  it.for([
    ["linked elsewhere", (repository: string) => `link ${repository}`],
    ["unlinked", () => "unlink"],
  ] as const)("after its conversation was %s has no second effect and no second reply", async ([, moving]) => {
    const projects = await twoProjects();
    const { world, repository, other, agents } = projects;
    const { id } = await world.ask(world.anna, "fix the login");
    expect((await world.ask(world.anna, moving(repository))).ok).toBe(true);
    await repeat(projects, "fix the login", id);
    expect(await world.finals(id, agents)).toHaveLength(1);
    expect([await world.tasks(), await tasksOf(other)]).toMatchObject([[{ outcome: "completed" }], []]);
  });

  it("has none where the new project's agent knows the person already", async () => {
    const projects = await twoProjects();
    const { world, repository, other, agents } = projects;
    const { id } = await world.ask(world.anna, "whoami");
    expect((await world.ask(world.anna, `link ${repository}`)).ok).toBe(true);
    // Of low risk: from now on its answer of who this is would be good enough.
    expect((await world.ask(world.anna, "status", { to: other })).ok).toBe(true);
    await repeat(projects, "whoami", id);
    expect(await world.finals(id, agents)).toHaveLength(1);
  });

  it("has none after the conversation was unlinked and linked to another", async () => {
    const projects = await twoProjects();
    const { world, repository, other, agents } = projects;
    const { id } = await world.ask(world.anna, "fix the login");
    await world.ask(world.anna, "unlink");
    expect((await world.ask(world.anna, `link ${repository}`, { to: world.coordinator })).ok).toBe(true);
    await repeat(projects, "fix the login", id);
    expect(await world.finals(id, agents)).toHaveLength(1);
    expect(await tasksOf(other)).toEqual([]);
  });

  it("has none when it was answered before the conversation was linked to anything", async () => {
    const projects = await twoProjects();
    const { world, repository, other, agents } = projects;
    await world.ask(world.anna, "unlink");
    const { id, ok } = await world.ask(world.anna, "fix the login", { to: world.coordinator });
    expect(ok).toBe(false);
    expect((await world.ask(world.anna, `link ${repository}`, { to: world.coordinator })).ok).toBe(true);
    await repeat(projects, "fix the login", id);
    expect(await world.finals(id, agents)).toHaveLength(1);
    expect(await tasksOf(other)).toEqual([]);
  });

  it("is answered once when it comes to the old project's agent first, and to the new one's before that knows", async () => {
    const { world, repository, other, agents } = await twoProjects();
    expect((await world.ask(world.anna, `link ${repository}`)).ok).toBe(true);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const standing = vi.spyOn(Coordinator.prototype, "standing");
    standing.mockImplementationOnce(async function (this: Coordinator, query) {
      await released;
      return Coordinator.prototype.standing.call(this, query);
    });
    const message = messageOf(world.anna, "fix the login");
    await world.project.receive(message);
    await eventually(() => expect(standing).toHaveBeenCalled());
    await other.receive(message);
    await settled([other]);
    release();
    expect(await finalReply(world.anna, message.id)).toMatchObject({ ok: true });
    await settled(agents);
    expect(await world.finals(message.id, agents)).toHaveLength(1);
    expect([await tasksOf(world.project), await tasksOf(other)]).toMatchObject([[], [{}]]);
  });

  it("is told from a new one, which the new project works on", async () => {
    const { world, repository, other } = await twoProjects();
    await world.ask(world.anna, "fix the login");
    await world.ask(world.anna, `link ${repository}`);
    expect((await world.ask(world.anna, "fix the login", { to: other })).ok).toBe(true);
    expect(await tasksOf(other)).toHaveLength(1);
  });
});

describe("setup", () => {
  const setUpAgain = (world: World, { account, name, conversation }: Person) => {
    const [owner = "", repository = ""] = world.repository.split("/");
    const request: SetupRequest = {
      account,
      name,
      conversation,
      project: { name: world.name, repository: { owner, name: repository } },
    };
    return world.coordinator.setup(request);
  };
  const routeOf = async ({ account, conversation }: Person) =>
    (await createRouteLookup(env.DB, Date.now)("terminal", terminalConversation(account, conversation))).project;

  it.for(["unlinked", "linked elsewhere"])("run again leaves a conversation that someone has %s", async (moved) => {
    const { world, repository } = await twoProjects();
    const [text, project] = moved === "unlinked" ? ["unlink", null] : [`link ${repository}`, repository.split("/")[1]];
    await world.ask(world.anna, text);
    const before = await world.organisationEntries();
    await setUpAgain(world, world.anna);
    expect((await world.standing(world.anna)).project?.name ?? null).toBe(project);
    expect(await routeOf(world.anna)).toBe(project);
    expect(await world.organisationEntries()).toEqual(before);
  });

  it("links a conversation that nobody has linked or unlinked", async () => {
    const world = await newWorld({ onGitHub: false });
    const elsewhere = { ...world.anna, conversation: "elsewhere" };
    await setUpAgain(world, elsewhere);
    expect((await world.standing(elsewhere)).project?.name).toBe(world.name);
  });
});
