import type { WorkflowStep } from "cloudflare:workers";
import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";
import type { ModelSpend, ReportAnswer, TaskReport, TaskResult, ToolRun } from "#core/task.ts";

const SECOND = 1000;
/** Tries of one stage while a service fails in a passing way, and the longest wait it may ask for. */
const MAX_TRIES = 6;
const LONGEST_WAIT_MS = 900 * SECOND;

/** Reporting is repeated by the engine until the Project agent answers. */
const UNTIL_ANSWERED = {
  retries: { limit: 5, delay: 1 * SECOND, backoff: "exponential" as const },
  timeout: 120 * SECOND,
};

/** For stages that wait for a model: a long answer takes minutes, and one that the engine cuts off is paid for and lost. */
export const LONG_WORK = { ...UNTIL_ANSWERED, timeout: 1200 * SECOND };

export type Failed = { status: "failed"; reason: string; retryAfterMs: number | null; retryable: boolean };
export type Staged<T> = { status: "done"; value: T } | { status: "stopped" } | Failed;

export type StageTools = {
  /** Notes a tool run, for the audit. */
  used: (tool: string, detail: string) => void;
  /** Notes what a model call cost; also of one that brought no answer. */
  spent: (spend: ModelSpend) => void;
};

/**
 * The durable stages of one attempt at a task. Each is one step of the Workflow: it first tells the Project agent what
 * comes, learns whether to go on, and then works. Expected failures are values, waits between tries are durable, and
 * sequence numbers count the stages, so that a repeat after a crash reports the same thing under the same number.
 */
export class Stages {
  readonly #step: WorkflowStep;
  readonly #report: (report: TaskReport) => Promise<ReportAnswer>;
  readonly #task: { taskId: string; attempt: number };
  #sequence = 0;
  #tools: ToolRun[] = [];
  #spent: ModelSpend[] = [];
  #costUsd = 0;

  constructor(
    step: WorkflowStep,
    report: (report: TaskReport) => Promise<ReportAnswer>,
    task: { taskId: string; attempt: number },
  ) {
    this.#step = step;
    this.#report = report;
    this.#task = task;
  }

  /**
   * Runs `work` as the stage `name` until it succeeds, fails for good, or the task is stopped. What it returns must
   * fit a step's result (JSON, under 1 MiB).
   */
  async run<T extends Rpc.Serializable<T>>(
    name: string,
    progress: string,
    work: (tools: StageTools) => Promise<T>,
    config: typeof UNTIL_ANSWERED = UNTIL_ANSWERED,
  ): Promise<Staged<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const tried = await this.#try(`${name} ${attempt}`, progress, work, config);
      if (tried.status !== "failed") return tried;
      const waitMs = tried.retryAfterMs ?? Math.min(2 ** (attempt - 1) * SECOND, 30 * SECOND);
      if (!tried.retryable || attempt === MAX_TRIES || waitMs > LONGEST_WAIT_MS) return tried;
      const goOn = await this.#tell(
        `${name} ${attempt} waits`,
        `${tried.reason} Trying again in ${Math.ceil(waitMs / SECOND)} s.`,
      );
      if (!goOn) return { status: "stopped" };
      await this.#step.sleep(`${name} ${attempt} pause`, waitMs);
    }
  }

  async #try<T extends Rpc.Serializable<T>>(
    name: string,
    progress: string,
    work: (tools: StageTools) => Promise<T>,
    config: typeof UNTIL_ANSWERED,
  ): Promise<Staged<T>> {
    this.#sequence += 1;
    const report = this.#reportOf(progress, null);
    const { staged, tools, spent } = (await this.#step.do(name, config, async () => {
      const { goOn } = await this.#report(report);
      if (!goOn) return { staged: { status: "stopped" as const }, tools: [], spent: [] };
      const used: ToolRun[] = [];
      const spends: ModelSpend[] = [];
      try {
        const value = await work({
          used: (tool, detail) => void used.push({ tool, detail, ok: true }),
          spent: (spend) => void spends.push(spend),
        });
        return { staged: { status: "done" as const, value }, tools: used, spent: spends };
      } catch (error) {
        const failed = asFailure(error);
        const tried = { tool: name, detail: failed.reason, ok: false };
        return { staged: failed, tools: [...used, tried], spent: spends };
      }
    })) as { staged: Staged<T>; tools: ToolRun[]; spent: ModelSpend[] };
    this.#tools = tools;
    this.#spent = spent;
    for (const { costUsd } of spent) this.#costUsd += costUsd;
    return staged;
  }

  /** What the model calls of this attempt have cost so far, in US dollars. */
  get costUsd(): number {
    return this.#costUsd;
  }

  /** The next report, with what was used and spent since the last one. */
  #reportOf(progress: string | null, result: TaskResult | null): TaskReport {
    const report = {
      ...this.#task,
      sequence: this.#sequence,
      progress,
      tools: this.#tools,
      spent: this.#spent,
      result,
    };
    this.#tools = [];
    this.#spent = [];
    return report;
  }

  async #tell(name: string, progress: string): Promise<boolean> {
    this.#sequence += 1;
    const report = this.#reportOf(progress, null);
    return this.#step.do(name, UNTIL_ANSWERED, async () => (await this.#report(report)).goOn);
  }

  /** The last report: with it the Project agent gives the final reply. */
  async finish(result: TaskResult): Promise<void> {
    this.#sequence += 1;
    const report = this.#reportOf(null, result);
    await this.#step.do("report the result", UNTIL_ANSWERED, async () => {
      await this.#report(report);
    });
  }
}

/** An expected failure in words for people. Anything else is a defect: the engine shall see it and try again. */
function asFailure(error: unknown): Failed {
  if (error instanceof UpstreamError) {
    return { status: "failed", reason: error.message, retryAfterMs: error.retryAfterMs, retryable: error.retryable };
  }
  if (error instanceof InvalidInputError || error instanceof NotFoundError) {
    return { status: "failed", reason: error.message, retryAfterMs: null, retryable: false };
  }
  throw error;
}
