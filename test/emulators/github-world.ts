import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startGitHubEmulator, type GitHubEmulator } from "#emulators/github/emulator.ts";

export const TOKENS = {
  "write-token": { login: "codespar-bot", permissions: "write" },
  "read-token": { login: "reader", permissions: "read" },
} as const;

const AUTHOR = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false"];

/** The real git, as a test's own eyes. Gives what it prints, without the last line break. */
export function git(directory: string, ...args: string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", ["-C", directory, ...AUTHOR, ...args], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trimEnd();
}

export function write(directory: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

export function commitAll(directory: string, message: string): string {
  git(directory, "add", "--all");
  git(directory, "commit", "--quiet", "--no-verify", "--message", message);
  return git(directory, "rev-parse", "HEAD");
}

/** Everything of a repository that a stranger's work must not change. */
export function fingerprint(directory: string): Record<string, string> {
  const gitDir = git(directory, "rev-parse", "--absolute-git-dir");
  const file = (name: string) =>
    existsSync(join(gitDir, name))
      ? createHash("sha256")
          .update(readFileSync(join(gitDir, name)))
          .digest("hex")
      : "none";
  return {
    index: file("index"),
    config: file("config"),
    fetchHead: file("FETCH_HEAD"),
    head: readFileSync(join(gitDir, "HEAD"), "utf8"),
    refs: git(directory, "for-each-ref", "--format=%(refname) %(objectname)")
      .split("\n")
      .filter((line) => !line.startsWith("refs/heads/codespar/"))
      .join("\n"),
    status: git(directory, "--no-optional-locks", "status", "--porcelain", "--untracked-files=all"),
  };
}

export type World = {
  directory: string;
  emulator: GitHubEmulator;
  /** A new directory below the world's own. */
  path(name: string): string;
  /** A user's repository with one commit on main. */
  userRepository(name: string, files?: Record<string, string | Buffer>): string;
  restart(): Promise<void>;
  log: string[];
  end(): Promise<void>;
};

/** A fresh emulator with a directory of its own. */
export async function startWorld(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "codespar-github-"));
  const log: string[] = [];
  const start = () =>
    startGitHubEmulator({ stateDir: join(directory, "state"), port: 0, tokens: TOKENS, log: (line) => log.push(line) });
  const world: World = {
    directory,
    log,
    emulator: await start(),
    path: (name) => join(directory, name),
    userRepository(name, files = { "README.md": "# Shop\n", "src/login.ts": "export const timeout = 5;\n" }) {
      const path = join(directory, name);
      mkdirSync(path, { recursive: true });
      git(path, "init", "--quiet", "--initial-branch=main");
      write(path, files);
      commitAll(path, "First");
      return path;
    },
    async restart() {
      await world.emulator.close();
      world.emulator = await start();
    },
    async end() {
      await world.emulator.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}

// A test reads what it expects to be there; when it is not, that is the failure.
export type Answer = { status: number; headers: Headers; body: any };

/** One API request, with the write token unless told otherwise. */
export async function api(
  world: World,
  route: string,
  body?: unknown,
  token: string | null = "write-token",
): Promise<Answer> {
  const [method = "GET", path = ""] = route.split(" ");
  const response = await fetch(world.emulator.url + path, {
    method,
    headers: token === null ? {} : { authorization: `token ${token}` },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

/** Puts a commit with these files on a new branch, through the API. */
export async function pushBranch(
  world: World,
  repo: string,
  branch: string,
  files: Record<string, string>,
  base = "main",
): Promise<string> {
  const { body: from } = await api(world, `GET /repos/${repo}/commits/heads%2F${base}`);
  const entries = Object.entries(files).map(([path, content]) => ({ path, mode: "100644", type: "blob", content }));
  const { body: tree } = await api(world, `POST /repos/${repo}/git/trees`, {
    base_tree: from.commit.tree.sha,
    tree: entries,
  });
  const { body: commit } = await api(world, `POST /repos/${repo}/git/commits`, {
    message: `Change ${branch}`,
    tree: tree.sha,
    parents: [from.sha],
    author: { name: "Bot", email: "bot@example.com", date: "2026-01-02T03:04:05Z" },
  });
  await api(world, `POST /repos/${repo}/git/refs`, { ref: `refs/heads/${branch}`, sha: commit.sha });
  return commit.sha;
}

export async function openPull(
  world: World,
  repo: string,
  branch: string,
  files: Record<string, string>,
  title = "A change",
) {
  const sha = await pushBranch(world, repo, branch, files);
  const { body } = await api(world, `POST /repos/${repo}/pulls`, {
    title,
    head: branch,
    base: "main",
    body: "Because.",
  });
  return { sha, number: body.number as number };
}
