import type { NormalizedMessage } from "#core/message.ts";
import type { ChannelReceiver, ChannelSender, DeliveryMemory, FetchedAttachment } from "./adapter.ts";
import { SLACK_API_URL, connectToSlack } from "./slack/connection.ts";
import { parseSlackRequest } from "./slack/parse.ts";
import { fetchSlackAttachment } from "./slack/pictures.ts";
import { type SlackRendering, renderForSlack } from "./slack/render.ts";
import { sendToSlack } from "./slack/send.ts";
import { verifySlackSignature } from "./slack/signature.ts";

/** For the edge: one address takes events, interactions and slash commands. */
export const createSlackReceiver = ({ signingSecret }: { signingSecret: string }): ChannelReceiver => ({
  verify: (request) => verifySlackSignature(request, signingSecret),
  parse: parseSlackRequest,
});

export type SlackSender = ChannelSender<SlackRendering> & {
  /**
   * Shows “is working on it…” under the thread at once: a status, not a message. It goes away by itself with the reply, or
   * after two minutes; so await it before the reply is sent, or it stays. Best effort: it never fails, and does nothing where
   * there is no thread.
   */
  acknowledge(message: NormalizedMessage): Promise<void>;
  /** The name an account is known by in its workspace, or null when Slack does not say. */
  nameOf(account: string): Promise<string | null>;
  /** The content of a message's attachment, by its `reference`. */
  fetchAttachment(reference: string): Promise<FetchedAttachment>;
};

export type SlackSenderOptions = {
  botToken: string;
  /** Root of the Web API (SLACK_API_URL): Slack's own unless given. */
  apiUrl?: string | undefined;
  memory: DeliveryMemory;
};

const MAX_NAMES = 1000;

/** For the owner of an outbox. Makes no call before it is asked to. */
export function createSlackSender({ botToken, apiUrl = SLACK_API_URL, memory }: SlackSenderOptions): SlackSender {
  const client = connectToSlack(botToken, apiUrl);
  const names = new Map<string, string>();
  let ownBotId: string | undefined;
  const botId = async (): Promise<string> => (ownBotId ??= (await client.auth.test()).bot_id ?? "");

  return {
    // Slack allows about one message a second in a channel, and fifty edits a minute (docs.slack.dev, "Rate limits").
    capabilities: { edit: true, maxTextLength: 12_000, buttons: true, pace: { postMs: 1000, editMs: 1200 } },
    render: renderForSlack,
    send: (outgoing) => sendToSlack({ client, memory, botId }, outgoing),
    async acknowledge({ conversation: { id, thread } }) {
      if (thread === null) return;
      try {
        await client.assistant.threads.setStatus({ channel_id: id, thread_ts: thread, status: "is working on it…" });
      } catch {
        // Nice to have; the reply itself says more.
      }
    },
    async nameOf(account) {
      const known = names.get(account);
      if (known !== undefined) return known;
      try {
        const { user } = await client.users.info({ user: account });
        const name = user?.profile?.display_name || user?.profile?.real_name || user?.name || null;
        if (names.size >= MAX_NAMES) names.clear();
        if (name !== null) names.set(account, name);
        return name;
      } catch {
        return null;
      }
    },
    fetchAttachment: (reference) => fetchSlackAttachment(reference, { token: botToken, apiUrl }),
  };
}
