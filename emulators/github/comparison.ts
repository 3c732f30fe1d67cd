import { GitError } from "./git.ts";
import { lines, parseCommit, type Commit, type GitRepository } from "./git-repository.ts";

export type ChangedFile = {
  path: string;
  previousPath: string | null;
  status: "added" | "removed" | "modified" | "renamed" | "copied" | "changed";
  /** The new blob, or for a removed file the old one. */
  sha: string;
  additions: number;
  deletions: number;
  binary: boolean;
};
export type Comparison = { files: ChangedFile[]; commits: Commit[] };

const DIFF = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-abbrev", "-M"];
const STATUS: Record<string, ChangedFile["status"]> = {
  A: "added",
  D: "removed",
  M: "modified",
  R: "renamed",
  C: "copied",
  T: "changed",
};

/** The empty tree, which every repository knows: what a first commit is compared with. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** What `head` adds to `base` since they parted, as a pull request shows it. Commits oldest first. */
export async function compare(repository: GitRepository, base: string, head: string): Promise<Comparison> {
  const [files, commits] = await Promise.all([
    changedFiles(repository, [await forkPoint(repository, base, head), head]),
    commitsBetween(repository, base, head),
  ]);
  return { files, commits };
}

/** What one commit changed, against its first parent; all of it where a shallow history ends. */
export async function filesOfCommit(repository: GitRepository, sha: string): Promise<ChangedFile[]> {
  const args = ["--root", "-r", "-M", "--no-abbrev", "--no-commit-id", "-m", "--first-parent"];
  return parseChanges((await repository.run(["diff-tree", ...args, "--raw", "--numstat", "-z", sha])).text);
}

export async function forkPoint(repository: GitRepository, base: string, head: string): Promise<string> {
  const { code, text } = await repository.run(["merge-base", base, head], { accept: [1] });
  return code === 0 ? text.trim() : EMPTY_TREE;
}

async function changedFiles(repository: GitRepository, between: [string, string]): Promise<ChangedFile[]> {
  return parseChanges((await repository.run([...DIFF, "--raw", "--numstat", "-z", ...between])).text);
}

function parseChanges(text: string): ChangedFile[] {
  const fields = text.split("\0");
  const files: ChangedFile[] = [];
  let at = 0;
  for (; fields[at]?.startsWith(":") === true;) {
    const [, , oldSha = "", newSha = "", status = ""] = (fields[at++] as string).split(" ");
    const letter = status.charAt(0);
    const first = fields[at++] ?? "";
    const moved = letter === "R" || letter === "C";
    const path = moved ? (fields[at++] ?? "") : first;
    files.push({
      path,
      previousPath: moved ? first : null,
      status: STATUS[letter] ?? "changed",
      sha: letter === "D" ? oldSha : newSha,
      additions: 0,
      deletions: 0,
      binary: false,
    });
  }
  // The counts come after, in the same order; a renamed file's has an empty path and then both names.
  for (const file of files) {
    const [additions = "0", deletions = "0", path = ""] = (fields[at++] ?? "").split("\t");
    if (path === "") at += 2;
    file.binary = additions === "-";
    file.additions = Number(additions) || 0;
    file.deletions = Number(deletions) || 0;
  }
  return files;
}

/** Each file's unified diff from its first `@@`, in the order of `files`; null for binary and mere renames. */
export async function patches(
  repository: GitRepository,
  base: string,
  head: string,
  files: readonly ChangedFile[],
): Promise<(string | null)[]> {
  const { text } = await repository.run([...DIFF, "-p", base, head]);
  const sections = text.split(/^(?=diff --git )/m).filter((section) => section !== "");
  let at = 0;
  return files.map((file) => {
    const section = sections[at++] ?? "";
    // A file that became a link, or the reverse, is shown as one removed and one added.
    const both = file.status === "changed" ? section + (sections[at++] ?? "") : section;
    const hunks = both.search(/^@@ /m);
    return hunks === -1 ? null : both.slice(hunks).replace(/\n$/, "");
  });
}

async function commitsBetween(repository: GitRepository, base: string, head: string): Promise<Commit[]> {
  const { text } = await repository.run(["rev-list", "--reverse", "--topo-order", `${base}..${head}`]);
  const objects = await repository.read(lines(text));
  return objects.flatMap((object) => (object ? [parseCommit(object)] : []));
}

/** The tree that merging gives, or null when the two conflict or have nothing in common. */
export async function mergedTree(repository: GitRepository, ours: string, theirs: string): Promise<string | null> {
  try {
    const { code, text } = await repository.run(["merge-tree", "--write-tree", ours, theirs], { accept: [1] });
    return code === 0 ? (lines(text)[0] ?? null) : null;
  } catch (error) {
    if (error instanceof GitError && /unrelated histories/.test(error.stderr)) return null;
    // Git before 2.38 cannot merge without a working tree; what only goes forwards needs no merging.
    if (error instanceof GitError && error.code === 129) {
      const goesForwards = await isAncestor(repository, ours, theirs);
      return goesForwards ? ((await repository.commit(theirs))?.tree ?? null) : null;
    }
    throw error;
  }
}

/** Whether `ancestor` is in the history of `descendant`. */
export async function isAncestor(repository: GitRepository, ancestor: string, descendant: string): Promise<boolean> {
  return (await repository.run(["merge-base", "--is-ancestor", ancestor, descendant], { accept: [1] })).code === 0;
}
