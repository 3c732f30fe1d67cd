import type { GitHub } from "#clients/github.ts";
import type { ModelNames } from "#clients/model-env.ts";
import type { ModelMessage } from "#clients/model-types.ts";
import type { EditedFile, EditProblem } from "#core/edits-apply.ts";
import { type ParsedReply, parseReply } from "#core/edits.ts";
import { repositoryFullName, type TaskSpec } from "#core/task.ts";
import type { Asker } from "./asker.ts";
import { oneLine } from "./change.ts";
import { converse, failed } from "./converse.ts";
import { apply, mended, unseenPaths } from "./edge-apply.ts";
import { pick, type Picked, shown } from "./edge-files.ts";
import { repairMessage, taskMessage } from "./prompt.ts";
import type { Failed, Staged, Stages } from "./stages.ts";

export type EdgeSetup = {
  spec: TaskSpec;
  base: { commitSha: string; treeSha: string };
  stages: Stages;
  github: GitHub;
  asker: Asker;
  models: ModelNames;
};

/** What the model made of a task: files to write, or just an answer. */
export type EdgeOutcome =
  | { kind: "changed"; summary: string; files: EditedFile[] }
  | { kind: "answered"; answer: string };

/**
 * Changes code through the GitHub API, without a machine: picks files, asks for edits, applies them exactly, and gives the model one turn
 * to repair what does not apply (design: product, "Task agent", edge way).
 */
export async function runEdge(setup: EdgeSetup): Promise<Staged<EdgeOutcome>> {
  const { stages } = setup;
  const picked = await pick(setup);
  if (picked.status !== "done") return picked;
  const { paths } = picked.value;
  const reading = paths.length === 0 ? "thinking" : `reading ${paths.join(", ")}`;
  const asked = await converse(setup, "ask", oneLine(reading, 300), async () => [
    await firstMessage(setup, picked.value),
  ]);
  if (asked.status !== "done") return asked;
  const first = parseReply(asked.value);
  const applied = await stages.run("apply", "applying the edits", () => apply(setup, paths, first));
  if (applied.status !== "done") return applied;
  if (applied.value.kind !== "broken") return { status: "done", value: applied.value };

  const { problems } = applied.value;
  const unseen = unseenPaths(problems, paths);
  const repaired = await converse(setup, "repair", "some edits do not fit: asking for them once more", () =>
    repairMessages(setup, picked.value, { reply: asked.value, first, problems, unseen }),
  );
  if (repaired.status !== "done") return repaired;
  const both = mended(first, problems, parseReply(repaired.value));
  if (!both.ok) return notFitting(setup, both.missing);
  const seen = [...paths, ...unseen];
  const again = await stages.run("apply the repair", "applying the repaired edits", () =>
    apply(setup, seen, both.reply),
  );
  if (again.status !== "done") return again;
  if (again.value.kind !== "broken") return { status: "done", value: again.value };
  return notFitting(setup, whatIsWrong(again.value.problems, both.reply));
}

function notFitting({ spec }: EdgeSetup, why: string): Failed {
  return failed(
    `The model's edits for “${oneLine(spec.instruction, 80)}” do not fit the files, also after a repair, so nothing was changed. ${why}`,
  );
}

function whatIsWrong([edit]: readonly EditProblem[], { problems: [unread] }: ParsedReply): string {
  if (edit) return `${edit.path}: ${edit.message}`;
  if (unread) return unread.path === null ? unread.message : `${unread.path}: ${unread.message}`;
  return "The answer ended in the middle of a file.";
}

async function firstMessage(setup: EdgeSetup, { boundary, paths, tree }: Picked): Promise<ModelMessage> {
  const { instruction, repository, kind } = setup.spec;
  return taskMessage({
    boundary,
    instruction: kind === "instruct" ? instruction : `${kind} ${instruction}`,
    repository: repositoryFullName(repository),
    tree,
    files: await shown(setup, paths),
    pictures: [],
    said: [],
    previous: null,
  });
}

type Broken = { reply: string; first: ParsedReply; problems: EditProblem[]; unseen: string[] };

async function repairMessages(
  setup: EdgeSetup,
  picked: Picked,
  { reply, first, problems, unseen }: Broken,
): Promise<ModelMessage[]> {
  return [
    await firstMessage(setup, picked),
    { role: "assistant", content: reply.trimEnd() },
    repairMessage({
      boundary: picked.boundary,
      replyProblems: first.problems,
      editProblems: problems,
      incomplete: first.incomplete,
      files: await shown(setup, unseen),
    }),
  ];
}
