import { and, asc, eq, lt, lte, min, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { type DeliveryResult, type NormalizedResponse, type Target, deliveryBackoffMs } from "#core/delivery.ts";
import type { Conversation } from "#core/message.ts";
import type { Block } from "#core/response.ts";
import { outbox } from "./schema.ts";

export type OutboxRow = typeof outbox.$inferSelect;

export type Post = {
  id: string;
  kind: "progress" | "final" | "announcement";
  ok: boolean;
  target: Target;
  inReplyTo: string;
  blocks: Block[];
};

const pending = sql`${outbox.deliveredRevision} < ${outbox.revision}`;
/** After this many failed tries (about an hour of them) a message is given up; the audit says so. */
const MAX_FAILURES = 20;

export const isPending = (row: OutboxRow): boolean => row.deliveredRevision < row.revision;

export const toResponse = (row: OutboxRow): NormalizedResponse => ({
  id: row.id,
  revision: row.revision,
  kind: row.kind,
  ok: row.ok,
  inReplyTo: row.inReplyTo,
  target: row.target,
  blocks: row.blocks,
});

/** Messages to people. Written in the transaction of the state they speak of, sent afterwards until the platform has them. */
export class Outbox {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #post;
  readonly #find;
  readonly #delivered;
  readonly #next;
  #posted = new Map<string, Target>();

  constructor(db: DrizzleSqliteDODatabase) {
    this.#db = db;
    // A final message is the last word: neither progress nor a second final may follow it.
    this.#post = db
      .insert(outbox)
      .values({
        id: sql.placeholder("id"),
        kind: sql.placeholder("kind"),
        ok: sql.placeholder("ok"),
        target: sql.placeholder("target"),
        inReplyTo: sql.placeholder("inReplyTo"),
        blocks: sql.placeholder("blocks"),
        revision: 1,
        deliveredRevision: 0,
        failures: 0,
        nextAttemptAt: 0,
        createdAt: sql.placeholder("createdAt"),
      })
      .onConflictDoUpdate({
        target: outbox.id,
        set: {
          kind: sql`excluded.kind`,
          ok: sql`excluded.ok`,
          blocks: sql`excluded.blocks`,
          revision: sql`${outbox.revision} + 1`,
          // What earlier states of it went through is not held against this one.
          failures: 0,
        },
        setWhere: eq(outbox.kind, "progress"),
      })
      .prepare();
    const byId = eq(outbox.id, sql.placeholder("id"));
    this.#find = db.select().from(outbox).where(byId).prepare();
    this.#delivered = db
      .update(outbox)
      .set({ deliveredRevision: sql`${sql.placeholder("revision")}`, failures: 0 })
      .where(byId)
      .prepare();
    this.#next = db
      .select({ at: min(outbox.nextAttemptAt) })
      .from(outbox)
      .where(pending)
      .prepare();
  }

  /** Puts a message up, or takes the place of its earlier progress. */
  post(post: Post, now: number): void {
    this.#post.run({ ...post, createdAt: now });
    this.#posted.set(post.id, post.target);
  }

  get hasPosted(): boolean {
    return this.#posted.size > 0;
  }

  /** Ids of what was posted since the last call, and where it goes. After a failed transaction there may be some that are not there. */
  takePosted(): Map<string, Target> {
    const posted = this.#posted;
    this.#posted = new Map();
    return posted;
  }

  due(now: number, limit: number): OutboxRow[] {
    return this.#db
      .select()
      .from(outbox)
      .where(and(pending, lte(outbox.nextAttemptAt, now)))
      .orderBy(asc(outbox.nextAttemptAt), asc(outbox.createdAt))
      .limit(limit)
      .all();
  }

  /** When the next pending message wants to be tried, or null when none is pending. */
  nextAttemptAt(): number | null {
    return this.#next.get()?.at ?? null;
  }

  /** Writes down what became of one try; returns whether the message is now given up. */
  settle(row: OutboxRow, result: DeliveryResult, now: number): { givenUp: boolean } {
    if (result.ok) {
      this.#delivered.run({ id: row.id, revision: row.revision });
      return { givenUp: false };
    }
    // To be asked to wait is no failure.
    const failures = result.retryAfterMs === null || !result.retryable ? row.failures + 1 : row.failures;
    const givenUp = !result.retryable || failures >= MAX_FAILURES;
    this.#db
      .update(outbox)
      .set(
        givenUp
          ? { deliveredRevision: row.revision, failures }
          : { failures, nextAttemptAt: now + (result.retryAfterMs ?? deliveryBackoffMs(row.failures)) },
      )
      .where(eq(outbox.id, row.id))
      .run();
    return { givenUp };
  }

  find(id: string): OutboxRow | undefined {
    return this.#find.get({ id });
  }

  /** Whether something was posted in this thread. */
  hasThread(channel: string, { workspace, id, thread }: Conversation): boolean {
    const at = (path: string) => sql`json_extract(${outbox.target}, ${path})`;
    const here = and(
      sql`${at("$.channel")} = ${channel}`,
      sql`${at("$.conversation.workspace")} = ${workspace}`,
      sql`${at("$.conversation.id")} = ${id}`,
      sql`${at("$.conversation.thread")} = ${thread}`,
    );
    return this.#db.select({ id: outbox.id }).from(outbox).where(here).limit(1).get() !== undefined;
  }

  prune(time: number): void {
    this.#db
      .delete(outbox)
      .where(
        and(
          sql`${outbox.deliveredRevision} >= ${outbox.revision}`,
          sql`${outbox.kind} != 'progress'`,
          lt(outbox.createdAt, time),
        ),
      )
      .run();
  }
}
