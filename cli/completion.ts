import { completions } from "#core/command-help.ts";

/**
 * The lines that `line` may become: a command's name, or one after `help`. `commands` is what the server knows,
 * else what this version does.
 */
export function completeCommand(line: string, commands: readonly string[] = []): string[] {
  const names = commands.length > 0 ? commands : completions();
  const [, before = "", start = ""] = /^(\s*(?:@?codespar\s+)?(?:help\s+)?)(.*)$/is.exec(line) ?? [];
  return names
    .filter((name) => name.startsWith(start.toLowerCase()))
    .toSorted()
    .map((name) => `${before}${name} `);
}
