import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createGitHub, type GitHub } from "#clients/github.ts";
import { api, git, openPull, pushBranch, startWorld, write, type World } from "../emulators/github-world.ts";

let world: World;
let github: GitHub;
let bare: string;
const repo = { owner: "acme", name: "shop" };
const author = { name: "Ada", email: "1+ada@users.noreply.github.com", date: "2026-01-02T03:04:05Z" };

beforeAll(async () => {
  world = await startWorld();
  write(world.path("files"), {
    "README.md": "# Shop\n",
    "src/a ü.ts": "export const á = 1;\n",
    "image.png": Buffer.from([137, 80, 78, 71, 0, 1]),
    "latin.txt": Buffer.from([0x63, 0x61, 0x66, 0xe9]),
    "big.txt": "0123456789\n".repeat(120_000),
  });
  ({ directory: bare } = await world.emulator.create("acme", "shop", { fromDirectory: world.path("files") }));
  await world.emulator.create("acme", "empty", { empty: true });
  github = createGitHub({
    apiUrl: `${world.emulator.url}/`,
    auth: { type: "token", token: "write-token" },
    timeoutMs: 10_000,
  });
});
afterAll(() => world.end());

const main = () => github.head(repo, "main");

test("reads a repository, and whether the token may write to it", async () => {
  const reader = createGitHub({
    apiUrl: world.emulator.url,
    auth: { type: "token", token: "read-token" },
    timeoutMs: 10_000,
  });
  expect(await github.repository(repo)).toEqual({
    fullName: "acme/shop",
    defaultBranch: "main",
    htmlUrl: `${world.emulator.url}/acme/shop`,
    private: true,
    canPush: true,
  });
  expect((await reader.repository(repo)).canPush).toBe(false);
});

test("reads a branch's commit and tree in one request", async () => {
  const before = world.emulator.requests.length;
  expect(await main()).toEqual({
    commitSha: git(bare, "rev-parse", "main"),
    treeSha: git(bare, "rev-parse", "main^{tree}"),
  });
  expect(world.emulator.requests.length - before).toBe(1);
});

test("finds files by words in them", async () => {
  expect(await github.searchCode(repo, ["export"], 5)).toEqual(["src/a ü.ts"]);
  expect(await github.searchCode(repo, ["export", "zebra"], 5)).toEqual([]);
  expect(await github.searchCode(repo, ["0123456789"], 1)).toHaveLength(1);
  const before = world.emulator.requests.length;
  expect(await github.searchCode(repo, [], 5)).toEqual([]);
  expect(world.emulator.requests).toHaveLength(before);
});

test("reads the whole file tree, and says when some of it is missing", async () => {
  const { treeSha } = await main();
  const tree = await github.tree(repo, treeSha);
  expect(tree.truncated).toBe(false);
  expect(tree.entries.map(({ path, type, size }) => [path, type, size])).toEqual([
    ["README.md", "blob", 7],
    ["big.txt", "blob", 1_320_000],
    ["image.png", "blob", 6],
    ["latin.txt", "blob", 4],
    ["src", "tree", null],
    ["src/a ü.ts", "blob", 21],
  ]);
  world.emulator.faults.add({ match: { path: /\/git\/trees\// }, times: 1, effect: { kind: "truncated-tree" } });
  expect((await github.tree(repo, treeSha)).truncated).toBe(true);
});

test("reads files: text, none, binary, and larger than GitHub puts in one answer", async () => {
  expect(await github.file(repo, "src/a ü.ts", "main")).toMatchObject({
    text: "export const á = 1;\n",
    binary: false,
    size: 21,
  });
  expect(await github.file(repo, "nothing.ts", "main")).toBeNull();
  expect(await github.file(repo, "image.png", "main")).toMatchObject({ text: null, binary: true, size: 6 });
  expect(await github.file(repo, "latin.txt", "main")).toMatchObject({ text: null, binary: true });
  expect((await github.file(repo, "big.txt", "main"))?.text).toHaveLength(1_320_000);
  await expect(github.file(repo, "src", "main")).rejects.toThrow("src is a directory in acme/shop");
});

test("makes the same commit however often it is asked to, with author and committer alike", async () => {
  const base = await main();
  const files = [
    { path: "README.md", content: null },
    { path: "bin/run", content: "#!/bin/sh\n", mode: "100755" as const },
    { path: "src/a ü.ts", content: "export const á = 2;\n" },
  ];
  const commit = { base, message: "Change\n\nCo-authored-by: Bob <2+bob@users.noreply.github.com>", author, files };
  const { commitSha } = await github.commit(repo, commit);
  expect(await github.commit(repo, commit)).toEqual({ commitSha });
  expect(git(bare, "log", "-1", "--format=%an <%ae> %at|%cn <%ce> %ct", commitSha)).toBe(
    "Ada <1+ada@users.noreply.github.com> 1767323045|Ada <1+ada@users.noreply.github.com> 1767323045",
  );
  const changes = git(bare, "-c", "core.quotePath=false", "diff", "--raw", "-z", base.commitSha, commitSha);
  expect(
    changes
      .replaceAll(/ [0-9a-f]+ [0-9a-f]+ (?=[AMD]\0)/g, " ")
      .split("\0")
      .slice(0, -1),
  ).toEqual([":100644 000000 D", "README.md", ":000000 100755 A", "bin/run", ":100644 100644 M", "src/a ü.ts"]);
});

test("makes a branch, and takes the same branch at the same commit for made", async () => {
  const { commitSha } = await main();
  expect(await github.branch(repo, "codespar/task-b")).toBeNull();
  expect(await github.createBranch(repo, "codespar/task-b", commitSha)).toBe("created");
  expect(await github.createBranch(repo, "codespar/task-b", commitSha)).toBe("exists");
  expect(await github.branch(repo, "codespar/task-b")).toEqual({ commitSha });
  const other = await pushBranch(world, "acme/shop", "elsewhere", { "x.txt": "x\n" });
  await expect(github.createBranch(repo, "codespar/task-b", other)).rejects.toMatchObject({
    name: "InvalidInputError",
    message: expect.stringContaining("already exists in acme/shop at another commit"),
  });
});

test("takes a branch whose making it never heard of for made", async () => {
  const { commitSha } = await main();
  world.emulator.faults.add({ match: { path: /\/git\/refs$/ }, times: 1, effect: { kind: "lose-answer" } });
  await expect(github.createBranch(repo, "codespar/task-lost", commitSha)).rejects.toMatchObject({ retryable: true });
  expect(await github.createBranch(repo, "codespar/task-lost", commitSha)).toBe("exists");
});

test("opens a pull request once, and finds it by its branch", async () => {
  await pushBranch(world, "acme/shop", "codespar/task-p", { "p.txt": "p\n" });
  expect(await github.findPullRequest(repo, "codespar/task-p")).toBeNull();
  const wanted = { head: "codespar/task-p", base: "main", title: "P", body: "Because.", draft: true };
  const pull = await github.openPullRequest(repo, wanted);
  expect(pull).toMatchObject({
    title: "P",
    state: "open",
    merged: false,
    draft: true,
    headBranch: "codespar/task-p",
    baseBranch: "main",
    author: "codespar-bot",
  });
  const again = await github.openPullRequest(repo, wanted);
  expect(again.number).toBe(pull.number);
  expect((await github.findPullRequest(repo, "codespar/task-p"))?.number).toBe(pull.number);
  expect(await github.pullRequest(repo, pull.number)).toMatchObject({ number: pull.number, mergeable: true });
});

test("finds the newest pull request of a branch, closed ones too", async () => {
  const { number } = await openPull(world, "acme/shop", "codespar/task-n", { "n.txt": "n\n" });
  await api(world, `PATCH /repos/acme/shop/pulls/${number}`, { state: "closed" });
  expect(await github.findPullRequest(repo, "codespar/task-n")).toMatchObject({ number, state: "closed" });
  const next = await github.openPullRequest(repo, {
    head: "codespar/task-n",
    base: "main",
    title: "N",
    body: "",
    draft: false,
  });
  expect((await github.findPullRequest(repo, "codespar/task-n"))?.number).toBe(next.number);
});

test("lists pull requests by state, newest first, up to the limit", async () => {
  const all = await github.pullRequests(repo, "all", 50);
  expect(all.map(({ number }) => number)).toEqual(all.map((_, index) => all.length - index));
  const [open, closed] = [await github.pullRequests(repo, "open", 50), await github.pullRequests(repo, "closed", 50)];
  expect(open.length + closed.length).toBe(all.length);
  expect(await github.pullRequests(repo, "all", 2)).toHaveLength(2);
});

test("reads every path a pull request touches, over several pages, both names of a renamed file", async () => {
  const base = await main();
  const files = Array.from({ length: 130 }, (_, n) => ({ path: `many/${n}.txt`, content: `${n}\n` }));
  const { commitSha } = await github.commit(repo, {
    base,
    message: "Many",
    author,
    files: [...files, { path: "README.md", content: null }, { path: "docs/README.md", content: "# Shop\n" }],
  });
  await github.createBranch(repo, "many", commitSha);
  const { number } = await github.openPullRequest(repo, {
    head: "many",
    base: "main",
    title: "Many",
    body: "",
    draft: false,
  });
  const { paths, complete } = await github.pullRequestFiles(repo, number);
  expect(complete).toBe(true);
  expect(paths).toHaveLength(132);
  expect(paths).toEqual(expect.arrayContaining(["README.md", "docs/README.md", "many/129.txt"]));
});

describe("checks", () => {
  const run = (sha: string, name: string, more: object) =>
    api(world, "POST /repos/acme/shop/check-runs", { name, head_sha: sha, ...more });
  const status = (sha: string, context: string, state: string) =>
    api(world, `POST /repos/acme/shop/statuses/${sha}`, { context, state });

  test("say nothing of a commit that has none", async () => {
    const { commitSha } = await main();
    expect(await github.checks(repo, commitSha)).toEqual({ state: "none", items: [] });
  });

  test("combine runs and statuses, the newest of each name", async () => {
    const sha = await pushBranch(world, "acme/shop", "checked", { "checked.txt": "x\n" });
    await run(sha, "unit", { conclusion: "failure" });
    await run(sha, "unit", { conclusion: "success" });
    await run(sha, "optional", { conclusion: "skipped" });
    await status(sha, "ci/old", "failure");
    await status(sha, "ci/old", "success");
    const { state, items } = await github.checks(repo, sha);
    expect(state).toBe("passed");
    expect(items.map((item) => `${item.name} ${item.state}`).toSorted()).toEqual([
      "ci/old passed",
      "optional passed",
      "unit passed",
    ]);
    await run(sha, "slow", { status: "in_progress" });
    expect((await github.checks(repo, sha)).state).toBe("pending");
    await status(sha, "ci/new", "error");
    expect((await github.checks(repo, sha)).state).toBe("failed");
  });
});

describe("merge", () => {
  test("merges what was looked at, and says so again when asked again", async () => {
    const { sha, number } = await openPull(world, "acme/shop", "mergeable", { "mergeable.txt": "x\n" });
    world.emulator.faults.add({ match: { method: "PUT" }, times: 1, effect: { kind: "lose-answer" } });
    const answerLost = await github.merge(repo, number, { headSha: sha, method: "squash" });
    const merged = await github.merge(repo, number, { headSha: sha, method: "squash" });
    expect(merged.mergeSha).toBe(git(bare, "rev-parse", "main"));
    expect(answerLost).toEqual(merged);
    expect(await github.pullRequest(repo, number)).toMatchObject({ merged: true, state: "closed" });
  });

  test("refuses a pull request that has changed since", async () => {
    const { number } = await openPull(world, "acme/shop", "moving", { "moving.txt": "x\n" });
    await expect(github.merge(repo, number, { headSha: "0".repeat(40), method: "merge" })).rejects.toMatchObject({
      name: "InvalidInputError",
      message: expect.stringContaining("has changed since it was looked at"),
    });
  });

  test("refuses one that conflicts", async () => {
    const { sha, number } = await openPull(world, "acme/shop", "conflicting", { "README.md": "mine\n" });
    const theirs = await pushBranch(world, "acme/shop", "winning", { "README.md": "theirs\n" });
    await api(world, "PATCH /repos/acme/shop/git/refs/heads/main", { sha: theirs });
    await expect(github.merge(repo, number, { headSha: sha, method: "rebase" })).rejects.toMatchObject({
      name: "InvalidInputError",
      message: expect.stringContaining(`will not merge pull request #${number} of acme/shop`),
    });
  });
});
