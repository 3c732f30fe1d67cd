import type { WorkflowStep } from "cloudflare:workers";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Asker } from "#agents/task/asker.ts";
import { runTask } from "#agents/task/flow.ts";
import { Stages } from "#agents/task/stages.ts";
import { gitHubFromEnv } from "#clients/github-env.ts";
import { modelNames } from "#clients/model-env.ts";
import type { CompletionRequest, Model } from "#clients/model-types.ts";
import { writeContent, writeEdits } from "#core/edits-markers.ts";
import { NO_USAGE } from "#core/model-usage.ts";
import { branchOf, type TaskReport, type TaskResult, type TaskSpec } from "#core/task.ts";
import { gitHub, gitHubApi, newRepository, unique } from "../worker/world.ts";

const LOGIN = writeEdits("src/login.ts", [
  { search: "export const timeout = 5;\n", replace: "export const timeout = 30;\n" },
]);

type Run = { name: string; timeout: unknown; value: unknown };

/** Runs a task of a repository outside of any Workflow, with a model that says these things. */
async function run(repository: string, answers: string[], taskId = unique("task"), mode: TaskSpec["mode"] = "edge") {
  const [owner = "", name = ""] = repository.split("/");
  const spec: TaskSpec = {
    taskId,
    organisation: "org",
    project: name,
    kind: "fix",
    instruction: "the login timeout",
    repository: { owner, name },
    requestedBy: { identity: "i", name: "Anna", githubLogin: null },
    requestedAt: "2026-01-02T03:04:05Z",
    mode,
    auditReference: "project:org/shop, entry 7",
  };
  const asked: CompletionRequest[] = [];
  const answer = { stopReason: "end_turn", refusal: null, usage: NO_USAGE } as const;
  const model: Model = {
    complete: async (request) => {
      asked.push(request);
      return { ...answer, text: answers.shift() ?? "Nothing more.", model: request.model };
    },
    structured: async ({ schema, model: named }) => ({
      ...answer,
      ok: true,
      value: schema.parse({ paths: [] }),
      model: named,
    }),
  };
  const asker = new Asker({
    model,
    prices: () => ({}),
    reserve: async (_, usd) => ({ grantedUsd: usd, limit: null }),
  });
  const steps: Run[] = [];
  const step = {
    do: async (stepName: string, config: { timeout: unknown }, work: () => Promise<unknown>) => {
      const value = await work();
      steps.push({ name: stepName, timeout: config.timeout, value });
      return value;
    },
    sleep: async () => undefined,
  } as unknown as WorkflowStep;
  const reports: TaskReport[] = [];
  const stages = new Stages(
    step,
    async (report) => {
      reports.push(report);
      return { goOn: true };
    },
    { taskId, attempt: 2 },
  );
  await runTask(spec, stages, () => gitHubFromEnv({ ...env, GITHUB_TIMEOUT_MS: "10000" }), {
    asker,
    models: modelNames({}),
  });
  return { taskId, asked, steps, result: reports.at(-1)?.result as TaskResult };
}

type TreeWrite = { path: string; mode: string; type: string; content?: string; sha?: string };

/** A branch with one commit on top of main. */
async function branchWith(repository: string, branch: string, tree: TreeWrite[]): Promise<string> {
  const head = await gitHubApi(`GET /repos/${repository}/commits/heads%2Fmain`);
  const { sha } = await gitHubApi(`POST /repos/${repository}/git/trees`, { base_tree: head.commit.tree.sha, tree });
  const commit = { message: "Earlier", tree: sha, parents: [head.sha] };
  const made = await gitHubApi(`POST /repos/${repository}/git/commits`, commit);
  if (branch === "main") await gitHubApi(`PATCH /repos/${repository}/git/refs/heads/main`, { sha: made.sha });
  else await gitHubApi(`POST /repos/${repository}/git/refs`, { ref: `refs/heads/${branch}`, sha: made.sha });
  return made.sha;
}

const other = { path: "other.txt", mode: "100644", type: "blob", content: "of an earlier attempt\n" };
describe("a repair", () => {
  const cut = LOGIN.slice(0, LOGIN.indexOf("===END==="));
  const added = writeContent("added.ts", "1;\n");

  it("of an answer that ends within a block adds it to what was complete", async () => {
    const { result, asked } = await run(await newRepository(), [`${added}\n${cut}`, LOGIN]);
    expect(JSON.stringify(asked.at(-1)?.messages)).toContain("ends inside a block");
    expect(result).toMatchObject({ outcome: "completed", files: ["added.ts", "src/login.ts"] });
  });

  it("that does not bring what was cut off makes no half change", async () => {
    const { result } = await run(await newRepository(), [`${added}\n${cut}`, "That was all."]);
    expect(result).toMatchObject({
      outcome: "failed",
      reason: expect.stringContaining("nothing was changed. src/login.ts: The answer ended in the middle of a file."),
    });
  });

  it("that brings another file than what was cut off makes no half change", async () => {
    const { result } = await run(await newRepository(), [`${added}\n${cut}`, added]);
    expect(result).toMatchObject({ outcome: "failed", reason: expect.stringContaining("src/login.ts: The answer") });
  });

  it("may correct a path that was wrong", async () => {
    const wrong = LOGIN.replace("src/login.ts", "src/logni.ts");
    const { result } = await run(await newRepository(), [wrong, LOGIN]);
    expect(result).toMatchObject({ outcome: "completed", files: ["src/login.ts"] });
  });

  it("is asked for once, with everything that is wrong", async () => {
    const missing = writeEdits("README.md", [{ search: "# Nothing\n", replace: "" }]);
    const { asked } = await run(await newRepository(), [`${missing}\n${cut}`, "No."]);
    const said = JSON.stringify(asked.at(-1)?.messages);
    expect(said).toContain("ends inside a block");
    expect(said).toContain("The search text is not in the file");
    expect(asked).toHaveLength(2);
  });
});

it("an answer whose edits change nothing is an answer", async () => {
  const same = writeContent("README.md", "# Shop\n");
  const { result } = await run(await newRepository(), [`It is as you want it.\n\n${same}`, same]);
  expect(result).toEqual({ outcome: "answered", answer: "It is as you want it." });
});

const changed = async (repository: string): Promise<string[]> =>
  (await gitHubApi(`GET /repos/${repository}/pulls/1/files`)).map(({ filename }: { filename: string }) => filename);

describe("an attempt after one that broke off", () => {
  it("does not present a branch of the earlier one as its own change", async () => {
    const repository = await newRepository();
    const taskId = unique("task");
    await branchWith(repository, branchOf(taskId), [other]);
    const { result } = await run(repository, [LOGIN], taskId);
    expect(result).toMatchObject({ outcome: "completed", files: ["src/login.ts"] });
    expect(await changed(repository)).toEqual(["src/login.ts"]);
  });

  it("finds the pull request of the earlier one, and asks no model again", async () => {
    const repository = await newRepository();
    const taskId = unique("task");
    await branchWith(repository, branchOf(taskId), [other]);
    const pull = { title: "fix the login timeout", head: branchOf(taskId), base: "main", body: "" };
    await gitHubApi(`POST /repos/${repository}/pulls`, pull);
    const { result, asked } = await run(repository, [LOGIN], taskId);
    expect(result).toMatchObject({ outcome: "completed", files: ["other.txt"], summary: "fix the login timeout" });
    expect(asked).toEqual([]);
  });
});

describe("what a model must not touch", () => {
  const link = { path: "link.ts", mode: "120000", type: "blob", content: "src/login.ts" };

  it("is a symbolic link: it learns so, and the rest of its change is made", async () => {
    const repository = await newRepository();
    await branchWith(repository, "main", [link]);
    const wrong = `${LOGIN}\n${writeContent("link.ts", "text\n")}`;
    const { result, asked } = await run(repository, [wrong, "The link stays."]);
    expect(JSON.stringify(asked.at(-1)?.messages)).toContain("a symbolic link or a submodule");
    expect(result).toMatchObject({ outcome: "completed", files: ["src/login.ts"] });
  });

  it("is a file that a listing cut by GitHub leaves out: it is not written over unseen", async () => {
    const repository = await newRepository();
    const times = 3;
    await gitHub("/fault", {
      path: `^/repos/${repository}/git/trees/`,
      times,
      effect: { kind: "truncated-tree" },
    });
    const whole = writeContent("src/login.ts", "all gone\n");
    const { result, asked } = await run(repository, [whole, LOGIN]);
    expect(JSON.stringify(asked.at(-1)?.messages)).toContain("export const timeout = 5;");
    expect(result).toMatchObject({ outcome: "completed", files: ["src/login.ts"] });
  });
});

it("a change that is too large for a step's result is refused in words", async () => {
  const { result } = await run(
    await newRepository(),
    Array.from({ length: 3 }, () => large()),
  );
  expect(result).toMatchObject({ outcome: "failed", reason: expect.stringContaining("Ask for less at a time") });
});

const large = (): string => writeContent("large.txt", "é\n".repeat(300_001));

describe("the step that reads the repository", () => {
  const long = Array.from({ length: 400 }, (_, index) => ({
    ...other,
    path: `${"folder-with-a-long-name/".repeat(40)}${index}.txt`,
  }));
  const pathsRead = (steps: Run[]): string[] => {
    const read = steps.find(({ name }) => name === "read 1")?.value as { staged: { value: { paths: string[] } } };
    return read.staged.value.paths;
  };

  it("keeps no paths where a model works, which reads them itself", async () => {
    const { steps } = await run(await newRepository(), [LOGIN]);
    expect(pathsRead(steps)).toEqual([]);
  });

  it("keeps as many as fit a step's result in a simulation", async () => {
    const repository = await newRepository();
    await branchWith(repository, "main", long);
    const { steps, result } = await run(repository, [], unique("task"), "simulation");
    const characters = JSON.stringify(pathsRead(steps)).length;
    expect(characters).toBeGreaterThan(290_000);
    expect(characters).toBeLessThanOrEqual(300_001);
    expect(result).toMatchObject({ outcome: "completed", simulated: true });
  });
});

it("gives the model minutes to answer, and GitHub and reports less", async () => {
  const { steps } = await run(await newRepository(), [LOGIN]);
  const long = steps.filter(({ timeout }) => Number(timeout) >= 600_000).map(({ name }) => name);
  expect(long).toEqual(["pick 1", "ask 1"]);
});
