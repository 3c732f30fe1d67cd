import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeEdits } from "#core/edits-markers.ts";
import type { ScriptedReply } from "#emulators/model/script.ts";
import { type EdgeWorld, isPick, startEdgeWorld, textOf } from "./edge-world.ts";

/** What a person reads when the model does not do what was hoped for, and what it costs. */
let world: EdgeWorld;
beforeAll(async () => {
  world = await startEdgeWorld();
});
afterAll(() => world.close());

const LOGIN = writeEdits("src/login.js", [
  { search: "const MAX_FAILURES = 5;\n", replace: "const MAX_FAILURES = 3;\n" },
]);

/** The lines of `usage` that speak of a task: calls and dollars. */
async function callsOf(branch: string): Promise<string> {
  const { text } = await world.ask("usage");
  return text.split("\n").find((line) => line.startsWith(branch.slice("codespar/".length))) ?? text;
}

describe("a passing failure of the model is got over", () => {
  const faults: [string, ScriptedReply][] = [
    ["a limit that names its time", { error: { status: 429, headers: { "retry-after": "1" } } }],
    ["an overloaded model", { error: { status: 529 } }],
    ["a failing one", { error: { status: 500 } }],
    ["a stream that breaks off", { text: LOGIN, cutAfter: 4 }],
  ];
  it.for(faults)("%s", async ([, fault]) => {
    world.script([], fault, LOGIN);
    const { ok, text, branch, progress } = await world.ask("fix src/login.js");
    expect(ok, text).toBe(true);
    expect(progress).toMatch(/Trying again in 1 s/);
    expect(world.show(branch, "src/login.js")).toContain("MAX_FAILURES = 3");
    expect(world.requests()).toHaveLength(2);
    // The choice of files, the failed call, and the one that did it.
    expect(await callsOf(branch)).toContain(" 3 calls");
  });

  it("in the middle of a long answer, without paying for its beginning again", async () => {
    const [head = "", tail = ""] = LOGIN.split("=======\n");
    const overloaded: ScriptedReply = { error: { status: 529 } };
    const rest = `<<<SEARCH\nconst MAX_FAILURES = 5;\n=======\n${tail}`;
    world.script([], { text: `It is three now.\n\n${head}=======`, stopReason: "max_tokens" }, overloaded, rest);
    const { ok, text } = await world.ask("fix src/login.js");
    expect(ok, text).toBe(true);
    expect(world.requests().map(({ messages }) => messages.length)).toEqual([1, 3, 3]);
  });

  it("or a slow answer, which is waited for although nothing was heard of the task meanwhile", async () => {
    world.script([], { text: LOGIN, delayMs: 2500 });
    expect((await world.ask("fix src/login.js patiently")).ok).toBe(true);
    expect(world.requests()).toHaveLength(1);
  });

  it("of the small model, without which files are found by searching", async () => {
    world.script([], LOGIN);
    const large = world.stack.model.script;
    large.reply((request) => (isPick(request) ? { error: { status: 400, message: "No." } } : LOGIN));
    const { ok } = await world.ask("fix MAX_FAILURES");
    expect(ok).toBe(true);
    expect(textOf(world.requests()[0]?.messages[0]?.content)).toContain('path="src/login.js"');
  });
});

describe("a lasting failure is told in words, once, and leaves nothing", () => {
  it.for([
    ["a refused key", { error: { status: 401, message: "invalid x-api-key" } }, "ANTHROPIC_API_KEY"],
    ["an unknown model", { error: { status: 404, message: "model: x" } }, "TASK_MODEL"],
    ["a request that is not accepted", { error: { status: 400, message: "messages: wrong" } }, "messages: wrong"],
  ] as const)("%s", async ([, fault, said]) => {
    const before = [world.branches(), await world.pulls()];
    world.script([], fault);
    const { ok, text } = await world.ask("fix src/login.js");
    expect([ok, text]).toEqual([false, expect.stringContaining(said)]);
    expect(text.match(/failed\./g)).toHaveLength(1);
    expect(world.requests()).toHaveLength(1);
    expect([world.branches(), await world.pulls()]).toEqual(before);
  });
});

describe("stop, while the model works", () => {
  it("is answered at once, abandons the request, and no pull request follows", async () => {
    const before = world.branches();
    const asked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    world.script([], () => {
      asked.resolve();
      return { text: LOGIN, hold: held.promise };
    });
    const task = world.say("fix src/login.js slowly");
    await asked.promise;
    const stopped = await world.ask("stop");
    expect([stopped.ok, stopped.text]).toEqual([true, expect.stringContaining("Stopped task-")]);
    expect((await world.ended(task)).text).toMatch(/^■ task-.* was stopped by anna/);
    const request = world.stack.model.requests.at(-1);
    await expect.poll(() => request?.outcome, { timeout: 10_000 }).toBe("abandoned");
    held.resolve();
    // Another task is done after it: a change of the stopped one would have come by then.
    world.script([], LOGIN);
    const next = await world.ask("fix src/login.js");
    expect(
      world
        .branches()
        .split("\n")
        .filter((ref) => !before.includes(ref)),
    ).toEqual([`refs/heads/${next.branch}`]);
    expect(world.terminal.finals(task)).toHaveLength(1);
  });

  it("ends a stream that is under way", async () => {
    const begun = Promise.withResolvers<(typeof requests)[number]>();
    const { requests, hooks } = world.stack.model;
    world.script([], { text: LOGIN.repeat(20), betweenMs: 200 });
    hooks.onEvent = (request, event) => {
      if (!isPick(request.body as { model: string }) && event.type === "content_block_delta") begun.resolve(request);
    };
    const task = world.say("fix src/login.js slowly again");
    const request = await begun.promise;
    delete hooks.onEvent;
    await world.ask("stop");
    await expect.poll(() => request.outcome, { timeout: 10_000 }).toBe("abandoned");
    expect((await world.ended(task)).text).toMatch(/was stopped/);
  });
});
