import type { D1Migration } from "cloudflare:test";
import type { TaskRun } from "#core/task.ts";
import type { Coordinator } from "#durable-objects/coordinator/coordinator.ts";
import type { ProjectAgent } from "#durable-objects/project-agent/agent.ts";
import type { TerminalGateway } from "#durable-objects/terminal-gateway.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      DB: D1Database;
      COORDINATOR: DurableObjectNamespace<Coordinator>;
      PROJECT_AGENT: DurableObjectNamespace<ProjectAgent>;
      TERMINAL_GATEWAY: DurableObjectNamespace<TerminalGateway>;
      TASK_AGENT: Workflow<TaskRun>;
      API_TOKEN: string;
      GITHUB_API_URL: string;
      GITHUB_CONTROL_URL: string;
      D1_MIGRATIONS: D1Migration[];
    }
    interface GlobalProps {
      mainModule: typeof import("#worker/index.ts");
    }
  }
}
