import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class GitError extends Error {
  override readonly name = "GitError";
  readonly code: number;
  readonly stderr: string;
  constructor(args: readonly string[], code: number, stderr: string) {
    super(`git ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
    this.code = code;
    this.stderr = stderr.trim();
  }
}

export type GitOptions = {
  input?: string | Uint8Array;
  env?: Record<string, string>;
  /** Exit codes that are answers and no failures; 0 always is. */
  accept?: readonly number[];
};
export type GitOutput = { code: number; stdout: Buffer; text: string };
/** Runs git with `where` being `--git-dir=…` or `-C …`. Throws GitError. */
export type Git = (where: readonly string[], args: readonly string[], options?: GitOptions) => Promise<GitOutput>;

/** Wins over whatever the repository's own configuration says: no hooks, no housekeeping, no daemons, no signing. */
const CONFIG = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.quotePath=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "commit.gpgSign=false",
  "fetch.prune=false",
  "fetch.pruneTags=false",
  "fetch.recurseSubmodules=false",
  "fetch.writeCommitGraph=false",
  "protocol.file.allow=always",
  "diff.renameLimit=1000",
].flatMap((entry) => ["-c", entry]);

/**
 * The real git, undisturbed by the configuration and environment of whoever runs this.
 * `directory` gets one small configuration file, for the git processes that git itself starts.
 */
export function createGit(directory: string): Git {
  mkdirSync(directory, { recursive: true });
  const globalConfig = join(directory, "gitconfig");
  // In a container the user's repository often belongs to someone else.
  writeFileSync(globalConfig, "[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n");
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("GIT_")));
  const base = {
    ...inherited,
    HOME: directory,
    XDG_CONFIG_HOME: directory,
    LC_ALL: "C",
    GIT_CONFIG_GLOBAL: globalConfig,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_PAGER: "cat",
    GIT_EDITOR: "true",
  };

  return (where, args, options = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn("git", [...CONFIG, ...where, ...args], {
        env: { ...base, ...options.env },
        stdio: ["pipe", "pipe", "pipe"],
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
      child.on("error", (error) =>
        reject(new Error("git could not be started. Install git 2.29 or newer, best 2.38.", { cause: error })),
      );
      child.on("close", (status) => {
        const code = status ?? 128;
        const output = Buffer.concat(stdout);
        if (code !== 0 && options.accept?.includes(code) !== true) {
          reject(new GitError(args, code, Buffer.concat(stderr).toString()));
          return;
        }
        resolve({
          code,
          stdout: output,
          get text() {
            return output.toString();
          },
        });
      });
      // A git that ends before it has read everything says why by its exit code.
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.input);
    });
}

/** Git learnt the fetch options used here in 2.29; merging without a working tree in 2.38. */
const OLDEST = [2, 29] as const;

/** Throws an Error in words when there is no git, or too old a one. */
export async function requireGit(git: Git): Promise<void> {
  const { text } = await git([], ["version"]);
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(text) ?? [];
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  if (isOld) throw new Error(`${text.trim()} is too old. Install git ${OLDEST.join(".")} or newer, best 2.38.`);
}
