import { describe, expect, it } from "vitest";
import type { ModelSpend, TaskReport } from "#core/task.ts";
import { DEFAULT_LIMITS } from "#durable-objects/project-agent/budget.ts";
import { eventually, newWorld, rowsOf, type World } from "../worker/world.ts";

const MODEL = "claude-sonnet-5-5";
const spend = (costUsd: number, model = MODEL): ModelSpend => ({
  model,
  purpose: "ask",
  usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 3, cacheWriteTokens: 4 },
  costUsd,
});

/** A task that stays where it is, with what its Workflow would say of it. */
async function running(world: World) {
  await world.hold();
  const { taskId } = await world.begin(world.anna, "fix the login timeout");
  // Its Workflow has said that it begins; then it waits for GitHub.
  await eventually(async () =>
    expect(await rowsOf(world.project, "select reported from tasks where id = ?", taskId)).toEqual([{ reported: 1 }]),
  );
  // Past what the held Workflow itself has reported.
  let sequence = 100;
  return {
    taskId,
    reserve: (call: string, usd: number, attempt = 1) => world.project.reserve({ taskId, attempt, call, usd }),
    report: (more: Partial<TaskReport> = {}) =>
      world.project.report({
        taskId,
        attempt: 1,
        sequence: (sequence += 1),
        progress: null,
        tools: [],
        spent: [],
        result: null,
        ...more,
      }),
    setAside: async () =>
      (await rowsOf<{ usd: number }>(world.project, "select usd from reservations where task = ?", taskId)).map(
        ({ usd }) => usd,
      ),
    calls: () => rowsOf<{ cost_usd: number }>(world.project, "select * from spends where task = ?", taskId),
  };
}

const spendBefore = (world: World, usd: number, at: number, person = "Bo") =>
  rowsOf(
    world.project,
    "insert into spends (task, identity, person, model, purpose, usage, tokens, cost_usd, at) values ('task-earlier', 'i', ?, ?, 'ask', '{}', 10, ?, ?)",
    person,
    MODEL,
    usd,
    at,
  );

describe("money for a model call", () => {
  it("is set aside as asked for while there is enough", async () => {
    const world = await newWorld();
    const task = await running(world);
    expect(await task.reserve("ask", 1.5)).toEqual({ grantedUsd: 1.5, limit: null });
    expect(await task.setAside()).toEqual([1.5]);
    await world.release();
  });

  it("is what the task's ceiling leaves of it, down to nothing", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.report({ spent: [spend(1)] });
    await task.reserve("ask", 3);
    expect(await task.reserve("repair", 3)).toEqual({ grantedUsd: DEFAULT_LIMITS.taskUsd - 4, limit: "task" });
    expect(await task.reserve("another", 3)).toEqual({ grantedUsd: 0, limit: "task" });
    await world.release();
  });

  it("is what the month leaves of it, where that is less", async () => {
    const world = await newWorld();
    const task = await running(world);
    await spendBefore(world, DEFAULT_LIMITS.monthUsd - 1, Date.now());
    expect(await task.reserve("ask", 3)).toEqual({ grantedUsd: 1, limit: "project" });
    await world.release();
  });

  it("is not used up by what an earlier month cost", async () => {
    const world = await newWorld();
    const task = await running(world);
    await spendBefore(world, DEFAULT_LIMITS.monthUsd, Date.now() - 40 * 24 * 60 * 60 * 1000);
    expect(await task.reserve("ask", 3)).toEqual({ grantedUsd: 3, limit: null });
    await world.release();
  });

  it("is free again once the call is reported, however it ended", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.reserve("ask", 3);
    await task.report();
    expect([await task.setAside(), await task.calls()]).toEqual([[], []]);
    await world.release();
  });

  it("is free again when the task fails, and taken for spent when a stop cut the call off", async () => {
    const world = await newWorld();
    const [one, other] = [await running(world), await running(world)];
    await one.reserve("ask", 3);
    await other.reserve("ask", 3);
    await one.report({ result: { outcome: "failed", reason: "It is too hard." } });
    await world.ask(world.anna, `stop ${other.taskId}`);
    expect([await one.setAside(), await other.setAside()]).toEqual([[], []]);
    expect([await one.calls(), (await other.calls()).length]).toEqual([[], 1]);
    await world.release();
  });

  it("of a call that comes again after a crash is taken for spent", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.reserve("ask", 3);
    expect(await task.reserve("ask", 3)).toEqual({ grantedUsd: DEFAULT_LIMITS.taskUsd - 3, limit: "task" });
    expect(await task.calls()).toHaveLength(1);
    await world.release();
  });

  it("is refused to a task that has ended, and to an attempt that is not its present one", async () => {
    const world = await newWorld();
    const task = await running(world);
    expect(await task.reserve("ask", 3, 2)).toEqual({ grantedUsd: 0, limit: "task" });
    await world.ask(world.anna, "stop");
    expect(await task.reserve("ask", 3)).toEqual({ grantedUsd: 0, limit: "task" });
    expect(await task.setAside()).toEqual([]);
    await world.release();
  });
});

describe("what a call cost", () => {
  it("is written down once, with its task, person, model and tokens, however often it is reported", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.report({ sequence: 50, spent: [spend(0.25)] });
    await task.report({ sequence: 50, spent: [spend(0.25)] });
    const { identity } = await world.standing(world.anna);
    expect(await task.calls()).toMatchObject([
      { task: task.taskId, identity, person: "Anna", model: MODEL, purpose: "ask", tokens: 127, cost_usd: 0.25 },
    ]);
    await world.release();
  });

  it("is one entry in the audit", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.report({ spent: [spend(0.25), spend(0.5, "claude-haiku-5-5")] });
    const entries = (await world.entries()).filter(({ action }) => action === "model");
    expect(entries.map(({ actor, subject, details }) => [actor.id, subject, details["costUsd"]])).toEqual([
      [task.taskId, MODEL, 0.25],
      [task.taskId, "claude-haiku-5-5", 0.5],
    ]);
    await world.release();
  });

  it("counts also when the task was stopped meanwhile, and the report comes late", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.reserve("ask", 3);
    await world.ask(world.anna, "stop");
    expect(await task.report({ sequence: 60, spent: [spend(0.25)] })).toEqual({ goOn: false });
    await task.report({ sequence: 60, spent: [spend(0.25)] });
    expect(await task.calls()).toHaveLength(1);
    await world.release();
  });

  it("is not put together for two people who call themselves alike", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.report({ spent: [spend(0.25)] });
    await spendBefore(world, 0.5, Date.now(), "Anna");
    const { words } = await world.ask(world.anna, "usage");
    expect(words).toMatch(/By person\nAnna +\$0.50 [^]*\nAnna +\$0.25 /);
    await world.release();
  });

  it("is shown by `usage`, dearest first, without what is only set aside", async () => {
    const world = await newWorld();
    const task = await running(world);
    await task.report({ spent: [spend(0.25), spend(0.5, "claude-haiku-5-5")] });
    await task.reserve("ask", 3);
    const { words } = await world.ask(world.anna, "usage");
    expect(words).toContain("This month: $0.75 of $200.00");
    expect(words).toMatch(/By person\nAnna +\$0.75 +254 tokens +2 calls/);
    expect(words).toMatch(/By model\nclaude-haiku-5-5 +\$0.50 [^]*\nclaude-sonnet-5-5 +\$0.25 /);
    await world.release();
  });
});
