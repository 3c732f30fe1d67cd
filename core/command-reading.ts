import type { Command, CommandName } from "./command.ts";
import { firstWords, withoutTrailing } from "./command-text.ts";

/** The words clearly are this command, and this is wrong with its arguments. */
export type Misuse = { misused: CommandName; message: string };

/**
 * What the words after a command's own word come to: the command, a misuse of it, or null for prose.
 *
 * The rule that divides the last two: arguments that are missing, or wrong but as many words as the command takes, are a misuse and are
 * answered with its usage (`autonomy L9`, `merge PR #abc`, `prs mine`). More words than it takes are people's talk, whatever the first one
 * is (`stop the music please`, `status of the login page is broken`), and so are words that cannot stand there at all
 * (`merge the login branch`). Commands that take free text take any.
 */
export type Reading = Command | Misuse | null;

/** Reads the rest of a message after a command's word: trimmed, cleaned, in the writer's own upper and lower case. */
export type Reader = (rest: string) => Reading;

export const misuse = (misused: CommandName, message: string): Misuse => ({ misused, message });

/** Punctuation people end a sentence with. A question mark only where doing it is harmless: `merge 12?` asks whether to. */
const STATEMENT_END = ".!";
const ANY_END = ".!?";

/** Up to `limit` words without the punctuation at the end of the last; null when there are more. */
export function wordsOf(rest: string, limit: number, harmless: boolean): string[] | null {
  const words = firstWords(withoutTrailing(rest, harmless ? ANY_END : STATEMENT_END), limit + 1);
  return words.length > limit ? null : words;
}

const QUOTES: readonly (readonly [string, string])[] = [
  ['"', '"'],
  ["'", "'"],
  ["`", "`"],
  ["“", "”"],
  ["„", "“"],
  ["‘", "’"],
  ["«", "»"],
];

/** The text between quotation marks, or null when it does not stand in them. */
export function unquoted(text: string): string | null {
  for (const [open, close] of QUOTES) {
    if (text.length > 2 && text.startsWith(open) && text.endsWith(close)) return text.slice(1, -1).trim();
  }
  return null;
}

const PULL_REQUEST_NUMBER = /^#?(\d{1,10})$/;

/** The number of `12` or `#12`; null for others, and for 0. */
export function pullRequestNumber(word: string): number | null {
  const digits = PULL_REQUEST_NUMBER.exec(word)?.[1];
  return digits === undefined || Number(digits) === 0 ? null : Number(digits);
}

/** A whole number from 1 to `most`, or null. */
export function countUpTo(word: string, most: number): number | null {
  if (!/^\d{1,10}$/.test(word)) return null;
  const count = Number(word);
  return count >= 1 && count <= most ? count : null;
}

/** What is quoted back of somebody's words is short. */
export const shown = (word: string | undefined): string => {
  const whole = word ?? "";
  return whole.length <= 40 ? whole : `${whole.slice(0, 40).toWellFormed()}…`;
};
