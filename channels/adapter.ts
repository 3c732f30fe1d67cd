import type { DeliveryResult, NormalizedResponse } from "#core/delivery.ts";
import type { ChannelName } from "#core/message.ts";

export type Capabilities = {
  /** A message that was sent can be changed in place. Where it cannot, progress is not sent, only final messages. */
  edit: boolean;
  /** The longest text of one message, in characters. */
  maxTextLength: number;
};

/**
 * What sends to one chat platform. `send` shows an outgoing message's newest revision; doing it twice must not show
 * it twice. It reports failure as a value: whether to try again, and when.
 */
export type ChannelAdapter = {
  capabilities: Capabilities;
  send(outgoing: NormalizedResponse): Promise<DeliveryResult>;
};

export type ChannelRegistry = Partial<Record<ChannelName, ChannelAdapter>>;
