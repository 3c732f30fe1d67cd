import type { GitHub } from "#clients/github.ts";
import { riskOfChange } from "#core/guards.ts";
import { type PullRequestReference, type TaskResult, type TaskSpec, branchOf, repositoryFullName } from "#core/task.ts";
import type { ModelNames } from "#clients/model-env.ts";
import type { Asker } from "./asker.ts";
import { type Change, oneLine, simulatedChange } from "./change.ts";
import { runEdge } from "./edge.ts";
import { commitMessage, pullRequestBody, pullRequestTitle } from "./pull-request.ts";
import type { Staged, Stages } from "./stages.ts";

/** How a task asks models. */
export type ModelAccess = { asker: Asker; models: ModelNames };

/** The commit's author. Nobody's address: GitHub shows the name, and who asked stands in the message. */
const AUTHOR = { name: "CodeSpar", email: "codespar@users.noreply.github.invalid" };

/** Paths kept in a step's result, which has to stay under 1 MiB: how many, and their characters together. */
const MAX_PATHS = 5000;
const MAX_PATH_CHARACTERS = 300_000;
const MAX_SUMMARY = 300;

type Base = {
  defaultBranch: string;
  commitSha: string;
  treeSha: string;
  /** Not all of a large repository's, and none in edge mode, which reads the tree itself. */
  paths: string[];
  truncated: boolean;
  branchSha: string | null;
};

/**
 * One attempt at a task, from the repository's head to a pull request: one commit on `codespar/<taskId>`. Base, message
 * and date are fixed before the first write, so that a repeat makes the very same commit; what an earlier attempt left
 * is found and used. Ends in a report unless the task was stopped.
 */
export async function runTask(
  spec: TaskSpec,
  stages: Stages,
  connect: () => GitHub,
  ask: ModelAccess | null,
): Promise<void> {
  const result = await attempt(spec, stages, connect, ask);
  if (result) await stages.finish(result);
}

async function attempt(
  spec: TaskSpec,
  stages: Stages,
  connect: () => GitHub,
  ask: ModelAccess | null,
): Promise<TaskResult | null> {
  const repository = repositoryFullName(spec.repository);

  const read = await stages.run("read", `reading ${repository}`, async ({ used }): Promise<Base> => {
    const github = connect();
    const { defaultBranch } = await github.repository(spec.repository);
    const [head, existing] = await Promise.all([
      github.head(spec.repository, defaultBranch),
      github.branch(spec.repository, branchOf(spec.taskId)),
    ]);
    const tree = await github.tree(spec.repository, head.treeSha);
    const paths = tree.entries.filter(({ type }) => type === "blob").map(({ path }) => path);
    used(
      "github.read",
      `${repository}@${head.commitSha}, ${paths.length} files${tree.truncated ? ", cut by GitHub" : ""}`,
    );
    return {
      defaultBranch,
      ...head,
      paths: spec.mode === "edge" ? [] : firstPaths(paths),
      truncated: tree.truncated,
      branchSha: existing?.commitSha ?? null,
    };
  });
  if (read.status === "failed") return { outcome: "failed", reason: read.reason };
  // Stopped: whoever stopped it has given the final reply.
  if (read.status !== "done") return null;
  const base = read.value;
  const github = connect();
  if (base.branchSha !== null && spec.mode === "edge") {
    const left = await takeUp(spec, stages, github);
    if (left.status === "failed") return { outcome: "failed", reason: left.reason };
    if (left.status !== "done") return null;
    if (left.value !== null) return left.value;
    base.branchSha = null;
  }
  const made = await makeChange(spec, base, stages, github, ask);
  if (made.status === "failed") return { outcome: "failed", reason: made.reason };
  if (made.status !== "done") return null;
  const change = made.value;
  if ("answer" in change) return { outcome: "answered", answer: change.answer };

  if (base.branchSha === null) {
    const written = await stages.run("write", "writing the commit", async ({ used }): Promise<string> => {
      const { commitSha } = await github.commit(spec.repository, {
        base,
        message: commitMessage(spec, change),
        author: { ...AUTHOR, date: spec.requestedAt },
        files: change.files,
      });
      await github.createBranch(spec.repository, branchOf(spec.taskId), commitSha);
      used("github.commit", `${commitSha} on ${branchOf(spec.taskId)}`);
      return commitSha;
    });
    if (written.status === "failed") return takenBack(spec, stages, github, written.reason);
    if (written.status !== "done") return null;
  }

  const opened = await stages.run(
    "open",
    "opening the pull request",
    async ({ used }): Promise<PullRequestReference> => {
      const branch = branchOf(spec.taskId);
      const found = await github.findPullRequest(spec.repository, branch);
      const pullRequest =
        found ??
        (await github.openPullRequest(spec.repository, {
          head: branch,
          base: base.defaultBranch,
          title: pullRequestTitle(spec, change),
          body: pullRequestBody(spec, change),
          draft: false,
        }));
      used("github.pull-request", `#${pullRequest.number} ${found ? "found" : "opened"}`);
      return { number: pullRequest.number, url: pullRequest.htmlUrl, branch };
    },
  );
  if (opened.status === "failed") return takenBack(spec, stages, github, opened.reason);
  if (opened.status !== "done") return null;

  const paths = change.files.map(({ path }) => path);
  return {
    outcome: "completed",
    summary: oneLine(change.summary, MAX_SUMMARY),
    files: paths,
    risk: riskOfChange(paths),
    simulated: change.simulated,
    pullRequest: opened.value,
  };
}

function firstPaths(paths: readonly string[]): string[] {
  let characters = 0;
  // As JSON has them: control characters in a path take six there.
  const end = paths.findIndex((path) => (characters += JSON.stringify(path).length + 1) > MAX_PATH_CHARACTERS);
  return paths.slice(0, end === -1 ? MAX_PATHS : Math.min(end, MAX_PATHS));
}

/**
 * What an earlier attempt left: its pull request is the result. A branch alone is deleted, for a model does not make the same change
 * twice, and the pull request would speak of another one than it holds.
 */
function takeUp(spec: TaskSpec, stages: Stages, github: GitHub): Promise<Staged<TaskResult | null>> {
  const branch = branchOf(spec.taskId);
  return stages.run("take up", "looking at what was begun", async ({ used }): Promise<TaskResult | null> => {
    const found = await github.findPullRequest(spec.repository, branch);
    if (found === null) {
      await github.deleteBranch(spec.repository, branch);
      used("github.delete-branch", branch);
      return null;
    }
    const { paths } = await github.pullRequestFiles(spec.repository, found.number);
    used("github.pull-request", `#${found.number} found`);
    return {
      outcome: "completed",
      summary: oneLine(found.title, MAX_SUMMARY),
      files: paths.slice(0, MAX_PATHS),
      risk: riskOfChange(paths),
      simulated: false,
      pullRequest: { number: found.number, url: found.htmlUrl, branch },
    };
  });
}

/** By simulation, or with a model through the GitHub API. */
async function makeChange(
  spec: TaskSpec,
  base: Base,
  stages: Stages,
  github: GitHub,
  access: ModelAccess | null,
): Promise<Staged<Change | { answer: string }>> {
  if (spec.mode === "simulation") return { status: "done", value: simulatedChange(spec, base) };
  if (!access) {
    const reason = "No model is configured any more. Set the secret ANTHROPIC_API_KEY and ask again.";
    return { status: "failed", reason, retryable: false, retryAfterMs: null };
  }
  const outcome = await runEdge({ spec, base, stages, github, ...access });
  if (outcome.status !== "done") return outcome;
  if (outcome.value.kind === "answered") return { status: "done", value: { answer: outcome.value.answer } };
  const { summary, files } = outcome.value;
  const value = { summary: summary || files.map(({ path }) => path).join(", "), files, simulated: false };
  return { status: "done", value: { ...value, costUsd: stages.costUsd } };
}

/** Leaves nothing half done: a branch without its pull request is nobody's. The answer to writing it may have been lost. */
async function takenBack(spec: TaskSpec, stages: Stages, github: GitHub, reason: string): Promise<TaskResult | null> {
  const branch = branchOf(spec.taskId);
  const back = await stages.run("take back", "taking the branch back", async ({ used }) => {
    await github.deleteBranch(spec.repository, branch);
    used("github.delete-branch", branch);
    return true;
  });
  if (back.status === "stopped") return null;
  const left = back.status === "failed" ? ` The branch ${branch} may have been left behind; it can be deleted.` : "";
  return { outcome: "failed", reason: `${reason}${left}` };
}
