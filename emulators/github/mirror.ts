import { InvalidInputError } from "#core/errors.ts";
import { GitError, type Git } from "./git.ts";
import { lines, ZERO, type GitRepository } from "./git-repository.ts";

/** Branches of finished work: the only ones that go from the mirror to the user, and the only ones never taken from there. */
const OURS = "refs/heads/codespar/";
/** The user's branches as last fetched, and as last applied to the mirror's own. */
const FETCHED = "refs/user/";
const APPLIED = "refs/applied/";
/** The mirror's branches as last given to the user. */
const DELIVERED = "refs/delivered/";

/** Says in words why a path cannot be mirrored, or gives nothing. Throws InvalidInputError. */
export async function checkMirrorable(git: Git, path: string): Promise<void> {
  try {
    const { text } = await git(["-C", path], ["rev-parse", "--show-object-format"]);
    if (text.trim() !== "sha1")
      throw new InvalidInputError(
        `${path} uses ${text.trim()} hashes, which GitHub does not know. Use a SHA-1 repository.`,
      );
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    if (error instanceof GitError && /not a git repository/.test(error.stderr)) {
      throw new InvalidInputError(
        `${path} is not a git repository. Run \`git init\` there, commit something, and try again.`,
        { cause: error },
      );
    }
    if (error instanceof GitError && /cannot change to/.test(error.stderr)) {
      throw new InvalidInputError(`There is no directory ${path}.`, { cause: error });
    }
    const reason = error instanceof GitError ? error.stderr : String(error);
    throw new InvalidInputError(`git cannot read the repository ${path}: ${reason}`, { cause: error });
  }
}

/**
 * A bare repository that follows a user's own one. It reads the user's branches, and writes there nothing but
 * `codespar/…` branches; where a branch moved on both sides, the user's move wins.
 */
export class Mirror {
  readonly #git: Git;
  readonly #path: string;
  readonly #repository: GitRepository;
  #seen: string | null = null;

  constructor(git: Git, path: string, repository: GitRepository) {
    this.#git = git;
    this.#path = path;
    this.#repository = repository;
  }

  /** Follows the user's branches and HEAD. Two short git processes when nothing has moved. Throws GitError. */
  async refresh(): Promise<void> {
    const [refs, head] = await Promise.all([
      this.#user(["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"]),
      this.#user(["symbolic-ref", "-q", "HEAD"], [1]),
    ]);
    const branches = lines(refs.text).filter((line) => !line.slice(41).startsWith(OURS));
    const seen = `${branches.join("\n")}\n${head.text}`;
    if (seen === this.#seen) return;
    await this.#repository.run([
      "fetch",
      "--quiet",
      "--no-write-fetch-head",
      "--no-tags",
      "--no-auto-gc",
      "--no-recurse-submodules",
      "--update-shallow",
      "--prune",
      "--force",
      this.#path,
      `+refs/heads/*:${FETCHED}*`,
      `^${OURS}*`,
    ]);
    await this.#apply();
    await this.#followHead(head.text.trim());
    this.#seen = seen;
  }

  /** Moves the mirror's branches to where the user has moved theirs since the last time. */
  async #apply(): Promise<void> {
    const [fetched, applied] = await Promise.all([this.#repository.refs(FETCHED), this.#repository.refs(APPLIED)]);
    const gone: string[] = [];
    const moved: string[] = [];
    for (const ref of applied.keys()) {
      const branch = ref.slice(APPLIED.length);
      if (!fetched.has(FETCHED + branch)) gone.push(`delete refs/heads/${branch}\n`, `delete ${ref}\n`);
    }
    for (const [ref, sha] of fetched) {
      const branch = ref.slice(FETCHED.length);
      if (applied.get(APPLIED + branch) !== sha)
        moved.push(`update refs/heads/${branch} ${sha}\n`, `update ${APPLIED}${branch} ${sha}\n`);
    }
    // Deletions first: `a` must be gone before `a/b` can be made.
    if (gone.length > 0) await this.#repository.run(["update-ref", "--stdin"], { input: gone.join("") });
    if (moved.length > 0) await this.#repository.run(["update-ref", "--stdin"], { input: moved.join("") });
  }

  /** The default branch is what the user has checked out; with a detached HEAD or one of our branches, the likeliest. */
  async #followHead(userHead: string): Promise<void> {
    const [branches, current] = await Promise.all([
      this.#repository.refs("refs/heads"),
      this.#repository.run(["symbolic-ref", "-q", "HEAD"], { accept: [1] }),
    ]);
    const now = current.text.trim();
    const isUsable = (ref: string) => ref !== "" && !ref.startsWith(OURS) && branches.has(ref);
    const next = isUsable(userHead)
      ? userHead
      : branches.size === 0 && userHead !== ""
        ? userHead
        : [now, "refs/heads/main", "refs/heads/master", ...branches.keys()].find(isUsable);
    if (next !== undefined && next !== now) await this.#repository.run(["symbolic-ref", "HEAD", next]);
  }

  /**
   * Gives the user finished branches, without touching what is checked out. One that the user has moved or deleted
   * since is left as it is. Returns those that could not be given now, and should be tried again.
   */
  async deliver(branches: readonly string[]): Promise<string[]> {
    const [own, delivered] = await Promise.all([this.#repository.refs(OURS), this.#repository.refs(DELIVERED)]);
    const refused: string[] = [];
    for (const branch of branches) {
      const ref = `refs/heads/${branch}`;
      const sha = own.get(ref);
      const before = delivered.get(DELIVERED + branch);
      if (sha === undefined || sha === before) continue;
      if (await this.#give(ref, sha, before)) await this.#repository.moveRef(DELIVERED + branch, sha, before ?? ZERO);
      else refused.push(branch);
    }
    return refused;
  }

  async #give(ref: string, sha: string, before: string | undefined): Promise<boolean> {
    try {
      const theirs = (await this.#user(["rev-parse", "--verify", "--quiet", `${ref}^{commit}`], [1])).text.trim();
      if (theirs === sha) return true;
      // Only what is still as it was given may be moved other than forwards.
      const force = theirs !== "" && theirs === before ? "+" : "";
      await this.#user([
        "fetch",
        "--quiet",
        "--no-write-fetch-head",
        "--no-tags",
        "--no-auto-gc",
        "--no-recurse-submodules",
        this.#repository.directory,
        `${force}${ref}:${ref}`,
      ]);
      return true;
    } catch (error) {
      if (error instanceof GitError) return false;
      throw error;
    }
  }

  #user(args: readonly string[], accept: readonly number[] = []) {
    return this.#git(["-C", this.#path], args, { accept });
  }
}
