import { Role } from "./permissions.ts";
import { misuse, type Reader, shown, unquoted, wordsOf } from "./command-reading.ts";
import { firstWords } from "./command-text.ts";

const MOST_NAME_WORDS = 5;
const LONGEST_NAME = 80;
const LONGEST_PERSON = 200;

/** People are named as the platform writes them: `@anna`, `<@U123>`, a name, or a name in quotation marks. */
const pointsAtSomeone = (word: string | undefined): boolean => word !== undefined && /^[@<"'`“„‘«]/.test(word);

/** The person without quotation marks, or null when it is too long or nothing. */
function personIn(words: readonly string[]): string | null {
  const written = words.join(" ");
  const person = unquoted(written) ?? written;
  return person === "" || person.length > LONGEST_PERSON ? null : person;
}

export const permissions: Reader = (rest) => {
  const words = wordsOf(rest, MOST_NAME_WORDS, true);
  if (words === null) return null;
  if (words.length === 0) return { name: "permissions", args: { person: null } };
  // Several words are a person only if they say so; “permissions are broken” is talk.
  if (words.length > 1 && !pointsAtSomeone(words[0])) return null;
  const person = personIn(words);
  return person === null ? misuse("permissions", "Whose permissions?") : { name: "permissions", args: { person } };
};

const ROLE_SPELLINGS: Readonly<Record<string, Role>> = {
  "emergency-admin": "emergency_admin",
  readonly: "read-only",
  read_only: "read-only",
};

function roleOf(word: string): Role | null {
  const lowered = word.toLowerCase();
  if (Object.hasOwn(ROLE_SPELLINGS, lowered)) return ROLE_SPELLINGS[lowered] ?? null;
  return Role.options.find((role) => role === lowered) ?? null;
}

export const role: Reader = (rest) => {
  const words = wordsOf(rest, MOST_NAME_WORDS + 1, false);
  if (words === null) return null;
  if (words.length < 2) return misuse("role", "A person and a role are needed.");
  const last = words.at(-1) ?? "";
  const person = personIn(words.slice(0, -1));
  const given = roleOf(last);
  if (given !== null) return person === null ? misuse("role", "Who?") : { name: "role", args: { person, role: given } };
  const meansSomeone = words.length === 2 || pointsAtSomeone(words[0]);
  return meansSomeone ? misuse("role", `“${shown(last)}” is not a role: ${Role.options.join(", ")}.`) : null;
};

export const register: Reader = (rest) => {
  const words = firstWords(rest, MOST_NAME_WORDS + 1);
  if (words.length > MOST_NAME_WORDS || rest.includes("\n")) return null;
  if (words.length === 0) return misuse("register", "Which name?");
  const written = words.join(" ");
  const name = unquoted(written) ?? written;
  if (name.length > LONGEST_NAME) return misuse("register", `A name has at most ${LONGEST_NAME} characters.`);
  if (!/[\p{L}\p{N}]/u.test(name)) return misuse("register", "A name has letters in it.");
  return { name: "register", args: { name } };
};
