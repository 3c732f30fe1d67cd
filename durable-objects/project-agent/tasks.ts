import { and, asc, count, desc, eq, ne } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import type { Target } from "#core/delivery.ts";
import { type Block, text } from "#core/response.ts";
import {
  MAX_ATTEMPTS,
  MAX_RUNNING_TASKS,
  type ModelSpend,
  type ReportAnswer,
  type Reservation,
  type Reserved,
  type TaskReport,
  type TaskResult,
  type TaskRun,
  type TaskSpec,
  instanceOf,
} from "#core/task.ts";
import { type CopyStatement, copyTask } from "#db/copies.ts";
import type { AuditLog } from "../mailbox/audit-log.ts";
import type { Copies } from "../mailbox/copies.ts";
import type { Deadlines } from "../mailbox/deadlines.ts";
import type { Outbox } from "../mailbox/outbox.ts";
import type { Budget, Spender } from "./budget.ts";
import type { AgentRegister } from "./register.ts";
import { resultBlocks } from "./result-blocks.ts";
import { tasks } from "./schema.ts";

export type TaskRow = typeof tasks.$inferSelect;

export type TasksSetup = {
  db: DrizzleSqliteDODatabase;
  audit: AuditLog;
  outbox: Outbox;
  copies: Copies;
  deadlines: Deadlines;
  register: AgentRegister;
  budget: Budget;
  now: () => number;
  /** How long a running task may be silent before it is looked after. */
  watchdogMs: number;
};

const watchdogOf = (taskId: string): string => `watch:${taskId}`;

/** The tasks of one project. All methods that change something are to be called inside a transaction. */
export class Tasks {
  readonly #at: TasksSetup;

  constructor(setup: TasksSetup) {
    this.#at = setup;
  }

  find(id: string): TaskRow | undefined {
    return this.#at.db.select().from(tasks).where(eq(tasks.id, id)).get();
  }

  /** Waiting and running tasks, oldest first. */
  unfinished(): TaskRow[] {
    return this.#at.db
      .select()
      .from(tasks)
      .where(ne(tasks.status, "ended"))
      .orderBy(asc(tasks.createdAt), asc(tasks.decisionSequence))
      .all();
  }

  recent(limit: number): TaskRow[] {
    return this.#at.db
      .select()
      .from(tasks)
      .orderBy(desc(tasks.createdAt), desc(tasks.decisionSequence))
      .limit(limit)
      .all();
  }

  count(status: TaskRow["status"]): number {
    return this.#at.db.select({ count: count() }).from(tasks).where(eq(tasks.status, status)).get()?.count ?? 0;
  }

  #inOrder(status: "queued" | "running"): TaskRow[] {
    return this.unfinished().filter((task) => task.status === status);
  }

  areUnfinished(): boolean {
    return this.count("running") + this.count("queued") > 0;
  }

  counts(): { running: number; queued: number; ended: number } {
    return { running: this.count("running"), queued: this.count("queued"), ended: this.count("ended") };
  }

  /** Enters a decided task into the queue. It now owes the one final reply to the message it came from. */
  add(spec: TaskSpec, from: { replyId: string; inReplyTo: string; target: Target; decisionSequence: number }): void {
    const { db, register, copies, now } = this.#at;
    db.insert(tasks)
      .values({
        id: spec.taskId,
        status: "queued",
        spec,
        ...from,
        attempt: 0,
        reported: 0,
        progress: "",
        createdAt: now(),
      })
      .run();
    register.add(spec.taskId, "task");
    copies.note("task", spec.taskId);
  }

  /**
   * Marks as running what may run now, and returns it, for its Workflows to be created after the transaction.
   * Everyone still waiting is told their place.
   */
  startNext(): TaskRun[] {
    const runs: TaskRun[] = [];
    const free = MAX_RUNNING_TASKS - this.count("running");
    const queued = this.#inOrder("queued");
    for (const task of queued.slice(0, Math.max(free, 0))) runs.push(this.#begin(task, 1));
    for (const [index, task] of queued.slice(Math.max(free, 0)).entries()) {
      const place = `waiting, place ${index + 1}: ${MAX_RUNNING_TASKS} tasks run at once`;
      if (task.progress !== place) this.#progress(task, place);
    }
    return runs;
  }

  /** Sets the deadline by which a running task should have been heard of. */
  watch(taskId: string): void {
    const { deadlines, now, watchdogMs } = this.#at;
    deadlines.set(watchdogOf(taskId), now() + watchdogMs);
  }

  #begin(task: TaskRow, attempt: number): TaskRun {
    const { db, register, now, copies } = this.#at;
    db.update(tasks)
      .set({ status: "running", attempt, reported: 0, startedAt: now() })
      .where(eq(tasks.id, task.id))
      .run();
    if (attempt > 1) register.recover(task.id);
    this.watch(task.id);
    copies.note("task", task.id);
    this.#progress(task, attempt === 1 ? "starting" : `starting again, attempt ${attempt} of ${MAX_ATTEMPTS}`);
    return { spec: task.spec, attempt };
  }

  /**
   * What becomes of a running task whose Workflow ended without telling its result: another attempt, which is returned,
   * or the end when it has had them all. Nothing when a report came meanwhile.
   */
  endedInSilence({ id, attempt }: TaskRow): TaskRun | null {
    const task = this.find(id);
    if (task?.status !== "running" || task.attempt !== attempt) return null;
    if (attempt < MAX_ATTEMPTS) return this.#begin(task, attempt + 1);
    const words = `✗ ${id} was begun ${attempt} times and ended each time without a result. Ask again, or look into the Worker's log.`;
    this.end(task, "failed", [text(words)]);
    return null;
  }

  /** Sets money aside for a model call. For a task that has ended nothing is: no report would ever free it. */
  reserve(reservation: Reservation): Reserved {
    const task = this.find(reservation.taskId);
    const isRunning = task?.status === "running" && task.attempt === reservation.attempt;
    return isRunning ? this.#at.budget.reserve(spenderOf(task), reservation) : { grantedUsd: 0, limit: "task" };
  }

  /** Takes a report in. Repeats, and reports of another attempt or of an ended task, change nothing. */
  apply(report: TaskReport): ReportAnswer {
    const task = this.find(report.taskId);
    if (!task || task.attempt !== report.attempt) return { goOn: false };
    const { db, audit, register } = this.#at;
    const isNews = report.sequence > task.reported;
    if (isNews) db.update(tasks).set({ reported: report.sequence }).where(eq(tasks.id, task.id)).run();
    if (task.status !== "running") {
      // What a stopped task's last call cost has to be paid all the same.
      if (isNews) this.#settle(task, report.spent, "late");
      return { goOn: false };
    }
    if (!isNews) return { goOn: true };
    this.#activate(task.id);
    for (const { tool, detail, ok } of report.tools) {
      audit.append({
        actor: { kind: "agent", id: task.id, name: task.id },
        action: "tool",
        subject: tool,
        details: { detail, ok },
      });
    }
    this.#settle(task, report.spent);
    if (report.result) {
      const { outcome } = report.result;
      const blocks = resultBlocks(task.id, report.result, this.#at.budget.costOfTask(task.id));
      this.end(task, outcome === "answered" ? "completed" : outcome, blocks, report.result);
      return { goOn: false };
    }
    this.watch(task.id);
    if (report.progress !== null) this.#progress(task, report.progress);
    register.move(task.id, "ACTIVE");
    return { goOn: true };
  }

  #settle(task: TaskRow, spent: ModelSpend[], when: "in time" | "late" = "in time"): void {
    const { budget, audit } = this.#at;
    const { id } = task;
    if (when === "late") budget.settleLate(spenderOf(task), spent);
    else budget.settle(spenderOf(task), spent);
    for (const { model, purpose, usage, costUsd } of spent) {
      const actor = { kind: "agent", id, name: id } as const;
      audit.append({ actor, action: "model", subject: model, details: { purpose, costUsd, ...usage } });
    }
  }

  #activate(id: string): void {
    const { register } = this.#at;
    if (register.find(id)?.state === "INITIALIZING") register.move(id, "IDLE");
    register.move(id, "ACTIVE");
  }

  /** Ends a task with its final reply. `result` is kept where there is one. */
  end(
    task: TaskRow,
    outcome: NonNullable<TaskRow["outcome"]>,
    blocks: Block[],
    result: TaskResult | null = null,
  ): void {
    const { db, deadlines, register, outbox, now, copies, budget } = this.#at;
    const done = result?.outcome === "completed" ? result : null;
    db.update(tasks)
      .set({
        status: "ended",
        outcome,
        endedAt: now(),
        summary: done?.summary ?? null,
        pullRequestNumber: done?.pullRequest.number ?? null,
        pullRequestUrl: done?.pullRequest.url ?? null,
      })
      .where(and(eq(tasks.id, task.id), ne(tasks.status, "ended")))
      .run();
    deadlines.clear(watchdogOf(task.id));
    budget.end(spenderOf(task));
    register.end(task.id, outcome);
    copies.note("task", task.id);
    outbox.post(
      {
        id: task.replyId,
        kind: "final",
        ok: outcome === "completed",
        target: task.target,
        inReplyTo: task.inReplyTo,
        blocks,
      },
      now(),
    );
  }

  copy(id: string, at: { organisation: string; project: string }): CopyStatement | null {
    const task = this.find(id);
    if (!task) return null;
    const { instruction, requestedBy } = task.spec;
    return copyTask({ ...at, ...task, instruction, requestedBy: requestedBy.name });
  }

  #progress(task: TaskRow, progress: string): void {
    const { db, outbox, now } = this.#at;
    db.update(tasks).set({ progress }).where(eq(tasks.id, task.id)).run();
    outbox.post(
      {
        id: task.replyId,
        kind: "progress",
        ok: true,
        target: task.target,
        inReplyTo: task.inReplyTo,
        blocks: [text(`${task.id}: ${progress}`)],
      },
      now(),
    );
  }
}

const spenderOf = ({ id, spec: { requestedBy } }: TaskRow): Spender => ({
  taskId: id,
  identity: requestedBy.identity,
  name: requestedBy.name,
});

/** The Workflow instance of a task's present attempt. */
export const instanceOfTask = (task: TaskRow): string => instanceOf(task.id, task.attempt);
