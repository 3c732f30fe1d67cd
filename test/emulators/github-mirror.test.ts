import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  api,
  commitAll,
  fingerprint,
  git,
  openPull,
  pushBranch,
  startWorld,
  write,
  type World,
} from "./github-world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.end());

const mirror = (path: string) => world.emulator.create("me", "shop", { mirrorOf: path });
const mainOf = async () => (await api(world, "GET /repos/me/shop/git/ref/heads/main")).body.object.sha as string;

test("gives the user a finished branch, and touches nothing else of theirs", async () => {
  const user = world.userRepository("my project");
  git(user, "tag", "v1");
  git(user, "branch", "other");
  write(user, { "README.md": "edited, staged\n" });
  git(user, "add", "README.md");
  write(user, { "src/login.ts": "edited, not staged\n", "untracked.txt": "new\n" });
  git(user, "stash", "push", "--quiet", "--", "src/login.ts");
  // Whatever a user has set up must not run, and must not stop the work.
  const hook = `#!/bin/sh\ntouch "${world.path("hook-ran")}"\nexit 1\n`;
  for (const name of ["pre-commit", "reference-transaction", "post-checkout", "post-merge", "pre-push"]) {
    writeFileSync(join(user, ".git", "hooks", name), hook, { mode: 0o755 });
  }
  git(user, "config", "commit.gpgSign", "true");
  git(user, "config", "fetch.prune", "true");
  git(user, "config", "remote.origin.url", "https://example.invalid/x.git");
  const before = fingerprint(user);
  process.env["GIT_DIR"] = "/nonexistent";
  process.env["GIT_INDEX_FILE"] = "/nonexistent/index";
  let sha: string;
  try {
    await mirror(user);
    ({ sha } = await openPull(world, "me/shop", "codespar/task-1", { "src/login.ts": "export const timeout = 30;\n" }));
  } finally {
    delete process.env["GIT_DIR"];
    delete process.env["GIT_INDEX_FILE"];
  }
  expect(fingerprint(user)).toEqual(before);
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(sha);
  expect(git(user, "show", "codespar/task-1:src/login.ts")).toBe("export const timeout = 30;");
  expect(git(user, "fsck", "--no-dangling")).toBe("");
  expect(git(user, "log", "--format=%h", "codespar/task-1").split("\n")).toHaveLength(2);
  expect(existsSync(world.path("hook-ran"))).toBe(false);
});

test("gives no branch before its pull request is opened, and later pushes after", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  await pushBranch(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  expect(git(user, "branch", "--list", "codespar/*")).toBe("");
  await api(world, "POST /repos/me/shop/pulls", { title: "t", head: "codespar/task-1", base: "main" });
  const next = await pushBranch(world, "me/shop", "codespar/tmp", { "a.txt": "2\n" }, "codespar/task-1");
  await api(world, "PATCH /repos/me/shop/git/refs/heads/codespar/task-1", { sha: next });
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(next);
  expect(git(user, "branch", "--list", "codespar/tmp")).toBe("");
});

test("follows a rewritten branch, unless the user has committed to it", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  const rewritten = await pushBranch(world, "me/shop", "codespar/tmp", { "a.txt": "other\n" });
  await api(world, "PATCH /repos/me/shop/git/refs/heads/codespar/task-1", { sha: rewritten, force: true });
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(rewritten);
  const own = git(user, "commit-tree", "codespar/task-1^{tree}", "-p", "codespar/task-1", "-m", "mine");
  git(user, "update-ref", "refs/heads/codespar/task-1", own);
  const again = await pushBranch(world, "me/shop", "codespar/tmp2", { "a.txt": "third\n" });
  await api(world, "PATCH /repos/me/shop/git/refs/heads/codespar/task-1", { sha: again, force: true });
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(own);
});

test("never moves a branch that is checked out, and gives it once it no longer is", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  const { sha } = await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  git(user, "checkout", "--quiet", "codespar/task-1");
  const before = fingerprint(user);
  const next = await pushBranch(world, "me/shop", "codespar/tmp", { "a.txt": "2\n" }, "codespar/task-1");
  await api(world, "PATCH /repos/me/shop/git/refs/heads/codespar/task-1", { sha: next });
  expect(git(user, "rev-parse", "HEAD")).toBe(sha);
  expect(fingerprint(user)).toEqual(before);
  expect((await api(world, "GET /repos/me/shop")).body.default_branch).toBe("main");
  git(user, "checkout", "--quiet", "main");
  await api(world, "GET /repos/me/shop");
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(next);
});

test("does not bring back a branch that the user has deleted", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  git(user, "branch", "--quiet", "-D", "codespar/task-1");
  await world.restart();
  await api(world, "GET /repos/me/shop");
  expect(git(user, "branch", "--list", "codespar/*")).toBe("");
});

test("gives at the next start what a crash kept back", async () => {
  const user = world.userRepository("user");
  const { directory } = await mirror(user);
  const { sha } = await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  // As if it had ended after the pull request was recorded and before the branch was given.
  git(user, "branch", "--quiet", "-D", "codespar/task-1");
  git(directory, "update-ref", "-d", "refs/delivered/codespar/task-1");
  await world.restart();
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(sha);
});

test("follows the user's commits, new and deleted branches, and what they check out", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  git(user, "checkout", "--quiet", "-b", "a");
  write(user, { "b.txt": "b\n" });
  const sha = commitAll(user, "second");
  const { body } = await api(world, "GET /repos/me/shop");
  expect(body.default_branch).toBe("a");
  expect((await api(world, "GET /repos/me/shop/commits/heads%2Fa")).body.sha).toBe(sha);
  git(user, "checkout", "--quiet", "main");
  git(user, "branch", "--quiet", "-D", "a");
  git(user, "branch", "a/b", sha);
  const { body: branches } = await api(world, "GET /repos/me/shop/branches");
  expect(branches.map((branch: { name: string }) => branch.name)).toEqual(["a/b", "main"]);
});

test("a merge moves the mirror's branch only, until the user's own moves", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  const first = git(user, "rev-parse", "main");
  const { number } = await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  const { body: merged } = await api(world, `PUT /repos/me/shop/pulls/${number}/merge`, {});
  expect([await mainOf(), git(user, "rev-parse", "main")]).toEqual([merged.sha, first]);
  await world.restart();
  expect(await mainOf()).toBe(merged.sha);
  write(user, { "own.txt": "own\n" });
  const own = commitAll(user, "own");
  expect(await mainOf()).toBe(own);
});

test("a pull request counts as merged when the user has merged its branch", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  const { number } = await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  git(user, "merge", "--quiet", "--no-edit", "codespar/task-1");
  const { body } = await api(world, `GET /repos/me/shop/pulls/${number}`);
  expect(body).toMatchObject({ merged: true, state: "closed", changed_files: 1 });
});

test("serves what it has when the user's repository is gone", async () => {
  const user = world.userRepository("user");
  await mirror(user);
  const sha = await mainOf();
  renameSync(user, `${user}-moved`);
  expect(await mainOf()).toBe(sha);
  expect(world.log.join("\n")).toContain("could not be refreshed");
});

test("takes a detached HEAD's likeliest branch for the default", async () => {
  const user = world.userRepository("user");
  git(user, "branch", "aaa");
  git(user, "checkout", "--quiet", "--detach");
  await mirror(user);
  expect((await api(world, "GET /repos/me/shop")).body.default_branch).toBe("main");
});

test("mirrors a repository without commits, which then says that it is empty, and follows its first commit", async () => {
  const user = world.path("user");
  mkdirSync(user);
  git(user, "init", "--quiet", "--initial-branch=trunk");
  await mirror(user);
  expect((await api(world, "GET /repos/me/shop")).body.default_branch).toBe("trunk");
  expect((await api(world, "GET /repos/me/shop/commits/heads%2Ftrunk")).body.message).toBe("Git Repository is empty.");
  write(user, { "a.txt": "a\n" });
  const sha = commitAll(user, "first");
  expect((await api(world, "GET /repos/me/shop/commits/heads%2Ftrunk")).body.sha).toBe(sha);
});

test("mirrors a shallow clone, and gives branches back to it", async () => {
  const full = world.userRepository("full");
  for (const n of [1, 2, 3]) {
    write(full, { "n.txt": `${n}\n` });
    commitAll(full, `n${n}`);
  }
  const user = world.path("shallow");
  git(world.directory, "clone", "--quiet", "--depth=1", `file://${full}`, user);
  const before = fingerprint(user);
  await mirror(user);
  const { sha } = await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(sha);
  expect(fingerprint(user)).toEqual(before);
  expect(git(user, "fsck", "--no-dangling")).toBe("");
});

test("mirrors a linked worktree, with its own HEAD", async () => {
  const user = world.userRepository("user");
  const tree = world.path("tree");
  git(user, "worktree", "add", "--quiet", "-b", "side", tree);
  const before = [fingerprint(user), fingerprint(tree)];
  await mirror(tree);
  expect((await api(world, "GET /repos/me/shop")).body.default_branch).toBe("side");
  const { sha } = await openPull(world, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
  expect(git(user, "rev-parse", "codespar/task-1")).toBe(sha);
  expect([fingerprint(user), fingerprint(tree)]).toEqual(before);
});

test("says in words why a path cannot be mirrored", async () => {
  mkdirSync(world.path("plain"));
  await expect(mirror(world.path("plain"))).rejects.toThrow(/is not a git repository\. Run `git init`/);
  await expect(mirror(world.path("nowhere"))).rejects.toThrow(/There is no directory/);
  mkdirSync(world.path("new-hash"));
  git(world.path("new-hash"), "init", "--quiet", "--object-format=sha256");
  await expect(mirror(world.path("new-hash"))).rejects.toThrow(/sha256 hashes/);
});
