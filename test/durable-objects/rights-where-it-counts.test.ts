import { describe, expect, it } from "vitest";
import { eventually, gitHub, newRepository, newWorld, openPullRequest, unique, type World } from "../worker/world.ts";

const decisionsOn = (entries: Awaited<ReturnType<World["entries"]>>, delivery: string) =>
  entries.filter(({ action, details }) => action === "decision" && details["delivery"] === delivery);

describe("a merge under way", () => {
  it("is not made when the right to it is taken away meanwhile", async () => {
    const world = await newWorld();
    const number = await openPullRequest(world.repository, { "src/login.ts": "export const timeout = 30;\n" });
    const before = await world.writes();
    const bo = await world.person("maintainer");
    await world.hold();
    const asked = world.ask(bo, `merge PR #${number}`);
    await eventually(async () => expect(await gitHub("/held", { repository: world.repository })).toBeGreaterThan(0));
    // Where roles are kept, and the project's agent is not told.
    await world.give(bo, "reviewer", world.name);
    await world.release();
    const { id, ok, words } = await asked;
    expect([ok, words]).toEqual([false, expect.stringContaining(`\`merge PR #${number}\` was not done`)]);
    expect(await world.writes()).toEqual(before);
    expect(decisionsOn(await world.entries(), id).map(({ details }) => [details["role"], details["effect"]])).toEqual([
      ["maintainer", "allow"],
      ["reviewer", "deny"],
    ]);
  });
});

describe("link", () => {
  /** Someone who may link in one project, and only there, and who writes there. */
  async function maintainerOf() {
    const world = await newWorld();
    const repository = await newRepository();
    const name = repository.split("/")[1] ?? "";
    const bo = { account: unique("bo"), name: "Bo", conversation: "main" };
    await world.coordinator.setup({ ...bo, project: { name, repository: { owner: "acme", name } } });
    await world.give(bo, "maintainer", name);
    return { world, name, bo };
  }

  it("is refused to a project where one may not link, and the refusal is in the audit", async () => {
    const { world, name, bo } = await maintainerOf();
    const { id, ok, words } = await world.ask(bo, `link ${world.repository}`);
    expect([ok, words]).toEqual([false, expect.stringContaining("`link` was not done")]);
    expect((await world.standing(bo)).project?.name).toBe(name);
    const decisions = decisionsOn(await world.organisationEntries(), id);
    expect(decisions.at(-1)).toMatchObject({
      subject: "link",
      actor: { name: "Bo" },
      details: { effect: "deny", role: "read-only", about: world.name },
    });
  });

  it("is refused to a new repository without a right in the organisation, and makes no project", async () => {
    const { world, name, bo } = await maintainerOf();
    const repository = await newRepository();
    const { id, ok } = await world.ask(bo, `link ${repository}`);
    expect(ok).toBe(false);
    expect((await world.standing(bo)).project?.name).toBe(name);
    expect(await world.coordinator.projects()).toHaveLength(2);
    expect(decisionsOn(await world.organisationEntries(), id).at(-1)?.details).toMatchObject({
      effect: "deny",
      about: repository,
    });
  });

  it("is made where one may link here and there", async () => {
    const { world, bo } = await maintainerOf();
    await world.give(bo, "maintainer", world.name);
    expect((await world.ask(bo, `link ${world.repository}`)).ok).toBe(true);
    expect((await world.standing(bo)).project?.name).toBe(world.name);
  });

  it.for(["https://gitlab.com/", "http://gitlab.com/", "git@gitlab.com:", "gitlab.com/"])(
    "is refused in words for %s, whatever GitHub has of that name",
    async (where) => {
      const { world, name } = await maintainerOf();
      const { ok, words } = await world.ask(world.anna, `link ${where}acme/${name}`);
      expect([ok, words]).toEqual([false, expect.stringContaining("gitlab.com is another place")]);
      expect((await world.standing(world.anna)).project?.name).toBe(world.name);
    },
  );
});

describe("a claim code", () => {
  it("makes an owner also of someone who is less in the very project", async () => {
    const world = await newWorld({ onGitHub: false });
    const bo = await world.person("read-only");
    await world.give(bo, "reviewer", world.name);
    const { code } = await world.coordinator.createClaimCode();
    expect((await world.ask(bo, `claim ${code}`)).ok).toBe(true);
    expect((await world.standing(bo)).role).toBe("owner");
    expect((await world.ask(bo, `role ${world.anna.account} operator`)).ok).toBe(true);
  });
});
