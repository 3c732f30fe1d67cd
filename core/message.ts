import {
  array,
  boolean,
  enum as enumOf,
  type infer as Infer,
  json,
  nullable,
  number,
  object,
  record,
  string,
} from "zod";

/** The platforms a message can come from. Each has one adapter in channels/. */
export const ChannelName = enumOf(["terminal", "slack", "discord", "telegram", "whatsapp"]);
export type ChannelName = Infer<typeof ChannelName>;

/**
 * Where a message was written. `workspace` is the platform's tenant (Slack team, Discord guild, …), `id` the
 * conversation inside it, `thread` the platform's thread id when the message stands in one.
 */
export const Conversation = object({
  workspace: string().min(1).max(200),
  id: string().min(1).max(200),
  thread: nullable(string().max(200)),
});
export type Conversation = Infer<typeof Conversation>;

/** Who wrote it, in the platform's terms. Which identity that is, the Coordinator knows. */
export const Sender = object({ account: string().min(1).max(200), name: string().max(200) });
export type Sender = Infer<typeof Sender>;

const Attachment = object({
  name: string().max(400),
  mediaType: string().max(200),
  bytes: number().int().nonnegative(),
  reference: string().max(2000),
});

/** The longest text an agent reads; adapters answer longer ones with words instead of cutting them. */
export const MAX_TEXT_LENGTH = 100_000;

/**
 * One message, whatever platform it came from. `id` is the delivery id: unique per conversation, equal for
 * every repeat of the same delivery. `sentAt` is milliseconds since the epoch.
 */
export const NormalizedMessage = object({
  id: string().min(1).max(200),
  channel: ChannelName,
  conversation: Conversation,
  sender: Sender,
  text: string().max(MAX_TEXT_LENGTH),
  mentionsBot: boolean(),
  isDirect: boolean(),
  action: nullable(object({ name: string().max(100), value: string().max(2000) })),
  replyTo: nullable(string().max(200)),
  attachments: array(Attachment).max(20),
  sentAt: number().int().nonnegative(),
  metadata: record(string(), json()),
});
export type NormalizedMessage = Infer<typeof NormalizedMessage>;

/** The organisation that exists from setup. */
export const DEFAULT_ORGANISATION = "default";

export const ProjectName = string().regex(
  /^[a-z0-9][a-z0-9._-]{0,98}$/,
  "lower-case letters, digits, dots, dashes and underscores",
);

/** A stable text for one conversation, threads left out: the key of the register of conversations. */
export const conversationKey = (channel: ChannelName, conversation: Conversation): string =>
  JSON.stringify([channel, conversation.workspace, conversation.id]);

/** A stable text for one account on one platform: the key of the register of accounts. */
export const accountKey = (channel: ChannelName, workspace: string, account: string): string =>
  JSON.stringify([channel, workspace, account]);
