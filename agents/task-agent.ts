import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { type GitHubEnv, gitHubFromEnv } from "#clients/github-env.ts";
import type { GitHub } from "#clients/github.ts";
import type { Namespace, ProjectAgentRpc } from "#core/rpc.ts";
import { TaskRun } from "#core/task.ts";
import { runTask } from "./task/flow.ts";
import { Stages } from "./task/stages.ts";

export type TaskAgentEnv = GitHubEnv & { PROJECT_AGENT: Namespace<ProjectAgentRpc> };

/** The agent that changes code and opens a pull request: one instance per attempt at a task. */
export class TaskAgent extends WorkflowEntrypoint<TaskAgentEnv, TaskRun> {
  readonly #projects: Namespace<ProjectAgentRpc>;
  readonly #connectGitHub: () => GitHub;

  constructor(ctx: ExecutionContext, env: TaskAgentEnv) {
    super(ctx, env);
    this.#projects = env.PROJECT_AGENT;
    this.#connectGitHub = () => gitHubFromEnv(env);
  }

  override async run(event: Readonly<WorkflowEvent<TaskRun>>, step: WorkflowStep): Promise<void> {
    const { spec, attempt } = TaskRun.parse(event.payload);
    // Another stub for each report: one whose object crashed stays broken.
    const project = () => this.#projects.getByName(`${spec.organisation}/${spec.project}`);
    const stages = new Stages(step, (report) => project().report(report), { taskId: spec.taskId, attempt });
    await runTask(spec, stages, this.#connectGitHub);
  }
}
