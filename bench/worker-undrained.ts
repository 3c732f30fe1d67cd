import { sql } from "drizzle-orm";
import { ProjectAgent as Product } from "#durable-objects/project-agent/agent.ts";
import { app } from "#worker/app.ts";

/** The product, but that nothing is done with what was accepted: so only accepting is measured. */

export { TaskAgent } from "#agents/task-agent.ts";
export { Coordinator } from "#durable-objects/coordinator/coordinator.ts";
export { TerminalGateway } from "#durable-objects/terminal-gateway.ts";

export class ProjectAgent extends Product {
  protected override drain(): void {
    this.deadlines.noLaterThan("drain", this.now() + 5000);
  }

  count(): number {
    return this.db.get<{ count: number }>(sql`select count(*) as count from inbox`).count;
  }
}

type Env = { PROJECT_AGENT: DurableObjectNamespace<ProjectAgent> };

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname !== "/bench/rows") return app.fetch(request, env, context);
    return Response.json({ rows: await env.PROJECT_AGENT.getByName("default/bench").count() });
  },
};
