import type { WebClient } from "@slack/web-api";
import { array, literal, looseObject, nullish, number, object, string } from "zod";
import type { NormalizedResponse } from "#core/delivery.ts";

/** What marks CodeSpar's messages: the response's id, and which state and which of its messages this is. */
export const METADATA_TYPE = "codespar";

const Metadata = object({
  event_type: literal(METADATA_TYPE),
  event_payload: looseObject({ id: string(), revision: number(), part: number() }),
});
const Listed = looseObject({
  ts: string(),
  bot_id: nullish(string()),
  metadata: nullish(looseObject({})),
  files: nullish(array(looseObject({ name: nullish(string()) }))),
});

export type FoundPart = { ts: string; revision: number };
/** What of a response is in Slack: its messages by their place, and the names of the files shared by the bot. */
export type Found = { parts: Map<number, FoundPart>; files: Set<string> };

/** Pages looked through. The message being answered bounds the search, so one page is the rule. */
const MAX_PAGES = 5;
const PAGE = 200;

/** The time of the message being answered, which the reply cannot be older than, if the target says. */
function answeredAt({ target }: NormalizedResponse): string | null {
  const [channel, ts] = /^(\w+):(\d+\.\d+)$/.exec(target.replyTo ?? "")?.slice(1) ?? [];
  return channel === target.conversation.id && ts !== undefined ? ts : null;
}

/** Looks for a response whose sending was not seen to end: its id stands in its messages' metadata. */
export async function findInSlack(client: WebClient, botId: string, outgoing: NormalizedResponse): Promise<Found> {
  const { id: channel, thread } = outgoing.target.conversation;
  const oldest = answeredAt(outgoing);
  const found: Found = { parts: new Map(), files: new Set() };
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = {
      channel,
      include_all_metadata: true,
      limit: PAGE,
      ...(oldest === null ? {} : { oldest, inclusive: true }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const answer = await (thread === null
      ? client.conversations.history(query)
      : client.conversations.replies({ ...query, ts: thread }));
    for (const message of answer.messages ?? []) note(message, botId, outgoing.id, found);
    cursor = answer.response_metadata?.next_cursor;
    if (!cursor) break;
  }
  return found;
}

function note(message: unknown, botId: string, id: string, found: Found): void {
  const listed = Listed.safeParse(message);
  // Anybody's app may write the same metadata.
  if (!listed.success || listed.data.bot_id !== botId) return;
  for (const { name } of listed.data.files ?? []) if (name) found.files.add(name);
  const metadata = Metadata.safeParse(listed.data.metadata);
  if (!metadata.success || metadata.data.event_payload.id !== id) return;
  const { part, revision } = metadata.data.event_payload;
  const before = found.parts.get(part);
  // One that could not be edited has a successor.
  if (before === undefined || Number(before.ts) < Number(listed.data.ts))
    found.parts.set(part, { ts: listed.data.ts, revision });
}
