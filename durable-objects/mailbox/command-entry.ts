import type { CommandName } from "#core/command.ts";
import type { NormalizedMessage } from "#core/message.ts";
import type { AuditFields } from "./audit-log.ts";

/** Arguments that are good for something in whoever's hands they come. Secrets never enter an entry (design: policy, "Audit"). */
const SECRET_ARGUMENTS: Partial<Record<CommandName, readonly string[]>> = {
  claim: ["code"],
  "link-me": ["code"],
  "config set": ["value"],
};

const LONGEST_ARGUMENT = 500;

/** The audit's record of what someone asked for: enough to know what it was, never megabytes. */
export function entryOfCommand(
  message: NormalizedMessage,
  name: CommandName | "not understood",
  args: object,
): Omit<AuditFields, "actor"> {
  const secret = name === "not understood" ? [] : (SECRET_ARGUMENTS[name] ?? []);
  const brief = Object.entries(args).map(([argument, value]): [string, string] => [
    argument,
    secret.includes(argument) ? "(secret)" : String(value).slice(0, LONGEST_ARGUMENT),
  ]);
  return {
    action: "command",
    subject: name,
    details: {
      delivery: message.id,
      channel: message.channel,
      conversation: message.conversation.id,
      args: Object.fromEntries(brief),
    },
  };
}
