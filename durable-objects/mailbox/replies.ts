import type { ParsedCommand } from "#core/commands.ts";
import type { NormalizedMessage } from "#core/message.ts";
import { type Block, code, text } from "#core/response.ts";
import { sha256 } from "./audit-log.ts";
import { deliveryKey } from "./inbox.ts";

/** Ids go through platforms and back: short, and plain whatever a delivery was called. */
const idFrom = (kind: string, of: string): string => `${kind}-${sha256(of).slice(0, 40)}`;

/** The one reply to a message has this outbox id: there cannot be a second one. */
export const replyIdOf = (message: NormalizedMessage): string => idFrom("reply", deliveryKey(message));

/** What tells a conversation of a message's effect elsewhere. */
export const announcementIdOf = (message: NormalizedMessage, conversation: string): string =>
  idFrom("announcement", `${deliveryKey(message)} ${conversation}`);

/** What someone reads whose message is no command. */
export function notUnderstood(parsed: Exclude<ParsedCommand, { ok: true }>): Block[] {
  switch (parsed.kind) {
    case "empty":
      return [text("That was empty. Write what you want, for example `fix the login timeout`, or `help`.")];
    case "usage":
      return [text(parsed.message), code(parsed.usage), text(`For example: \`${parsed.example}\``)];
    case "unknown":
      return parsed.suggestions.length > 0
        ? [
            text(
              `I do not know that command. Did you mean ${parsed.suggestions.map((name) => `\`${name}\``).join(" or ")}? \`help\` lists them all.`,
            ),
          ]
        : [
            text(
              "I do not know that command. `help` lists what I understand; `fix …` or `instruct …` gives me something to do.",
            ),
          ];
  }
}
