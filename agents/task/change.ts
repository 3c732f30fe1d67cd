import { keywordsOf, rankPaths } from "#core/file-ranking.ts";
import type { TaskSpec } from "#core/task.ts";

/** What a task does to the repository: whole files, text only; null deletes one. */
export type Change = {
  summary: string;
  files: { path: string; content: string | null; mode?: "100644" | "100755" }[];
  simulated: boolean;
  /** US dollars that models cost for it. */
  costUsd: number;
};

const MAX_FILES_READ = 5;

/**
 * The marked stand-in that a task without a model makes: one file that says what would have been done
 * (design: product, "Simulation mode").
 */
export function simulatedChange(spec: TaskSpec, tree: { paths: string[]; truncated: boolean }): Change {
  const candidates = rankPaths(tree.paths, spec.instruction, MAX_FILES_READ);
  const content = [
    `# Simulated: ${oneLine(spec.instruction, 100)}`,
    "",
    "No model is connected, so CodeSpar changed nothing but this file. It went through everything else: it read the",
    "repository, made this commit, and opened a pull request.",
    "",
    "## Asked for",
    "",
    fenced(spec.instruction),
    "",
    "## What would have been done",
    "",
    `- Look for: ${keywordsOf(spec.instruction).slice(0, 12).join(", ") || "nothing that names a file"}`,
    ...(candidates.length > 0
      ? candidates.map((path) => `- Read \`${path}\``)
      : ["- Read the repository: no path fits these words"]),
    "- Change what the task asks for, in one commit",
    ...(tree.truncated
      ? ["", `GitHub listed only the first ${tree.paths.length} files: the repository is larger than one listing.`]
      : []),
    "",
  ].join("\n");
  return {
    summary: `would ${oneLine(spec.kind === "instruct" ? spec.instruction : `${spec.kind} ${spec.instruction}`, 200)}`,
    files: [{ path: `.codespar/simulated/${spec.taskId}.md`, content }],
    simulated: true,
    costUsd: 0,
  };
}

/** The first line, cut at `length` characters. */
export function oneLine(value: string, length: number): string {
  const line = value.trim().split("\n", 1)[0]?.replaceAll(/\s+/g, " ") ?? "";
  const characters = Array.from(line);
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join("")}…`;
}

/** The text in a fence that nothing inside it can close: it stays text, mentions and markup included. */
export function fenced(value: string): string {
  const longest = Math.max(2, ...[...value.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${value}\n${fence}`;
}
