import type { NormalizedResponse } from "#core/delivery.ts";
import { type Conversation, MAX_TEXT_LENGTH, type NormalizedMessage } from "#core/message.ts";
import type { Namespace, TerminalGatewayRpc } from "#core/rpc.ts";
import type { TerminalMessage } from "#core/terminal-protocol.ts";
import type { ChannelAdapter } from "./adapter.ts";

/** The workspace of every terminal: they all belong to this deployment. */
const TERMINAL_WORKSPACE = "terminal";

/** A terminal's conversation is its account's own: nobody else's token can open it. */
export const terminalConversation = (account: string, name: string): Conversation => ({
  workspace: TERMINAL_WORKSPACE,
  id: `${account}:${name}`,
  thread: null,
});

/** A line typed in a terminal, as a message. A terminal is a direct conversation. */
export const parseTerminalMessage = (
  typed: { id: string; text: string },
  from: { account: string; name: string; conversation: string },
  now: number,
): NormalizedMessage => ({
  id: typed.id,
  channel: "terminal",
  conversation: terminalConversation(from.account, from.conversation),
  sender: { account: from.account, name: from.name },
  text: typed.text,
  mentionsBot: true,
  isDirect: true,
  action: null,
  replyTo: null,
  attachments: [],
  sentAt: now,
  metadata: {},
});

const renderForTerminal = ({ id, revision, kind, ok, inReplyTo, blocks }: NormalizedResponse): TerminalMessage => ({
  type: "message",
  id,
  revision,
  kind,
  ok,
  inReplyTo,
  blocks,
});

/** Sends through the gateway that holds the conversation's connections. The terminal tells repeats by id and revision. */
export const createTerminalAdapter = (gateways: Namespace<TerminalGatewayRpc>): ChannelAdapter => ({
  capabilities: { edit: true, maxTextLength: MAX_TEXT_LENGTH },
  async send(outgoing) {
    try {
      await gateways.getByName(outgoing.target.conversation.id).deliver(renderForTerminal(outgoing));
      return { ok: true };
    } catch (error) {
      return {
        ok: false,
        retryable: true,
        retryAfterMs: null,
        reason: `The terminal's gateway did not answer: ${String(error)}`,
      };
    }
  },
});
