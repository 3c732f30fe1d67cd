import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Target } from "#core/delivery.ts";
import type { AgentOutcome, AgentState } from "#core/agent-state.ts";
import type { TaskSpec } from "#core/task.ts";

export * from "../mailbox/schema.ts";

export const tasks = sqliteTable(
  "tasks",
  {
    id: text().primaryKey(),
    status: text({ enum: ["queued", "running", "ended"] }).notNull(),
    spec: text({ mode: "json" }).$type<TaskSpec>().notNull(),
    /** The one reply this task owes: an outbox id. */
    replyId: text().notNull(),
    inReplyTo: text().notNull(),
    target: text({ mode: "json" }).$type<Target>().notNull(),
    /** Sequence of the audit entry with the decision that allowed it. No decision, no task. */
    decisionSequence: integer().notNull(),
    attempt: integer().notNull(),
    /** Highest report sequence of this attempt that was applied. */
    reported: integer().notNull(),
    progress: text().notNull(),
    outcome: text().$type<AgentOutcome>(),
    pullRequestNumber: integer(),
    pullRequestUrl: text(),
    summary: text(),
    createdAt: integer().notNull(),
    startedAt: integer(),
    endedAt: integer(),
  },
  (table) => [index("tasks_by_status").on(table.status, table.createdAt)],
);

export const agents = sqliteTable("agents", {
  id: text().primaryKey(),
  kind: text({ enum: ["project", "task"] }).notNull(),
  /** Null once an ephemeral agent has ended. */
  state: text().$type<AgentState>(),
  outcome: text().$type<AgentOutcome>(),
  endedAt: integer(),
  updatedAt: integer().notNull(),
});
