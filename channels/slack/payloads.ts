import {
  array,
  boolean,
  type infer as Infer,
  literal,
  looseObject,
  nullish,
  number,
  object,
  string,
  union,
  unknown,
} from "zod";

/** What Slack sends, as far as it is read (docs.slack.dev, "Events API", "Interactivity", "Slash commands"). */

const Id = string().min(1).max(100);
/** A message's timestamp, which is its id in its channel. */
const Timestamp = string().regex(/^\d{1,12}\.\d{1,8}$/);

export const Handshake = object({ type: literal("url_verification"), challenge: string().max(1000) });

export const SlackFile = object({
  id: Id,
  name: nullish(string()),
  title: nullish(string()),
  mimetype: nullish(string()),
  size: nullish(number()),
  mode: nullish(string()),
  file_access: nullish(string()),
  url_private: nullish(string()),
});
export type SlackFile = Infer<typeof SlackFile>;

/** Events of type `message` and `app_mention`. */
export const MessageEvent = object({
  type: union([literal("message"), literal("app_mention")]),
  subtype: nullish(string()),
  channel: Id,
  channel_type: nullish(string()),
  user: nullish(Id),
  bot_id: nullish(string()),
  text: nullish(string()),
  ts: Timestamp,
  thread_ts: nullish(Timestamp),
  team: nullish(string()),
  user_profile: nullish(looseObject({ display_name: nullish(string()), real_name: nullish(string()) })),
  files: nullish(array(unknown())),
});
export type MessageEvent = Infer<typeof MessageEvent>;

export const EventCallback = object({
  type: literal("event_callback"),
  team_id: nullish(Id),
  api_app_id: nullish(string()),
  event_id: Id,
  event: looseObject({ type: string() }),
  authorizations: nullish(array(looseObject({ user_id: nullish(string()), is_bot: nullish(boolean()) }))),
});
export type EventCallback = Infer<typeof EventCallback>;

export const BlockActions = object({
  type: literal("block_actions"),
  user: object({ id: Id, name: nullish(string()), username: nullish(string()), team_id: nullish(Id) }),
  team: nullish(object({ id: Id })),
  channel: nullish(object({ id: Id })),
  container: nullish(
    looseObject({ channel_id: nullish(Id), message_ts: nullish(Timestamp), thread_ts: nullish(Timestamp) }),
  ),
  message: nullish(looseObject({ ts: Timestamp, thread_ts: nullish(Timestamp) })),
  actions: array(
    object({ type: string(), action_id: string().max(255), value: nullish(string()), action_ts: nullish(Timestamp) }),
  ).min(1),
});
export type BlockActions = Infer<typeof BlockActions>;

export const SlashCommand = object({
  command: string().startsWith("/"),
  text: nullish(string()),
  team_id: Id,
  channel_id: Id,
  user_id: Id,
  user_name: nullish(string()),
  trigger_id: Id,
});
export type SlashCommand = Infer<typeof SlashCommand>;
