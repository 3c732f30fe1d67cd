import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Copies for people to query and for the edge to route by. Never the truth about a right: that is the Coordinator's. */

export const conversations = sqliteTable("conversations", {
  key: text().primaryKey(),
  organisation: text().notNull(),
  project: text(),
  revision: integer().notNull(),
});

export const workspaces = sqliteTable(
  "workspaces",
  { channel: text().notNull(), workspace: text().notNull(), organisation: text().notNull() },
  (table) => [primaryKey({ columns: [table.channel, table.workspace] })],
);

export const projects = sqliteTable(
  "projects",
  {
    organisation: text().notNull(),
    name: text().notNull(),
    repository: text().notNull(),
    createdAt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisation, table.name] })],
);

export const tasks = sqliteTable(
  "tasks",
  {
    organisation: text().notNull(),
    project: text().notNull(),
    id: text().notNull(),
    status: text().notNull(),
    instruction: text().notNull(),
    requestedBy: text().notNull(),
    outcome: text(),
    pullRequestUrl: text(),
    createdAt: integer().notNull(),
    endedAt: integer(),
  },
  (table) => [primaryKey({ columns: [table.organisation, table.project, table.id] })],
);

export const agents = sqliteTable(
  "agents",
  {
    organisation: text().notNull(),
    project: text().notNull(),
    id: text().notNull(),
    kind: text().notNull(),
    state: text(),
    outcome: text(),
    updatedAt: integer().notNull(),
    endedAt: integer(),
  },
  (table) => [primaryKey({ columns: [table.organisation, table.project, table.id] })],
);

export const auditEntries = sqliteTable(
  "audit_entries",
  {
    chain: text().notNull(),
    sequence: integer().notNull(),
    hash: text().notNull(),
    /** The canonical text that was hashed; the columns after it repeat parts of it for queries. */
    text: text().notNull(),
    at: text().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    subject: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.chain, table.sequence] }), index("audit_by_time").on(table.chain, table.at)],
);

/** Entries of `chain` up to `beforeSequence` may be deleted: the only deletion the triggers let through. */
export const retention = sqliteTable("retention", {
  chain: text().primaryKey(),
  beforeSequence: integer().notNull(),
});
