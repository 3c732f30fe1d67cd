import type { WorkflowStep } from "cloudflare:workers";
import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";
import type { ReportAnswer, TaskReport, TaskResult, ToolRun } from "#core/task.ts";

const SECOND = 1000;
/** Tries of one stage while a service fails in a passing way, and the longest wait it may ask for. */
const MAX_TRIES = 6;
const LONGEST_WAIT_MS = 900 * SECOND;

/** Reporting is repeated by the engine until the Project agent answers. */
const UNTIL_ANSWERED = {
  retries: { limit: 5, delay: 1 * SECOND, backoff: "exponential" as const },
  timeout: 120 * SECOND,
};

export type Failed = { status: "failed"; reason: string; retryAfterMs: number | null; retryable: boolean };
export type Staged<T> = { status: "done"; value: T } | { status: "stopped" } | Failed;

export type StageTools = { used: (tool: string, detail: string) => void };

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
  ): Promise<Staged<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const tried = await this.#try(`${name} ${attempt}`, progress, work);
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
  ): Promise<Staged<T>> {
    this.#sequence += 1;
    const report = { ...this.#task, sequence: this.#sequence, progress, tools: this.#tools, result: null };
    const { staged, tools } = (await this.#step.do(name, UNTIL_ANSWERED, async () => {
      const { goOn } = await this.#report(report);
      if (!goOn) return { staged: { status: "stopped" as const }, tools: [] };
      const used: ToolRun[] = [];
      try {
        const value = await work({ used: (tool, detail) => void used.push({ tool, detail, ok: true }) });
        return { staged: { status: "done" as const, value }, tools: used };
      } catch (error) {
        const failed = asFailure(error);
        return { staged: failed, tools: [...used, { tool: name, detail: failed.reason, ok: false }] };
      }
    })) as { staged: Staged<T>; tools: ToolRun[] };
    this.#tools = tools;
    return staged;
  }

  async #tell(name: string, progress: string): Promise<boolean> {
    this.#sequence += 1;
    const report = { ...this.#task, sequence: this.#sequence, progress, tools: this.#tools, result: null };
    this.#tools = [];
    return this.#step.do(name, UNTIL_ANSWERED, async () => (await this.#report(report)).goOn);
  }

  /** The last report: with it the Project agent gives the final reply. */
  async finish(result: TaskResult): Promise<void> {
    this.#sequence += 1;
    const report = { ...this.#task, sequence: this.#sequence, progress: null, tools: this.#tools, result };
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
