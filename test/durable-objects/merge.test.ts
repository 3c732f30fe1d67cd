import { afterEach, describe, expect, it, vi } from "vitest";
import { gitHub, gitHubApi, newWorld, openPullRequest, type World } from "../worker/world.ts";

afterEach(() => vi.restoreAllMocks());

/** A project with one open pull request, which nothing is against. */
async function withPullRequest() {
  const world = await newWorld();
  const number = await openPullRequest(world.repository, { "src/login.ts": "export const timeout = 30;\n" });
  const path = `^/repos/${world.repository}/pulls/${number}`;
  return {
    world,
    path,
    text: `merge PR #${number}`,
    pull: () => gitHubApi(`GET /repos/${world.repository}/pulls/${number}`),
  };
}

/** What stands in the audit of the merge itself. */
const mergesOf = async (world: World) =>
  (await world.entries())
    .filter(({ action, subject }) => action === "tool" && subject === "github.merge")
    .map(({ details }) => details);

/** Does something when a merge has been sent to GitHub, before its answer is heard. */
function whenMergeIsSent(then: () => Promise<unknown>): void {
  const sent = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const isMerge = init?.method === "PUT" && String(input).endsWith("/merge");
    if (isMerge) await then();
    return sent(input, init);
  });
}

describe("a merge", () => {
  it("enters the audit with the commit it made", async () => {
    const { world, text, pull } = await withPullRequest();
    const { id, ok } = await world.ask(world.anna, text);
    const { merge_commit_sha: sha } = await pull();
    expect(ok).toBe(true);
    expect(await mergesOf(world)).toEqual([{ delivery: id, detail: expect.stringContaining(sha), ok: true }]);
  });

  it.for([
    ["was lost", { kind: "lose-answer" }],
    ["could not be read", { kind: "malformed-body" }],
  ] as const)("whose answer %s is said to be made", async ([, effect]) => {
    const { world, path, text, pull } = await withPullRequest();
    await gitHub("/fault", { method: "PUT", path: `${path}/merge$`, times: 1, effect });
    const { id, ok, words } = await world.ask(world.anna, text);
    const { merged, merge_commit_sha: sha } = await pull();
    expect([merged, ok, words]).toEqual([true, true, expect.stringContaining(`as ${sha.slice(0, 8)}`)]);
    expect(await mergesOf(world)).toEqual([{ delivery: id, detail: expect.stringContaining(sha), ok: true }]);
  });

  it("whose answer was lost is not known to be made when GitHub cannot be asked either", async () => {
    const { world, path, text } = await withPullRequest();
    await gitHub("/fault", { method: "PUT", path: `${path}/merge$`, times: 1, effect: { kind: "lose-answer" } });
    whenMergeIsSent(() =>
      gitHub("/fault", { method: "GET", path: `${path}$`, times: 1, effect: { kind: "answer", status: 503 } }),
    );
    const { id, ok, words } = await world.ask(world.anna, text);
    expect([ok, words]).toEqual([
      false,
      expect.stringMatching(/[Ww]hether pull request #1 .* was merged is not known/),
    ]);
    expect(words).not.toContain("Ask again in a moment");
    expect(await mergesOf(world)).toEqual([{ delivery: id, detail: expect.stringContaining("not known"), ok: false }]);
    // Asked again, it is found out.
    expect((await world.ask(world.anna, text)).words).toContain("is merged already");
  });

  it("that GitHub refuses enters the audit as one that was not made", async () => {
    const { world, path, text, pull } = await withPullRequest();
    const effect = { kind: "answer", status: 405, body: { message: "Required review is missing" } } as const;
    await gitHub("/fault", { method: "PUT", path: `${path}/merge$`, effect });
    const { id, ok, words } = await world.ask(world.anna, text);
    expect([ok, words]).toEqual([false, expect.stringContaining("Required review is missing")]);
    expect((await pull()).merged).toBe(false);
    expect(await mergesOf(world)).toEqual([
      { delivery: id, detail: expect.stringContaining("Required review is missing"), ok: false },
    ]);
  });

  it("of what GitHub does not know yet to be mergeable is made when it does", async () => {
    const { world, path, text, pull } = await withPullRequest();
    const body = JSON.stringify({ ...(await pull()), mergeable: null });
    await gitHub("/fault", { method: "GET", path: `${path}$`, times: 1, effect: { kind: "malformed-body", body } });
    const { ok, words } = await world.ask(world.anna, text);
    expect([ok, words]).toEqual([true, expect.stringContaining("✓ Merged #1")]);
  });
});
