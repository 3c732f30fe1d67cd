/** A repository by its two names: `{owner: "acme", name: "shop"}` is `acme/shop`. */
export type RepositoryName = { owner: string; name: string };

export type Repository = {
  fullName: string;
  defaultBranch: string;
  htmlUrl: string;
  private: boolean;
  /** Null when GitHub does not say (it omits permissions for some apps). */
  canPush: boolean | null;
};

export type Head = { commitSha: string; treeSha: string };

/** `size` is in bytes, and null for what is no blob. */
export type TreeEntry = {
  path: string;
  mode: string;
  type: "blob" | "tree" | "commit";
  sha: string;
  size: number | null;
};
export type Tree = { entries: TreeEntry[]; truncated: boolean };

/** `text` is null exactly when `binary` is true. `size` is in bytes. */
export type RepositoryFile = { text: string | null; binary: boolean; sha: string; size: number };

export type FileChange = {
  path: string;
  /** The whole new text, or null to delete the file. */
  content: string | null;
  mode?: "100644" | "100755";
};

export type NewCommit = {
  base: Head;
  message: string;
  /** `date` is ISO 8601. Author and committer are both this, so that the same input makes the same hash. */
  author: { name: string; email: string; date: string };
  files: FileChange[];
};

export type PullRequest = {
  number: number;
  title: string;
  state: "open" | "closed";
  merged: boolean;
  draft: boolean;
  /** Null while GitHub is working it out, and in lists, which do not tell. */
  mergeable: boolean | null;
  headSha: string;
  headBranch: string;
  baseBranch: string;
  author: string;
  htmlUrl: string;
  /** ISO 8601. */
  updatedAt: string;
};

export type NewPullRequest = {
  head: string;
  base: string;
  title: string;
  body: string;
  draft: boolean;
};

export type CheckState = "passed" | "failed" | "pending";
export type Checks = {
  state: CheckState | "none";
  items: { name: string; state: CheckState; url: string | null }[];
};

export type MergeMethod = "merge" | "squash" | "rebase";

/**
 * GitHub, for what agents do with it. Each call makes one HTTP attempt per request it needs, each bounded by the
 * configured timeout; trying again is for the caller. Failures are InvalidInputError, NotFoundError or UpstreamError.
 */
export type GitHub = {
  repository(repo: RepositoryName): Promise<Repository>;
  /** The newest commit of a branch and its tree. */
  head(repo: RepositoryName, branch: string): Promise<Head>;
  /** Every entry below a tree. `truncated` says that GitHub left some out. */
  tree(repo: RepositoryName, treeSha: string): Promise<Tree>;
  /** One file at a branch, tag or commit; null when there is none. */
  file(repo: RepositoryName, path: string, ref: string): Promise<RepositoryFile | null>;
  /** Paths of files on the default branch that hold the words, best first, at most `limit`. */
  searchCode(repo: RepositoryName, words: string[], limit: number): Promise<string[]>;
  /** Writes one commit, which no branch points at yet. Repeating it gives the same hash. */
  commit(repo: RepositoryName, commit: NewCommit): Promise<{ commitSha: string }>;
  /** "exists" when the branch is already at this very commit; at another one it is an InvalidInputError. */
  createBranch(repo: RepositoryName, branch: string, commitSha: string): Promise<"created" | "exists">;
  branch(repo: RepositoryName, name: string): Promise<{ commitSha: string } | null>;
  /** Deletes a branch; one that is gone already is as good as deleted. */
  deleteBranch(repo: RepositoryName, name: string): Promise<void>;
  /** The newest pull request from a branch of this repository, in whatever state. */
  findPullRequest(repo: RepositoryName, headBranch: string): Promise<PullRequest | null>;
  /** Opens a pull request, or returns the one that is open already. */
  openPullRequest(repo: RepositoryName, pull: NewPullRequest): Promise<PullRequest>;
  /** Newest first. */
  pullRequests(repo: RepositoryName, state: "open" | "closed" | "all", limit: number): Promise<PullRequest[]>;
  pullRequest(repo: RepositoryName, number: number): Promise<PullRequest>;
  /** Every path a pull request touches, both names of a renamed file. `complete` is false past GitHub's 3,000 files. */
  pullRequestFiles(repo: RepositoryName, number: number): Promise<{ paths: string[]; complete: boolean }>;
  /** Check runs and commit statuses of a commit, the newest of each name. */
  checks(repo: RepositoryName, sha: string): Promise<Checks>;
  /** Merges exactly the commit `headSha`; one that is merged already answers as if it had just been. */
  merge(
    repo: RepositoryName,
    number: number,
    merge: { headSha: string; method: MergeMethod },
  ): Promise<{ mergeSha: string }>;
};

export type GitHubAuth =
  | { type: "token"; token: string }
  /** `privateKey` is PEM, PKCS#1 as GitHub hands it out or PKCS#8. Without an installation it is looked up by repository. */
  | { type: "app"; appId: string; privateKey: string; installationId: string | null };

export type GitHubOptions = {
  /** `https://api.github.com`, or GitHub Enterprise's `…/api/v3`, or the emulator. */
  apiUrl: string;
  auth: GitHubAuth;
  timeoutMs: number;
  fetch?: typeof globalThis.fetch;
};
