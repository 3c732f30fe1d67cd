import type { StateFolder } from "./state-folder.ts";

const FILE = "history";
export const HISTORY_SIZE = 500;

// One-time codes open doors while they are fresh: they are not kept.
const holdsCode = (line: string): boolean => /^\s*(?:@?codespar\s+)?(?:claim|link-me)\s+\S/i.test(line);

/** Lines typed before, newest first. */
export const loadHistory = (folder: StateFolder): string[] =>
  (folder.readText(FILE) ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .slice(0, HISTORY_SIZE);

export const saveHistory = (folder: StateFolder, history: readonly string[]): void =>
  folder.writeText(
    FILE,
    history
      .filter((line) => !holdsCode(line))
      .slice(0, HISTORY_SIZE)
      .map((line) => `${line}\n`)
      .join(""),
  );
