import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { NormalizedMessage } from "#core/message.ts";
import type { Block } from "#core/response.ts";
import type { Target } from "#core/delivery.ts";

/** Tables that every persistent agent has. `state` columns hold what is left to do, so that a crash loses nothing. */

export const inbox = sqliteTable(
  "inbox",
  {
    sequence: integer().primaryKey({ autoIncrement: true }),
    /** Channel, conversation and delivery id: a repeated delivery meets the row of the first. */
    key: text().notNull().unique(),
    message: text({ mode: "json" }).$type<NormalizedMessage>().notNull(),
    /** new → done; or new → handed over → forgotten. */
    state: text({ enum: ["new", "handed over", "done"] }).notNull(),
    acceptedAt: integer().notNull(),
  },
  (table) => [
    index("inbox_unfinished")
      .on(table.sequence)
      .where(sql`${table.state} != 'done'`),
  ],
);

export const outbox = sqliteTable(
  "outbox",
  {
    /** The reply to a message has an id derived from that message: it can have only one. */
    id: text().primaryKey(),
    kind: text({ enum: ["progress", "final", "announcement"] }).notNull(),
    ok: integer({ mode: "boolean" }).notNull(),
    target: text({ mode: "json" }).$type<Target>().notNull(),
    inReplyTo: text().notNull(),
    blocks: text({ mode: "json" }).$type<Block[]>().notNull(),
    /** Counts up with each change; only the newest is sent. */
    revision: integer().notNull(),
    deliveredRevision: integer().notNull(),
    failures: integer().notNull(),
    nextAttemptAt: integer().notNull(),
    createdAt: integer().notNull(),
  },
  (table) => [
    index("outbox_pending")
      .on(table.nextAttemptAt)
      .where(sql`${table.deliveredRevision} < ${table.revision}`),
  ],
);

/** What a channel's sender has to know of a message it sent, by outbox id: where the platform shows it. */
export const deliveryMemory = sqliteTable("delivery_memory", {
  id: text().primaryKey(),
  reference: text().notNull(),
  at: integer().notNull(),
});

export const audit = sqliteTable("audit", {
  sequence: integer().primaryKey(),
  hash: text().notNull(),
  text: text().notNull(),
});

/** What must be copied to D1: a wake-up signal, the row is read again when it is copied. */
export const copies = sqliteTable("copies", {
  key: text().primaryKey(),
  kind: text().notNull(),
  id: text().notNull(),
  /** Counts the changes: a copy that was read before the newest one does not settle it. */
  changes: integer().notNull(),
});

/** Many deadlines behind the object's one alarm. */
export const deadlines = sqliteTable("deadlines", {
  name: text().primaryKey(),
  at: integer().notNull(),
});

export const facts = sqliteTable("facts", {
  name: text().primaryKey(),
  value: text({ mode: "json" }).$type<unknown>().notNull(),
});
