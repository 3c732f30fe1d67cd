import { createHash } from "node:crypto";
import { toIso, type Commit } from "./git-repository.ts";
import type { ChangedFile } from "./comparison.ts";
import type { HostedRepository } from "./hosted-repository.ts";

/** A number that stays the same for the same text. */
function numberOf(text: string): number {
  return Number.parseInt(createHash("sha256").update(text).digest("hex").slice(0, 8), 16);
}

export function nodeId(kind: string, id: string | number): string {
  return Buffer.from(`${kind}:${id}`).toString("base64url");
}

export function presentUser(baseUrl: string, login: string) {
  const url = `${baseUrl}/users/${login}`;
  return {
    login,
    id: numberOf(login),
    node_id: nodeId("User", login),
    avatar_url: `${baseUrl}/avatars/${login}`,
    gravatar_id: "",
    url,
    html_url: `${baseUrl}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: "User",
    site_admin: false,
  };
}

export function presentAccount(baseUrl: string, login: string) {
  const epoch = "2024-01-01T00:00:00Z";
  return {
    ...presentUser(baseUrl, login),
    name: login,
    company: null,
    blog: "",
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: epoch,
    updated_at: epoch,
  };
}

/** Each `…_url` of a repository and what follows the repository's own address. */
const LINKS = {
  archive_url: "/{archive_format}{/ref}",
  assignees_url: "/assignees{/user}",
  blobs_url: "/git/blobs{/sha}",
  branches_url: "/branches{/branch}",
  collaborators_url: "/collaborators{/collaborator}",
  comments_url: "/comments{/number}",
  commits_url: "/commits{/sha}",
  compare_url: "/compare/{base}...{head}",
  contents_url: "/contents/{+path}",
  contributors_url: "/contributors",
  deployments_url: "/deployments",
  downloads_url: "/downloads",
  events_url: "/events",
  forks_url: "/forks",
  git_commits_url: "/git/commits{/sha}",
  git_refs_url: "/git/refs{/sha}",
  git_tags_url: "/git/tags{/sha}",
  hooks_url: "/hooks",
  issue_comment_url: "/issues/comments{/number}",
  issue_events_url: "/issues/events{/number}",
  issues_url: "/issues{/number}",
  keys_url: "/keys{/key_id}",
  labels_url: "/labels{/name}",
  languages_url: "/languages",
  merges_url: "/merges",
  milestones_url: "/milestones{/number}",
  notifications_url: "/notifications{?since,all,participating}",
  pulls_url: "/pulls{/number}",
  releases_url: "/releases{/id}",
  stargazers_url: "/stargazers",
  statuses_url: "/statuses/{sha}",
  subscribers_url: "/subscribers",
  subscription_url: "/subscription",
  tags_url: "/tags",
  teams_url: "/teams",
  trees_url: "/git/trees{/sha}",
};

export function apiUrl(baseUrl: string, repository: HostedRepository): string {
  return `${baseUrl}/repos/${repository.fullName}`;
}

/** What other answers say of a repository they mention. */
export function presentMinimalRepository(baseUrl: string, repository: HostedRepository) {
  const { record } = repository;
  const url = apiUrl(baseUrl, repository);
  return {
    id: record.id,
    node_id: nodeId("Repository", record.id),
    name: record.name,
    full_name: repository.fullName,
    private: true,
    owner: presentUser(baseUrl, record.owner),
    html_url: `${baseUrl}/${repository.fullName}`,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(LINKS).map(([name, rest]) => [name, url + rest])),
  };
}

export function presentRepository(
  baseUrl: string,
  repository: HostedRepository,
  defaultBranch: string,
  permissions: "read" | "write",
) {
  const { record } = repository;
  const html = `${baseUrl}/${repository.fullName}`;
  const openIssues = record.pulls.filter((pull) => pull.state === "open").length;
  const write = permissions === "write";
  return {
    ...presentMinimalRepository(baseUrl, repository),
    default_branch: defaultBranch,
    clone_url: `${html}.git`,
    git_url: `git:${html.replace(/^https?:/, "")}.git`,
    ssh_url: `git@127.0.0.1:${repository.fullName}.git`,
    svn_url: html,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    network_count: 0,
    subscribers_count: 0,
    size: 0,
    open_issues: openIssues,
    open_issues_count: openIssues,
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    has_downloads: false,
    archived: false,
    disabled: false,
    visibility: "private",
    pushed_at: record.updatedAt,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    permissions: { admin: false, maintain: false, push: write, triage: write, pull: true },
  };
}

export function presentGitCommit(baseUrl: string, repository: HostedRepository, commit: Commit) {
  const url = apiUrl(baseUrl, repository);
  const html = `${baseUrl}/${repository.fullName}/commit`;
  const person = (identity: Commit["author"]) => ({
    name: identity.name,
    email: identity.email,
    date: toIso(identity.date),
  });
  return {
    sha: commit.sha,
    node_id: nodeId("Commit", commit.sha),
    url: `${url}/git/commits/${commit.sha}`,
    html_url: `${html}/${commit.sha}`,
    author: person(commit.author),
    committer: person(commit.committer),
    tree: { sha: commit.tree, url: `${url}/git/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({ sha, url: `${url}/git/commits/${sha}`, html_url: `${html}/${sha}` })),
    verification: { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null },
  };
}

export function presentCommit(baseUrl: string, repository: HostedRepository, commit: Commit) {
  const { node_id, html_url, author, committer, tree, message, parents, verification, url } = presentGitCommit(
    baseUrl,
    repository,
    commit,
  );
  const api = `${apiUrl(baseUrl, repository)}/commits`;
  return {
    sha: commit.sha,
    node_id,
    url: `${api}/${commit.sha}`,
    html_url,
    comments_url: `${api}/${commit.sha}/comments`,
    commit: { url, author, committer, message, tree, comment_count: 0, verification },
    author: null,
    committer: null,
    parents: parents.map((parent) => ({ ...parent, url: `${api}/${parent.sha}` })),
  };
}

export function presentFile(
  baseUrl: string,
  repository: HostedRepository,
  file: ChangedFile,
  patch: string | null,
  ref: string,
) {
  const html = `${baseUrl}/${repository.fullName}`;
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${html}/blob/${ref}/${path}`,
    raw_url: `${html}/raw/${ref}/${path}`,
    contents_url: `${apiUrl(baseUrl, repository)}/contents/${path}?ref=${ref}`,
    ...(file.previousPath === null ? {} : { previous_filename: file.previousPath }),
    ...(patch === null ? {} : { patch }),
  };
}
