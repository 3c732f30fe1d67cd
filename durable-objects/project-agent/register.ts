import { desc, eq, isNotNull, isNull, sql } from "drizzle-orm";
import type { DrizzleSqliteDODatabase } from "drizzle-orm/durable-sqlite";
import { type AgentOutcome, type AgentState, move } from "#core/agent-state.ts";
import { type CopyStatement, copyAgent } from "#db/copies.ts";
import type { AuditLog } from "../mailbox/audit-log.ts";
import type { Copies } from "../mailbox/copies.ts";
import { agents } from "./schema.ts";

export type AgentRow = typeof agents.$inferSelect;

/** The register of a project's agents: itself and the ones it started, each always in one state, or ended. */
export class AgentRegister {
  readonly #db: DrizzleSqliteDODatabase;
  readonly #audit: AuditLog;
  readonly #copies: Copies;
  readonly #now: () => number;

  constructor(db: DrizzleSqliteDODatabase, audit: AuditLog, copies: Copies, now: () => number) {
    this.#db = db;
    this.#audit = audit;
    this.#copies = copies;
    this.#now = now;
  }

  /** Enters a new agent, INITIALIZING. */
  add(id: string, kind: AgentRow["kind"]): void {
    this.#db.insert(agents).values({ id, kind, state: "INITIALIZING", updatedAt: this.#now() }).run();
    this.#record(id, { to: "INITIALIZING" });
  }

  /** Moves an agent; throws on a move that is not legal. To be where it is already is no move. */
  move(id: string, to: AgentState): void {
    const from = this.find(id)?.state;
    if (!from) throw new Error(`No living agent ${id}.`);
    if (from === to) return;
    this.#db
      .update(agents)
      .set({ state: move(from, to), updatedAt: this.#now() })
      .where(eq(agents.id, id))
      .run();
    this.#record(id, { from, to });
  }

  /** Back to INITIALIZING, from wherever it was: it begins again after a crash. */
  recover(id: string): void {
    const from = this.find(id)?.state;
    if (!from || from === "INITIALIZING") return;
    this.#db
      .update(agents)
      .set({ state: move(from, "INITIALIZING"), updatedAt: this.#now() })
      .where(eq(agents.id, id))
      .run();
    this.#record(id, { from, to: "INITIALIZING", why: "recovery" });
  }

  /** A persistent agent is ACTIVE while any of its work runs, and else IDLE. */
  settle(id: string, working: boolean): void {
    if (this.find(id)?.state === "INITIALIZING") this.move(id, "IDLE");
    this.move(id, working ? "ACTIVE" : "IDLE");
  }

  /** An ephemeral agent has ended: it keeps an outcome, and no state. */
  end(id: string, outcome: AgentOutcome): void {
    this.#db
      .update(agents)
      .set({ state: null, outcome, endedAt: this.#now(), updatedAt: this.#now() })
      .where(eq(agents.id, id))
      .run();
    this.#record(id, { outcome });
  }

  find(id: string): AgentRow | undefined {
    return this.#db.select().from(agents).where(eq(agents.id, id)).get();
  }

  /** The living ones, the project's own first, then the ones that ended last. */
  list(ended: number): AgentRow[] {
    const living = this.#db
      .select()
      .from(agents)
      .where(isNull(agents.endedAt))
      .orderBy(sql`${agents.kind} != 'project'`, agents.updatedAt)
      .all();
    const gone = this.#db
      .select()
      .from(agents)
      .where(isNotNull(agents.endedAt))
      .orderBy(desc(agents.endedAt))
      .limit(ended)
      .all();
    return [...living, ...gone];
  }

  copy(id: string, at: { organisation: string; project: string }): CopyStatement | null {
    const agent = this.find(id);
    return agent ? copyAgent({ ...at, ...agent }) : null;
  }

  #record(id: string, details: Record<string, string>): void {
    this.#copies.note("agent", id);
    this.#audit.append({ actor: { kind: "agent", id, name: id }, action: "agent", subject: id, details });
  }
}
