import { env } from "cloudflare:workers";
import type { Inbox } from "#durable-objects/mailbox/inbox.ts";
import type { ProjectAgent } from "#durable-objects/project-agent/agent.ts";
import { inside, unique } from "../worker/world.ts";

/** Runs inside a new Project agent, for the tables that it has. */
export function inAgent<Result>(
  run: (at: {
    db: ConstructorParameters<typeof Inbox>[0];
    state: DurableObjectState;
    agent: ProjectAgent;
  }) => Result | Promise<Result>,
): Promise<Result> {
  return inside(env.PROJECT_AGENT.getByName(`${unique("org")}/shop`), (agent: ProjectAgent, state) =>
    run({ db: agent["db"], state, agent }),
  );
}
