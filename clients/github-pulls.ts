import { InvalidInputError, UpstreamError } from "#core/errors.ts";
import { array, boolean, enum as enumOf, nullish, number, object, string, type output } from "zod";
import { nameOf, type Connection } from "./github-connection.ts";
import { readRefusal } from "./github-errors.ts";
import type { GitHub, PullRequest } from "./github-types.ts";

/** GitHub lists no more files of a pull request than this. */
const MAX_FILES = 3000;
const PAGE = 100;

const pullAnswer = object({
  number: number(),
  title: string(),
  state: enumOf(["open", "closed"]),
  merged: nullish(boolean()),
  merged_at: nullish(string()),
  merge_commit_sha: nullish(string()),
  draft: nullish(boolean()),
  mergeable: nullish(boolean()),
  head: object({ sha: string(), ref: string() }),
  base: object({ ref: string() }),
  user: nullish(object({ login: string() })),
  html_url: string(),
  updated_at: string(),
});
const filesAnswer = array(object({ filename: string(), previous_filename: nullish(string()) }));
const mergeAnswer = object({ sha: string(), merged: boolean() });

type PullMethods = Pick<
  GitHub,
  "findPullRequest" | "openPullRequest" | "pullRequests" | "pullRequest" | "pullRequestFiles" | "merge"
>;

/** Pull requests. */
export function pullMethods({ call }: Connection): PullMethods {
  const read = (repo: { owner: string; name: string }, number: number) =>
    call(
      {
        repository: nameOf(repo),
        doing: `read pull request #${number}`,
        permission: "pull requests: read",
        notFound: `${nameOf(repo)} has no pull request #${number}, or the token may not see the repository. See the open ones with \`prs\`.`,
      },
      (octokit) => octokit.rest.pulls.get({ owner: repo.owner, repo: repo.name, pull_number: number }),
      pullAnswer,
    );

  const findPullRequest = async (
    repo: { owner: string; name: string },
    headBranch: string,
    narrow: { state: "all" | "open"; base?: string } = { state: "all" },
  ) => {
    const found = await call(
      {
        repository: nameOf(repo),
        doing: "look for a pull request",
        permission: "pull requests: read",
      },
      (octokit) =>
        octokit.rest.pulls.list({
          owner: repo.owner,
          repo: repo.name,
          ...narrow,
          head: `${repo.owner}:${headBranch}`,
          sort: "created",
          direction: "desc",
          per_page: 1,
        }),
      array(pullAnswer),
    );
    return found[0] === undefined ? null : toPullRequest(found[0]);
  };

  return {
    findPullRequest: (repo, headBranch) => findPullRequest(repo, headBranch),

    async openPullRequest(repo, pull) {
      try {
        const answer = await call(
          {
            repository: nameOf(repo),
            doing: "open a pull request",
            permission: "contents: write and pull requests: write",
          },
          (octokit) => octokit.rest.pulls.create({ owner: repo.owner, repo: repo.name, ...pull }),
          pullAnswer,
        );
        return toPullRequest(answer);
      } catch (error) {
        const refused = error instanceof InvalidInputError ? readRefusal(error.cause) : null;
        const exists =
          refused?.status === 422 && refused.details.some((text) => /pull request already exists/i.test(text));
        const found = exists ? await findPullRequest(repo, pull.head, { state: "open", base: pull.base }) : null;
        if (found !== null) return found;
        throw error;
      }
    },

    async pullRequests(repo, state, limit) {
      const pulls: PullRequest[] = [];
      for (let page = 1; pulls.length < limit; page++) {
        const size = Math.min(limit, PAGE);
        const answer = await call(
          {
            repository: nameOf(repo),
            doing: "list pull requests",
            permission: "pull requests: read",
          },
          (octokit) =>
            octokit.rest.pulls.list({
              owner: repo.owner,
              repo: repo.name,
              state,
              sort: "created",
              direction: "desc",
              per_page: size,
              page,
            }),
          array(pullAnswer),
        );
        pulls.push(...answer.map(toPullRequest));
        if (answer.length < size) break;
      }
      return pulls.slice(0, limit);
    },

    async pullRequest(repo, number) {
      return toPullRequest(await read(repo, number));
    },

    async pullRequestFiles(repo, number) {
      const paths = new Set<string>();
      let files = 0;
      for (let page = 1; page <= MAX_FILES / PAGE; page++) {
        const answer = await call(
          {
            repository: nameOf(repo),
            doing: `read the files of pull request #${number}`,
            permission: "pull requests: read",
            notFound: `${nameOf(repo)} has no pull request #${number}, or the token may not see the repository.`,
          },
          (octokit) =>
            octokit.rest.pulls.listFiles({
              owner: repo.owner,
              repo: repo.name,
              pull_number: number,
              per_page: PAGE,
              page,
            }),
          filesAnswer,
        );
        files += answer.length;
        for (const { filename, previous_filename: previous } of answer) {
          paths.add(filename);
          if (previous) paths.add(previous);
        }
        if (answer.length < PAGE) break;
      }
      // At the limit it cannot be told whether there are more.
      return { paths: [...paths], complete: files < MAX_FILES };
    },

    async merge(repo, number, { headSha, method }) {
      try {
        const answer = await call(
          {
            repository: nameOf(repo),
            doing: `merge pull request #${number}`,
            permission: "contents: write and pull requests: write",
            notFound: `${nameOf(repo)} has no pull request #${number}, or the token may not merge it.`,
          },
          (octokit) =>
            octokit.rest.pulls.merge({
              owner: repo.owner,
              repo: repo.name,
              pull_number: number,
              sha: headSha,
              merge_method: method,
            }),
          mergeAnswer,
        );
        return { mergeSha: answer.sha };
      } catch (error) {
        const refused = error instanceof InvalidInputError ? readRefusal(error.cause) : null;
        const answerLost = error instanceof UpstreamError && error.retryable;
        if (!answerLost && refused?.status !== 405 && refused?.status !== 409) throw error;
        // This attempt, or an earlier one whose answer was lost, may have merged it.
        const pull = await read(repo, number).catch((cause: unknown) => {
          throw new UpstreamError(
            `${error instanceof Error ? error.message : ""} Whether pull request #${number} of ${nameOf(repo)} was merged is not known: look at it first.`,
            { service: "GitHub", retryable: false },
            { cause },
          );
        });
        if (isMerged(pull) && pull.head.sha === headSha && pull.merge_commit_sha)
          return { mergeSha: pull.merge_commit_sha };
        if (answerLost || !refused) throw error;
        const moved = refused.status === 409 || pull.head.sha !== headSha;
        throw new InvalidInputError(
          moved
            ? `Pull request #${number} of ${nameOf(repo)} has changed since it was looked at. Look at it again before merging.`
            : `GitHub will not merge pull request #${number} of ${nameOf(repo)}: ${refused.message || "it is not mergeable"}. Resolve conflicts and failing rules, and ask again.`,
          { cause: error },
        );
      }
    },
  };
}

function isMerged(pull: output<typeof pullAnswer>): boolean {
  return pull.merged ?? (pull.merged_at ?? null) !== null;
}

function toPullRequest(pull: output<typeof pullAnswer>): PullRequest {
  return {
    number: pull.number,
    title: pull.title,
    state: pull.state,
    merged: isMerged(pull),
    draft: pull.draft ?? false,
    mergeable: pull.mergeable ?? null,
    headSha: pull.head.sha,
    headBranch: pull.head.ref,
    baseBranch: pull.base.ref,
    author: pull.user?.login ?? "ghost",
    htmlUrl: pull.html_url,
    updatedAt: pull.updated_at,
  };
}
