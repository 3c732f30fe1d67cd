import { array, discriminatedUnion, enum as enumOf, type infer as Infer, literal, number, object, string } from "zod";
import { Block } from "./response.ts";

/**
 * The frames of the terminal's WebSocket, `GET /api/terminal?conversation=NAME`, one JSON text each.
 * A frame the server cannot parse is answered with an `error` frame; the connection stays.
 */

/** Printable ASCII: an id is compared, and comes back, as it was sent. */
export const DeliveryId = string().regex(/^[\x21-\x7e]{1,100}$/, "1 to 100 printable ASCII characters, no spaces");

/** From the terminal. `id` is the delivery id: sending the same one again has no further effect. */
export const TerminalRequest = discriminatedUnion("type", [
  object({ type: literal("message"), id: DeliveryId, text: string() }),
  /** The frame with this `id` and `revision` has been shown; it need not be sent again. */
  object({ type: literal("ack"), id: string().max(200), revision: number().int() }),
  object({ type: literal("ping") }),
]);
export type TerminalRequest = Infer<typeof TerminalRequest>;

/** A message for the person. A later `revision` of the same `id` takes the earlier one's place. */
export const TerminalMessage = object({
  type: literal("message"),
  id: string(),
  revision: number().int(),
  /** `progress` is replaced by later revisions; each accepted message ends in exactly one `final`. */
  kind: enumOf(["progress", "final", "announcement"]),
  /** `ok` is false when a final message says that what was asked was not done. */
  ok: literal([true, false]),
  /** Delivery id of the message this answers; empty for announcements. */
  inReplyTo: string(),
  blocks: array(Block),
});
export type TerminalMessage = Infer<typeof TerminalMessage>;

export const TerminalEvent = discriminatedUnion("type", [
  /** First frame: who the server takes this terminal for, and what can be completed. */
  object({ type: literal("welcome"), account: string(), conversation: string(), commands: array(string()) }),
  /** The message with this delivery id is stored durably. */
  object({ type: literal("accepted"), id: string() }),
  /** The message with this delivery id (empty if the frame had none) was not stored, and why. */
  object({ type: literal("error"), id: string(), message: string() }),
  object({ type: literal("pong") }),
  TerminalMessage,
]);
export type TerminalEvent = Infer<typeof TerminalEvent>;
