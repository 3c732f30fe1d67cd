import type { Checks, GitHub, MergeMethod, PullRequest } from "#clients/github.ts";
import { guardedPaths } from "#core/guards.ts";
import { type Block, fields, link, text } from "#core/response.ts";
import type { RepositoryName } from "#core/task.ts";
import { approvalNeeded, isExpected, wordsFor } from "../../mailbox/words.ts";
import { type Answer, type Context, done, notDone } from "./handler.ts";

const MAX_LISTED = 20;
const MERGEABLE_LOOKS = 4;
const MERGEABLE_PAUSE_MS = 1000;

export async function listPullRequests(
  state: "open" | "closed" | "all",
  { project, connectGitHub }: Context,
): Promise<Answer> {
  const found = await connectGitHub().pullRequests(project.repository, state, MAX_LISTED);
  if (found.length === 0)
    return done(text(state === "open" ? "No pull request is open." : "There are no pull requests."));
  return done(
    ...found.map((pull): Block =>
      link(pull.htmlUrl, `#${pull.number} ${pull.title} (${stateOf(pull)}, ${pull.author})`),
    ),
  );
}

const stateOf = ({ merged, draft, state }: PullRequest): string => (merged ? "merged" : draft ? "draft" : state);

export async function statusOfBuild({ project, connectGitHub }: Context): Promise<Answer> {
  const github = connectGitHub();
  const { defaultBranch } = await github.repository(project.repository);
  const { commitSha } = await github.head(project.repository, defaultBranch);
  const checks = await github.checks(project.repository, commitSha);
  const at = `${defaultBranch} at ${commitSha.slice(0, 8)}`;
  if (checks.state === "none") return done(text(`No checks have reported on ${at}.`));
  return done(
    text(`Checks on ${at}: ${checks.state}.`),
    fields(Object.fromEntries(checks.items.map(({ name, state }) => [name, state]))),
  );
}

/** Why a pull request cannot be merged now, in words, or null. */
function refusalToMerge(pull: PullRequest, checks: Checks): string | null {
  if (pull.state === "closed") return `#${pull.number} is closed. Reopen it on GitHub first.`;
  if (pull.draft) return `#${pull.number} is a draft. Mark it as ready on GitHub first.`;
  if (pull.mergeable === false)
    return `#${pull.number} has conflicts with ${pull.baseBranch}. Resolve them, then ask again.`;
  if (pull.mergeable === null)
    return `GitHub is still working out whether #${pull.number} can be merged. Ask again in a moment.`;
  if (checks.state === "failed") {
    return `Checks of #${pull.number} failed: ${checks.items
      .filter(({ state }) => state === "failed")
      .map(({ name }) => name)
      .join(", ")}.`;
  }
  if (checks.state === "pending")
    return `Checks of #${pull.number} are still running. Ask again when they have passed.`;
  return null;
}

/**
 * Merges exactly the commit whose diff and checks were looked at. Whether the diff is guarded is known only now, so it is
 * decided again before anything happens.
 */
export async function merge(
  { number, method }: { number: number; method: MergeMethod },
  context: Context,
): Promise<Answer> {
  const github = context.connectGitHub();
  const { repository } = context.project;
  const pull = await pullRequestToMerge(github, repository, number);
  if (pull.merged) {
    return done(text(`#${number} “${pull.title}” is merged already.`), link(pull.htmlUrl, "See it"));
  }
  const [checks, files] = await Promise.all([
    github.checks(repository, pull.headSha),
    github.pullRequestFiles(repository, number),
  ]);
  const refusal = refusalToMerge(pull, checks);
  if (refusal !== null) return notDone(text(refusal));
  const guarded = guardedPaths(files.paths);
  // Files GitHub does not list could be guarded ones.
  const decision = await context.decideAgain({ guarded: guarded.length > 0 || !files.complete });
  if (decision.effect !== "allow") {
    const reasons = guarded.slice(0, 10).map(({ path, reason }) => text(`${path}: ${reason}`));
    return notDone(text(approvalNeeded(`merge PR #${number}`, decision)), ...reasons);
  }
  const tool = "github.merge";
  const what = `#${number} at ${pull.headSha}, ${method}`;
  try {
    const { mergeSha } = await github.merge(repository, number, { headSha: pull.headSha, method });
    const checked = checks.state === "none" ? "it has no checks" : "its checks passed";
    const words = `✓ Merged #${number} “${pull.title}” into ${pull.baseBranch} as ${mergeSha.slice(0, 8)}; ${checked}.`;
    return {
      ok: true,
      blocks: [text(words), link(pull.htmlUrl, "See it")],
      tools: [{ tool, detail: `${what}: ${mergeSha}`, ok: true }],
    };
  } catch (error) {
    if (!isExpected(error)) throw error;
    const tools = [{ tool, detail: `${what}: ${error.message}`, ok: false }];
    return { ok: false, blocks: [text(wordsFor(error))], tools };
  }
}

/** GitHub works out whether a pull request can be merged when it is first asked, and answers before it knows. */
async function pullRequestToMerge(github: GitHub, repository: RepositoryName, number: number): Promise<PullRequest> {
  let pull = await github.pullRequest(repository, number);
  for (let looks = 1; looks < MERGEABLE_LOOKS && pull.state === "open" && pull.mergeable === null; looks += 1) {
    await scheduler.wait(MERGEABLE_PAUSE_MS);
    pull = await github.pullRequest(repository, number);
  }
  return pull;
}
