import { and, eq, gte, type SQL, sql, sum } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { NO_USAGE } from "#core/model-usage.ts";
import type { ModelSpend, Reservation, Reserved } from "#core/task.ts";
import { reservations, spends } from "./schema.ts";

/** US dollars: what one task, and all of a project in one month, may cost (design: product, "Models"). */
export type Limits = { taskUsd: number; monthUsd: number };
export const DEFAULT_LIMITS: Limits = { taskUsd: 5, monthUsd: 200 };

/** Stands for a model where nobody knows what a call used: it was cut off, and is booked at the most it can have cost. */
const UNFINISHED = "unfinished call";

export type Spender = { taskId: string; identity: string; name: string };
export type UsageRow = { key: string; calls: number; tokens: number; costUsd: number };

/** What models have cost this project, and what is set aside for calls under way. Call changes inside a transaction. */
export class Budget {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #now: () => number;
  readonly limits: Limits;

  constructor(db: DrizzleSqliteDODatabase, now: () => number, limits: Limits) {
    this.#db = db;
    this.#now = now;
    this.limits = limits;
  }

  /**
   * Sets aside what the task's ceiling and the project's month leave, at most what is asked for. The same call again means that a
   * crash cut the first one off, which may have cost all that was set aside for it.
   */
  reserve(spender: Spender, { attempt, call, usd }: Reservation): Reserved {
    const { taskId } = spender;
    this.#bookUnfinished(spender, and(eq(reservations.attempt, attempt), eq(reservations.call, call)));
    const taskLeft =
      this.limits.taskUsd - this.#spent(eq(spends.task, taskId)) - this.#reserved(eq(reservations.task, taskId));
    const monthLeft = this.leftThisMonth();
    const grantedUsd = Math.max(0, Math.min(usd, taskLeft, monthLeft));
    if (grantedUsd > 0) {
      this.#db.insert(reservations).values({ task: taskId, attempt, call, usd: grantedUsd, at: this.#now() }).run();
    }
    return { grantedUsd, limit: grantedUsd >= usd ? null : monthLeft < taskLeft ? "project" : "task" };
  }

  /** What the month leaves of the project's budget; what is set aside is not left. */
  leftThisMonth(): number {
    return this.limits.monthUsd - this.spentThisMonth() - this.#reserved(undefined);
  }

  spentThisMonth(): number {
    return this.#spent(gte(spends.at, this.#month()));
  }

  /** What is still set aside for a task that has ended was for calls that were cut off. */
  end(spender: Spender): void {
    this.#bookUnfinished(spender, undefined);
  }

  #bookUnfinished({ taskId, identity, name }: Spender, which: SQL | undefined): void {
    const open = this.#db
      .delete(reservations)
      .where(and(eq(reservations.task, taskId), which))
      .returning()
      .all();
    for (const { call, usd } of open) {
      const spend = { model: UNFINISHED, purpose: call, usage: NO_USAGE, tokens: 0, costUsd: usd };
      this.#db
        .insert(spends)
        .values({ task: taskId, identity, person: name, ...spend, at: this.#now() })
        .run();
    }
  }

  /** A task's last report came after its end: what its calls really cost takes the place of what was booked for them. */
  settleLate(spender: Spender, made: ModelSpend[]): void {
    if (made.length === 0) return;
    this.#db
      .delete(spends)
      .where(and(eq(spends.task, spender.taskId), eq(spends.model, UNFINISHED)))
      .run();
    this.settle(spender, made);
  }

  /** Writes down what a task's calls cost, and frees what was set aside for them: a report comes when they are over. */
  settle({ taskId, identity, name }: Spender, made: ModelSpend[]): void {
    for (const { model, purpose, usage, costUsd } of made) {
      const tokens = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens + usage.outputTokens;
      this.#db
        .insert(spends)
        .values({ task: taskId, identity, person: name, model, purpose, usage, tokens, costUsd, at: this.#now() })
        .run();
    }
    this.#db.delete(reservations).where(eq(reservations.task, taskId)).run();
  }

  /** This month's usage by task, person or model, the dearest first. */
  usage(by: "task" | "person" | "model", limit: number): UsageRow[] {
    // Two people may call themselves alike.
    const key = { task: spends.task, person: spends.identity, model: spends.model }[by];
    return this.#db
      .select({
        key: by === "person" ? sql<string>`max(${spends.person})` : key,
        calls: sql<number>`count(*)`,
        tokens: sql<number>`sum(${spends.tokens})`,
        costUsd: sql<number>`sum(${spends.costUsd})`,
      })
      .from(spends)
      .where(gte(spends.at, this.#month()))
      .groupBy(key)
      .orderBy(sql`sum(${spends.costUsd}) desc`)
      .limit(limit)
      .all();
  }

  costOfTask(taskId: string): number {
    return this.#spent(eq(spends.task, taskId));
  }

  #spent(which: SQL): number {
    return Number(
      this.#db
        .select({ usd: sum(spends.costUsd) })
        .from(spends)
        .where(which)
        .get()?.usd ?? 0,
    );
  }

  #reserved(which: SQL | undefined): number {
    return Number(
      this.#db
        .select({ usd: sum(reservations.usd) })
        .from(reservations)
        .where(which)
        .get()?.usd ?? 0,
    );
  }

  #month(): number {
    const now = new Date(this.#now());
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  }
}
