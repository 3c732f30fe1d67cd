import { introspectWorkflow } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type TaskRun, branchOf } from "#core/task.ts";
import { eventually, gitHub, gitHubApi, newWorld, unique, type World } from "../worker/world.ts";

/** Waits between tries are minutes long; here they are skipped. */
let introspector: Awaited<ReturnType<typeof introspectWorkflow>>;
beforeEach(async () => {
  introspector = await introspectWorkflow(env.TASK_AGENT);
  await introspector.modifyAll((instance) => instance.disableSleeps());
});
afterEach(() => introspector.dispose());

type Effect = Parameters<typeof gitHub<"/fault">>[1]["effect"];
const fault = (world: World, route: string, effect: Effect, times?: number) => {
  const [method = "", path = ""] = route.split(" ");
  return gitHub("/fault", {
    method,
    path: `^/repos/${world.repository}${path}`,
    effect,
    ...(times === undefined ? {} : { times }),
  });
};

/** The branches and pull requests that CodeSpar left in the repository. */
async function leftBehind({ repository }: World) {
  const branches: { name: string }[] = await gitHubApi(`GET /repos/${repository}/branches`);
  const pulls: { head: { ref: string } }[] = await gitHubApi(`GET /repos/${repository}/pulls?state=all`);
  return {
    branches: branches.map(({ name }) => name).filter((name) => name !== "main"),
    pulls: pulls.map(({ head }) => head.ref),
  };
}

describe("what a task makes", () => {
  it("is one commit that says what was asked and by whom, with one marked file", async () => {
    const world = await newWorld();
    const base = await gitHubApi(`GET /repos/${world.repository}/commits/heads%2Fmain`);
    await world.ask(world.anna, "fix the login timeout in src/login.ts");
    const [task] = await world.tasks();
    const id = task?.id ?? "";
    const commit = await gitHubApi(
      `GET /repos/${world.repository}/commits/${encodeURIComponent(`heads/${branchOf(id)}`)}`,
    );
    expect(commit.parents).toMatchObject([{ sha: base.sha }]);
    expect(commit.commit.message).toContain("[simulated] fix the login timeout in src/login.ts");
    expect(commit.commit.message).toContain(`Asked for by Anna with CodeSpar, ${id}.`);
    expect(commit.commit.author.date).toBe((await world.specOf(id)).requestedAt.replace(".000Z", "Z"));

    const files = await gitHubApi(`GET /repos/${world.repository}/pulls/1/files`);
    expect(files).toMatchObject([{ filename: `.codespar/simulated/${id}.md`, status: "added" }]);
    const file = await gitHubApi(
      `GET /repos/${world.repository}/contents/.codespar/simulated/${id}.md?ref=${encodeURIComponent(branchOf(id))}`,
    );
    expect(
      new TextDecoder().decode(Uint8Array.from(atob(file.content), (character) => character.charCodeAt(0))),
    ).toContain("- Read `src/login.ts`");
  });

  it("is a pull request that names its decision in the audit and is marked as simulated", async () => {
    const world = await newWorld();
    const { id } = await world.ask(world.anna, "fix the login timeout");
    const pull = await gitHubApi(`GET /repos/${world.repository}/pulls/1`);
    const decision = (await world.entries()).find(
      ({ action, details }) => action === "decision" && details["delivery"] === id,
    );
    expect(pull.title).toBe("[simulated] fix the login timeout");
    expect(pull.body).toContain(`- Audit: project:${world.organisation}/${world.name}, entry ${decision?.sequence}
`);
    expect(pull.base.ref).toBe("main");
  });

  it("shows what was asked as text, whatever it is", async () => {
    const world = await newWorld();
    const nasty = "instruct @everyone read ```\n</details><img src=x> ```` and #1 `x`";
    expect((await world.ask(world.anna, nasty)).ok).toBe(true);
    const { body } = await gitHubApi(`GET /repos/${world.repository}/pulls/1`);
    const fence = "`".repeat(5);
    expect(body).toContain(`${fence}text\n${nasty.replace("instruct ", "")}\n${fence}`);
  });
});

describe("a passing failure of GitHub", () => {
  const steps = [
    "GET $",
    "GET /commits/",
    "GET /git/trees/",
    "POST /git/trees$",
    "POST /git/commits$",
    "POST /git/refs$",
    "POST /pulls$",
  ];
  const someSteps = ["GET /git/trees/", "POST /git/refs$"];
  const effects: [string, readonly string[], Effect][] = [
    ["a lost answer, at any step", steps, { kind: "lose-answer" }],
    ["a 502", someSteps, { kind: "answer", status: 502 }],
    [
      "a limit of requests",
      someSteps,
      { kind: "answer", status: 429, headers: { "retry-after": "600" }, body: { message: "API rate limit exceeded" } },
    ],
  ];

  it.for(effects)("%s, is got over with one commit and one pull request", async ([, befallen, effect]) => {
    const worlds = await Promise.all(
      befallen.map(async (step) => {
        const world = await newWorld();
        await fault(world, step, effect, 1);
        return { step, world };
      }),
    );
    const replies = await Promise.all(
      worlds.map(async ({ step, world }) => [
        step,
        (await world.ask(world.anna, "fix the login")).words.split("\n")[0],
      ]),
    );
    expect(replies).toEqual(befallen.map((step) => [step, expect.stringContaining("✓ Simulated")]));
    for (const { world } of worlds) {
      const [task] = await world.tasks();
      expect(await leftBehind(world)).toEqual({
        branches: [branchOf(task?.id ?? "")],
        pulls: [branchOf(task?.id ?? "")],
      });
    }
  });

  it("that does not pass ends in words, after six tries, with nothing left behind", async () => {
    const world = await newWorld();
    await fault(world, "POST /git/trees$", { kind: "answer", status: 503 });
    const { ok, words } = await world.ask(world.anna, "fix the login");
    expect([ok, words]).toEqual([false, expect.stringMatching(/failed\. GitHub failed \(503\)/)]);
    expect((await world.writes()).filter((line) => line.includes("/git/trees"))).toHaveLength(6);
    expect(await leftBehind(world)).toEqual({ branches: [], pulls: [] });
  });

  it("that asks for more than a quarter of an hour is not waited for", async () => {
    const world = await newWorld();
    await fault(world, "POST /git/trees$", { kind: "answer", status: 429, headers: { "retry-after": "3600" } });
    const { ok, words } = await world.ask(world.anna, "fix the login");
    expect([ok, words]).toEqual([false, expect.stringContaining("Try again in 60 minutes")]);
    expect((await world.writes()).filter((line) => line.includes("/git/trees"))).toHaveLength(1);
  });

  it("is told about while it lasts, and enters the audit as a tool that failed", async () => {
    const world = await newWorld();
    await fault(world, "POST /git/trees$", { kind: "answer", status: 500 }, 2);
    await world.ask(world.anna, "fix the login");
    const tools = (await world.entries())
      .filter(({ action }) => action === "tool")
      .map(({ subject, details }) => [subject, details["ok"]]);
    expect(tools).toEqual([
      ["github.read", true],
      ["write 1", false],
      ["write 2", false],
      ["github.commit", true],
      ["github.pull-request", true],
    ]);
  });
});

describe("a lasting refusal", () => {
  const forbidden: Effect = {
    kind: "answer",
    status: 403,
    body: { message: "Resource not accessible by personal access token" },
  };

  it.for([
    ["reading the repository", "GET $", "needs the permission"],
    ["writing the commit", "POST /git/trees$", "contents: write"],
    ["making the branch", "POST /git/refs$", "contents: write"],
  ] as const)("of %s is one failed try, told with what is missing", async ([, step, advice]) => {
    const world = await newWorld();
    await fault(world, step, forbidden);
    const { ok, words } = await world.ask(world.anna, "fix the login");
    expect([ok, words]).toEqual([false, expect.stringContaining(advice)]);
    expect(words.match(/failed\./g)).toHaveLength(1);
    expect((await world.tasks())[0]).toMatchObject({ attempt: 1, outcome: "failed" });
    expect(await world.state()).toBe("IDLE");
  });

  it("of the pull request takes the branch back", async () => {
    const world = await newWorld();
    await fault(world, "POST /pulls$", forbidden);
    const { ok, words } = await world.ask(world.anna, "fix the login");
    expect([ok, words]).toEqual([false, expect.stringContaining("pull requests: write")]);
    expect(await leftBehind(world)).toEqual({ branches: [], pulls: [] });
  });

  it("because the repository is gone says which", async () => {
    const world = await newWorld();
    await fault(world, "GET $", { kind: "answer", status: 404, body: { message: "Not Found" } });
    expect((await world.ask(world.anna, "fix the login")).words).toContain(
      `GitHub knows no repository ${world.repository}`,
    );
  });
});

it("goes on without what an oversized repository's listing leaves out, and says so", async () => {
  const world = await newWorld();
  await fault(world, "GET /git/trees/", { kind: "truncated-tree" });
  expect((await world.ask(world.anna, "fix the login")).ok).toBe(true);
  const [task] = await world.tasks();
  const tool = (await world.entries()).find(({ subject }) => subject === "github.read");
  expect([task?.outcome, tool?.details["detail"]]).toEqual(["completed", expect.stringContaining("cut by GitHub")]);
});

it("does nothing when it is started with something that is no task", async () => {
  const world = await newWorld();
  const instance = await env.TASK_AGENT.create({
    id: unique("nonsense"),
    params: { spec: { repository: "x" }, attempt: 0 } as unknown as TaskRun,
  });
  await eventually(async () => expect((await instance.status()).status).toBe("errored"));
  expect(await world.writes()).toEqual([]);
});
