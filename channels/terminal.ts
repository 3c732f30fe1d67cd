import { type infer as Infer, object, string } from "zod";
import type { NormalizedResponse } from "#core/delivery.ts";
import { type Conversation, MAX_TEXT_LENGTH, NormalizedMessage } from "#core/message.ts";
import type { Namespace, TerminalGatewayRpc } from "#core/rpc.ts";
import { type TerminalMessage, TerminalRequest } from "#core/terminal-protocol.ts";
import {
  type ChannelAdapter,
  type ChannelReceiver,
  type IncomingRequest,
  type Parsed,
  acknowledged,
  ignored,
} from "./adapter.ts";

/** The workspace of every terminal: they all belong to this deployment. */
const TERMINAL_WORKSPACE = "terminal";

/** Who is at a connection, as the edge found in the token; the edge alone can set this header. */
const SESSION_HEADER = "x-terminal-session";
const Session = object({ account: string().min(1), name: string(), conversation: string().min(1) });

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

function parseFrame(rawBody: IncomingRequest["rawBody"]): unknown {
  try {
    return JSON.parse(typeof rawBody === "string" ? rawBody : new TextDecoder().decode(rawBody));
  } catch {
    return null;
  }
}

function sessionOf({ headers }: IncomingRequest): Infer<typeof Session> | null {
  try {
    return Session.parse(JSON.parse(decodeURIComponent(headers.get(SESSION_HEADER) ?? "")));
  } catch {
    return null;
  }
}

/** Frames of a terminal's connection. There is no signature: the edge checks the token and names the session. */
const receiver: ChannelReceiver = {
  verify: (request) =>
    sessionOf(request) === null ? { ok: false, reason: "No session: the token was not checked." } : { ok: true },
  parse(request): Parsed {
    const session = sessionOf(request);
    const frame = TerminalRequest.safeParse(parseFrame(request.rawBody));
    if (session === null || !frame.success) return ignored("not a frame of the terminal protocol");
    if (frame.data.type !== "message") return ignored(`a frame of type ${frame.data.type}`);
    const message = NormalizedMessage.safeParse(parseTerminalMessage(frame.data, session, request.now));
    if (!message.success) return ignored("a message longer than any that is read");
    return {
      kind: "messages",
      messages: [message.data],
      acknowledge: { ...acknowledged, body: JSON.stringify({ type: "accepted", id: frame.data.id }) },
    };
  },
};

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
export const createTerminalAdapter = (gateways: Namespace<TerminalGatewayRpc>): ChannelAdapter<TerminalMessage> => ({
  ...receiver,
  // The terminal itself draws actions as words to type.
  capabilities: { edit: true, maxTextLength: MAX_TEXT_LENGTH, buttons: false, pace: { postMs: 0, editMs: 0 } },
  render: renderForTerminal,
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
