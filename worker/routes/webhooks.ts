import { Hono } from "hono";
import { receiverFromEnv } from "#channels/registry.ts";
import { ChannelName, type NormalizedMessage } from "#core/message.ts";
import { createRouteLookup, type RouteLookup } from "#db/routes.ts";
import type { ApiEnv } from "../auth.ts";
import type { Env } from "../env.ts";
import { errorBody } from "../errors.ts";

/** The platforms whose webhooks have their place here besides the chat channels. */
const OTHERS = new Set(["github"]);

/** One per isolate: the bindings do not change while it lives. */
let routes: RouteLookup | undefined;

async function store(env: Env, message: NormalizedMessage): Promise<void> {
  routes ??= createRouteLookup(env.DB, Date.now);
  const { organisation, project } = await routes(message.channel, message.conversation);
  const agent =
    project === null
      ? env.COORDINATOR.getByName(organisation)
      : env.PROJECT_AGENT.getByName(`${organisation}/${project}`);
  await agent.receive(message);
}

/**
 * Verified over the raw bytes, stored durably, and only then acknowledged. What cannot be stored now answers 503, and the
 * platform tries again. A platform without its secret is off: never "accept unsigned" (design: policy, "Ten layers").
 */
export const webhooks = new Hono<ApiEnv>().post("/:platform", async (c) => {
  const platform = c.req.param("platform");
  const channel = ChannelName.safeParse(platform);
  const known = OTHERS.has(platform) || (channel.success && channel.data !== "terminal");
  if (!known) return c.json(errorBody("not_found", "There is nothing here."), 404);
  const receiver = channel.success ? receiverFromEnv(channel.data, c.env) : null;
  if (!receiver) return c.json(errorBody("not_configured", `${platform} is not configured.`), 503);
  const request = { rawBody: new Uint8Array(await c.req.arrayBuffer()), headers: c.req.raw.headers, now: Date.now() };
  const verification = receiver.verify(request);
  if (!verification.ok) {
    console.warn("a webhook was refused", platform, verification.reason);
    return c.json(errorBody("unauthorized", "The signature does not fit."), 401);
  }
  const parsed = receiver.parse(request);
  if (parsed.kind === "messages") await Promise.all(parsed.messages.map((message) => store(c.env, message)));
  const { status, headers, body } = parsed.acknowledge;
  return new Response(body, { status, headers });
});
