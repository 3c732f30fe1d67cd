import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { toPlainText } from "#core/response.ts";
import { type TaskReport, branchOf, instanceOf } from "#core/task.ts";
import { eventually, finalReply, gitHub, keptFor, newWorld, rowsOf, type World } from "../worker/world.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const progressOf = async (world: World, id: string): Promise<string | undefined> =>
  (await keptFor(world.anna)).filter(({ inReplyTo }) => inReplyTo === id).map(({ blocks }) => toPlainText(blocks))[0];
const statuses = async (world: World) => (await world.tasks()).map(({ status }) => status);
const report = (taskId: string, sequence: number, more: Partial<TaskReport> = {}): TaskReport => ({
  taskId,
  attempt: 1,
  sequence,
  progress: `step ${sequence}`,
  spent: [],
  tools: [],
  result: null,
  ...more,
});

describe("a task", () => {
  it("becomes one commit on its own branch and one pull request, and says so", async () => {
    const world = await newWorld();
    const { ok, words } = await world.ask(world.anna, "fix the login timeout");
    const [task] = await world.tasks();
    expect([ok, words]).toEqual([true, expect.stringContaining(`Pull request: #1 on ${branchOf(task?.id ?? "")}`)]);
    expect((await world.writes()).map((line) => line.split(" ")[1]?.split("/").slice(4).join("/"))).toEqual([
      "git/trees",
      "git/commits",
      "git/refs",
      "pulls",
    ]);
    expect(await world.state()).toBe("IDLE");
    const [agent] = await rowsOf(world.project, "select state, outcome from agents where id = ?", task?.id ?? "");
    expect(agent).toEqual({ state: null, outcome: "completed" });
  });

  it("is in the copy that people query, with its end", async () => {
    const world = await newWorld();
    await world.ask(world.anna, "fix the login timeout");
    await eventually(async () => {
      await runDurableObjectAlarm(world.project);
      const row = await env.DB.prepare("select status, outcome, requested_by from tasks where organisation = ?")
        .bind(world.organisation)
        .first();
      expect(row).toEqual({ status: "ended", outcome: "completed", requested_by: "Anna" });
    });
  });

  it("moves its agent and the project's through the four states as the table allows", async () => {
    const world = await newWorld();
    await world.ask(world.anna, "fix the login timeout");
    const [task] = await world.tasks();
    const moves = (await world.entries()).filter(({ action }) => action === "agent");
    const of = (id: string) =>
      moves.filter(({ subject }) => subject === id).map(({ details }) => details["to"] ?? details["outcome"]);
    expect(of(task?.id ?? "")).toEqual(["INITIALIZING", "IDLE", "ACTIVE", "completed"]);
    expect(of(world.name)).toEqual(["INITIALIZING", "IDLE", "ACTIVE", "IDLE"]);
  });
});

describe("the queue", () => {
  it("runs three at once, tells the others their place, and lets them in as places come free", async () => {
    const world = await newWorld();
    await world.hold();
    const begun: { id: string; taskId: string }[] = [];
    for (const number of [1, 2, 3, 4, 5]) begun.push(await world.begin(world.anna, `fix fault ${number}`));
    expect(await statuses(world)).toEqual(["running", "running", "running", "queued", "queued"]);
    await eventually(async () => {
      expect(await progressOf(world, begun[3]?.id ?? "")).toContain("waiting, place 1");
      expect(await progressOf(world, begun[4]?.id ?? "")).toContain("waiting, place 2");
    });

    const stopped = await world.ask(world.anna, `stop ${begun[0]?.taskId}`);
    expect(stopped.ok).toBe(true);
    expect(await statuses(world)).toEqual(["ended", "running", "running", "running", "queued"]);
    await eventually(async () => expect(await progressOf(world, begun[4]?.id ?? "")).toContain("waiting, place 1"));

    await world.release();
    for (const { id } of begun.slice(1)) expect(await finalReply(world.anna, id)).toMatchObject({ ok: true });
    expect(await world.state()).toBe("IDLE");
  });

  it("does not make other commands wait", async () => {
    const world = await newWorld();
    await world.hold();
    await world.begin(world.anna, "fix one");
    expect((await world.ask(world.anna, "status")).words).toContain("1 running");
    expect(await world.state()).toBe("ACTIVE");
    await world.release();
  });
});

describe("stop", () => {
  it("ends a waiting task, which then never runs", async () => {
    const world = await newWorld();
    await world.hold();
    const begun: { id: string; taskId: string }[] = [];
    for (const number of [1, 2, 3, 4]) begun.push(await world.begin(world.anna, `fix fault ${number}`));
    const last = begun[3];
    await world.ask(world.anna, `stop ${last?.taskId}`);
    const reply = await finalReply(world.anna, last?.id ?? "");
    expect([reply.ok, toPlainText(reply.blocks)]).toEqual([false, expect.stringContaining("was stopped by Anna")]);
    await world.release();
    for (const { id } of begun.slice(0, 3)) await finalReply(world.anna, id);
    expect((await world.writes()).filter((line) => line.includes("/pulls"))).toHaveLength(3);
    expect(await world.finals(last?.id ?? "")).toHaveLength(1);
  });

  it("ends a running task at once, which then writes nothing", async () => {
    const world = await newWorld();
    await world.hold();
    const { id, taskId } = await world.begin(world.anna, "fix the login");
    await eventually(async () => expect(await gitHub("/held", { repository: world.repository })).toBeGreaterThan(0));
    expect((await world.ask(world.anna, "stop")).words).toContain(`Stopped ${taskId}`);
    expect(await finalReply(world.anna, id)).toMatchObject({ ok: false });
    await world.release();
    const instance = await env.TASK_AGENT.get(instanceOf(taskId, 1));
    await eventually(async () =>
      expect(["terminated", "complete", "errored"]).toContain((await instance.status()).status),
    );
    expect(await world.writes()).toEqual([]);
    expect(await world.finals(id)).toHaveLength(1);
    expect(await world.state()).toBe("IDLE");
  });

  it("asks which one when several run", async () => {
    const world = await newWorld();
    await world.hold();
    const one = await world.begin(world.anna, "fix one");
    const two = await world.begin(world.anna, "fix two");
    const { ok, words } = await world.ask(world.anna, "stop");
    expect([ok, words]).toEqual([false, expect.stringContaining(`\`stop ${one.taskId}\``)]);
    expect(words).toContain(two.taskId);
    await world.release();
  });

  it("says so when there is nothing to stop", async () => {
    const world = await newWorld();
    expect((await world.ask(world.anna, "stop")).words).toContain("Nothing is running");
    expect((await world.ask(world.anna, "stop task-7k2m9qxw")).words).toContain("There is no task-7k2m9qxw");
    await world.ask(world.anna, "fix the login");
    const [task] = await world.tasks();
    expect((await world.ask(world.anna, `stop ${task?.id}`)).words).toContain("has ended already: completed");
  });
});

describe("reports", () => {
  /** A running task whose Workflow does not come forward. */
  async function running() {
    const world = await newWorld();
    await world.hold();
    const begun = await world.begin(world.anna, "fix the login");
    await eventually(async () => expect(await gitHub("/held", { repository: world.repository })).toBeGreaterThan(0));
    return { world, ...begun };
  }
  const failed = { outcome: "failed" as const, reason: "because" };

  it("that repeat change nothing", async () => {
    const { world, taskId } = await running();
    expect(await world.project.report(report(taskId, 50))).toEqual({ goOn: true });
    const entries = await world.entries();
    expect(
      await world.project.report(
        report(taskId, 50, { progress: "again", tools: [{ tool: "x", detail: "", ok: true }] }),
      ),
    ).toEqual({ goOn: true });
    expect(await world.project.report(report(taskId, 49, { result: failed }))).toEqual({ goOn: true });
    expect((await world.tasks())[0]).toMatchObject({ progress: "step 50", status: "running" });
    expect((await world.entries()).filter(({ action }) => action !== "delivery")).toEqual(
      entries.filter(({ action }) => action !== "delivery"),
    );
    await world.release();
  });

  it("of another attempt are refused", async () => {
    const { world, taskId } = await running();
    await rowsOf(world.project, "update tasks set attempt = 2");
    expect(await world.project.report(report(taskId, 99, { result: failed }))).toEqual({ goOn: false });
    expect(await world.project.report(report(taskId, 99, { attempt: 3 }))).toEqual({ goOn: false });
    expect((await world.tasks())[0]?.status).toBe("running");
    await world.release();
  });

  it("after the end are refused, the same end too", async () => {
    const { world, id, taskId } = await running();
    const last = report(taskId, 60, { progress: null, result: failed });
    expect(await world.project.report(last)).toEqual({ goOn: false });
    expect(await world.project.report(last)).toEqual({ goOn: false });
    expect(await world.project.report(report(taskId, 61))).toEqual({ goOn: false });
    expect(toPlainText((await finalReply(world.anna, id)).blocks)).toBe(`✗ ${taskId} failed. because`);
    expect(await world.finals(id)).toHaveLength(1);
    await world.release();
  });

  it("of tools enter the audit", async () => {
    const { world, taskId } = await running();
    await world.project.report(report(taskId, 50, { tools: [{ tool: "github.read", detail: "x", ok: false }] }));
    expect((await world.entries()).find(({ action }) => action === "tool")).toMatchObject({
      subject: "github.read",
      details: { detail: "x", ok: false },
      actor: { kind: "agent", id: taskId },
    });
    await world.release();
  });
});

describe("the watchdog", () => {
  /** Lets the time pass that a task may be silent, and the alarm with it. */
  async function afterSilence(world: World, minutes: number): Promise<void> {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + minutes * 60_000 });
    await runDurableObjectAlarm(world.project);
  }

  /** Ends the Workflow of an attempt, and waits until the engine knows. */
  async function kill(taskId: string, attempt: number): Promise<void> {
    const instance = await eventually(() => env.TASK_AGENT.get(instanceOf(taskId, attempt)));
    await eventually(async () => {
      const { status } = await instance.status();
      if (status !== "terminated") await instance.terminate();
      expect((await instance.status()).status).toBe("terminated");
    });
  }

  it("leaves a task alone whose Workflow is alive", async () => {
    const world = await newWorld();
    await world.hold();
    const { id } = await world.begin(world.anna, "fix the login");
    await eventually(async () => expect(await gitHub("/held", { repository: world.repository })).toBeGreaterThan(0));
    await afterSilence(world, 1);
    expect((await world.tasks())[0]).toMatchObject({ attempt: 1, status: "running" });
    await world.release();
    expect(await finalReply(world.anna, id)).toMatchObject({ ok: true });
  });

  it("begins another attempt when the Workflow died, and gives up after three, with one final reply", async () => {
    const world = await newWorld();
    await world.hold();
    const { id, taskId } = await world.begin(world.anna, "fix the login");
    for (const attempt of [1, 2, 3]) {
      await kill(taskId, attempt);
      expect((await world.tasks())[0]).toMatchObject({ attempt, status: "running" });
      await afterSilence(world, attempt);
    }
    const reply = await finalReply(world.anna, id);
    expect([reply.ok, toPlainText(reply.blocks)]).toEqual([
      false,
      expect.stringContaining(`${taskId} was begun 3 times`),
    ]);
    expect(await world.finals(id)).toHaveLength(1);
    expect((await world.tasks())[0]).toMatchObject({ attempt: 3, status: "ended", outcome: "failed" });
    await world.release();
    expect(await world.writes()).toEqual([]);
    expect(await world.state()).toBe("IDLE");
  });

  it("finishes with a second attempt what the first left half done, as the same commit and one pull request", async () => {
    const world = await newWorld();
    // The branch is there, and then nothing more is heard.
    await gitHub("/fault", {
      method: "POST",
      path: `^/repos/${world.repository}/pulls$`,
      times: 1,
      effect: { kind: "answer", status: 429, headers: { "retry-after": "600" } },
    });
    const { id, taskId } = await world.begin(world.anna, "fix the login");
    await eventually(async () => expect((await world.tasks())[0]?.progress).toContain("Trying again"));
    const branch = `${env.GITHUB_API_URL}/repos/${world.repository}/commits/heads%2F${encodeURIComponent(branchOf(taskId))}`;
    const headers = { authorization: "token write-token", "user-agent": "tests" };
    const before = await (await fetch(branch, { headers })).json<{ sha: string }>();
    await kill(taskId, 1);
    await afterSilence(world, 1);
    expect(await finalReply(world.anna, id)).toMatchObject({ ok: true });
    expect((await (await fetch(branch, { headers })).json<{ sha: string }>()).sha).toBe(before.sha);
    expect((await world.tasks())[0]).toMatchObject({ attempt: 2, outcome: "completed" });
    expect((await world.writes()).filter((line) => line.includes("/pulls") && line.endsWith(" 201"))).toHaveLength(1);
  });

  it("creates a Workflow that could not be created at first", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const world = await newWorld();
    await world.ask(world.anna, "status");
    const { TaskRunner } = await import("#durable-objects/project-agent/task-runner.ts");
    const starts = vi.spyOn(TaskRunner.prototype, "start").mockImplementation(() => undefined);
    const { id } = await world.begin(world.anna, "fix the login");
    starts.mockRestore();
    await afterSilence(world, 1);
    expect(await finalReply(world.anna, id)).toMatchObject({ ok: true });
    expect((await world.tasks())[0]).toMatchObject({ attempt: 1, outcome: "completed" });
  });
});
