import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type ChannelName, type Conversation, DEFAULT_ORGANISATION, conversationKey } from "#core/message.ts";
import { conversations } from "./schema.ts";

/** Which agent a conversation's messages go to: a project's, or with `project` null the organisation's Coordinator. */
export type Route = { organisation: string; project: string | null };

/** How long a looked-up route is good. A message on an outdated one is passed on by the agent that gets it. */
const FRESH_MS = 5000;
const MAX_CACHED = 10_000;

export type RouteLookup = (channel: ChannelName, conversation: Conversation) => Promise<Route>;

/** Looks routes up in D1, and keeps each for a few seconds. An unknown conversation belongs to the default organisation. */
export function createRouteLookup(d1: D1Database, clock: () => number): RouteLookup {
  const db = drizzle(d1, { casing: "snake_case" });
  const cached = new Map<string, { route: Route; until: number }>();
  return async (channel, conversation) => {
    const key = conversationKey(channel, conversation);
    const hit = cached.get(key);
    if (hit && hit.until > clock()) return hit.route;
    const row = await db
      .select({ organisation: conversations.organisation, project: conversations.project })
      .from(conversations)
      .where(eq(conversations.key, key))
      .get();
    const route = row ?? { organisation: DEFAULT_ORGANISATION, project: null };
    if (cached.size >= MAX_CACHED) cached.clear();
    cached.set(key, { route, until: clock() + FRESH_MS });
    return route;
  };
}
