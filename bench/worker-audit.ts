import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { AuditLog } from "#durable-objects/mailbox/audit-log.ts";

/** The product's audit log by itself, in a Durable Object on disk. Under the names of wrangler.toml. */

export class ProjectAgent extends DurableObject<unknown> {
  readonly #log: AuditLog;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS audit (sequence integer PRIMARY KEY NOT NULL, hash text NOT NULL, text text NOT NULL)",
    );
    this.#log = new AuditLog(drizzle(ctx.storage, { casing: "snake_case" }), "project:default/bench", Date.now);
  }

  /** Appends `entries` decisions in one transaction; returns how many the chain has. */
  append(entries: number): number {
    return this.ctx.storage.transactionSync(() => {
      for (let index = 0; index < entries; index += 1) {
        this.#log.append({
          actor: { kind: "person", id: "person-00000000-0000-4000-8000-000000000000", name: "Anna Smith" },
          action: "decision",
          subject: "fix",
          details: {
            delivery: `delivery-${index}`,
            role: "operator",
            autonomy: 1,
            risk: "medium",
            guarded: false,
            effect: "allow",
            reason: "L1",
          },
        });
      }
      return this.#log.head.sequence;
    });
  }
}

export class Coordinator extends DurableObject {}
export class TerminalGateway extends DurableObject {}
export class TaskAgent extends WorkerEntrypoint {}

type Env = { PROJECT_AGENT: DurableObjectNamespace<ProjectAgent> };

/** POST /CHAIN/ENTRIES */
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, chain = "", entries = ""] = new URL(request.url).pathname.split("/");
    return Response.json({ entries: await env.PROJECT_AGENT.getByName(`default/${chain}`).append(Number(entries)) });
  },
};
