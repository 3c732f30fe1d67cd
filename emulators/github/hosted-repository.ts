import { compare, isAncestor, mergedTree, type Comparison } from "./comparison.ts";
import { GitError } from "./git.ts";
import type { GitRepository } from "./git-repository.ts";
import type { Mirror } from "./mirror.ts";
import { saveRecord, type PullRecord, type RepositoryRecord } from "./records.ts";

const MAX_CACHED = 200;

/** One repository as GitHub knows it: git, pull requests, checks, comments. */
export class HostedRepository {
  readonly record: RepositoryRecord;
  readonly git: GitRepository;
  readonly #mirror: Mirror | null;
  readonly #path: string;
  readonly #log: (line: string) => void;
  readonly #comparisons = new Map<string, Promise<Comparison>>();
  readonly #merges = new Map<string, Promise<string | null>>();
  #last: Promise<unknown> = Promise.resolve();
  #hasCommits = false;

  constructor(given: {
    record: RepositoryRecord;
    git: GitRepository;
    mirror: Mirror | null;
    path: string;
    log: (line: string) => void;
  }) {
    this.record = given.record;
    this.git = given.git;
    this.#mirror = given.mirror;
    this.#path = given.path;
    this.#log = given.log;
  }

  get fullName(): string {
    return `${this.record.owner}/${this.record.name}`;
  }

  get isMirror(): boolean {
    return this.#mirror !== null;
  }

  /** Runs one thing at a time. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  save(): Promise<void> {
    return saveRecord(this.#path, this.record);
  }

  nextId(): number {
    return this.record.id * 1_000_000 + this.record.nextId++;
  }

  async defaultBranch(): Promise<string> {
    const { text } = await this.git.run(["symbolic-ref", "-q", "HEAD"], { accept: [1] });
    return text.trim().replace("refs/heads/", "") || "main";
  }

  async isEmpty(): Promise<boolean> {
    if (this.#hasCommits) return false;
    this.#hasCommits = (await this.git.refs("refs/heads")).size > 0;
    return !this.#hasCommits;
  }

  /** Follows the repository this one mirrors, if any. When that cannot be read, what is known is served. */
  async refresh(): Promise<void> {
    if (this.#mirror === null) return;
    try {
      await this.#mirror.refresh();
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      this.#log(`${this.fullName} could not be refreshed from its repository: ${error.stderr}`);
    }
  }

  /** Gives the user every branch a pull request has been opened for. Safe to repeat. */
  async deliver(branches: readonly string[] = this.record.pulls.map((pull) => pull.head)): Promise<void> {
    if (this.#mirror === null) return;
    const finished = new Set(branches.filter((branch) => this.record.pulls.some((pull) => pull.head === branch)));
    if (finished.size === 0) return;
    for (const branch of await this.#mirror.deliver([...finished])) {
      this.#log(
        `${branch} could not be placed in the mirrored repository; it may be checked out or changed there. It is tried again later.`,
      );
    }
  }

  /** Brings open pull requests up to date with their branches: moved heads, deleted heads, bases that contain them. */
  async settlePulls(now: string): Promise<void> {
    const open = this.record.pulls.filter((pull) => pull.state === "open");
    if (open.length === 0) return;
    const refs = await this.git.refs("refs/heads");
    let changed = false;
    for (const pull of open) {
      const head = refs.get(`refs/heads/${pull.head}`);
      const base = refs.get(`refs/heads/${pull.base}`) ?? pull.baseSha;
      if (head === pull.headSha && base === pull.baseSha && pull.merging === null) continue;
      changed = true;
      pull.updatedAt = now;
      if (pull.merging !== null) {
        // The base has been moved or not: a crash between the two is settled by looking.
        if (await isAncestor(this.git, pull.merging.sha, base)) this.closeMerged(pull, pull.merging, now);
        pull.merging = null;
        if (pull.merged !== null) continue;
      }
      if (head === undefined) {
        pull.state = "closed";
        pull.closedAt = now;
        continue;
      }
      pull.headSha = head;
      // What it was merged into is not what it is compared with: that would show nothing.
      if (await isAncestor(this.git, head, base)) this.closeMerged(pull, { sha: base, by: this.record.owner }, now);
      else pull.baseSha = base;
    }
    if (changed) await this.save();
  }

  closeMerged(pull: PullRecord, merged: { sha: string; by: string }, now: string): void {
    pull.merged = { ...merged, at: now };
    pull.merging = null;
    pull.state = "closed";
    pull.closedAt = now;
    pull.updatedAt = now;
  }

  compare(pull: Pick<PullRecord, "baseSha" | "headSha">): Promise<Comparison> {
    return remember(this.#comparisons, `${pull.baseSha}..${pull.headSha}`, () =>
      compare(this.git, pull.baseSha, pull.headSha),
    );
  }

  /** The tree a merge would give; null when it conflicts. */
  mergedTree(pull: Pick<PullRecord, "baseSha" | "headSha">): Promise<string | null> {
    return remember(this.#merges, `${pull.baseSha}..${pull.headSha}`, () =>
      mergedTree(this.git, pull.baseSha, pull.headSha),
    );
  }
}

/** Both sides are hashes, so an answer stays true; only the newest are kept. */
function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  made.catch(() => known.delete(key));
  const oldest = known.size > MAX_CACHED ? known.keys().next().value : undefined;
  if (oldest !== undefined) known.delete(oldest);
  return made;
}
