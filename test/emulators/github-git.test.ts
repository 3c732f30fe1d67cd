import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, git, openPull, pushBranch, startWorld, write, type World } from "./github-world.ts";

let world: World;
let bare: string;

beforeAll(async () => {
  world = await startWorld();
  write(world.path("files"), {
    "README.md": "# Shop\n",
    "a/one.txt": "1\n2\n3\n4\n5\n",
    "ignored.log": "x",
    ".gitignore": "*.log\n",
  });
  ({ directory: bare } = await world.emulator.create("acme", "shop", { fromDirectory: world.path("files") }));
});
afterAll(async () => {
  expect(git(bare, "fsck", "--strict", "--no-dangling")).toBe("");
  await world.end();
});

async function treeWith(entries: unknown[], base?: string): Promise<{ status: number; sha: string; message: string }> {
  const { body: head } = await api(world, "GET /repos/acme/shop/commits/heads%2Fmain");
  const { status, body } = await api(world, "POST /repos/acme/shop/git/trees", {
    base_tree: base ?? head.commit.tree.sha,
    tree: entries,
  });
  return { status, sha: body.sha, message: body.message };
}

const paths = (tree: string) => git(bare, "ls-tree", "-r", "--name-only", tree).split("\n");

test("starts from a directory's files, without those it ignores", () => {
  expect(paths("main")).toEqual([".gitignore", "README.md", "a/one.txt"]);
});

test("makes a repository only once", async () => {
  const before = git(bare, "rev-parse", "main");
  await world.emulator.create("Acme", "Shop", { empty: true });
  expect(git(bare, "rev-parse", "main")).toBe(before);
});

test("refuses names that GitHub would not allow", async () => {
  await expect(world.emulator.create("..", "shop", { empty: true })).rejects.toThrow("no repository name");
});

test("gives the same commit for the same input, and the one git would make", async () => {
  const [tree, parent] = [git(bare, "rev-parse", "main^{tree}"), git(bare, "rev-parse", "main")];
  const author = { name: "Ada Lovelace", email: "ada@example.com", date: "2026-01-02T03:04:05+02:00" };
  const body = {
    message: "One\n\nCo-authored-by: Bob <bob@example.com>",
    tree,
    parents: [parent],
    author,
    committer: author,
  };
  const first = await api(world, "POST /repos/acme/shop/git/commits", body);
  const second = await api(world, "POST /repos/acme/shop/git/commits", body);
  expect(second.body.sha).toBe(first.body.sha);
  expect(git(bare, "log", "-1", "--format=%an|%ae|%ad|%cn|%cd|%T|%P|%B", "--date=raw", first.body.sha).trimEnd()).toBe(
    `Ada Lovelace|ada@example.com|1767315845 +0200|Ada Lovelace|1767315845 +0200|${tree}|${parent}|${body.message}`,
  );
});

test("writes many files, modes, links and directories over a base", async () => {
  const { sha } = await treeWith([
    { path: "a/one.txt", mode: "100644", content: "uno\n" },
    { path: "run.sh", mode: "100755", content: "#!/bin/sh\n" },
    { path: "link", mode: "120000", content: "README.md" },
    { path: "b/ü ñ\t'\".txt", mode: "100644", content: "weird" },
    { path: "copied", mode: "040000", type: "tree", sha: git(bare, "rev-parse", "main:a") },
  ]);
  const listed = git(bare, "-c", "core.quotePath=false", "ls-tree", "-r", "-z", sha)
    .split("\0")
    .map((line) => line.replace(/ blob \w+\t/, " "));
  expect(listed).toEqual([
    "100644 .gitignore",
    "100644 README.md",
    "100644 a/one.txt",
    "100644 b/ü ñ\t'\".txt",
    "100644 copied/one.txt",
    "120000 link",
    "100755 run.sh",
    "",
  ]);
  expect(git(bare, "show", `${sha}:a/one.txt`)).toBe("uno");
});

test("deletes files and directories, and refuses to delete what is not there", async () => {
  expect(paths((await treeWith([{ path: "README.md", mode: "100644", sha: null }])).sha)).toEqual([
    ".gitignore",
    "a/one.txt",
  ]);
  expect(paths((await treeWith([{ path: "a", mode: "040000", sha: null }])).sha)).toEqual([".gitignore", "README.md"]);
  expect(await treeWith([{ path: "nothing", mode: "100644", sha: null }])).toMatchObject({
    status: 422,
    message: "GitRPC::BadObjectState",
  });
});

test("puts a directory where a file was", async () => {
  expect(paths((await treeWith([{ path: "README.md/inner", mode: "100644", content: "x" }])).sha)).toContain(
    "README.md/inner",
  );
});

test.each([
  ["merge", 2, "Merge pull request"],
  ["squash", 1, "A change (#"],
  ["rebase", 1, "Change rebase-branch"],
] as const)("merges by %s with real git", async (method, parents, title) => {
  const { sha, number } = await openPull(world, "acme/shop", `${method}-branch`, { [`${method}.txt`]: `${method}\n` });
  // The base moves on, so that nothing is a fast forward.
  const other = await pushBranch(world, "acme/shop", `${method}-other`, { [`${method}-other.txt`]: "other\n" });
  await api(world, "PATCH /repos/acme/shop/git/refs/heads/main", { sha: other });
  const { body } = await api(world, `PUT /repos/acme/shop/pulls/${number}/merge`, { sha, merge_method: method });
  expect(git(bare, "rev-parse", "main")).toBe(body.sha);
  expect(git(bare, "log", "-1", "--format=%P", body.sha).split(" ")).toHaveLength(parents);
  expect(git(bare, "log", "-1", "--format=%s", body.sha)).toContain(title);
  expect(paths("main")).toEqual(expect.arrayContaining([`${method}.txt`, `${method}-other.txt`]));
});

test("rebases every commit in order, and keeps their authors", async () => {
  const { number } = await openPull(world, "acme/shop", "many", { "m1.txt": "1\n" });
  const second = await pushBranch(world, "acme/shop", "many-2", { "m2.txt": "2\n" }, "many");
  await api(world, "PATCH /repos/acme/shop/git/refs/heads/many", { sha: second });
  const other = await pushBranch(world, "acme/shop", "many-other", { "m3.txt": "3\n" });
  await api(world, "PATCH /repos/acme/shop/git/refs/heads/main", { sha: other });
  await api(world, `PUT /repos/acme/shop/pulls/${number}/merge`, { merge_method: "rebase" });
  expect(git(bare, "log", "-3", "--format=%an %s", "main").split("\n")).toEqual([
    "Bot Change many-2",
    "Bot Change many",
    "Bot Change many-other",
  ]);
});

test("says that a conflicting pull request cannot be merged, and does not merge it", async () => {
  const { number } = await openPull(world, "acme/shop", "mine", { "a/one.txt": "mine\n" });
  const theirs = await pushBranch(world, "acme/shop", "theirs", { "a/one.txt": "theirs\n" });
  await api(world, "PATCH /repos/acme/shop/git/refs/heads/main", { sha: theirs });
  const { body } = await api(world, `GET /repos/acme/shop/pulls/${number}`);
  expect(body).toMatchObject({ mergeable: false, mergeable_state: "dirty" });
  for (const merge_method of ["merge", "squash", "rebase"]) {
    expect((await api(world, `PUT /repos/acme/shop/pulls/${number}/merge`, { merge_method })).status).toBe(405);
  }
  expect(git(bare, "rev-parse", "main")).toBe(theirs);
});

test("tells renamed, added, removed and binary files of a pull request", async () => {
  const main = git(bare, "rev-parse", "main");
  const one = git(bare, "rev-parse", "main:a/one.txt");
  const { body: blob } = await api(world, "POST /repos/acme/shop/git/blobs", { content: "AAEC", encoding: "base64" });
  const { sha: tree } = await treeWith([
    { path: "a/one.txt", mode: "100644", sha: null },
    { path: "a/renamed.txt", mode: "100644", sha: one },
    { path: "README.md", mode: "100644", sha: null },
    { path: "data.bin", mode: "100644", sha: blob.sha },
  ]);
  const { body: commit } = await api(world, "POST /repos/acme/shop/git/commits", {
    message: "m",
    tree,
    parents: [main],
  });
  await api(world, "POST /repos/acme/shop/git/refs", { ref: "refs/heads/shapes", sha: commit.sha });
  const { body: pull } = await api(world, "POST /repos/acme/shop/pulls", {
    title: "Shapes",
    head: "shapes",
    base: "main",
  });
  const { body: files } = await api(world, `GET /repos/acme/shop/pulls/${pull.number}/files`);
  const told = files.map((file: Record<string, unknown>) => [
    file["filename"],
    file["status"],
    file["previous_filename"],
    file["patch"] !== undefined,
  ]);
  expect(told).toEqual([
    ["README.md", "removed", undefined, true],
    ["a/renamed.txt", "renamed", "a/one.txt", false],
    ["data.bin", "added", undefined, false],
  ]);
});

test("serialises writes: of many making one branch, one succeeds", async () => {
  const sha = git(bare, "rev-parse", "main");
  const made = await Promise.all(
    Array.from({ length: 8 }, () => api(world, "POST /repos/acme/shop/git/refs", { ref: "refs/heads/contended", sha })),
  );
  expect(made.map(({ status }) => status).toSorted()).toEqual([201, 422, 422, 422, 422, 422, 422, 422]);
});

test("gives numbers to pull requests without gaps or repeats, however many are opened at once", async () => {
  const branches = ["p1", "p2", "p3", "p4"];
  for (const branch of branches) await pushBranch(world, "acme/shop", branch, { [`${branch}.txt`]: "x\n" });
  const opened = await Promise.all(
    branches.map((head) => api(world, "POST /repos/acme/shop/pulls", { title: head, head, base: "main" })),
  );
  const numbers = opened.map(({ body }) => body.number as number).toSorted((one, other) => one - other);
  expect(numbers).toEqual(Array.from({ length: 4 }, (_, index) => (numbers[0] as number) + index));
});

test("keeps pull requests, checks and comments over a restart", async () => {
  const { sha, number } = await openPull(world, "acme/shop", "kept", { "kept.txt": "x\n" });
  await api(world, `POST /repos/acme/shop/statuses/${sha}`, { state: "success", context: "ci" });
  await api(world, `POST /repos/acme/shop/issues/${number}/comments`, { body: "Kept." });
  await world.restart();
  expect((await api(world, `GET /repos/acme/shop/pulls/${number}`)).body).toMatchObject({
    head: { sha },
    state: "open",
    comments: 1,
  });
  expect((await api(world, `GET /repos/acme/shop/commits/${sha}/status`)).body.state).toBe("success");
  const next = await openPull(world, "acme/shop", "after", { "after.txt": "x\n" });
  expect(next.number).toBe(number + 1);
});

test("finishes a merge that a crash cut off after the branch was moved, and forgets one cut off before", async () => {
  const done = await openPull(world, "acme/shop", "cut-after", { "cut-after.txt": "x\n" });
  const undone = await openPull(world, "acme/shop", "cut-before", { "cut-before.txt": "x\n" });
  const tree = git(bare, "rev-parse", `${done.sha}^{tree}`);
  const merge = (head: string) => git(bare, "commit-tree", tree, "-p", "main", "-p", head, "-m", "merge");
  const [moved, notMoved] = [merge(done.sha), merge(undone.sha)];
  await world.emulator.close();
  const path = join(world.directory, "state", "repositories", "acme", "shop.json");
  const record = readFileSync(path, "utf8");
  const state = JSON.parse(record) as { pulls: { number: number; merging: unknown }[] };
  for (const pull of state.pulls) {
    if (pull.number === done.number) pull.merging = { sha: moved, by: "codespar-bot" };
    if (pull.number === undone.number) pull.merging = { sha: notMoved, by: "codespar-bot" };
  }
  writeFileSync(path, JSON.stringify(state));
  git(bare, "update-ref", "refs/heads/main", moved);
  await world.restart();
  expect((await api(world, `GET /repos/acme/shop/pulls/${done.number}`)).body).toMatchObject({
    merged: true,
    merge_commit_sha: moved,
  });
  expect((await api(world, `GET /repos/acme/shop/pulls/${undone.number}`)).body).toMatchObject({
    merged: false,
    state: "open",
  });
});
