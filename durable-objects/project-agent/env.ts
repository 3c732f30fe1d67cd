import type { ChannelsEnv } from "#channels/registry.ts";
import type { GitHubEnv } from "#clients/github-env.ts";
import type { CoordinatorRpc, MessageReceiver, Namespace, WorkflowBinding } from "#core/rpc.ts";
import type { TaskRun } from "#core/task.ts";

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
  };

/** A Project agent is named `organisation/project`. */
export function namesOf(name: string): [organisation: string, project: string] {
  const [organisation = "", project = ""] = name.split("/");
  return [organisation, project];
}
