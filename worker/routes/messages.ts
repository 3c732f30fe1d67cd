import { Hono } from "hono";
import { object, optional, string } from "zod";
import { parseTerminalMessage } from "#channels/terminal.ts";
import { MAX_TEXT_LENGTH } from "#core/message.ts";
import type { Accepted } from "#core/rpc.ts";
import { DeliveryId } from "#core/terminal-protocol.ts";
import type { TerminalSession } from "#durable-objects/terminal-gateway.ts";
import { type RouteLookup, createRouteLookup } from "#db/routes.ts";
import type { ApiEnv, Caller } from "../auth.ts";
import type { Env } from "../env.ts";
import { errorBody } from "../errors.ts";
import { jsonBody } from "./input.ts";

const ConversationName = string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,98}$/, "letters, digits and . _ - (at most 99)");

const NewMessage = object({
  /** Delivery id: sending the same one again has no further effect. */
  id: optional(DeliveryId),
  conversation: ConversationName,
  text: string().max(MAX_TEXT_LENGTH),
});

const who = (caller: Caller): { account: string; name: string } =>
  caller.kind === "terminal" ? caller : { account: "admin", name: "administrator" };

/** One per isolate: the bindings do not change while it lives. */
let routes: RouteLookup | undefined;

async function accept(env: Env, session: TerminalSession, typed: { id: string; text: string }): Promise<Accepted> {
  const message = parseTerminalMessage(typed, session, Date.now());
  routes ??= createRouteLookup(env.DB, Date.now);
  const { organisation, project } = await routes(message.channel, message.conversation);
  const agent =
    project === null
      ? env.COORDINATOR.getByName(organisation)
      : env.PROJECT_AGENT.getByName(`${organisation}/${project}`);
  return agent.receive(message);
}

/** Messages into the terminal channel: one at a time over HTTP, or over a WebSocket that replies come back on. */
export const messages = new Hono<ApiEnv>()
  .post("/messages", async (c) => {
    const { id = crypto.randomUUID(), text, conversation } = await jsonBody(c, NewMessage);
    const { account, name } = who(c.get("caller"));
    const { repeated } = await accept(c.env, { account, name, conversation }, { id, text });
    return c.json({ id, repeated }, 202);
  })
  .get("/terminal", async (c) => {
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      return c.json(
        errorBody("upgrade_required", "This is a WebSocket. Use `codespar chat`, or POST /api/messages."),
        426,
      );
    }
    const conversation = ConversationName.safeParse(c.req.query("conversation"));
    if (!conversation.success)
      return c.json(
        errorBody("invalid_input", "Name the conversation: ?conversation=NAME, letters, digits and . _ -"),
        400,
      );
    const { account, name } = who(c.get("caller"));
    const session: TerminalSession = { account, name, conversation: conversation.data };
    const headers = new Headers(c.req.raw.headers);
    headers.set("x-terminal-session", encodeURIComponent(JSON.stringify(session)));
    headers.delete("authorization");
    return c.env.TERMINAL_GATEWAY.getByName(`${account}:${conversation.data}`).fetch(
      new Request(c.req.raw, { headers }),
    );
  });
