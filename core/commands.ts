import type { Command, CommandName } from "./command.ts";
import * as people from "./command-people.ts";
import * as readers from "./command-readers.ts";
import * as releases from "./command-releases.ts";
import { misuse, type Reader, type Reading } from "./command-reading.ts";
import { suggestionsFor } from "./command-suggestions.ts";
import { commandEntry } from "./command-table.ts";
import {
  afterMention,
  afterWords,
  cleanText,
  firstWords,
  skipSpaces,
  withoutTrailing,
  wordEnd,
} from "./command-text.ts";
import { MAX_TEXT_LENGTH } from "./message.ts";

export { Command, CommandName } from "./command.ts";
export { completions, helpText } from "./command-help.ts";
export { commandEntry, COMMANDS } from "./command-table.ts";

/**
 * What a message's text is to the grammar, the first and free tier of understanding.
 * - `usage`: it clearly is `command`, with arguments it does not take; answer with `message`, `usage` and `example`.
 * - `unknown`: it is no command (people's talk, or a slip); `suggestions` are the nearest available ones, at most three, often none.
 * - `empty`: nothing but a mention or spaces.
 * A command that is parsed may still be unavailable in this version: see `commandEntry(name).available`.
 */
export type ParsedCommand =
  | { ok: true; command: Command; tier: 1 }
  | { ok: false; kind: "usage"; command: CommandName; message: string; usage: string; example: string }
  | { ok: false; kind: "unknown"; suggestions: string[] }
  | { ok: false; kind: "empty" };

const { bare, freeText } = readers;
const WHAT = "What should be done?";

/** By the first word. Two-word commands are read by the reader of their first word. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["help", readers.help],
  ["status", readers.status],
  ["all", readers.all],
  ["agents", bare("agents")],
  ["logs", readers.logs],
  ["audit", readers.audit],
  ["prs", readers.prs],
  ["config", readers.config],
  ["permissions", people.permissions],
  ["context", bare("context")],
  ["memory", bare("context")],
  ["usage", bare("usage")],
  ["runners", readers.runners],
  ["whoami", bare("whoami")],
  ["register", people.register],
  ["link-me", readers.linkMe],
  ["claim", readers.claim],
  ["review", releases.review],
  [
    "investigate",
    freeText("investigate", "What should be looked into?", (what) => ({ name: "investigate", args: { what } })),
  ],
  ["lens", freeText("lens", "What is the question?", (question) => ({ name: "lens", args: { question } }))],
  ["instruct", freeText("instruct", WHAT, (task) => ({ name: "instruct", args: { task } }))],
  ["implement", freeText("implement", WHAT, (task) => ({ name: "implement", args: { task } }))],
  ["refactor", freeText("refactor", WHAT, (task) => ({ name: "refactor", args: { task } }))],
  ["fix", freeText("fix", "What is broken?", (issue) => ({ name: "fix", args: { issue } }))],
  ["stop", readers.stop],
  ["plan", freeText("plan", "What should be planned?", (feature) => ({ name: "plan", args: { feature } }))],
  ["spec", readers.spec],
  ["merge", releases.merge],
  ["deploy", releases.deploy],
  ["rollback", releases.rollback],
  ["approve", releases.approve],
  ["reject", releases.reject],
  ["autonomy", readers.autonomy],
  ["link", readers.link],
  ["unlink", bare("unlink")],
  ["alias", readers.alias],
  ["schedule", schedule],
  ["role", people.role],
  ["kill", bare("kill")],
  ["resume", bare("resume")],
]);

/** Commands that take any words after their own: in a thread “fix it yourself then” may be said to somebody else. */
const TAKES_ANY_WORDS: ReadonlySet<CommandName> = new Set<CommandName>([
  "instruct",
  "implement",
  "refactor",
  "fix",
  "investigate",
  "lens",
  "plan",
  "spec",
  "register",
]);

/** Whether a command counts in a thread the bot takes part in although nobody mentioned the bot (product.md, "Messages"). */
export const countsWithoutMention = ({ name }: Command): boolean => !TAKES_ANY_WORDS.has(name);

/** Longer first words are no command's. */
const LONGEST_WORD = 16;

/** Reads a message's text. Never throws; takes time linear in its length. */
export function parseCommand(text: string): ParsedCommand {
  // Boundaries refuse such texts; here they are no command, so that nothing depends on that.
  if (text.length > MAX_TEXT_LENGTH) return { ok: false, kind: "unknown", suggestions: [] };
  const clean = cleanText(text);
  const { word, rest } = split(clean);
  if (word === "" && rest === "") return { ok: false, kind: "empty" };
  const reading = read(word, rest);
  if (reading === null)
    return { ok: false, kind: "unknown", suggestions: suggestionsFor(withoutTrailing(word, ".,:;!?")) };
  if ("name" in reading) return { ok: true, command: reading, tier: 1 };
  const { usage, example } = commandEntry(reading.misused);
  return { ok: false, kind: "usage", command: reading.misused, message: reading.message, usage, example };
}

/** The first word after a mention, in lower case, and what follows. A word longer than any command's comes back as a dash. */
function split(clean: string): { word: string; rest: string } {
  const start = afterMention(clean);
  const end = wordEnd(clean, start);
  const word = end - start <= LONGEST_WORD ? clean.slice(start, end).toLowerCase() : "-";
  return { word, rest: clean.slice(skipSpaces(clean, end)).trimEnd() };
}

function read(word: string, rest: string): Reading {
  const reader = READERS.get(word);
  if (reader !== undefined) return reader(rest);
  if (rest !== "") return null;
  // `status!` is a command; so is `status?`, but `stop?` asks whether to.
  const alone = withoutTrailing(word, ".!?");
  const reading = alone === word ? null : (READERS.get(alone)?.("") ?? null);
  if (reading === null || !word.includes("?")) return reading;
  return "name" in reading && commandEntry(reading.name).risk === "low" ? reading : null;
}

const CRON_FIELDS = 5;

/**
 * `schedule <cron> <command>`: five cron fields, in quotation marks or not, and a command that is one. The scheduler knows which values
 * the fields may have; here only their form counts.
 */
function schedule(rest: string): Reading {
  const words = firstWords(rest, CRON_FIELDS + 1);
  const first = words[0]?.toLowerCase();
  if (first === undefined) return misuse("schedule", "When, and which command?");
  if (first === "list") return words.length === 1 ? { name: "schedule", args: { mode: "list" } } : null;
  if (first === "remove") {
    if (words.length > 2) return null;
    const id = words[1];
    if (id === undefined || !/^[A-Za-z0-9-]{1,40}$/.test(id))
      return misuse("schedule", "Which schedule? `schedule list` shows them.");
    return { name: "schedule", args: { mode: "remove", id } };
  }
  const cron = words.slice(0, CRON_FIELDS).map((field, index) => {
    const opened = index === 0 ? field.replace(/^["'`“]/, "") : field;
    return index === CRON_FIELDS - 1 ? opened.replace(/["'`”]$/, "") : opened;
  });
  if (!/^[\d*]/.test(cron[0] ?? "")) return words.length === 1 ? misuse("schedule", "When, and which command?") : null;
  if (cron.length < CRON_FIELDS || cron.some((field) => !/^[\dA-Za-z*/,-]{1,39}$/.test(field))) {
    return misuse("schedule", "The time is five cron fields: minute, hour, day, month, weekday.");
  }
  const command = afterWords(rest, CRON_FIELDS);
  const inner = split(command);
  // A schedule that makes schedules would never end (nor would reading one, as fast).
  const reading = inner.word === "schedule" ? null : read(inner.word, inner.rest);
  if (reading === null || !("name" in reading)) {
    return misuse("schedule", "After the time comes a command, as one would write it.");
  }
  return { name: "schedule", args: { mode: "add", cron: cron.join(" "), command } };
}
