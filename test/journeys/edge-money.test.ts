import { afterAll, afterEach, describe, expect, it } from "vitest";
import { writeContent, writeEdits } from "#core/edits-markers.ts";
import { exportedEntries, type EdgeWorld, startEdgeWorld } from "./edge-world.ts";
import { MODEL_KEY } from "./stack.ts";

/** What tasks cost, and where they end when the money does. */
const LOGIN = writeEdits("src/login.js", [
  { search: "const MAX_FAILURES = 5;\n", replace: "const MAX_FAILURES = 3;\n" },
]);
const FREE = { input: 0, output: 0, cacheWrite: 0, cacheRead: 0 };
/** A tenth of a cent for each token of output, and nothing for what is read: the ceiling is 5000 tokens away. */
const TENTH_OF_A_CENT = { ...FREE, output: 1000 };
const SMALL = "claude-haiku-4-5-20251001";

let world: EdgeWorld;
afterEach(() => world.stack.model.script.clear());

describe("a task", () => {
  it("starts in a world with prices", async () => {
    world = await startEdgeWorld({
      MODEL_PRICES: JSON.stringify({ "claude-sonnet-5-5": TENTH_OF_A_CENT, [SMALL]: FREE }),
    });
    expect((await world.ask("usage")).text).toContain("This month: $0.00 of $200.00");
  });

  it("is asked with as many tokens as its ceiling pays for, and says what it cost, in the thread and the pull request", async () => {
    world.script([], { text: LOGIN });
    const { text, branch } = await world.ask("fix src/login.js for its price");
    expect(world.requests().map(({ max_tokens }) => max_tokens)).toEqual([5000]);
    const cost = `$${(Math.ceil(LOGIN.length / 4) / 1000).toFixed(2)}`;
    expect(text).toContain(`Cost: ${cost}`);
    expect((await world.pulls(branch))[0]?.body).toContain(`- Cost: ${cost}\n`);
    const usage = (await world.ask("usage")).text;
    for (const key of [branch.slice("codespar/".length), "anna", "claude-sonnet-5-5"])
      expect(usage).toMatch(new RegExp(`^${key} +\\${cost} .* tokens +\\d calls$`, "m"));
    expect(usage).toContain(`This month: ${cost} of $200.00`);
  });

  it("ends in words when a long answer reaches the ceiling, and no further call is made", async () => {
    const long = writeContent("long.txt", "the same line again and again\n".repeat(1000));
    world.script([], long, long, long);
    const before = world.branches();
    const { ok, text } = await world.ask("fix it at length");
    expect([ok, text]).toEqual([false, expect.stringContaining("This task has reached its ceiling for model calls")]);
    expect(text).toContain("Cost: $5.00");
    expect(world.requests()).toHaveLength(1);
    expect(world.branches()).toBe(before);
  });

  it("that failed leaves the next one its whole ceiling", async () => {
    world.script([], "Nothing to do.");
    await world.ask("fix src/login.js once more");
    expect(world.requests().map(({ max_tokens }) => max_tokens)).toEqual([5000]);
  });

  it("has one entry in the audit for each call, with neither prompts nor secrets in it", async () => {
    const entries = await exportedEntries(world);
    const models = entries.filter(({ action }) => action === "model");
    expect(models).toHaveLength(world.calls());
    const keys = ["cacheReadTokens", "cacheWriteTokens", "costUsd", "inputTokens", "outputTokens", "purpose"];
    for (const { details } of models) expect(Object.keys(details).toSorted()).toEqual(keys);
    expect(JSON.stringify(entries)).not.toMatch(new RegExp(`${MODEL_KEY}|github-token-for-tests|MAX_FAILURES`));
    await world.close();
  });
});

describe("a month", () => {
  afterAll(() => world.close());

  it("whose budget is used up ends the task that used it, and begins no other", async () => {
    // What is asked for is priced at nothing, what answers at a dollar for each token.
    const dear = { input: 1_000_000, output: 1_000_000, cacheWrite: 1_000_000, cacheRead: 1_000_000 };
    world = await startEdgeWorld({
      NLU_MODEL: "claude-haiku-4-5",
      MODEL_PRICES: JSON.stringify({ "claude-haiku-4-5": FREE, [SMALL]: dear }),
    });
    world.script(["src/login.js"], LOGIN);
    const first = await world.ask("fix the login");
    expect([first.ok, world.calls()]).toEqual([false, 1]);
    expect(first.text).toContain("so no further call was made");
    const second = await world.ask("fix the login again");
    expect([second.ok, world.calls()]).toEqual([false, 1]);
    expect(second.text).toContain("budget for models is used up");
    expect((await world.ask("status")).ok).toBe(true);
    expect((await world.ask("usage")).text).toMatch(/This month: \$\d{3,}\.\d\d of \$200\.00/);
  });
});

describe("prices that are configured wrongly", () => {
  afterAll(() => world.close());

  it("are said to be, before anything is asked", async () => {
    world = await startEdgeWorld({ MODEL_PRICES: "cheap" });
    const { ok, text } = await world.ask("fix the login");
    expect([ok, text, world.calls()]).toEqual([false, expect.stringContaining("MODEL_PRICES is not JSON"), 0]);
  });
});
