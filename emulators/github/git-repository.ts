import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Git, GitOptions, GitOutput } from "./git.ts";
import { isRefName, isSha } from "./names.ts";

export const ZERO = "0".repeat(40);

export type GitObject = { sha: string; type: "commit" | "tree" | "blob" | "tag"; data: Buffer };
/** `date` is git's raw form: epoch seconds and offset, `1700000000 +0000`. */
export type Identity = { name: string; email: string; date: string };
export type Commit = {
  sha: string;
  tree: string;
  parents: string[];
  author: Identity;
  committer: Identity;
  message: string;
};
export type TreeItem = {
  path: string;
  mode: string;
  type: "blob" | "tree" | "commit";
  sha: string;
  size: number | null;
};
export type TreeWrite = { path: string; mode: string; sha: string | null };

/** One bare repository, through as few git processes as each question needs. */
export class GitRepository {
  readonly directory: string;
  readonly #git: Git;

  constructor(git: Git, directory: string) {
    this.#git = git;
    this.directory = directory;
  }

  run(args: readonly string[], options?: GitOptions): Promise<GitOutput> {
    return this.#git([`--git-dir=${this.directory}`], args, options);
  }

  /** Refs below a prefix: full name → hash. */
  async refs(prefix: string): Promise<Map<string, string>> {
    const { text } = await this.run(["for-each-ref", "--format=%(objectname) %(refname)", prefix]);
    return new Map(lines(text).map((line) => [line.slice(41), line.slice(0, 40)]));
  }

  /** Objects by name, in order; null for what does not exist. Names must not hold line breaks. */
  async read(names: readonly string[]): Promise<(GitObject | null)[]> {
    const asked = names.map((name) => (name.includes("\n") ? "" : name));
    const { stdout } = await this.run(["cat-file", "--batch"], { input: asked.map((name) => `${name}\n`).join("") });
    let at = 0;
    return asked.map(() => {
      const end = stdout.indexOf(10, at);
      const header = /^([0-9a-f]{40}) (commit|tree|blob|tag) (\d+)$/.exec(stdout.subarray(at, end).toString());
      at = end + 1;
      if (header === null) return null;
      const size = Number(header[3]);
      const data = stdout.subarray(at, at + size);
      at += size + 1;
      return { sha: header[1] as string, type: header[2] as GitObject["type"], data };
    });
  }

  /** The commit that a hash, branch, tag, `heads/…` or `tags/…` names. */
  async commit(ref: string): Promise<Commit | null> {
    const names = isSha(ref) ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`].filter(isRefName);
    if (/^[0-9a-f]{7,39}$/.test(ref)) names.push(ref);
    if (names.length === 0) return null;
    const found = (await this.read(names.map((name) => `${name}^{commit}`))).find((object) => object !== null);
    return found ? parseCommit(found) : null;
  }

  async branch(name: string): Promise<Commit | null> {
    const ref = `refs/heads/${name}`;
    if (!isRefName(ref)) return null;
    const [found] = await this.read([`${ref}^{commit}`]);
    return found ? parseCommit(found) : null;
  }

  /** Moves, makes (`old` = ZERO) or deletes (`next` = ZERO) a ref; false when it is not at `old`. */
  async moveRef(ref: string, next: string, old: string | null): Promise<boolean> {
    const args = next === ZERO ? ["update-ref", "-d", ref] : ["update-ref", ref, next];
    const { code } = await this.run(old === null ? args : [...args, old], { accept: [1, 128] });
    return code === 0;
  }

  async list(tree: string, recursive: boolean): Promise<TreeItem[]> {
    const { text } = await this.run(["ls-tree", "-z", "-l", ...(recursive ? ["-r", "-t"] : []), tree]);
    return text
      .split("\0")
      .filter((line) => line !== "")
      .map((line) => {
        const tab = line.indexOf("\t");
        const [mode = "", type = "", sha = "", size = "-"] = line.slice(0, tab).split(/ +/);
        return {
          path: line.slice(tab + 1),
          mode,
          type: type as TreeItem["type"],
          sha,
          size: size === "-" ? null : Number(size),
        };
      });
  }

  /** Writes blobs and gives their hashes in order. */
  async writeBlobs(contents: readonly Uint8Array[]): Promise<string[]> {
    const [first] = contents;
    if (first === undefined) return [];
    if (contents.length === 1)
      return [(await this.run(["hash-object", "-w", "--stdin"], { input: first })).text.trim()];
    const directory = join(this.directory, `incoming-${randomUUID()}`);
    await mkdir(directory);
    try {
      const paths = contents.map((_, index) => join(directory, String(index)));
      await Promise.all(contents.map((content, index) => writeFile(paths[index] as string, content)));
      const { text } = await this.run(["hash-object", "-w", "--no-filters", "--stdin-paths"], {
        input: `${paths.join("\n")}\n`,
      });
      return lines(text);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** A tree from another with entries written over it (`sha` null deletes). Null when something to delete is not there. */
  async writeTree(base: string | null, entries: readonly TreeWrite[]): Promise<string | null> {
    const env = { GIT_INDEX_FILE: join(this.directory, `index-${randomUUID()}`) };
    try {
      const removals = entries.filter((entry) => entry.sha === null).map((entry) => entry.path);
      const removed = await this.#below(base, removals);
      if (removals.some((path) => !removed.some((file) => file === path || file.startsWith(`${path}/`)))) return null;
      if (base !== null) await this.run(["read-tree", base], { env });
      const additions = await Promise.all(entries.map((entry) => this.#expand(entry)));
      const changes = [...removed.map((path) => `0 ${ZERO}\t${path}\0`), ...additions.flat()];
      if (changes.length > 0) {
        const args = ["update-index", "-z", "--add", "--replace", "--index-info"];
        await this.run(args, { env, input: changes.join("") });
      }
      return (await this.run(["write-tree"], { env })).text.trim();
    } finally {
      await rm(env.GIT_INDEX_FILE, { force: true });
      await rm(`${env.GIT_INDEX_FILE}.lock`, { force: true });
    }
  }

  /** Lines for the index: a directory goes in file by file. */
  async #expand({ path, mode, sha }: TreeWrite): Promise<string[]> {
    if (sha === null) return [];
    if (mode !== "040000") return [`${mode} ${sha}\t${path}\0`];
    const items = (await this.list(sha, true)).filter((item) => item.type !== "tree");
    return items.map((item) => `${item.mode} ${item.sha}\t${path}/${item.path}\0`);
  }

  async #below(tree: string | null, paths: readonly string[]): Promise<string[]> {
    if (tree === null || paths.length === 0) return [];
    const { text } = await this.run(["ls-tree", "-z", "-r", "--name-only", tree, "--", ...paths]);
    return text.split("\0").filter((path) => path !== "");
  }

  async writeCommit(commit: Omit<Commit, "sha">): Promise<string> {
    const { text } = await this.run(
      ["commit-tree", commit.tree, ...commit.parents.flatMap((parent) => ["-p", parent])],
      {
        input: commit.message,
        env: {
          GIT_AUTHOR_NAME: commit.author.name,
          GIT_AUTHOR_EMAIL: commit.author.email,
          GIT_AUTHOR_DATE: commit.author.date,
          GIT_COMMITTER_NAME: commit.committer.name,
          GIT_COMMITTER_EMAIL: commit.committer.email,
          GIT_COMMITTER_DATE: commit.committer.date,
        },
      },
    );
    return text.trim();
  }
}

export function parseCommit(object: GitObject): Commit {
  const text = object.data.toString();
  const split = text.indexOf("\n\n");
  const commit: Commit = {
    sha: object.sha,
    tree: "",
    parents: [],
    author: { name: "", email: "", date: "0 +0000" },
    committer: { name: "", email: "", date: "0 +0000" },
    message: split === -1 ? "" : text.slice(split + 2),
  };
  for (const line of (split === -1 ? text : text.slice(0, split)).split("\n")) {
    const space = line.indexOf(" ");
    const value = line.slice(space + 1);
    const field = line.slice(0, space);
    if (field === "tree") commit.tree = value;
    else if (field === "parent") commit.parents.push(value);
    else if (field === "author" || field === "committer") commit[field] = parseIdentity(value);
  }
  return commit;
}

function parseIdentity(text: string): Identity {
  const match = /^(.*?) ?<(.*)> (-?\d+ [+-]\d{4})$/.exec(text);
  return { name: match?.[1] ?? "", email: match?.[2] ?? "", date: match?.[3] ?? "0 +0000" };
}

/** Git's raw date as the ISO 8601 that GitHub answers with. */
export function toIso(date: string): string {
  return new Date(Number(date.split(" ")[0]) * 1000).toISOString().replace(".000Z", "Z");
}

/** ISO 8601 as git's raw date, the offset kept; null when it is no date. */
export function fromIso(iso: string): string | null {
  const time = Date.parse(iso);
  if (Number.isNaN(time) || time < 0) return null;
  const offset = /([+-]\d{2}):?(\d{2})$/.exec(iso);
  return `${Math.floor(time / 1000)} ${offset ? `${offset[1]}${offset[2]}` : "+0000"}`;
}

export function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
