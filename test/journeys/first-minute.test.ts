import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

/** What the README promises, through the real command in real processes. */
const ROOT = join(import.meta.dirname, "../..");
const FIRST_PORTS = [8787, 8788];

let folder: string;
const running: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "codespar-first-minute-"));
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Ended = { code: number | null; stdout: string; stderr: string };

function codespar(
  state: string,
  args: string[],
  onOutput: (stdout: string, child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, "cli/main.ts"), ...args], {
    cwd: ROOT,
    env: { ...process.env, CODESPAR_STATE_DIR: join(folder, state), GITHUB_TOKEN: "", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
    onOutput(stdout, child);
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

const git = (directory: string, ...args: string[]): string =>
  execFileSync("git", ["-C", directory, ...args], {
    encoding: "utf8",
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
  }).trim();

function repositoryOf(name: string): string {
  const directory = join(folder, name);
  git(folder, "init", "--quiet", "--initial-branch=trunk", directory);
  writeFileSync(join(directory, "login.py"), "TIMEOUT = 30\n");
  git(directory, "add", ".");
  git(directory, "-c", "user.name=Someone", "-c", "user.email=someone@example.com", "commit", "--quiet", "-m", "Begin");
  writeFileSync(join(directory, "login.py"), "TIMEOUT = 31\n");
  writeFileSync(join(directory, "untracked.txt"), "mine\n");
  return directory;
}

/** Everything of a working copy that a person would notice a change of. */
const fingerprint = (directory: string): string =>
  JSON.stringify([
    git(directory, "for-each-ref", "--format=%(refname) %(objectname)")
      .split("\n")
      .filter((line) => !line.startsWith("refs/heads/codespar/")),
    git(directory, "symbolic-ref", "HEAD"),
    git(directory, "status", "--porcelain", "--ignored"),
    createHash("sha256")
      .update(readFileSync(join(directory, ".git/index")))
      .digest("hex"),
    readFileSync(join(directory, "login.py"), "utf8"),
  ]);

describe("the first minute", () => {
  it("one message to the sample project ends in a pull request, exit code 0", async () => {
    const { code, stdout, stderr } = await codespar("sample", ["start", "--once", "fix the login timeout"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/Simulated/);
    expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+\/local\/sample-project\/pull\/1/);
    expect(stderr).toMatch(/reading local\/sample-project/);
  });

  it("what was done is still there at the next start, and a message that fails ends with exit code 1", async () => {
    const again = await codespar("sample", ["start", "--once", "prs"]);
    expect(again.stdout).toMatch(/#1 \[simulated\] fix the login timeout/);
    const failed = await codespar("sample", ["start", "--once", "merge PR #999"]);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/999/);
  });

  it("a repository of one's own gets a branch and is otherwise untouched", async () => {
    const repository = repositoryOf("my shop");
    const before = fingerprint(repository);
    const { code, stdout, stderr } = await codespar("own", [
      "start",
      "--repo",
      repository,
      "--once",
      "fix the login timeout",
    ]);
    expect(code, stderr).toBe(0);
    const branch = /codespar\/task-[a-z0-9]{8}/.exec(stdout)?.[0] ?? "none";
    expect(fingerprint(repository)).toBe(before);
    expect(git(repository, "rev-list", "--count", `trunk..${branch}`)).toBe("1");
    expect(git(repository, "show", `${branch}:login.py`)).toBe("TIMEOUT = 30");
    expect(git(repository, "log", "-1", "--format=%B", branch)).toMatch(/Asked for by .+ with CodeSpar/);
    git(repository, "fsck", "--strict");
  });

  it("a path that is no repository, and one without commits, are told in a sentence", async () => {
    const missing = await codespar("bad", ["start", "--repo", join(folder, "nowhere"), "--once", "status"]);
    expect([missing.code, missing.stdout]).toEqual([1, ""]);
    expect(missing.stderr).toMatch(/does not exist/);
    const empty = join(folder, "empty");
    git(folder, "init", "--quiet", empty);
    const told = await codespar("bad", ["start", "--repo", empty, "--once", "fix it all"]);
    expect(told.code).toBe(1);
    expect(told.stderr + told.stdout).toMatch(/commit/);
    expect(told.stderr).not.toMatch(/\n\s+at /);
  });

  it("taken ports are no obstacle, the first screen says what runs, and its export verifies offline", async () => {
    const blockers = await Promise.all(FIRST_PORTS.map(occupy));
    try {
      const exported = join(folder, "audit.ndjson");
      let verified: Promise<Ended[]> | undefined;
      const { stdout } = await codespar("served", ["start"], (text, child) => {
        if (!text.includes("fix the login timeout") || verified) return;
        verified = (async () => {
          const said = await codespar("served", ["start", "--once", "whoami"]);
          const audit = await codespar("served", ["audit", "export"]);
          writeFileSync(exported, audit.stdout);
          const good = await codespar("served", ["audit", "verify", exported]);
          writeFileSync(exported, audit.stdout.replace("whoami", "whoamj"));
          const bad = await codespar("served", ["audit", "verify", exported]);
          return [said, audit, good, bad];
        })();
        void verified.finally(() => child.kill("SIGINT"));
      });
      const [said, audit, good, bad] = (await verified) ?? [];
      expect(stdout).toMatch(/Worker +http:\/\/127\.0\.0\.1:\d+/);
      for (const port of FIRST_PORTS) expect(stdout).not.toContain(`127.0.0.1:${port}`);
      expect(said?.stdout).toMatch(/owner/);
      expect(audit?.code, audit?.stderr).toBe(0);
      expect(good?.code, good?.stdout).toBe(0);
      expect(bad?.code).toBe(1);
      expect(`${bad?.stdout}${bad?.stderr}`).toMatch(/entry \d+/i);
    } finally {
      await Promise.all(
        blockers.map((server) => new Promise((resolve) => (server ? server.close(resolve) : resolve(null)))),
      );
    }
  });
});

/** Takes a port; null when somebody else has it, which serves as well. */
const occupy = (port: number): Promise<Server | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
