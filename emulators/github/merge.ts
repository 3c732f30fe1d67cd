import { mergedTree } from "./comparison.ts";
import { fromIso, type Identity } from "./git-repository.ts";
import type { HostedRepository } from "./hosted-repository.ts";
import type { PullRecord } from "./records.ts";

export type MergeRequest = {
  method: "merge" | "squash" | "rebase";
  title: string | null;
  message: string | null;
  login: string;
  now: string;
};

/** Writes the commit a merge would move the base to; null when it conflicts. Nothing is moved yet. */
export async function writeMerge(
  repository: HostedRepository,
  pull: PullRecord,
  request: MergeRequest,
): Promise<string | null> {
  const { git } = repository;
  const tree = await repository.mergedTree(pull);
  if (tree === null) return null;
  const self: Identity = {
    name: request.login,
    email: `${request.login}@users.noreply.github.com`,
    date: fromIso(request.now) ?? "0 +0000",
  };
  if (request.method === "rebase") return rebase(repository, pull, self);
  const { commits } = await repository.compare(pull);
  if (request.method === "squash") {
    const title = request.title ?? `${pull.title} (#${pull.number})`;
    const text = request.message ?? commits.map((commit) => `* ${commit.message}`).join("\n");
    // GitHub names the pull request's author as the author of a squash.
    const author = { ...(commits[0]?.author ?? self), date: self.date };
    return git.writeCommit({ tree, parents: [pull.baseSha], message: `${title}\n\n${text}`, author, committer: self });
  }
  const title = request.title ?? `Merge pull request #${pull.number} from ${repository.record.owner}/${pull.head}`;
  return git.writeCommit({
    tree,
    parents: [pull.baseSha, pull.headSha],
    message: `${title}\n\n${request.message ?? pull.title}`,
    author: self,
    committer: self,
  });
}

/** Replays each commit of the pull request on its base, as `git rebase` would, without a working tree. */
async function rebase(repository: HostedRepository, pull: PullRecord, committer: Identity): Promise<string | null> {
  const { git } = repository;
  const { commits } = await repository.compare(pull);
  let onto = { sha: pull.baseSha, tree: (await git.commit(pull.baseSha))?.tree ?? "" };
  for (const commit of commits) {
    const [parent, ...others] = commit.parents;
    if (parent === undefined || others.length > 0) return null;
    // What is replayed so far, as a child of the commit's own parent, so that git takes that for the merge base.
    const stand = await git.writeCommit({
      tree: onto.tree,
      parents: [parent],
      message: "",
      author: committer,
      committer,
    });
    const tree = await mergedTree(git, stand, commit.sha);
    if (tree === null) return null;
    const sha = await git.writeCommit({
      tree,
      parents: [onto.sha],
      message: commit.message,
      author: commit.author,
      committer,
    });
    onto = { sha, tree };
  }
  return onto.sha;
}
