import { guardedPaths, riskOfChange } from "#core/guards.ts";
import type { TaskSpec } from "#core/task.ts";
import { dollars } from "#core/prices.ts";
import { type Change, fenced, oneLine } from "./change.ts";

const MAX_TITLE = 72;
/** GitHub takes a body of 65,536 characters. */
const MAX_SUMMARY = 8000;
const MAX_PATHS = 100;

/** The ways to name an issue that GitHub closes it by: `#12`, `owner/name#12`, `GH-12`, and its address. */
const ISSUE = /(?<before>\w?)(?:#|\bgh-|\/(?:issues|pull)\/)(?=\d)/gi;

/** “fix #12” in a title closes issue 12 when it is merged: not when nothing was fixed. */
const marked = (change: Change, title: string): string =>
  change.simulated
    ? `[simulated] ${title.replaceAll(ISSUE, (_, before: string) => `${before}${before && " "}no. `)}`
    : title;

const withKind = (spec: TaskSpec): string =>
  spec.kind === "instruct" ? spec.instruction : `${spec.kind} ${spec.instruction}`;

export const pullRequestTitle = (spec: TaskSpec, change: Change): string =>
  oneLine(marked(change, withKind(spec)), MAX_TITLE);

/** The commit's message: what was asked, by whom, in which task. */
export function commitMessage(spec: TaskSpec, change: Change): string {
  const { name, githubLogin } = spec.requestedBy;
  return [
    pullRequestTitle(spec, change),
    "",
    `Asked for by ${oneLine(name, 80)} with CodeSpar, ${spec.taskId}.`,
    ...(githubLogin ? ["", `Co-authored-by: ${githubLogin} <${githubLogin}@users.noreply.github.com>`] : []),
    "",
  ].join("\n");
}

/** Everything a reviewer wants to know, and who asked (design: product, "Task agent"). */
export function pullRequestBody(spec: TaskSpec, change: Change): string {
  const paths = change.files.map(({ path }) => path);
  const guarded = guardedPaths(paths);
  return [
    ...(change.simulated
      ? ["**Simulated.** No model is connected: the change is a stand-in that says what would have been done.", ""]
      : []),
    "## Task",
    "",
    fenced(withKind(spec)),
    "",
    `Asked for by ${fencedName(spec.requestedBy.name)} on ${spec.requestedAt.slice(0, 10)}.`,
    "",
    ...(guarded.length > 0
      ? [
          "**Guarded files**: a person has to approve these.",
          "",
          ...guarded.slice(0, MAX_PATHS).map(({ path, reason }) => `- ${inCode(path)}: ${reason}`),
          "",
        ]
      : []),
    "## Facts",
    "",
    `- Risk: ${riskOfChange(paths)}`,
    `- Checked with: ${change.simulated ? "nothing was run, the change is simulated" : "nothing was run"}`,
    `- Cost: ${change.simulated ? "$0.00, no model was called" : dollars(change.costUsd)}`,
    `- Task: ${spec.taskId}`,
    `- Audit: ${spec.auditReference}`,
    "",
    "## Change",
    "",
    change.simulated ? "One file that says what would have been done." : fenced(cut(change.summary)),
    "",
    ...paths.slice(0, MAX_PATHS).map((path) => `- ${inCode(path)}`),
    ...(paths.length > MAX_PATHS ? [`- and ${paths.length - MAX_PATHS} more`] : []),
    "",
  ].join("\n");
}

/** The model's words, and the names of files, are not ours: as code they can neither mention, close nor hide anything. */
const cut = (summary: string): string => (summary.length > MAX_SUMMARY ? `${summary.slice(0, MAX_SUMMARY)}…` : summary);

function inCode(path: string): string {
  const longest = Math.max(0, ...[...path.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return longest === 0 ? `${ticks}${path}${ticks}` : `${ticks} ${path} ${ticks}`;
}

/** A name is whatever someone typed: as code it can neither mention anyone nor be markup. */
const fencedName = (name: string): string => `\`${oneLine(name, 80).replaceAll("`", "'")}\``;
