import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endpoints } from "#emulators/github/api.ts";
import { api, openPull, pushBranch, startWorld, type Answer, type World } from "./github-world.ts";
import { validatorOf } from "./github-openapi.ts";

const REPO = "/repos/{owner}/{repo}";
const exercised = new Set<string>();
let world: World;

/** A request to the endpoint `GET /pulls/{pull_number}`, its answer checked against GitHub's description. */
async function call(
  route: string,
  params: Record<string, string | number> = {},
  body?: unknown,
  token?: string | null,
): Promise<Answer> {
  const [method = "", short = ""] = route.split(" ");
  const [path = "", query] = short.split("?");
  const template = /^\/(user|search)/.test(path) ? path : REPO + path;
  const given: Record<string, string | number> = { owner: "acme", repo: "shop", ...params };
  const concrete = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(given[name])));
  const answer = await api(world, `${method} ${concrete}${query === undefined ? "" : `?${query}`}`, body, token);
  const validator = validatorOf(method, template, answer.status);
  if (validator !== null)
    expect(validator(answer.body) ? [] : validator.errors, `${method} ${template} ${answer.status}`).toEqual([]);
  exercised.add(`${method} ${template} ${answer.status}`);
  return answer;
}

const statusOf = async (answer: Promise<Answer>) => (await answer).status;
const statusAndMessage = async (answer: Promise<Answer>) => {
  const { status, body } = await answer;
  return [status, body.errors?.[0]?.message ?? body.message];
};

beforeAll(async () => {
  world = await startWorld();
  world.userRepository("seed", {
    "README.md": "# Shop\n",
    "src/login.ts": "export const timeout = 5;\n",
    "src/deep/a b.txt": "x\n",
  });
  await world.emulator.create("acme", "shop", { fromDirectory: world.path("seed") });
  await world.emulator.create("acme", "empty", { empty: true });
});
afterAll(() => world.end());

describe("answers as GitHub's own description has them", () => {
  test("the account and the repository", async () => {
    expect((await call("GET /user")).body.login).toBe("codespar-bot");
    expect((await call("GET ")).body).toMatchObject({
      full_name: "acme/shop",
      default_branch: "main",
      permissions: { push: true },
    });
    expect((await call("GET ", {}, undefined, "read-token")).body.permissions.push).toBe(false);
  });

  test("branches, refs and commits", async () => {
    const sha = await pushBranch(world, "acme/shop", "feature/one", {
      "src/login.ts": "export const timeout = 6;\n",
      "two.txt": "2\n",
    });
    expect((await call("GET /branches")).body.map((branch: { name: string }) => branch.name)).toEqual([
      "feature/one",
      "main",
    ]);
    expect((await call("GET /branches/{branch}", { branch: "feature/one" })).body.commit.sha).toBe(sha);
    expect((await call("GET /git/ref/{ref}", { ref: "heads/feature/one" })).body.object.sha).toBe(sha);
    expect((await call("GET /commits/{ref}", { ref: "feature/one" })).body.files).toHaveLength(2);
    const { body: commit } = await call("GET /git/commits/{commit_sha}", { commit_sha: sha });
    expect(commit.author.date).toBe("2026-01-02T03:04:05Z");
    const parent = commit.parents[0].sha;
    expect(await statusOf(call("PATCH /git/refs/{ref}", { ref: "heads/feature/one" }, { sha: parent }))).toBe(422);
    expect(
      await statusOf(call("PATCH /git/refs/{ref}", { ref: "heads/feature/one" }, { sha: parent, force: true })),
    ).toBe(200);
    expect(await statusOf(call("DELETE /git/refs/{ref}", { ref: "heads/feature/one" }))).toBe(204);
  });

  test("blobs, trees and new commits", async () => {
    const { body: head } = await call("GET /commits/{ref}", { ref: "main" });
    const { body: blob } = await call(
      "POST /git/blobs",
      {},
      { content: Buffer.from([0, 1, 2]).toString("base64"), encoding: "base64" },
    );
    expect((await call("GET /git/blobs/{file_sha}", { file_sha: blob.sha })).body.size).toBe(3);
    const entry = { path: "bin/data", mode: "100644", type: "blob", sha: blob.sha };
    const { body: tree } = await call("POST /git/trees", {}, { base_tree: head.commit.tree.sha, tree: [entry] });
    const { body: listed } = await call("GET /git/trees/{tree_sha}?recursive=1", { tree_sha: tree.sha });
    expect(listed.tree.map((item: { path: string }) => item.path)).toContain("bin/data");
    expect(listed.truncated).toBe(false);
    const commit = { message: "Data", tree: tree.sha, parents: [head.sha] };
    const { body: written } = await call("POST /git/commits", {}, commit);
    expect(await statusOf(call("POST /git/refs", {}, { ref: "refs/heads/data", sha: written.sha }))).toBe(201);
  });

  test("contents and search", async () => {
    const { body } = await call("GET /contents/{path}", { path: "src/login.ts" });
    expect(Buffer.from(body.content, "base64").toString()).toBe("export const timeout = 5;\n");
    expect((await call("GET /contents/{path}", { path: "src" })).body).toHaveLength(2);
    const { body: found } = await call(`GET /search/code?q=${encodeURIComponent("TIMEOUT export repo:acme/shop")}`);
    expect(found.items.map((item: { path: string }) => item.path)).toEqual(["src/login.ts"]);
    expect(await statusOf(call("GET /search/code?q=timeout"))).toBe(422);
  });

  test("pull requests, their files, comments and merge", async () => {
    const { sha, number } = await openPull(world, "acme/shop", "work", {
      "src/login.ts": "export const timeout = 7;\n",
    });
    const at = { pull_number: number, issue_number: number };
    expect((await call("GET /pulls/{pull_number}", at)).body).toMatchObject({
      mergeable: true,
      commits: 1,
      additions: 1,
      deletions: 1,
      changed_files: 1,
    });
    expect((await call("GET /pulls?state=all&head=acme:work&per_page=1")).body).toHaveLength(1);
    expect((await call("GET /pulls/{pull_number}/files", at)).body[0]).toMatchObject({
      filename: "src/login.ts",
      status: "modified",
    });
    expect((await call("PATCH /pulls/{pull_number}", at, { title: "Renamed", state: "closed" })).body.state).toBe(
      "closed",
    );
    expect((await call("PATCH /pulls/{pull_number}", at, { state: "open" })).body).toMatchObject({
      state: "open",
      title: "Renamed",
    });
    expect(await statusOf(call("POST /issues/{issue_number}/comments", at, { body: "Nice." }))).toBe(201);
    expect((await call("GET /issues/{issue_number}/comments", at)).body[0].body).toBe("Nice.");
    expect(await statusOf(call("PUT /pulls/{pull_number}/merge", at, { sha: "0".repeat(40) }))).toBe(409);
    expect((await call("PUT /pulls/{pull_number}/merge", at, { sha, merge_method: "squash" })).body.merged).toBe(true);
    expect(await statusOf(call("PUT /pulls/{pull_number}/merge", at, {}))).toBe(405);
    await pushBranch(world, "acme/shop", "second", { "new.txt": "new\n" });
    expect(
      await statusOf(call("POST /pulls", {}, { title: "Second", head: "second", base: "main", draft: true })),
    ).toBe(201);
  });

  test("checks and statuses", async () => {
    const { body: head } = await call("GET /commits/{ref}", { ref: "main" });
    const at = { ref: head.sha, sha: head.sha };
    expect(await statusOf(call("POST /statuses/{sha}", at, { state: "pending", context: "ci" }))).toBe(201);
    expect(
      await statusOf(
        call("POST /statuses/{sha}", at, { state: "success", context: "ci", target_url: "https://ci.example/1" }),
      ),
    ).toBe(201);
    expect((await call("GET /commits/{ref}/status", at)).body).toMatchObject({ state: "success", total_count: 1 });
    expect(
      await statusOf(call("POST /check-runs", {}, { name: "unit", head_sha: head.sha, conclusion: "success" })),
    ).toBe(201);
    expect((await call("GET /commits/{ref}/check-runs", at)).body).toMatchObject({
      total_count: 1,
      check_runs: [{ status: "completed" }],
    });
  });
});

describe("refusals as GitHub words them", () => {
  test("credentials and permissions", async () => {
    expect(await statusAndMessage(call("GET /user", {}, undefined, null))).toEqual([401, "Requires authentication"]);
    expect(await statusAndMessage(call("GET /user", {}, undefined, "wrong"))).toEqual([401, "Bad credentials"]);
    expect(await statusOf(call("POST /git/blobs", {}, { content: "x" }, "read-token"))).toBe(403);
    expect(await statusOf(call("PUT /pulls/{pull_number}/merge", { pull_number: 1 }, {}, "read-token"))).toBe(403);
  });

  test("what is not there", async () => {
    expect(await statusOf(call("GET ", { repo: "nothing" }))).toBe(404);
    expect(await statusOf(call("GET /branches/{branch}", { branch: "nothing" }))).toBe(404);
    expect(await statusOf(call("GET /git/ref/{ref}", { ref: "heads/nothing" }))).toBe(404);
    expect(await statusOf(call("GET /git/commits/{commit_sha}", { commit_sha: "f".repeat(40) }))).toBe(404);
    expect(await statusOf(call("GET /git/trees/{tree_sha}", { tree_sha: "f".repeat(40) }))).toBe(404);
    expect(await statusOf(call("GET /git/blobs/{file_sha}", { file_sha: "f".repeat(40) }))).toBe(404);
    expect(await statusOf(call("GET /contents/{path}", { path: "nothing" }))).toBe(404);
    expect(await statusOf(call("GET /pulls/{pull_number}", { pull_number: 999 }))).toBe(404);
    expect(await statusOf(call("GET /issues/{issue_number}/comments", { issue_number: 999 }))).toBe(404);
    expect(await statusAndMessage(call("GET /commits/{ref}", { ref: "nothing" }))).toEqual([
      422,
      "No commit found for SHA: nothing",
    ]);
    expect(await statusOf(call("POST /statuses/{sha}", { sha: "main" }, { state: "success" }))).toBe(422);
    expect((await api(world, "GET /repos/acme/shop/no-such-thing")).status).toBe(404);
  });

  test("an empty repository", async () => {
    const empty = { repo: "empty" };
    const expected = [409, "Git Repository is empty."];
    expect(await statusAndMessage(call("GET /commits/{ref}", { ...empty, ref: "heads/main" }))).toEqual(expected);
    expect(await statusAndMessage(call("GET /git/ref/{ref}", { ...empty, ref: "heads/main" }))).toEqual(expected);
    expect(
      await statusAndMessage(call("POST /git/trees", empty, { tree: [{ path: "a", mode: "100644", content: "a" }] })),
    ).toEqual(expected);
    expect(await statusAndMessage(call("POST /git/commits", empty, { message: "m", tree: "0".repeat(40) }))).toEqual(
      expected,
    );
    expect(await statusAndMessage(call("POST /git/blobs", empty, { content: "a" }))).toEqual(expected);
  });

  test("writes that were made before", async () => {
    const { body: head } = await call("GET /commits/{ref}", { ref: "main" });
    const again = call("POST /git/refs", {}, { ref: "refs/heads/main", sha: head.sha });
    expect(await statusAndMessage(again)).toEqual([422, "Reference already exists"]);
    await openPull(world, "acme/shop", "twice", { "twice.txt": "1\n" });
    const pull = { title: "Again", head: "acme:twice", base: "main" };
    expect(await statusAndMessage(call("POST /pulls", {}, pull))).toEqual([
      422,
      "A pull request already exists for acme:twice.",
    ]);
    expect(await statusOf(call("POST /git/refs", {}, { ref: "refs/heads/same", sha: head.sha }))).toBe(201);
    const same = call("POST /pulls", {}, { title: "Same", head: "same", base: "main" });
    expect(await statusAndMessage(same)).toEqual([422, "No commits between main and same"]);
  });

  test("bodies that make no sense", async () => {
    expect(await statusAndMessage(call("POST /git/refs", {}, "{"))).toEqual([400, "Problems parsing JSON"]);
    expect(await statusAndMessage(call("POST /git/refs", {}, "[]"))).toEqual([400, "Body should be a JSON object"]);
    expect(await statusAndMessage(call("POST /git/refs", {}, { ref: "refs/heads/x" }))).toEqual([
      422,
      `Invalid request.\n\n"sha" wasn't supplied.`,
    ]);
    expect(await statusOf(call("POST /git/refs", {}, { ref: "heads/x", sha: "0".repeat(40) }))).toBe(422);
    expect(await statusOf(call("POST /git/commits", {}, { message: "m", tree: "f".repeat(40) }))).toBe(422);
    expect(await statusOf(call("POST /check-runs", {}, { name: "x", head_sha: "f".repeat(40) }))).toBe(422);
    expect(await statusOf(call("POST /pulls", {}, { title: "x", head: "nothing", base: "main" }))).toBe(422);
    expect(await statusOf(call("POST /issues/{issue_number}/comments", { issue_number: 1 }, { body: " " }))).toBe(422);
  });

  test.each([
    "../a",
    "/a",
    "a//b",
    "a/../b",
    ".git/config",
    "a/.GIT/x",
    "git~1/x",
    ".g\u200cit/x",
    "a/.git ",
    "./a",
    "a/",
    "",
  ])("the path %j in a tree", async (path) => {
    const tree = [{ path, mode: "100644", type: "blob", content: "x" }];
    expect(await statusOf(call("POST /git/trees", {}, { tree }))).toBe(422);
  });
});

test("the check of answers notices one that lacks a field", () => {
  expect(validatorOf("GET", `${REPO}/pulls/{pull_number}`, 200)?.({ number: 1 })).toBe(false);
});

test("every endpoint that is served has been asked, and has succeeded", () => {
  const succeeded = new Set([...exercised].filter((key) => / 2\d\d$/.test(key)).map((key) => key.replace(/ \d+$/, "")));
  expect(endpoints.map(({ method, path }) => `${method} ${path}`).filter((name) => !succeeded.has(name))).toEqual([]);
});
