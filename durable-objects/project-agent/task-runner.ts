import { type TaskRun, instanceOf } from "#core/task.ts";
import type { WorkflowBinding } from "#core/rpc.ts";
import { type TaskRow, instanceOfTask } from "./tasks.ts";

/** States of a Workflow instance that will not report any more. */
const ENDED = new Set(["errored", "terminated", "complete", "unknown"]);

/** Runs tasks as Workflow instances. Failures here are passing ones: the watchdog of each task comes back to it. */
export class TaskRunner {
  readonly #workflow: WorkflowBinding<TaskRun>;

  constructor(workflow: WorkflowBinding<TaskRun>) {
    this.#workflow = workflow;
  }

  /** Creates the instances. An id that exists already is as good as created, whether or not `create` throws on it. */
  start(runs: TaskRun[]): void {
    for (const run of runs) {
      void this.#create(run).catch((error: unknown) =>
        console.warn("a task's Workflow could not be created yet", run.spec.taskId, error),
      );
    }
  }

  async #create(run: TaskRun): Promise<void> {
    await this.#workflow.create({ id: instanceOf(run.spec.taskId, run.attempt), params: run });
  }

  /**
   * Makes sure that a running task goes on. "alive": it is, or it was begun just now. "ended": its instance has come
   * to an end without reporting one.
   */
  async lookAfter(task: TaskRow): Promise<"alive" | "ended"> {
    const instance = await this.#workflow.get(instanceOfTask(task)).catch(() => null);
    if (!instance) {
      await this.#create({ spec: task.spec, attempt: task.attempt });
      return "alive";
    }
    const { status } = await instance.status();
    if (ENDED.has(status)) return "ended";
    // Locally an instance that a crash stopped goes on only when it is touched; elsewhere this does nothing.
    await instance.sendEvent({ type: "nudge", payload: null });
    return "alive";
  }

  /** Stops the instance of a task that was ended. Its reports are refused from now on, whether or not this succeeds. */
  terminate(task: TaskRow): void {
    if (task.status !== "running") return;
    void this.#workflow
      .get(instanceOfTask(task))
      .then((instance) => instance.terminate())
      .catch((error: unknown) => console.warn("a stopped task's Workflow could not be terminated", task.id, error));
  }
}
