import type { HostedRepository } from "./hosted-repository.ts";
import { apiUrl, nodeId, presentMinimalRepository, presentRepository, presentUser } from "./present.ts";
import type { CheckRunRecord, CommentRecord, PullRecord, StatusRecord } from "./records.ts";

function pullHtmlUrl(baseUrl: string, repository: HostedRepository, number: number): string {
  return `${baseUrl}/${repository.fullName}/pull/${number}`;
}

/** A pull request as lists have it. */
export function presentPull(baseUrl: string, repository: HostedRepository, pull: PullRecord, defaultBranch: string) {
  const api = apiUrl(baseUrl, repository);
  const url = `${api}/pulls/${pull.number}`;
  const issue = `${api}/issues/${pull.number}`;
  const html = pullHtmlUrl(baseUrl, repository, pull.number);
  const statuses = `${api}/statuses/${pull.headSha}`;
  const owner = presentUser(baseUrl, repository.record.owner);
  const repo = presentRepository(baseUrl, repository, defaultBranch, "write");
  const end = (ref: string, sha: string) => ({
    label: `${repository.record.owner}:${ref}`,
    ref,
    sha,
    user: owner,
    repo,
  });
  return {
    id: pull.id,
    node_id: nodeId("PullRequest", pull.id),
    number: pull.number,
    title: pull.title,
    body: pull.body,
    state: pull.state,
    draft: pull.draft,
    locked: false,
    user: presentUser(baseUrl, pull.login),
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: [],
    milestone: null,
    author_association: "COLLABORATOR",
    auto_merge: null,
    active_lock_reason: null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.sha ?? null,
    head: end(pull.head, pull.headSha),
    base: end(pull.base, pull.baseSha),
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    commits_url: `${url}/commits`,
    comments_url: `${issue}/comments`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    statuses_url: statuses,
    _links: {
      self: { href: url },
      html: { href: html },
      issue: { href: issue },
      comments: { href: `${issue}/comments` },
      commits: { href: `${url}/commits` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${api}/pulls/comments{/number}` },
      statuses: { href: statuses },
    },
  };
}

/** A pull request asked for by number, with what it takes git to say. */
export async function presentWholePull(
  baseUrl: string,
  repository: HostedRepository,
  pull: PullRecord,
  defaultBranch: string,
) {
  const isOpen = pull.state === "open";
  const [{ files, commits }, tree] = await Promise.all([
    repository.compare(pull),
    isOpen ? repository.mergedTree(pull) : null,
  ]);
  const mergeable = isOpen ? tree !== null : null;
  return {
    ...presentPull(baseUrl, repository, pull, defaultBranch),
    merged: pull.merged !== null,
    merged_by: pull.merged === null ? null : presentUser(baseUrl, pull.merged.by),
    mergeable,
    rebaseable: mergeable,
    mergeable_state: mergeable === null ? "unknown" : !mergeable ? "dirty" : pull.draft ? "draft" : "clean",
    maintainer_can_modify: false,
    comments: repository.record.comments.filter((comment) => comment.issue === pull.number).length,
    review_comments: 0,
    commits: commits.length,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changed_files: files.length,
  };
}

export function presentComment(baseUrl: string, repository: HostedRepository, comment: CommentRecord) {
  const api = apiUrl(baseUrl, repository);
  return {
    id: comment.id,
    node_id: nodeId("IssueComment", comment.id),
    url: `${api}/issues/comments/${comment.id}`,
    html_url: `${pullHtmlUrl(baseUrl, repository, comment.issue)}#comment-${comment.id}`,
    issue_url: `${api}/issues/${comment.issue}`,
    body: comment.body,
    user: presentUser(baseUrl, comment.login),
    author_association: "COLLABORATOR",
    created_at: comment.createdAt,
    updated_at: comment.createdAt,
  };
}

export function presentStatus(baseUrl: string, repository: HostedRepository, status: StatusRecord) {
  return {
    id: status.id,
    node_id: nodeId("StatusContext", status.id),
    url: `${apiUrl(baseUrl, repository)}/statuses/${status.sha}`,
    avatar_url: `${baseUrl}/avatars/${status.login}`,
    state: status.state,
    context: status.context,
    description: status.description,
    target_url: status.targetUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
  };
}

/** GitHub's rule: any error or failure fails; anything pending, or nothing at all, is pending. */
function combinedState(statuses: readonly StatusRecord[]): "failure" | "pending" | "success" {
  if (statuses.some(({ state }) => state === "error" || state === "failure")) return "failure";
  return statuses.length === 0 || statuses.some(({ state }) => state === "pending") ? "pending" : "success";
}

export function presentCombinedStatus(
  baseUrl: string,
  repository: HostedRepository,
  sha: string,
  statuses: readonly StatusRecord[],
) {
  const api = apiUrl(baseUrl, repository);
  return {
    state: combinedState(statuses),
    sha,
    total_count: statuses.length,
    statuses: statuses.map((status) => presentStatus(baseUrl, repository, status)),
    repository: presentMinimalRepository(baseUrl, repository),
    commit_url: `${api}/commits/${sha}`,
    url: `${api}/commits/${sha}/status`,
  };
}

export function presentCheckRun(baseUrl: string, repository: HostedRepository, run: CheckRunRecord) {
  const url = `${apiUrl(baseUrl, repository)}/check-runs/${run.id}`;
  return {
    id: run.id,
    node_id: nodeId("CheckRun", run.id),
    head_sha: run.sha,
    name: run.name,
    url,
    html_url: `${baseUrl}/${repository.fullName}/runs/${run.id}`,
    details_url: run.detailsUrl,
    external_id: run.externalId,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: null,
      annotations_count: 0,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.id },
    app: null,
    pull_requests: [],
  };
}
