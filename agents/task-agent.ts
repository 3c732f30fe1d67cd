import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { type GitHubEnv, gitHubFromEnv } from "#clients/github-env.ts";
import type { GitHub } from "#clients/github.ts";
import { type ModelEnv, modelFromEnv, type ModelNames, modelNames } from "#clients/model-env.ts";
import type { Model } from "#clients/model-types.ts";
import { type Prices, pricesFrom } from "#core/prices.ts";
import type { Namespace, ProjectAgentRpc } from "#core/rpc.ts";
import { TaskRun } from "#core/task.ts";
import { Asker } from "./task/asker.ts";
import { runTask } from "./task/flow.ts";
import { Stages } from "./task/stages.ts";

export type TaskAgentEnv = GitHubEnv & ModelEnv & { PROJECT_AGENT: Namespace<ProjectAgentRpc> };

/** The agent that changes code and opens a pull request: one instance per attempt at a task. */
export class TaskAgent extends WorkflowEntrypoint<TaskAgentEnv, TaskRun> {
  readonly #projects: Namespace<ProjectAgentRpc>;
  readonly #connectGitHub: () => GitHub;
  readonly #model: Model | null;
  readonly #models: ModelNames;
  readonly #prices: () => Prices;

  constructor(ctx: ExecutionContext, env: TaskAgentEnv) {
    super(ctx, env);
    this.#projects = env.PROJECT_AGENT;
    this.#connectGitHub = () => gitHubFromEnv(env);
    this.#model = modelFromEnv(env);
    this.#models = modelNames(env);
    this.#prices = () => pricesFrom(env.MODEL_PRICES);
  }

  override async run(event: Readonly<WorkflowEvent<TaskRun>>, step: WorkflowStep): Promise<void> {
    const { spec, attempt } = TaskRun.parse(event.payload);
    // Another stub for each report: one whose object crashed stays broken.
    const project = () => this.#projects.getByName(`${spec.organisation}/${spec.project}`);
    const stages = new Stages(step, (report) => project().report(report), { taskId: spec.taskId, attempt });
    const model = this.#model;
    const asker =
      model &&
      new Asker({
        model,
        prices: this.#prices,
        reserve: (call, usd) => project().reserve({ taskId: spec.taskId, attempt, call, usd }),
      });
    await runTask(spec, stages, this.#connectGitHub, asker && { asker, models: this.#models });
  }
}
