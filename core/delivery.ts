import { type infer as Infer, nullable, object, string } from "zod";
import { type NormalizedMessage, ChannelName, Conversation } from "./message.ts";
import type { Block } from "./response.ts";

/** Where a reply goes. `replyTo` is the platform's id of the message being answered, where it has one. */
export const Target = object({ channel: ChannelName, conversation: Conversation, replyTo: nullable(string()) });
export type Target = Infer<typeof Target>;

/** The conversation, and the thread, that a message came from. */
export const targetOf = (message: NormalizedMessage): Target => ({
  channel: message.channel,
  conversation: message.conversation,
  replyTo: message.replyTo ?? message.id,
});

/**
 * One message on its way to people. `id` never changes, `revision` counts the states of its content: an adapter
 * that can edit shows the newest in place of the older ones. `ok` is false when a final message says that what was
 * asked for was not done.
 */
export type NormalizedResponse = {
  id: string;
  revision: number;
  kind: "progress" | "final" | "announcement";
  ok: boolean;
  inReplyTo: string;
  target: Target;
  blocks: Block[];
};

/** What became of one try to send. */
export type DeliveryResult =
  | { ok: true }
  | { ok: false; retryable: boolean; retryAfterMs: number | null; reason: string };

const SECOND = 1000;

/** How long to wait before try number `failures + 1`: doubling from one second to five minutes. */
export const deliveryBackoffMs = (failures: number): number =>
  Math.min(2 ** Math.min(failures, 16) * SECOND, 300 * SECOND);
