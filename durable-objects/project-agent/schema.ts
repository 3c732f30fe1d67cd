import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Target } from "#core/delivery.ts";
import type { AgentOutcome, AgentState } from "#core/agent-state.ts";
import type { ModelUsage } from "#core/model-usage.ts";
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

/** One model call that was paid for. */
export const spends = sqliteTable(
  "spends",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    task: text().notNull(),
    identity: text().notNull(),
    person: text().notNull(),
    model: text().notNull(),
    purpose: text().notNull(),
    usage: text({ mode: "json" }).$type<ModelUsage>().notNull(),
    tokens: integer().notNull(),
    costUsd: real().notNull(),
    at: integer().notNull(),
  },
  (table) => [index("spends_by_time").on(table.at), index("spends_by_task").on(table.task)],
);

/** Money set aside for a model call that is under way. */
export const reservations = sqliteTable(
  "reservations",
  {
    task: text().notNull(),
    attempt: integer().notNull(),
    call: text().notNull(),
    usd: real().notNull(),
    at: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.task, table.attempt, table.call] })],
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
