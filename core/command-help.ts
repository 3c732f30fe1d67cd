import type { CommandName } from "./command.ts";
import { commandEntry, type CommandGroup, COMMANDS } from "./command-table.ts";
import { type Block, code, fields, text } from "./response.ts";

/** What can be completed: the names of the commands that are available. */
export const completions = (): string[] => COMMANDS.filter(({ available }) => available).map(({ name }) => name);

/** `help` lists what is available, by group; `help <command>` tells all about one. */
export const helpText = (command: CommandName | null): Block[] => (command === null ? overview() : details(command));

function overview(): Block[] {
  const groups = new Map<CommandGroup, string[]>();
  for (const { group, usage, summary, available } of COMMANDS) {
    if (available) groups.set(group, [...(groups.get(group) ?? []), `${usage} — ${summary}`]);
  }
  const lists = [...groups].flatMap(([group, lines]) => [text(group), code(lines.join("\n"))]);
  return [
    text("Mention me with one of these; what I do is reported here."),
    ...lists,
    text("`help <command>` tells more about one."),
  ];
}

function details(name: CommandName): Block[] {
  const { usage, example, summary, risk, permission, aliases, available } = commandEntry(name);
  if (!available) return [text(`\`${name}\` (${summary}) is not available in this version. \`help\` lists what is.`)];
  const facts = { Usage: usage, Example: example, Risk: risk, Permission: permission };
  return [
    text(`\`${name}\`: ${summary}.`),
    fields(aliases.length === 0 ? facts : { ...facts, "Also as": aliases.join(", ") }),
  ];
}
