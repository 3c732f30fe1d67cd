import type { GitHub } from "#clients/github.ts";
import { riskOfChange } from "#core/guards.ts";
import { type PullRequestReference, type TaskResult, type TaskSpec, branchOf, repositoryFullName } from "#core/task.ts";
import { simulatedChange } from "./change.ts";
import { commitMessage, pullRequestBody, pullRequestTitle } from "./pull-request.ts";
import type { Stages } from "./stages.ts";

/** The commit's author. Nobody's address: GitHub shows the name, and who asked stands in the message. */
const AUTHOR = { name: "CodeSpar", email: "codespar@users.noreply.github.invalid" };

/** Paths kept in a step's result, which has to stay under 1 MiB. */
const MAX_PATHS = 5000;

type Base = {
  defaultBranch: string;
  commitSha: string;
  treeSha: string;
  paths: string[];
  truncated: boolean;
  branchSha: string | null;
};

/**
 * One attempt at a task, from the repository's head to a pull request: one commit on `codespar/<taskId>`. Base, message
 * and date are fixed before the first write, so that a repeat makes the very same commit; what an earlier attempt left
 * is found and used. Ends in a report unless the task was stopped.
 */
export async function runTask(spec: TaskSpec, stages: Stages, connect: () => GitHub): Promise<void> {
  const result = await attempt(spec, stages, connect);
  if (result) await stages.finish(result);
}

async function attempt(spec: TaskSpec, stages: Stages, connect: () => GitHub): Promise<TaskResult | null> {
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
      paths: paths.slice(0, MAX_PATHS),
      truncated: tree.truncated,
      branchSha: existing?.commitSha ?? null,
    };
  });
  if (read.status === "failed") return { outcome: "failed", reason: read.reason };
  // Stopped: whoever stopped it has given the final reply.
  if (read.status !== "done") return null;
  const base = read.value;
  const github = connect();
  const change = simulatedChange(spec, base);

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
    summary: change.summary,
    files: paths,
    risk: riskOfChange(paths),
    simulated: change.simulated,
    pullRequest: opened.value,
  };
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
