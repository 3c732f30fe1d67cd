import { guardedPaths, riskOfChange } from "#core/guards.ts";
import type { TaskSpec } from "#core/task.ts";
import { dollars } from "#core/prices.ts";
import { type Change, fenced, oneLine } from "./change.ts";

const MAX_TITLE = 72;

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
    "## Change",
    "",
    change.simulated ? "One file that says what would have been done." : withoutMentions(change.summary),
    "",
    ...paths.map((path) => `- \`${path}\``),
    "",
    ...(guarded.length > 0
      ? [
          "**Guarded files**: a person has to approve these.",
          "",
          ...guarded.map(({ path, reason }) => `- \`${path}\`: ${reason}`),
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
  ].join("\n");
}

/** The model's words may name people and issues; saying so in a pull request must not call or close them. */
const withoutMentions = (summary: string): string =>
  summary.replaceAll(/@(?=[\w-])/g, "@\u200B").replaceAll(/#(?=\d)/g, "#\u200B");

/** A name is whatever someone typed: as code it can neither mention anyone nor be markup. */
const fencedName = (name: string): string => `\`${oneLine(name, 80).replaceAll("`", "'")}\``;
