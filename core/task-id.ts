import { type infer as Infer, string } from "zod";
import { InvalidInputError } from "./errors.ts";

/** Lower-case letters and digits that nobody confuses when reading aloud: no 0, o, 1, l, i. */
export const UNAMBIGUOUS_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz";

const LENGTH = 8;
const CHARACTERS = `[2-9a-hjkmnp-z]{${LENGTH}}`;

export const TaskId = string().regex(new RegExp(`^task-${CHARACTERS}$`), "a task id looks like task-7k2m9qxw");
export type TaskId = Infer<typeof TaskId>;

/** The prefixes of approval tokens: deploy, rollback, cascade, suggestion, task, plan, merge, configuration, kill switch. */
export const APPROVAL_PREFIXES = ["dp", "rb", "cd", "sg", "tk", "pl", "mg", "cf", "kl"] as const;
export type ApprovalPrefix = (typeof APPROVAL_PREFIXES)[number];

export const ApprovalToken = string().regex(
  new RegExp(`^(?:${APPROVAL_PREFIXES.join("|")})-${CHARACTERS}$`),
  "an approval token looks like dp-7k2m9qxw",
);
export type ApprovalToken = Infer<typeof ApprovalToken>;

/**
 * 8 characters of the alphabet from at least 8 random bytes. The bytes are read as one number, so every character
 * is equally likely but for a remainder of at most 31⁸ ÷ 256⁸ < 0.000 000 1; taking each byte modulo 31 would
 * make the first eight characters an eighth likelier than the others.
 */
function charactersFrom(random: Uint8Array): string {
  if (random.length < LENGTH) throw new InvalidInputError(`An id needs ${LENGTH} random bytes, got ${random.length}.`);
  let rest = 0n;
  for (const byte of random.subarray(0, 2 * LENGTH)) rest = (rest << 8n) | BigInt(byte);
  let characters = "";
  const base = BigInt(UNAMBIGUOUS_ALPHABET.length);
  for (let index = 0; index < LENGTH; index += 1) {
    characters += UNAMBIGUOUS_ALPHABET.charAt(Number(rest % base));
    rest /= base;
  }
  return characters;
}

/** A task id from at least 8 random bytes. Throws InvalidInputError on fewer. */
export const taskIdFrom = (random: Uint8Array): TaskId => `task-${charactersFrom(random)}`;

/** An approval token from at least 8 random bytes. Throws InvalidInputError on fewer. */
export const approvalTokenFrom = (prefix: ApprovalPrefix, random: Uint8Array): ApprovalToken =>
  `${prefix}-${charactersFrom(random)}`;
