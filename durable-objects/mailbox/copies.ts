import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import type { AuditEntry } from "#core/audit.ts";
import { type CopyStatement, type AuditCopy, copyAuditEntries, writeCopies } from "#db/copies.ts";
import type { AuditLog } from "./audit-log.ts";
import { audit, copies, facts } from "./schema.ts";

const AUDIT_CURSOR = "auditCopiedUpTo";
/** Entries in one round trip to D1: a few hundred kilobytes at most. */
const BATCH = 200;

/**
 * Copies of this object's state in D1, for people to query. A row in `copies` says only that something changed;
 * what is copied is read at that moment, so that the newest state wins however often and late it is copied.
 */
export class Copies {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #d1: D1Database;
  readonly #log: AuditLog;
  readonly #read: (kind: string, id: string) => CopyStatement | null;
  #auditCopied: number;
  #last: Promise<void> = Promise.resolve();

  constructor(
    db: DrizzleSqliteDODatabase,
    d1: D1Database,
    log: AuditLog,
    read: (kind: string, id: string) => CopyStatement | null,
  ) {
    this.#db = db;
    this.#d1 = d1;
    this.#log = log;
    this.#read = read;
    const cursor = db.select().from(facts).where(eq(facts.name, AUDIT_CURSOR)).get();
    this.#auditCopied = typeof cursor?.value === "number" ? cursor.value : 0;
  }

  /** Notes that `kind` `id` changed. Call it in the transaction of the change. */
  note(kind: string, id: string): void {
    this.#db
      .insert(copies)
      .values({ key: `${kind}:${id}`, kind, id, changes: 1 })
      .onConflictDoUpdate({ target: copies.key, set: { changes: sql`${copies.changes} + 1` } })
      .run();
  }

  pending(): boolean {
    return (
      this.#auditCopied < this.#log.head.sequence ||
      this.#db.select({ key: copies.key }).from(copies).limit(1).get() !== undefined
    );
  }

  /**
   * Copies everything that is pending. Throws when D1 does not take it; the next try begins where this one ended. One at a
   * time: an older state that is still on its way must not arrive after a newer one.
   */
  flush(): Promise<void> {
    const flushed = this.#last.then(() => this.#flush());
    this.#last = flushed.catch(() => undefined);
    return flushed;
  }

  async #flush(): Promise<void> {
    const upTo = this.#log.head.sequence;
    // What is noted meanwhile is the next flush's: under load there is always something.
    let notes: number;
    do {
      const noted = this.#db.select().from(copies).limit(BATCH).all();
      const statements = noted.flatMap(({ kind, id }) => this.#read(kind, id) ?? []);
      const entries = this.#auditEntries();
      await writeCopies(this.#d1, [...statements, ...(entries.length > 0 ? [copyAuditEntries(entries)] : [])]);
      for (const { key, changes } of noted) {
        this.#db
          .delete(copies)
          .where(and(eq(copies.key, key), eq(copies.changes, changes)))
          .run();
      }
      const last = entries.at(-1);
      if (last) this.#moveCursor(last.sequence);
      notes = noted.length;
    } while (this.#auditCopied < upTo || notes === BATCH);
  }

  #auditEntries(): AuditCopy[] {
    const rows = this.#db
      .select()
      .from(audit)
      .where(gt(audit.sequence, this.#auditCopied))
      .orderBy(asc(audit.sequence))
      .limit(BATCH)
      .all();
    return rows.map(({ sequence, hash, text }) => {
      // Sealed by this object: parsed then, and not again.
      const { at, actor, action, subject } = JSON.parse(text) as AuditEntry;
      return { chain: this.#log.chain, sequence, hash, text, at, actor: actor.id, action, subject };
    });
  }

  #moveCursor(sequence: number): void {
    this.#auditCopied = sequence;
    this.#db
      .insert(facts)
      .values({ name: AUDIT_CURSOR, value: sequence })
      .onConflictDoUpdate({ target: facts.name, set: { value: sql`excluded.value` } })
      .run();
  }
}
