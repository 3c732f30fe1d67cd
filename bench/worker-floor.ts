import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

/**
 * The least that accepting a message durably can cost: a Worker without a framework, and one Durable Object that inserts the
 * row the product's inbox holds. Under the names of wrangler.toml, so that it runs as the product does.
 */

type Posted = { id: string; conversation: string; text: string };

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS inbox (
    sequence integer PRIMARY KEY AUTOINCREMENT NOT NULL,
    key text NOT NULL,
    message text NOT NULL,
    state text NOT NULL,
    accepted_at integer NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS inbox_key_unique ON inbox (key);
  CREATE INDEX IF NOT EXISTS inbox_unfinished ON inbox (sequence) WHERE inbox.state != 'done';`;

export class ProjectAgent extends DurableObject<unknown> {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    ctx.storage.sql.exec(SCHEMA);
  }

  insert(key: string, message: string): void {
    this.ctx.storage.sql.exec(
      "INSERT INTO inbox (key, message, state, accepted_at) VALUES (?, ?, 'new', ?)",
      key,
      message,
      Date.now(),
    );
  }

  count(): number {
    return Number(this.ctx.storage.sql.exec("SELECT count(*) AS count FROM inbox").one()["count"]);
  }
}

export class Coordinator extends DurableObject {}
export class TerminalGateway extends DurableObject {}
export class TaskAgent extends WorkerEntrypoint {}

type Env = { PROJECT_AGENT: DurableObjectNamespace<ProjectAgent> };

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const agent = env.PROJECT_AGENT.getByName("default/floor");
    if (request.method === "GET") return Response.json({ rows: await agent.count() });
    const { id, conversation, text }: Posted = await request.json();
    const message = {
      id,
      channel: "terminal",
      conversation: { workspace: "terminal", id: `admin:${conversation}`, thread: null },
      sender: { account: "admin", name: "administrator" },
      text,
      mentionsBot: true,
      isDirect: true,
      action: null,
      replyTo: null,
      attachments: [],
      sentAt: Date.now(),
      metadata: {},
    };
    await agent.insert(JSON.stringify(["terminal", "terminal", message.conversation.id, id]), JSON.stringify(message));
    return Response.json({ id, repeated: false }, { status: 202 });
  },
};
