import { eq, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { deadlines } from "./schema.ts";

/**
 * Many deadlines behind a Durable Object's one alarm. The table is the truth, a copy in memory spares reading it;
 * the alarm is set for the earliest. Alarms fire at least once, so whoever handles a deadline must bear a repeat.
 */
export class Deadlines {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #storage: DurableObjectStorage;
  #at = new Map<string, number>();
  #alarmAt: number | null = null;

  constructor(db: DrizzleSqliteDODatabase, storage: DurableObjectStorage) {
    this.#db = db;
    this.#storage = storage;
    this.#read();
  }

  /** To be called when a transaction failed: the table is as it was before, and so shall be its copy and the alarm. */
  reload(): void {
    this.#read();
    this.rearm();
  }

  #read(): void {
    this.#at = new Map(
      this.#db
        .select()
        .from(deadlines)
        .all()
        .map(({ name, at }) => [name, at]),
    );
  }

  /** Sets or moves a deadline. `at` is in milliseconds since the epoch. */
  set(name: string, at: number): void {
    this.#db
      .insert(deadlines)
      .values({ name, at })
      .onConflictDoUpdate({ target: deadlines.name, set: { at: sql`excluded.at` } })
      .run();
    this.#at.set(name, at);
    this.#arm();
  }

  /** Makes sure that a deadline comes no later than `at`; costs nothing when it already does. */
  noLaterThan(name: string, at: number): void {
    const current = this.#at.get(name);
    if (current === undefined || current > at) this.set(name, at);
  }

  clear(name: string): void {
    if (!this.#at.delete(name)) return;
    this.#db.delete(deadlines).where(eq(deadlines.name, name)).run();
  }

  /**
   * Handles every deadline that has passed. Each is moved to `againAt` first and cleared when `handle` is done with it,
   * unless that set it anew: a crash meanwhile brings it back.
   */
  async run(now: number, againAt: number, handle: (name: string) => Promise<void> | void): Promise<void> {
    const due = [...this.#at].filter(([, at]) => at <= now).map(([name]) => name);
    for (const name of due) this.set(name, againAt);
    for (const name of due) {
      await handle(name);
      if (this.#at.get(name) === againAt) this.clear(name);
    }
  }

  /** To be called by the alarm's handler when it is done: the platform has forgotten the alarm that fired. */
  rearm(): void {
    this.#alarmAt = null;
    this.#arm();
  }

  #arm(): void {
    if (this.#at.size === 0) return;
    const earliest = Math.min(...this.#at.values());
    if (this.#alarmAt !== null && this.#alarmAt <= earliest) return;
    this.#alarmAt = earliest;
    void this.#storage.setAlarm(earliest);
  }
}
