import { ModelUsage } from "./model-usage.ts";
import { Risk } from "./permissions.ts";
import {
  array,
  boolean,
  discriminatedUnion,
  enum as enumOf,
  type infer as Infer,
  literal,
  nullable,
  number,
  object,
  string,
} from "zod";

export const RepositoryName = object({ owner: string().min(1).max(100), name: string().min(1).max(100) });
export type RepositoryName = Infer<typeof RepositoryName>;

export const repositoryFullName = ({ owner, name }: RepositoryName): string => `${owner}/${name}`;

/** Three tasks per project run at once; more wait in order. */
export const MAX_RUNNING_TASKS = 3;
/** How often a task is begun before it is given up. */
export const MAX_ATTEMPTS = 3;

/** What a Task agent is asked to do, complete: it needs to ask nobody. */
export const TaskSpec = object({
  taskId: string(),
  organisation: string(),
  project: string(),
  kind: enumOf(["instruct", "implement", "refactor", "fix"]),
  instruction: string(),
  repository: RepositoryName,
  requestedBy: object({ identity: string(), name: string(), githubLogin: nullable(string()) }),
  /** ISO 8601. The commit's date: recorded before the first write, so that a repeat makes the same commit. */
  requestedAt: string(),
  /** Without a model the whole flow runs and the change is a marked stand-in (design: product, "Simulation mode"). */
  mode: enumOf(["simulation", "edge"]),
  auditReference: string(),
});
export type TaskSpec = Infer<typeof TaskSpec>;

/** What a Workflow instance is started with. */
export const TaskRun = object({ spec: TaskSpec, attempt: number().int().min(1) });
export type TaskRun = Infer<typeof TaskRun>;

export const PullRequestReference = object({ number: number().int(), url: string(), branch: string() });
export type PullRequestReference = Infer<typeof PullRequestReference>;

export const TaskResult = discriminatedUnion("outcome", [
  object({
    outcome: literal("completed"),
    summary: string(),
    files: array(string()),
    risk: Risk,
    simulated: boolean(),
    pullRequest: PullRequestReference,
  }),
  /** The model answered without changing anything: no branch was made. */
  object({ outcome: literal("answered"), answer: string() }),
  object({ outcome: literal("failed"), reason: string() }),
]);
export type TaskResult = Infer<typeof TaskResult>;

/** A tool run, for the audit. */
export const ToolRun = object({ tool: string(), detail: string(), ok: boolean() });
export type ToolRun = Infer<typeof ToolRun>;

/** A call of a model, as it is paid for. */
export const ModelSpend = object({ model: string(), purpose: string(), usage: ModelUsage, costUsd: number() });
export type ModelSpend = Infer<typeof ModelSpend>;

/** Money set aside before a call: `call` names it within its task, so that a repeat sets nothing aside twice. */
export type Reservation = { taskId: string; attempt: number; call: string; usd: number };
/** How much of it the task's ceiling and the project's month leave. */
export type Reserved = { grantedUsd: number; limit: "task" | "project" | null };

/**
 * What a Task agent tells its Project agent. `(taskId, attempt, sequence)` names a report: a repeat has no effect,
 * and one of an older attempt is refused.
 */
export const TaskReport = object({
  taskId: string(),
  attempt: number().int(),
  sequence: number().int(),
  progress: nullable(string()),
  tools: array(ToolRun),
  spent: array(ModelSpend),
  result: nullable(TaskResult),
});
export type TaskReport = Infer<typeof TaskReport>;

/** Whether the task should go on: false once it was stopped, ended, or given to another attempt. */
export type ReportAnswer = { goOn: boolean };

export const branchOf = (taskId: string): string => `codespar/${taskId}`;
export const instanceOf = (taskId: string, attempt: number): string => `${taskId}-${attempt}`;
