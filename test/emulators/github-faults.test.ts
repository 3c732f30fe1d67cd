import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startGitHubEmulator } from "#emulators/github/emulator.ts";
import { api, git, pushBranch, startWorld, TOKENS, write, type World } from "./github-world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
  write(world.path("files"), { "a.txt": "a\n", "b.txt": "b\n", "c/d.txt": "d\n", "c/e.txt": "e\n" });
  await world.emulator.create("acme", "shop", { fromDirectory: world.path("files") });
});
afterEach(() => {
  world.emulator.faults.clear();
  delete world.emulator.hooks.onRequest;
  delete world.emulator.hooks.onResponse;
});
afterAll(() => world.end());

test("answers what was scripted, as often as was said, and does no work", async () => {
  const effect = { kind: "answer", status: 503, headers: { "retry-after": "3" }, body: { message: "Down" } } as const;
  world.emulator.faults.add({ match: { method: "POST", path: /\/git\/blobs$/ }, times: 2, effect });
  const before = world.emulator.writes.get("POST /repos/{owner}/{repo}/git/blobs");
  const statuses = [];
  for (let n = 0; n < 3; n++)
    statuses.push((await api(world, "POST /repos/acme/shop/git/blobs", { content: "x" })).status);
  expect(statuses).toEqual([503, 503, 201]);
  expect(world.emulator.writes.get("POST /repos/{owner}/{repo}/git/blobs")).toBe((before ?? 0) + 1);
});

test("does the work and loses the answer", async () => {
  const { body } = await api(world, "GET /repos/acme/shop/commits/main");
  world.emulator.faults.add({ match: { path: /\/git\/refs$/ }, times: 1, effect: { kind: "lose-answer" } });
  const ref = { ref: "refs/heads/lost", sha: body.sha };
  await expect(api(world, "POST /repos/acme/shop/git/refs", ref)).rejects.toThrow("fetch failed");
  expect((await api(world, "GET /repos/acme/shop/git/ref/heads/lost")).body.object.sha).toBe(body.sha);
  expect(world.emulator.requests.find((request) => request.path.endsWith("/git/refs"))?.status).toBeNull();
});

test("cuts a tree short and says so", async () => {
  world.emulator.faults.add({ match: { path: /\/git\/trees\// }, times: 1, effect: { kind: "truncated-tree" } });
  const { body } = await api(world, "GET /repos/acme/shop/git/trees/main?recursive=1");
  expect([body.truncated, body.tree.length]).toEqual([true, 2]);
});

test("answers a body that is no JSON", async () => {
  world.emulator.faults.add({ match: {}, times: 1, effect: { kind: "malformed-body" } });
  await expect(api(world, "GET /user")).rejects.toThrow(/JSON/);
});

test("waits for its hooks before the work and before the answer", async () => {
  const seen: string[] = [];
  world.emulator.hooks.onRequest = async ({ method, path }) => {
    await Promise.resolve();
    seen.push(`${method} ${path}`);
  };
  world.emulator.hooks.onResponse = ({ status }) => {
    seen.push(String(status));
  };
  await api(world, "GET /user");
  expect(seen).toEqual(["GET /user", "200"]);
});

test("keeps only the newest requests in its log", async () => {
  await Promise.all(Array.from({ length: 1010 }, () => api(world, "GET /user")));
  expect(world.emulator.requests).toHaveLength(1000);
});

test("takes any port when the preferred one is taken", async () => {
  const taken = Number(new URL(world.emulator.url).port);
  const other = await startGitHubEmulator({ stateDir: world.path("other-state"), port: taken, tokens: TOKENS });
  expect(Number(new URL(other.url).port)).not.toBe(taken);
  await other.close();
});

test.each([
  ["before", null],
  ["after", 1],
] as const)(
  "killed %s the work of opening a pull request, it starts again with what was done",
  async (moment, number) => {
    const user = world.userRepository(`killed-${moment}`);
    const state = world.path(`killed-${moment}-state`);
    const script = fileURLToPath(new URL("./emulator-process.ts", import.meta.url));
    const child = spawn(process.execPath, [script, state, user, moment, "POST /repos/me/shop/pulls"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const output = createInterface(child.stdout)[Symbol.asyncIterator]();
    const url = String((await output.next()).value);
    const victim = { ...world, emulator: { ...world.emulator, url } };
    const sha = await pushBranch(victim, "me/shop", "codespar/task-1", { "a.txt": "1\n" });
    const opened = api(victim, "POST /repos/me/shop/pulls", {
      title: "t",
      head: "codespar/task-1",
      base: "main",
    }).catch(() => "lost");
    expect((await output.next()).value).toBe("reached");
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    expect(await opened).toBe("lost");

    const emulator = await startGitHubEmulator({ stateDir: state, port: 0, tokens: TOKENS });
    const again = { ...world, emulator };
    const { body } = await api(again, "GET /repos/me/shop/pulls?state=all");
    expect(body.map((pull: { number: number }) => pull.number)).toEqual(number === null ? [] : [number]);
    expect((await api(again, "GET /repos/me/shop/git/ref/heads/codespar/task-1")).body.object.sha).toBe(sha);
    expect(git(user, "branch", "--list", "--format=%(objectname)", "codespar/*")).toBe(number === null ? "" : sha);
    await emulator.close();
  },
);
