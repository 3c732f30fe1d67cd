import type { ChannelsEnv } from "#channels/registry.ts";
import type { GitHubEnv } from "#clients/github-env.ts";
import type { CoordinatorRpc, MessageReceiver, Namespace, WorkflowBinding } from "#core/rpc.ts";
import type { TaskRun } from "#core/task.ts";
import { DEFAULT_LIMITS, type Limits } from "./budget.ts";

export type ProjectAgentEnv = GitHubEnv &
  ChannelsEnv & {
    /** Without it tasks are simulated. */
    ANTHROPIC_API_KEY?: string;
    DB: D1Database;
    COORDINATOR: Namespace<CoordinatorRpc>;
    PROJECT_AGENT: Namespace<MessageReceiver>;
    TASK_AGENT: WorkflowBinding<TaskRun>;
    /** Milliseconds a running task may be silent before it is looked after. */
    WATCHDOG_MS: string;
    /** US dollars that one task, and a project in one month, may cost; product's defaults unless set. */
    TASK_CEILING_USD?: string;
    MONTHLY_BUDGET_USD?: string;
  };

/** What is no number, or none that can be spent, leaves the default. */
export const limitsOf = ({ TASK_CEILING_USD: task, MONTHLY_BUDGET_USD: month }: ProjectAgentEnv): Limits => ({
  taskUsd: Number(task) > 0 ? Number(task) : DEFAULT_LIMITS.taskUsd,
  monthUsd: Number(month) > 0 ? Number(month) : DEFAULT_LIMITS.monthUsd,
});

/** A Project agent is named `organisation/project`. */
export function namesOf(name: string): [organisation: string, project: string] {
  const [organisation = "", project = ""] = name.split("/");
  return [organisation, project];
}
