import { EnvironmentName } from "./command.ts";
import { commandEntry } from "./command-table.ts";
import { misuse, pullRequestNumber, type Reader, type Reading, shown, wordsOf } from "./command-reading.ts";
import { afterWords, firstWords } from "./command-text.ts";
import { ApprovalToken } from "./task-id.ts";

/** A pull request is `12`, `#12`, `PR 12`, `PR #12` or `PR#12`. */
function pullRequest(
  name: "merge" | "review",
  rest: string,
  mostExtra: number,
): { number: number; extra: string[] } | Reading {
  const words = wordsOf(rest, 4, commandEntry(name).risk === "low");
  if (words === null) return null;
  const first = words[0]?.toLowerCase();
  if (first === undefined) return misuse(name, "Which pull request?");
  const apart = first === "pr";
  const extra = words.slice(apart ? 2 : 1);
  if (extra.length > mostExtra) return null;
  const written = apart ? (words[1] ?? "") : first.startsWith("pr#") ? first.slice(2) : first;
  const number = pullRequestNumber(written);
  if (number !== null) return { number, extra };
  const meansOne = apart || words.length === 1 || /^(?:pr)?[#\d]/.test(first);
  return meansOne
    ? misuse(name, written === "" ? "Which pull request?" : `“${shown(written)}” is not the number of a pull request.`)
    : null;
}

export const review: Reader = (rest) => {
  const read = pullRequest("review", rest, 0);
  return read !== null && "number" in read ? { name: "review", args: { number: read.number } } : read;
};

const METHODS = ["merge", "squash", "rebase"] as const;

export const merge: Reader = (rest) => {
  const read = pullRequest("merge", rest, 1);
  if (read === null || !("number" in read)) return read;
  const written = read.extra[0]?.toLowerCase() ?? "merge";
  const method = METHODS.find((known) => known === written);
  if (method === undefined)
    return misuse(
      "merge",
      `“${shown(written)}” is not a way to merge: squash or rebase, or nothing for a merge commit.`,
    );
  return { name: "merge", args: { number: read.number, method } };
};

const MOST_STEPS = 20;

export const deploy: Reader = (rest) => {
  const words = wordsOf(rest.slice(0, 2000).toLowerCase(), 2 * MOST_STEPS - 1, false);
  if (words === null || rest.length > 2000) return null;
  if (words.length === 0) return misuse("deploy", "Where to?");
  const isCascade = words[1] === "then";
  if (words.length > 1 && !isCascade) return null;
  const steps = words.filter((_, index) => index % 2 === 0);
  const thens = words.filter((_, index) => index % 2 === 1);
  if (isCascade && (words.length % 2 === 0 || thens.some((word) => word !== "then"))) {
    return misuse("deploy", "Steps are single words with “then” between them.");
  }
  const wrong = steps.find((step) => !EnvironmentName.safeParse(step).success);
  if (wrong !== undefined) return misuse("deploy", `“${shown(wrong)}” is not the name of an environment.`);
  const [environment = ""] = steps;
  return { name: "deploy", args: isCascade ? { mode: "cascade", steps } : { mode: "single", environment } };
};

export const rollback: Reader = (rest) => {
  const words = wordsOf(rest, 1, false);
  if (words === null) return null;
  if (words[0] === undefined) return misuse("rollback", "Which environment?");
  const environment = EnvironmentName.safeParse(words[0].toLowerCase());
  if (!environment.success) return misuse("rollback", `“${shown(words[0])}” is not the name of an environment.`);
  return { name: "rollback", args: { environment: environment.data } };
};

const notAToken = (word: string): string => `“${shown(word)}” is not an approval token, like dp-7k2m9qxw.`;

export const approve: Reader = (rest) => {
  const words = wordsOf(rest, 1, false);
  if (words === null) return null;
  if (words[0] === undefined) return { name: "approve", args: { token: null } };
  const token = ApprovalToken.safeParse(words[0].toLowerCase());
  return token.success ? { name: "approve", args: { token: token.data } } : misuse("approve", notAToken(words[0]));
};

/** A reason only after a token: “reject the idea that …” in a thread is talk and must not count as a vote. */
export const reject: Reader = (rest) => {
  const [first] = firstWords(rest, 1);
  if (first === undefined || wordsOf(rest, 0, false) !== null)
    return { name: "reject", args: { token: null, reason: null } };
  const isAlone = first.length === rest.length;
  const token = ApprovalToken.safeParse((isAlone ? (wordsOf(first, 1, false)?.[0] ?? "") : first).toLowerCase());
  if (token.success)
    return { name: "reject", args: { token: token.data, reason: isAlone ? null : afterWords(rest, 1) } };
  return isAlone || /^[a-z]{2}-\S*\d/i.test(first.slice(0, 40)) ? misuse("reject", notAToken(first)) : null;
};
