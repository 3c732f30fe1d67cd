import { countsWithoutMention, parseCommand } from "#core/commands.ts";
import { NormalizedMessage } from "#core/message.ts";
import { type IncomingRequest, type Parsed, acknowledged, ignored } from "../adapter.ts";
import { BlockActions, EventCallback, Handshake, MessageEvent, SlashCommand } from "./payloads.ts";
import { readFiles } from "./pictures.ts";
import { readText } from "./text.ts";

/** Marks the buttons that are CodeSpar's; the action's place and name follow. */
export const ACTION_PREFIX = "codespar:";

/** Slack's own bot reminds and answers under a person's kind of account. */
const SLACKBOT = "USLACKBOT";

const json = (value: unknown) => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const millisecondsOf = (ts: string): number => Math.floor(Number(ts) * 1000);

/** The message's id: a mention that comes as `app_mention` and as `message` is one, and so is every repeat of it. */
const deliveryId = (channel: string, ts: string): string => `${channel}:${ts}`;

/** A direct message channel's id begins with D; `channel_type` is not in every event. */
const isDirect = (channel: string, type: string | null | undefined): boolean =>
  type === "im" || channel.startsWith("D");

function asMessages(message: NormalizedMessage, acknowledge = acknowledged): Parsed {
  const checked = NormalizedMessage.safeParse(message);
  return checked.success
    ? { kind: "messages", messages: [checked.data], acknowledge }
    : ignored("a message that is larger than any that is read");
}

function parseMessage(envelope: EventCallback): Parsed {
  const read = MessageEvent.safeParse(envelope.event);
  if (!read.success) return ignored(`an event of type ${envelope.event.type}`);
  const event = read.data;
  const bot = envelope.authorizations?.find(({ is_bot }) => is_bot !== false)?.user_id ?? mentionedFirst(event);
  const direct = isDirect(event.channel, event.channel_type);
  const person = event.user;
  if (!person || event.bot_id || person === bot || person === SLACKBOT) return ignored("a bot's message");
  // A reply that is shown in the channel too comes a second time, as `app_mention`, if it mentions the bot; never in direct messages.
  const subtypes = direct ? ["file_share", "thread_broadcast"] : ["file_share"];
  if (event.subtype && !subtypes.includes(event.subtype)) return ignored(`a message of subtype ${event.subtype}`);

  const { text, mentionsBot, mentions } = readText(event.text ?? "", bot);
  const mentioned = mentionsBot || event.type === "app_mention";
  if (!mentioned && !direct && !isThreadCommand(event, text)) return ignored("a message to others");
  const team = envelope.team_id ?? event.team;
  if (!team) return ignored("an event of no workspace");
  const { attachments, skipped } = readFiles(event.files ?? []);
  const profile = event.user_profile;
  return asMessages({
    id: deliveryId(event.channel, event.ts),
    channel: "slack",
    // An answer in a channel opens a thread under the mention; a direct conversation stays flat until somebody opens one.
    conversation: { workspace: team, id: event.channel, thread: event.thread_ts ?? (direct ? null : event.ts) },
    sender: { account: person, name: (profile?.display_name || profile?.real_name || person).slice(0, 200) },
    text,
    mentionsBot: mentioned,
    isDirect: direct,
    action: null,
    replyTo: null,
    attachments,
    sentAt: millisecondsOf(event.ts),
    metadata: { event: envelope.event_id, mentions, skippedFiles: skipped },
  });
}

/** Whoever is mentioned first in an `app_mention` that does not say for whom it is. */
const mentionedFirst = ({ type, text }: MessageEvent): string | null =>
  type === "app_mention" ? (/<@([UW][A-Z0-9]+)[|>]/.exec(text ?? "")?.[1] ?? null) : null;

/**
 * Without a mention only an exact command in a thread can be meant for the bot (product, "Messages"). Whether the bot takes part in
 * that thread, the agent knows; what is nobody's command never leaves this function.
 */
function isThreadCommand(event: MessageEvent, text: string): boolean {
  if (!event.thread_ts || event.thread_ts === event.ts) return false;
  const parsed = parseCommand(text);
  return parsed.ok && countsWithoutMention(parsed.command);
}

function parseAction(payload: BlockActions): Parsed {
  const action = payload.actions.find(
    ({ type, action_id }) => type === "button" && action_id.startsWith(ACTION_PREFIX),
  );
  const channel = payload.channel?.id ?? payload.container?.channel_id;
  const ts = payload.message?.ts ?? payload.container?.message_ts;
  const team = payload.team?.id ?? payload.user.team_id;
  if (!action?.action_ts || !action.value || !channel || !ts || !team) return ignored("an action that is none of ours");
  const { user } = payload;
  const thread = payload.message?.thread_ts ?? payload.container?.thread_ts ?? (channel.startsWith("D") ? null : ts);
  return asMessages({
    id: `action:${deliveryId(channel, ts)}:${user.id}:${action.action_ts}`,
    channel: "slack",
    conversation: { workspace: team, id: channel, thread },
    sender: { account: user.id, name: (user.name || user.username || user.id).slice(0, 200) },
    text: action.value,
    mentionsBot: true,
    isDirect: channel.startsWith("D"),
    action: { name: action.action_id.slice(ACTION_PREFIX.length).replace(/^\d+:/, ""), value: action.value },
    replyTo: deliveryId(channel, ts),
    attachments: [],
    sentAt: millisecondsOf(action.action_ts),
    metadata: {},
  });
}

function parseSlashCommand(command: SlashCommand, now: number): Parsed {
  const { text, mentions } = readText(command.text ?? "", null);
  return asMessages(
    {
      // Slack sends a slash command once; the trigger is unique to it.
      id: `slash:${command.trigger_id}`,
      channel: "slack",
      conversation: { workspace: command.team_id, id: command.channel_id, thread: null },
      sender: { account: command.user_id, name: (command.user_name || command.user_id).slice(0, 200) },
      text,
      mentionsBot: true,
      isDirect: command.channel_id.startsWith("D"),
      action: null,
      replyTo: null,
      attachments: [],
      sentAt: now,
      metadata: { mentions },
    },
    // Shows everybody what was asked: else only the answer would stand there. Not where that is a code.
    SECRET.test(text) ? acknowledged : json({ response_type: "in_channel" }),
  );
}

/** Commands whose argument is a secret. */
const SECRET = /^\s*(?:claim|link-me)\b/i;

function parseForm(body: string, now: number): Parsed {
  const fields = Object.fromEntries(new URLSearchParams(body));
  if (fields["payload"] !== undefined) {
    const actions = BlockActions.safeParse(parseJson(fields["payload"]));
    return actions.success ? parseAction(actions.data) : ignored("an interaction of another kind");
  }
  // Slack checks now and then that a command's address has a valid certificate.
  if (fields["ssl_check"] === "1") return { kind: "handshake", acknowledge: acknowledged };
  const command = SlashCommand.safeParse(fields);
  return command.success ? parseSlashCommand(command.data, now) : ignored("a form of no known kind");
}

/** Reads a verified request of any of the three kinds Slack makes: events, interactions, slash commands. Never throws. */
export function parseSlackRequest({ rawBody, headers, now }: IncomingRequest): Parsed {
  const body = typeof rawBody === "string" ? rawBody : new TextDecoder().decode(rawBody);
  if (headers.get("content-type")?.toLowerCase().startsWith("application/x-www-form-urlencoded")) {
    return parseForm(body, now);
  }
  const payload = parseJson(body);
  const handshake = Handshake.safeParse(payload);
  if (handshake.success) {
    return { kind: "handshake", acknowledge: json({ challenge: handshake.data.challenge }) };
  }
  const event = EventCallback.safeParse(payload);
  return event.success ? parseMessage(event.data) : ignored("a body of no known kind");
}
