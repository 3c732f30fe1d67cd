/** The composition root: what the Worker answers, and the classes its bindings name. */
export { TaskAgent } from "#agents/task-agent.ts";
export { Coordinator } from "#durable-objects/coordinator/coordinator.ts";
export { ProjectAgent } from "#durable-objects/project-agent/agent.ts";
export { TerminalGateway } from "#durable-objects/terminal-gateway.ts";
export { app as default } from "./app.ts";
