import { createHash } from "node:crypto";
import { asc, desc, gte, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { type AuditEntry, type ChainHead, EMPTY_CHAIN, sealEntry } from "#core/audit.ts";
import type { AuditPage } from "#core/rpc.ts";
import { audit } from "./schema.ts";

/** SHA-256 in lower-case hex. Synchronous, as a transaction in a Durable Object has to be. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export type AuditFields = Pick<AuditEntry, "actor" | "action" | "subject" | "details">;

/** One chain of audit entries. Only its owner writes to it, in the transaction of the change that an entry describes. */
export class AuditLog {
  readonly chain: string;
  #head: ChainHead;
  readonly #clock: () => number;
  readonly #db: DrizzleSqliteDODatabase;
  readonly #insert;

  constructor(db: DrizzleSqliteDODatabase, chain: string, clock: () => number) {
    this.chain = chain;
    this.#clock = clock;
    this.#db = db;
    this.#insert = db
      .insert(audit)
      .values({ sequence: sql.placeholder("sequence"), hash: sql.placeholder("hash"), text: sql.placeholder("text") })
      .prepare();
    const newest = db
      .select({ sequence: audit.sequence, hash: audit.hash })
      .from(audit)
      .orderBy(desc(audit.sequence))
      .limit(1)
      .get();
    this.#head = newest ?? EMPTY_CHAIN;
  }

  /** The newest entry's place and hash. Put back by the owner when a transaction fails. */
  get head(): ChainHead {
    return this.#head;
  }

  set head(head: ChainHead) {
    this.#head = head;
  }

  /** Appends one entry and returns its sequence. Call it inside a transaction. */
  append(fields: AuditFields): number {
    const sequence = this.#head.sequence + 1;
    const at = new Date(this.#clock()).toISOString();
    const entry = sealEntry({ chain: this.chain, sequence, at, ...fields }, this.#head.hash, sha256);
    this.#insert.run({ sequence, hash: entry.hash, text: entry.text });
    this.#head = { sequence, hash: entry.hash };
    return sequence;
  }

  /** The newest entries, newest first. */
  newest(limit: number): AuditEntry[] {
    const rows = this.#db.select({ text: audit.text }).from(audit).orderBy(desc(audit.sequence)).limit(limit).all();
    return rows.map(({ text }) => JSON.parse(text) as AuditEntry);
  }

  /** At most `limit` entries from `from` on, in order. */
  page(from: number, limit: number): AuditPage {
    const rows = this.#db
      .select()
      .from(audit)
      .where(gte(audit.sequence, from))
      .orderBy(asc(audit.sequence))
      .limit(limit)
      .all();
    const last = rows.at(-1);
    return { rows, next: last && last.sequence < this.#head.sequence ? last.sequence + 1 : null };
  }
}
