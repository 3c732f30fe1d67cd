import { introspectWorkflow } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchOf } from "#core/task.ts";
import { gitHub, gitHubApi, newWorld, type World } from "../worker/world.ts";

/** Waits between tries are skipped. */
let introspector: Awaited<ReturnType<typeof introspectWorkflow>>;
beforeEach(async () => {
  introspector = await introspectWorkflow(env.TASK_AGENT);
  await introspector.modifyAll((instance) => instance.disableSleeps());
});
afterEach(() => introspector.dispose());

const branchesOf = async ({ repository }: World): Promise<string[]> => {
  const branches: { name: string }[] = await gitHubApi(`GET /repos/${repository}/branches`);
  return branches.map(({ name }) => name).filter((name) => name !== "main");
};
const taskIdOf = async (world: World): Promise<string> => (await world.tasks())[0]?.id ?? "";

describe("a branch that was made, though GitHub's answer to that never came", () => {
  /** GitHub makes the branch and never says so. */
  async function failing(): Promise<World> {
    const world = await newWorld();
    await gitHub("/fault", {
      method: "POST",
      path: `^/repos/${world.repository}/git/refs$`,
      effect: { kind: "lose-answer" },
    });
    return world;
  }

  it("is taken back when the task fails for good", async () => {
    const world = await failing();
    const { ok, words } = await world.ask(world.anna, "fix the login");
    expect([ok, words]).toEqual([false, expect.stringContaining("failed. GitHub could not be reached")]);
    expect((await world.writes()).some((line) => line.includes("/git/refs 201"))).toBe(true);
    expect(await branchesOf(world)).toEqual([]);
    expect(words).not.toContain("left behind");
    const tools = (await world.entries()).filter(({ action }) => action === "tool");
    expect(tools.at(-1)).toMatchObject({
      subject: "github.delete-branch",
      details: { detail: branchOf(await taskIdOf(world)), ok: true },
    });
  });

  it("is named when it cannot be taken back either", async () => {
    const world = await failing();
    await gitHub("/fault", {
      method: "DELETE",
      path: `^/repos/${world.repository}/git/refs/`,
      effect: { kind: "answer", status: 403, body: { message: "Resource not accessible by personal access token" } },
    });
    const { ok, words } = await world.ask(world.anna, "fix the login");
    const branch = branchOf(await taskIdOf(world));
    expect(await branchesOf(world)).toEqual([branch]);
    expect([ok, words]).toEqual([false, expect.stringContaining(`The branch ${branch} may have been left behind`)]);
    expect(words).toContain("GitHub could not be reached");
  });
});

describe("a simulated task", () => {
  it.for([
    ["fix #12", "fix no. 12"],
    ["fix acme/other#12 and #13", "fix acme/other no. 12 and no. 13"],
    ["fix GH-12", "fix no. 12"],
    ["fix https://github.com/acme/other/issues/12", "fix https://github.com/acme/other no. 12"],
    ["fix the #1-like heading in C# files", "fix the no. 1-like heading in C# files"],
  ] as const)("asked to `%s` closes no issue when it is merged", async ([text, title]) => {
    const world = await newWorld();
    expect((await world.ask(world.anna, text)).ok).toBe(true);
    const pull = await gitHubApi(`GET /repos/${world.repository}/pulls/1`);
    expect(pull.title).toBe(`[simulated] ${title}`);
    const commit = await gitHubApi(`GET /repos/${world.repository}/commits/${pull.head.sha}`);
    expect(commit.commit.message.split("\n")[0]).toBe(`[simulated] ${title}`);
    expect(commit.commit.message).not.toMatch(/#\d|gh-\d|issues\/\d/i);
  });
});
