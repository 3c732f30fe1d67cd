import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Role } from "#core/permissions.ts";

export * from "../mailbox/schema.ts";

export const projects = sqliteTable("projects", {
  name: text().primaryKey(),
  owner: text().notNull(),
  repository: text().notNull(),
  autonomy: integer().notNull(),
  createdAt: integer().notNull(),
});

/** Conversations linked to a project, and unlinked ones once they were linked. */
export const conversations = sqliteTable(
  "conversations",
  {
    key: text().primaryKey(),
    channel: text().notNull(),
    workspace: text().notNull(),
    conversation: text().notNull(),
    project: text(),
    /** Counts the changes, so that an older copy never overwrites a newer one. */
    revision: integer().notNull(),
  },
  (table) => [index("conversations_by_project").on(table.project)],
);

/** Which projects (empty: none) a conversation belonged to before, and until when. */
export const formerProjects = sqliteTable(
  "former_projects",
  { conversation: text().notNull(), project: text().notNull(), until: integer().notNull() },
  (table) => [primaryKey({ columns: [table.conversation, table.project] })],
);

export const workspaces = sqliteTable(
  "workspaces",
  { channel: text().notNull(), workspace: text().notNull(), claimedAt: integer().notNull() },
  (table) => [primaryKey({ columns: [table.channel, table.workspace] })],
);

export const identities = sqliteTable("identities", {
  id: text().primaryKey(),
  name: text().notNull(),
  createdAt: integer().notNull(),
});

/** A platform's account belongs to exactly one identity. */
export const accounts = sqliteTable(
  "accounts",
  { key: text().primaryKey(), channel: text().notNull(), account: text().notNull(), identity: text().notNull() },
  (table) => [index("accounts_by_identity").on(table.identity)],
);

/** `project` is empty for the organisation-wide default. */
export const roles = sqliteTable(
  "roles",
  { identity: text().notNull(), project: text().notNull(), role: text().$type<Role>().notNull() },
  (table) => [primaryKey({ columns: [table.identity, table.project] })],
);

export const claimCodes = sqliteTable("claim_codes", {
  /** SHA-256 of the code: a copy of the database is not a set of keys. */
  hash: text().primaryKey(),
  expiresAt: integer().notNull(),
  usedAt: integer(),
});

/** What a command did here, by the delivery it came from: a repeat gets the same answer and no second effect. */
export const performed = sqliteTable("performed", {
  key: text().primaryKey(),
  result: text({ mode: "json" }).$type<unknown>().notNull(),
  at: integer().notNull(),
});
