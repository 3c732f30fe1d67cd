import type { TaskAgentEnv } from "#agents/task-agent.ts";
import type { CoordinatorRpc, Namespace, ProjectAgentRpc } from "#core/rpc.ts";
import type { CoordinatorEnv } from "#durable-objects/coordinator/coordinator.ts";
import type { ProjectAgentEnv } from "#durable-objects/project-agent/env.ts";
import type { TerminalGateway, TerminalGatewayEnv } from "#durable-objects/terminal-gateway.ts";

/** Every binding and variable of the Worker; wrangler.toml names them, secrets excepted. */
export type Env = Omit<
  ProjectAgentEnv & CoordinatorEnv & TerminalGatewayEnv & TaskAgentEnv,
  "PROJECT_AGENT" | "COORDINATOR" | "TERMINAL_GATEWAY"
> & {
  PROJECT_AGENT: Namespace<ProjectAgentRpc>;
  COORDINATOR: Namespace<CoordinatorRpc>;
  TERMINAL_GATEWAY: DurableObjectNamespace<TerminalGateway>;
  /** The administrator's bearer token, and the key that terminal tokens are signed with. A secret. */
  API_TOKEN?: string;
};
