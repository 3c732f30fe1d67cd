import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { terminalConversation } from "#channels/terminal.ts";
import { createRouteLookup } from "#db/routes.ts";
import { eventually, gitHub, newRepository, newWorld, type Person, unique } from "../worker/world.ts";

describe("link", () => {
  const route = (person: Person) =>
    createRouteLookup(env.DB, Date.now)("terminal", terminalConversation(person.account, person.conversation));

  it("connects a conversation to a repository, and the edge knows it when it is confirmed", async () => {
    const world = await newWorld();
    const repository = await newRepository();
    const elsewhere = { ...world.anna, conversation: "elsewhere" };
    const { ok, words } = await world.ask(elsewhere, `link ${repository}`, { to: world.coordinator });
    expect([ok, words]).toEqual([true, expect.stringContaining(`linked to ${repository}`)]);
    expect(await route(elsewhere)).toEqual({ organisation: world.organisation, project: repository.split("/")[1] });
    const agent = env.PROJECT_AGENT.getByName(`${world.organisation}/${repository.split("/")[1]}`);
    expect((await world.ask(elsewhere, "status", { to: agent })).words).toContain(`Repository: ${repository}`);
  });

  it("moves a conversation, and unlink leaves it to the Coordinator", async () => {
    const world = await newWorld();
    const repository = await newRepository();
    expect((await world.ask(world.anna, `link ${repository}`)).ok).toBe(true);
    expect((await route(world.anna)).project).toBe(repository.split("/")[1]);
    expect((await world.ask(world.anna, "unlink")).ok).toBe(true);
    expect(await route(world.anna)).toEqual({ organisation: world.organisation, project: null });
    expect((await world.ask(world.anna, "status", { to: world.coordinator })).words).toContain(
      "not linked to a project",
    );
    expect((await world.ask(world.anna, "whoami", { to: world.coordinator })).words).toContain("Role: owner");
  });

  it("makes one project of one repository, however it is written and from wherever", async () => {
    const world = await newWorld();
    const repository = await newRepository();
    for (const [index, written] of [
      repository,
      repository.toUpperCase(),
      `${env.GITHUB_API_URL}/${repository}.git`,
    ].entries()) {
      expect(
        (await world.ask({ ...world.anna, conversation: `c${index}` }, `link ${written}`, { to: world.coordinator }))
          .ok,
      ).toBe(true);
    }
    expect(await world.coordinator.projects()).toHaveLength(2);
  });

  it("is refused for an address on another host than the one that is connected", async () => {
    const world = await newWorld();
    const { ok, words } = await world.ask(world.anna, `link https://elsewhere.example/${world.repository}`);
    expect([ok, words]).toEqual([false, expect.stringContaining("elsewhere.example is another place")]);
  });

  it("gives projects different names when their repositories come to the same one", async () => {
    const world = await newWorld();
    const tail = unique("x");
    const repositories = [
      `zed/${tail}`,
      `acme/b-${tail}`,
      `zed/b-${tail}`,
      `acme-b/${tail}`,
      `acme-b-c/${tail}`,
      `acme/b-c-${tail}`,
      `zed/b-c-${tail}`,
    ];
    const names = new Set<string>();
    for (const [index, repository] of repositories.entries()) {
      await gitHub("/create", { repository, files: { "README.md": "x\n" } });
      const { ok } = await world.ask({ ...world.anna, conversation: `c${index}` }, `link ${repository}`, {
        to: world.coordinator,
      });
      expect([repository, ok]).toEqual([repository, true]);
    }
    for (const { name } of await world.coordinator.projects()) names.add(name);
    expect(names.size).toBe(repositories.length + 1);
  });

  it("is refused for a repository that does not exist, and changes nothing", async () => {
    const world = await newWorld();
    const { ok, words } = await world.ask(world.anna, "link acme/nothing-here");
    expect([ok, words]).toEqual([false, expect.stringContaining("GitHub knows no repository acme/nothing-here")]);
    expect((await world.standing(world.anna)).project?.name).toBe(world.name);
    expect(await world.coordinator.projects()).toHaveLength(1);
  });

  it.for([
    [
      "may not see it",
      { kind: "answer", status: 403, body: { message: "Resource not accessible by personal access token" } },
      "needs the permission",
    ],
    [
      "is not valid",
      { kind: "answer", status: 401, body: { message: "Bad credentials" } },
      "GitHub refused the credentials",
    ],
  ] as const)("is refused when the token %s, with what to do", async ([, effect, advice]) => {
    const world = await newWorld();
    const repository = await newRepository();
    await gitHub("/fault", { path: `^/repos/${repository}`, effect });
    const { ok, words } = await world.ask(world.anna, `link ${repository}`);
    expect([ok, words]).toEqual([false, expect.stringContaining(advice)]);
    expect((await world.standing(world.anna)).project?.name).toBe(world.name);
  });

  it("can be asked for again after GitHub failed, with the same delivery", async () => {
    const world = await newWorld();
    const repository = await newRepository();
    await gitHub("/fault", { path: `^/repos/${repository}`, times: 1, effect: { kind: "answer", status: 500 } });
    expect((await world.ask(world.anna, `link ${repository}`)).ok).toBe(false);
    expect((await world.ask(world.anna, `link ${repository}`)).ok).toBe(true);
  });

  it("is not made when the right to it is lost while GitHub is asked", async () => {
    const world = await newWorld();
    const repository = await newRepository();
    const bo = await world.person("maintainer");
    await gitHub("/hold", { repository });
    const asked = world.ask(bo, `link ${repository}`);
    await eventually(async () => expect(await gitHub("/held", { repository })).toBeGreaterThan(0));
    await world.ask(world.anna, `role ${bo.account} read-only`);
    await gitHub("/release", { repository });
    expect((await asked).ok).toBe(false);
    expect((await world.standing(bo)).project?.name).toBe(world.name);
  });
});
