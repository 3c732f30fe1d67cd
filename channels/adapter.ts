import type { DeliveryResult, NormalizedResponse } from "#core/delivery.ts";
import type { ChannelName, NormalizedMessage } from "#core/message.ts";

/** A webhook request as it came in: the raw bytes, since signatures are over those. `now` is milliseconds since the epoch. */
export type IncomingRequest = {
  rawBody: Uint8Array | string;
  headers: { get(name: string): string | null };
  now: number;
};

/** `reason` is for the log; whoever sent the request only reads that it was refused. */
export type Verification = { ok: true } | { ok: false; reason: string };

/** What the platform wants to be answered, within its time limit. */
export type Acknowledgement = { status: number; headers: Record<string, string>; body: string };

export const acknowledged: Acknowledgement = { status: 200, headers: {}, body: "" };

/**
 * What a verified request says.
 * - `handshake`: the platform checks that somebody listens; answer with `acknowledge` and do nothing else.
 * - `messages`: store every one of them durably, then answer. A repeat of a delivery has the same message ids.
 * - `ignored`: nothing for an agent (an edit, another bot, an event type nobody knows); answer, or the platform tries again.
 */
export type Parsed =
  | { kind: "handshake"; acknowledge: Acknowledgement }
  | { kind: "messages"; messages: NormalizedMessage[]; acknowledge: Acknowledgement }
  | { kind: "ignored"; reason: string; acknowledge: Acknowledgement };

export const ignored = (reason: string): Parsed => ({ kind: "ignored", reason, acknowledge: acknowledged });

export type Capabilities = {
  /** A message that was sent can be changed in place. Where it cannot, progress is not sent, only final messages. */
  edit: boolean;
  /** The longest text of one message, in characters; longer responses are split or attached. */
  maxTextLength: number;
  /** Actions are shown as buttons, not as words to type. */
  buttons: boolean;
  /** The least time between two new messages, and between two edits, in one conversation, in milliseconds; 0 for no limit. */
  pace: { postMs: number; editMs: number };
};

/** The inbound half, for the edge. Both are pure; neither throws, whatever the request. */
export type ChannelReceiver = {
  verify(request: IncomingRequest): Verification;
  /** To be called with requests that `verify` accepted. */
  parse(request: IncomingRequest): Parsed;
};

/** The outbound half, for the owner of an outbox. `Rendered` is what the platform shows. */
export type ChannelSender<Rendered = unknown> = {
  capabilities: Capabilities;
  /** Pure: the same response is always shown in the same way, within the platform's limits. */
  render(outgoing: NormalizedResponse): Rendered;
  /**
   * Shows an outgoing message's newest revision; doing it twice must not show it twice. It reports failure as a value:
   * whether to try again, and when.
   */
  send(outgoing: NormalizedResponse): Promise<DeliveryResult>;
  /** The name an account is known by on the platform, where its messages do not carry it; null when it does not say. */
  nameOf?(account: string): Promise<string | null>;
};

/** What one chat platform is to CodeSpar. Every adapter passes test/channels/conformance.ts (see docs/channels.md). */
export type ChannelAdapter<Rendered = unknown> = ChannelReceiver & ChannelSender<Rendered>;

export type ChannelRegistry = Partial<Record<ChannelName, ChannelSender>>;

/**
 * What a sender remembers of a response by its id: where the platform shows it, as a text only the sender reads. Kept by
 * the outbox's owner, durably, and forgotten with the outbox row. `set` returns when the value cannot be lost any more,
 * or is sure to be kept before anything that is sent afterwards leaves (a Durable Object's output gate).
 */
export type DeliveryMemory = {
  get(id: string): string | null | Promise<string | null>;
  set(id: string, reference: string): void | Promise<void>;
};

/** A picture's content, or why there is none, in words for the person who sent it. */
export type FetchedAttachment =
  | { ok: true; mediaType: string; content: Uint8Array }
  | { ok: false; retryable: boolean; reason: string };
