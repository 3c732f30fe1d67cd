import { Alias, type Command, type CommandName } from "./command.ts";
import { commandEntry, COMMANDS } from "./command-table.ts";
import { countUpTo, misuse, shown, type Reader, type Reading, unquoted, wordsOf } from "./command-reading.ts";
import { afterWords, firstWords } from "./command-text.ts";
import type { AutonomyLevel } from "./permissions.ts";
import { parseRepositoryAddress } from "./repository-address.ts";
import { TaskId } from "./task-id.ts";

/** Every word that begins a command, with the command it stands for. */
const NAMES: ReadonlyMap<string, CommandName> = new Map(
  COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases].map((word) => [word, name] as const)),
);

type Bare = "agents" | "context" | "usage" | "whoami" | "unlink" | "kill" | "resume";
export const bare =
  (name: Bare): Reader =>
  (rest) =>
    wordsOf(rest, 0, commandEntry(name).risk === "low") === null ? null : { name, args: {} };

/** A command that takes all the rest as it stands; `build` puts it where it belongs. */
export const freeText =
  (name: CommandName, missing: string, build: (text: string) => Command): Reader =>
  (rest) =>
    rest === "" ? misuse(name, missing) : build(rest);

export const help: Reader = (rest) => {
  const words = wordsOf(rest, 2, true);
  if (words === null) return null;
  if (words.length === 0) return { name: "help", args: { command: null } };
  const command = NAMES.get(words.join(" ").toLowerCase());
  if (command !== undefined) return { name: "help", args: { command } };
  return words.length === 1 ? misuse("help", `There is no command “${shown(words[0])}”.`) : null;
};

export const status: Reader = (rest) =>
  choose("status", rest, { "": "project", build: "build", agent: "agent", all: "all" }, (scope) => ({
    name: "status",
    args: { scope },
  }));

/** `all status` is the other way round to ask for `status all`. */
export const all: Reader = (rest) => {
  const words = wordsOf(rest, 1, true);
  return words?.[0]?.toLowerCase() === "status" ? { name: "status", args: { scope: "all" } } : null;
};

export const prs: Reader = (rest) =>
  choose("prs", rest, { "": "open", open: "open", closed: "closed", all: "all" }, (state) => ({
    name: "prs",
    args: { state },
  }));

const DEFAULT_COUNT = 20;
const MOST_LINES = 200;

export const logs: Reader = (rest) => readCount("logs", rest, (count) => ({ name: "logs", args: { count } }));

export const audit: Reader = (rest) =>
  wordsOf(rest, 1, true)?.[0]?.toLowerCase() === "verify"
    ? { name: "audit", args: { mode: "verify" } }
    : readCount("audit", rest, (count) => ({ name: "audit", args: { mode: "list", count } }));

function readCount(name: CommandName, rest: string, build: (count: number) => Command): Reading {
  const words = wordsOf(rest, 1, true);
  if (words === null) return null;
  const count = words[0] === undefined ? DEFAULT_COUNT : countUpTo(words[0], MOST_LINES);
  return count === null ? misuse(name, `“${shown(words[0])}” is not a number from 1 to ${MOST_LINES}.`) : build(count);
}

function choose<Value extends string>(
  name: CommandName,
  rest: string,
  values: Readonly<Record<string, Value>>,
  build: (value: Value) => Command,
): Reading {
  const words = wordsOf(rest, 1, true);
  if (words === null) return null;
  const word = words[0]?.toLowerCase() ?? "";
  const value = Object.hasOwn(values, word) ? values[word] : undefined;
  if (value !== undefined) return build(value);
  const known = Object.keys(values).filter((key) => key !== "");
  return misuse(name, `“${shown(word)}” is not one of ${known.join(", ")}.`);
}

/** `config`, `config set <key> <value>`: a value of several words stands in quotation marks, so that talk is not taken for one. */
export const config: Reader = (rest) => {
  const words = firstWords(rest, 4);
  if (words[0]?.toLowerCase() !== "set") {
    const others = wordsOf(rest, 1, true);
    if (others === null) return null;
    return others.length === 0
      ? { name: "config", args: {} }
      : misuse("config", `\`config\` has nothing called “${shown(others[0])}”.`);
  }
  const [, key, value] = words;
  if (key === undefined || value === undefined) return misuse("config set", "A key and a value are needed.");
  const quoted = unquoted(afterWords(rest, 2));
  if (words.length > 3 && quoted === null) return null;
  if (!/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(key))
    return misuse("config set", `“${shown(key)}” is not the name of a setting.`);
  return { name: "config set", args: { key, value: quoted ?? value } };
};

export const runners: Reader = (rest) => {
  const words = wordsOf(rest, 2, true);
  if (words === null) return null;
  const [first, runner] = words;
  if (first === undefined) return { name: "runners", args: {} };
  if (first.toLowerCase() !== "revoke")
    return words.length === 1 ? misuse("runners", `\`runners\` has nothing called “${shown(first)}”.`) : null;
  if (runner === undefined) return misuse("runners revoke", "Which runner?");
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(runner))
    return misuse("runners revoke", `“${shown(runner)}” is not the name of a runner.`);
  return { name: "runners revoke", args: { runner } };
};

const CODE = /^[A-Za-z0-9_-]{4,128}$/;

export const claim: Reader = (rest) => {
  const words = wordsOf(rest, 1, false);
  if (words === null) return null;
  const [code] = words;
  if (code === undefined) return misuse("claim", "The code is missing. Setup prints it.");
  return CODE.test(code) ? { name: "claim", args: { code } } : misuse("claim", "That does not look like a code.");
};

export const linkMe: Reader = (rest) => {
  const words = wordsOf(rest, 1, false);
  if (words === null) return null;
  const code = words[0] ?? null;
  return code === null || CODE.test(code)
    ? { name: "link-me", args: { code } }
    : misuse("link-me", "That does not look like a code.");
};

export const stop: Reader = (rest) => {
  const words = wordsOf(rest, 1, false);
  if (words === null) return null;
  if (words[0] === undefined) return { name: "stop", args: { taskId: null } };
  const taskId = TaskId.safeParse(words[0].toLowerCase());
  return taskId.success
    ? { name: "stop", args: { taskId: taskId.data } }
    : misuse("stop", `“${shown(words[0])}” is not a task, like task-7k2m9qxw.`);
};

const SPEC_MODES = ["design", "tasks", "status"] as const;

export const spec: Reader = (rest) => {
  const mode = SPEC_MODES.find((known) => rest.length < 10 && known === rest.toLowerCase());
  if (mode !== undefined) return { name: "spec", args: { mode } };
  return rest === ""
    ? misuse("spec", "What should be specified?")
    : { name: "spec", args: { mode: "new", feature: rest } };
};

const LEVELS: readonly AutonomyLevel[] = [0, 1, 2, 3, 4, 5];

export const autonomy: Reader = (rest) => {
  const words = wordsOf(rest, 1, false);
  if (words === null) return null;
  const [word] = words;
  if (word === undefined) return misuse("autonomy", "Which level, L0 to L5?");
  const level = /^l?[0-5]$/i.test(word) ? LEVELS[Number(word.slice(-1))] : undefined;
  return level === undefined
    ? misuse("autonomy", `“${shown(word)}” is not a level from L0 to L5.`)
    : { name: "autonomy", args: { level } };
};

export const link: Reader = (rest) => {
  const words = wordsOf(rest, 1, false);
  if (words === null) return null;
  if (words[0] === undefined) return misuse("link", "Which repository?");
  const args = parseRepositoryAddress(words[0]);
  return args === null ? misuse("link", `“${shown(words[0])}” is not a repository.`) : { name: "link", args };
};

export const alias: Reader = (rest) => {
  const words = wordsOf(rest, 2, false);
  if (words === null) return null;
  const [name, repository] = words;
  if (name === undefined || repository === undefined)
    return misuse("alias", "A short name and a repository are needed.");
  const short = name.toLowerCase();
  if (!Alias.safeParse(short).success)
    return misuse("alias", `“${shown(name)}” cannot be a short name: letters, digits and dashes.`);
  if (short === "all" || NAMES.has(short)) return misuse("alias", `“${shown(name)}” is the name of a command already.`);
  const address = parseRepositoryAddress(repository);
  if (address === null) return misuse("alias", `“${shown(repository)}” is not a repository.`);
  return { name: "alias", args: { alias: short, owner: address.owner, name: address.name } };
};
