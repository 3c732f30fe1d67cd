import { commandEntry, type ParsedCommand, parseCommand } from "#core/commands.ts";
import { plainLine, plainText } from "./render.ts";

/** One line of JSON: the command, or null and what may have been meant. */
export function parsedAsJson(parsed: ParsedCommand): string {
  if (parsed.ok) return JSON.stringify({ command: parsed.command.name, args: parsed.command.args, tier: parsed.tier });
  return JSON.stringify({ command: null, suggestions: suggestionsOf(parsed) });
}

function suggestionsOf(parsed: Exclude<ParsedCommand, { ok: true }>): string[] {
  switch (parsed.kind) {
    case "usage":
      return [parsed.usage];
    case "unknown":
      return parsed.suggestions;
    case "empty":
      return [];
  }
}

/** The same for people. */
export function parsedAsText(parsed: ParsedCommand): string {
  if (parsed.ok) {
    const { name, args } = parsed.command;
    const lines = Object.entries(args).map(
      ([key, value]) => `  ${key}: ${typeof value === "string" ? plainText(value) : JSON.stringify(value)}`,
    );
    return [`${name}${commandEntry(name).available ? "" : " (not available in this version)"}`, ...lines].join("\n");
  }
  switch (parsed.kind) {
    case "usage":
      return `${parsed.command}: ${plainLine(parsed.message)}\n  Usage: ${parsed.usage}\n  Example: ${parsed.example}`;
    case "unknown":
      return parsed.suggestions.length > 0
        ? `No command. Did you mean: ${parsed.suggestions.join(", ")}?`
        : "No command.";
    case "empty":
      return "No command: there is nothing in the message.";
  }
}

/** `codespar parse TEXT`: 0 for a command, else 1. */
export function parseText(text: string, json: boolean): number {
  const parsed = parseCommand(text);
  console.log(json ? parsedAsJson(parsed) : parsedAsText(parsed));
  return parsed.ok ? 0 : 1;
}
