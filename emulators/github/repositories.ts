import { InvalidInputError } from "#core/errors.ts";
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Git } from "./git.ts";
import { fromIso, GitRepository } from "./git-repository.ts";
import { HostedRepository } from "./hosted-repository.ts";
import { checkMirrorable, Mirror } from "./mirror.ts";
import { isRepositoryName } from "./names.ts";
import { loadRecords, newRecord, type RepositoryRecord, type Source } from "./records.ts";

export type NewRepository =
  /** One commit with a directory's files (those that its .gitignore does not name). */
  | { fromDirectory: string }
  /** Follows a user's own repository, which stays as it is but for branches `codespar/…`. */
  | { mirrorOf: string }
  | { empty: true };

/** Every repository of the emulator, kept below one directory. */
export class Repositories {
  readonly #git: Git;
  readonly #directory: string;
  readonly #log: (line: string) => void;
  readonly #byName = new Map<string, HostedRepository>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(git: Git, directory: string, log: (line: string) => void) {
    this.#git = git;
    this.#directory = directory;
    this.#log = log;
  }

  /** Reads what there is, and finishes what a crash left: merges begun, branches not yet given to the user. */
  async load(now: string): Promise<void> {
    for (const record of await loadRecords(this.#directory)) {
      const repository = this.#host(record);
      await repository.exclusively(async () => {
        await repository.refresh();
        await repository.settlePulls(now);
        await repository.deliver();
      });
    }
  }

  list(): HostedRepository[] {
    return [...this.#byName.values()];
  }

  find(owner: string, name: string): HostedRepository | undefined {
    return this.#byName.get(`${owner}/${name}`.toLowerCase());
  }

  /** Makes a repository, or gives the one that is there. Throws InvalidInputError with what is wrong. */
  create(owner: string, name: string, from: NewRepository): Promise<HostedRepository> {
    const made = this.#last.then(() => this.#create(owner, name, from));
    this.#last = made.catch(() => undefined);
    return made;
  }

  async #create(owner: string, name: string, from: NewRepository): Promise<HostedRepository> {
    if (!isRepositoryName(owner) || !isRepositoryName(name))
      throw new InvalidInputError(`${owner}/${name} is no repository name GitHub allows.`);
    const existing = this.find(owner, name);
    if (existing !== undefined) return existing;

    const source: Source =
      "mirrorOf" in from
        ? { kind: "mirror", path: resolve(from.mirrorOf) }
        : { kind: "empty" in from ? "empty" : "directory" };
    if (source.kind === "mirror") await checkMirrorable(this.#git, source.path);
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const id = Math.max(0, ...this.list().map((repository) => repository.record.id)) + 1;
    const record = newRecord(owner, name, id, source, now);

    // Without its record a repository does not exist: what is at its place is what a crash left.
    const directory = this.#gitDirectory(record);
    const fresh = join(this.#directory, `new-${randomUUID()}`);
    await rm(directory, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true });
    try {
      const repository = new GitRepository(this.#git, fresh);
      await repository.run(["init", "--quiet", "--bare", "--initial-branch=main", "--template="]);
      if ("fromDirectory" in from) await importDirectory(repository, resolve(from.fromDirectory), now);
      if (source.kind === "mirror") await this.#firstSync(source.path, repository);
      await mkdir(dirname(directory), { recursive: true });
      await rename(fresh, directory);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
    const hosted = this.#host(record);
    await hosted.save();
    return hosted;
  }

  async #firstSync(path: string, repository: GitRepository): Promise<void> {
    try {
      await new Mirror(this.#git, path, repository).refresh();
    } catch (error) {
      throw new InvalidInputError(
        `git could not copy the repository ${path}: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }

  #gitDirectory(record: RepositoryRecord): string {
    return join(this.#directory, record.owner, `${record.name}.git`);
  }

  #host(record: RepositoryRecord): HostedRepository {
    const git = new GitRepository(this.#git, this.#gitDirectory(record));
    const hosted = new HostedRepository({
      record,
      git,
      mirror: record.source.kind === "mirror" ? new Mirror(this.#git, record.source.path, git) : null,
      path: join(this.#directory, record.owner, `${record.name}.json`),
      log: this.#log,
    });
    this.#byName.set(hosted.fullName.toLowerCase(), hosted);
    return hosted;
  }
}

async function importDirectory(repository: GitRepository, directory: string, now: string): Promise<void> {
  const found = await stat(directory).catch(() => null);
  if (found?.isDirectory() !== true) throw new InvalidInputError(`There is no directory ${directory}.`);
  const env = { GIT_INDEX_FILE: join(repository.directory, "index-import") };
  try {
    await repository.run([`--work-tree=${directory}`, "-C", directory, "add", "--all", "--", "."], { env });
    const tree = (await repository.run(["write-tree"], { env })).text.trim();
    const self = { name: "CodeSpar", email: "codespar@users.noreply.github.com", date: fromIso(now) ?? "0 +0000" };
    const sha = await repository.writeCommit({
      tree,
      parents: [],
      message: "First commit\n",
      author: self,
      committer: self,
    });
    await repository.moveRef("refs/heads/main", sha, null);
  } finally {
    await rm(env.GIT_INDEX_FILE, { force: true });
  }
}
