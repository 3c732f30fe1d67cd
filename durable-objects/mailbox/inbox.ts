import { type SQL, and, asc, eq, gt, lt, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import type { NormalizedMessage } from "#core/message.ts";
import { inbox } from "./schema.ts";

export type InboxRow = typeof inbox.$inferSelect;

/** What tells one delivery from another: ids are unique in a conversation, not between conversations. */
export const deliveryKey = (message: NormalizedMessage): string =>
  JSON.stringify([message.channel, message.conversation.workspace, message.conversation.id, message.id]);

/** Accepted messages. A row is the promise of exactly one final reply. */
export class Inbox {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #insert;
  readonly #finish;
  readonly #next;
  readonly #unfinished;
  /** Rows that are being worked on here, and belong here. */
  readonly #keeping = new Set<number>();

  constructor(db: DrizzleSqliteDODatabase) {
    this.#db = db;
    this.#insert = db
      .insert(inbox)
      .values({
        key: sql.placeholder("key"),
        message: sql.placeholder("message"),
        state: "new",
        acceptedAt: sql.placeholder("acceptedAt"),
      })
      .onConflictDoNothing()
      .returning({ sequence: inbox.sequence })
      .prepare();
    const isUnfinished = sql`${inbox.state} != 'done'`;
    this.#next = db
      .select()
      .from(inbox)
      .where(and(isUnfinished, gt(inbox.sequence, sql.placeholder("after"))))
      .orderBy(asc(inbox.sequence))
      .limit(sql.placeholder("limit"))
      .prepare();
    this.#unfinished = db.select({ sequence: inbox.sequence }).from(inbox).where(isUnfinished).limit(1).prepare();
    this.#finish = db
      .update(inbox)
      .set({ state: "done" })
      .where(eq(inbox.sequence, sql.placeholder("sequence")))
      .prepare();
  }

  /** The message's row when it is new, null when its delivery was accepted before. */
  accept(message: NormalizedMessage, now: number): InboxRow | null {
    const row = { key: deliveryKey(message), message, acceptedAt: now };
    let inserted = this.#insert.all(row)[0];
    // Being handed over, it has come back: where it belongs has changed meanwhile.
    if (!inserted && this.#forgetHandedOver(eq(inbox.key, row.key)) > 0) inserted = this.#insert.all(row)[0];
    return inserted ? { ...inserted, ...row, state: "new" } : null;
  }

  /** The message belongs here, and its reply comes from here. */
  keep(sequence: number): void {
    this.#keeping.add(sequence);
  }

  /** To be noted before another agent is given the message, which may give it back at once. */
  markHandedOver(sequence: number): void {
    this.#keeping.delete(sequence);
    this.#db.update(inbox).set({ state: "handed over" }).where(eq(inbox.sequence, sequence)).run();
  }

  /** The other agent has it: the promise of a reply is that one's now, unless the message came back. */
  finishHandingOver(sequence: number): void {
    this.#forgetHandedOver(eq(inbox.sequence, sequence));
  }

  #forgetHandedOver(which: SQL): number {
    return this.#db
      .delete(inbox)
      .where(and(which, eq(inbox.state, "handed over")))
      .returning({ sequence: inbox.sequence })
      .all().length;
  }

  /** Messages that nobody has begun with, oldest first, from after `sequence` on. */
  next(after: number, limit: number): InboxRow[] {
    return this.#next.all({ after, limit });
  }

  hasUnfinished(): boolean {
    return this.#unfinished.get() !== undefined;
  }

  /**
   * Whether a delivery is, or was, this agent's to answer. Not while that is still to be found out: an agent that has it too would
   * leave it to this one, which may come to give it to that one, and nobody would answer.
   */
  knows(key: string): boolean {
    const { sequence, state } = inbox;
    const row = this.#db.select({ sequence, state }).from(inbox).where(eq(inbox.key, key)).get();
    return row !== undefined && (row.state === "done" || this.#keeping.has(row.sequence));
  }

  isHandedOver(sequence: number): boolean {
    return (
      this.#db.select({ state: inbox.state }).from(inbox).where(eq(inbox.sequence, sequence)).get()?.state ===
      "handed over"
    );
  }

  finish(sequence: number): void {
    this.#keeping.delete(sequence);
    this.#finish.run({ sequence });
  }

  /** Forgets finished messages accepted before `time`: later repeats of them would count as new. */
  prune(time: number): void {
    this.#db
      .delete(inbox)
      .where(and(eq(inbox.state, "done"), lt(inbox.acceptedAt, time)))
      .run();
  }
}
