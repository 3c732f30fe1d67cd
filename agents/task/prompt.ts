import type { ModelImage, ModelMessage } from "#clients/model-types.ts";
import type { EditProblem } from "#core/edits-apply.ts";
import type { ReplyProblem } from "#core/edits.ts";
import {
  cachedBlock,
  delimited,
  delimitedFile,
  delimitedMessages,
  type Said,
  type ShownFile,
  textBlock,
} from "./prompt-parts.ts";

/** What a task has changed already, before a follow-up. `summary` is what the model said of it. */
type Previous = { summary: string; paths: readonly string[] };

export type TaskPrompt = {
  /** Random letters and digits, new for each task, told to nobody. */
  boundary: string;
  instruction: string;
  /** `owner/name`. */
  repository: string;
  /** The file tree as treeForPrompt gives it. */
  tree: string;
  files: readonly ShownFile[];
  pictures: readonly ModelImage[];
  /** What was said in the thread since: follow-ups, and what steers the task. */
  said: readonly Said[];
  /** Null for a new task; else `files` are as the task's branch has them. */
  previous: Previous | null;
};

/**
 * The message a Task agent starts with: repository and files first, kept for further calls of the same task (repair, continuation,
 * a steer, a follow-up), then pictures and the task itself, which may differ between them.
 */
export function taskMessage(task: TaskPrompt): ModelMessage {
  const { boundary, files, previous, said } = task;
  const material = [
    `The repository is ${task.repository}. Its file tree:`,
    delimited("tree", boundary, task.tree),
    files.length > 0 ? "Its files that may matter:" : "None of its files is shown: none seemed to matter.",
    ...files.map((file) => delimitedFile(boundary, file)),
  ];
  const asked = [
    ...(task.pictures.length > 0 ? ["The pictures above belong to the task."] : []),
    delimited("task", boundary, task.instruction),
    ...(previous === null
      ? []
      : [
          "You have worked on this task before, and the files above are as you left them. What you said then, and the files you changed:",
          delimited(
            "change",
            boundary,
            [previous.summary, "", ...previous.paths.map((path) => `- ${path}`)].join("\n"),
          ),
        ]),
    ...(said.length === 0 ? [] : ["Since then people of the team said:", delimitedMessages(boundary, said)]),
    previous === null ? "Now do the task." : "Now do what they ask for, on top of what you changed before.",
  ];
  return {
    role: "user",
    content: [cachedBlock(material.join("\n\n")), ...task.pictures, textBlock(asked.join("\n\n"))],
  };
}

/** For a task without a repository. */
export function answerMessage(task: Pick<TaskPrompt, "boundary" | "instruction" | "pictures" | "said">): ModelMessage {
  const parts = [
    delimited("task", task.boundary, task.instruction),
    ...(task.said.length === 0 ? [] : ["Since then:", delimitedMessages(task.boundary, task.said)]),
  ];
  return { role: "user", content: [...task.pictures, textBlock(parts.join("\n\n"))] };
}

/** What people said while the model was working: its answer so far is given up, and it begins again with this. */
export const steeringMessage = (boundary: string, said: readonly Said[]): ModelMessage => ({
  role: "user",
  content: [
    textBlock(
      [
        "While you were working, people of the team said:",
        delimitedMessages(boundary, said),
        "Take it into account. Give the whole answer again, from its beginning.",
      ].join("\n\n"),
    ),
  ],
});

export type Repair = {
  boundary: string;
  replyProblems: readonly ReplyProblem[];
  editProblems: readonly EditProblem[];
  /** Whether the answer ended inside a block. */
  incomplete: boolean;
  /** Files that were not shown yet, and turned out to be needed. */
  files: readonly ShownFile[];
};

/** Longer lists than this show the model nothing new. */
const MAX_PROBLEMS = 20;

/** Asks for the blocks that could not be applied once more, with all that is wrong with them. The others are kept (withRepairs). */
export function repairMessage({ boundary, replyProblems, editProblems, incomplete, files }: Repair): ModelMessage {
  const problems = [
    ...(incomplete ? ["Your answer ends inside a block, which has no ===END=== line."] : []),
    ...replyProblems.map((problem) => replyProblemText(boundary, problem)),
    ...editProblems.map((problem) => editProblemText(boundary, problem)),
  ];
  const left = problems.length - MAX_PROBLEMS;
  const text = [
    "Your answer could not be applied, and nothing has been changed yet:",
    ...problems.slice(0, MAX_PROBLEMS).map((problem, index) => `${index + 1}. ${problem}`),
    ...(left > 0 ? [`And ${left} more like these.`] : []),
    ...(files.length === 0
      ? []
      : ["These files were not shown before:", ...files.map((file) => delimitedFile(boundary, file))]),
    `Send the blocks of these files once more, each of them complete with all its edits, against the files as they were shown at the \
beginning. Blocks of other files are kept as you sent them: do not repeat them. No text besides blocks.`,
  ];
  return { role: "user", content: [textBlock(text.join("\n\n"))] };
}

function replyProblemText(boundary: string, { path, message, excerpt }: ReplyProblem): string {
  const where = path === null ? "" : `${JSON.stringify(path)}: `;
  return `${where}${message}${excerpt === "" ? "" : `\n${delimited("excerpt", boundary, excerpt)}`}`;
}

function editProblemText(boundary: string, { path, message, search, nearest }: EditProblem): string {
  return [
    `${JSON.stringify(path)}: ${message}`,
    ...(search === null || search === "" ? [] : [`Searched for:\n${delimited("excerpt", boundary, search)}`]),
    ...(nearest === null
      ? []
      : [`The file has at line ${nearest.line}:\n${delimited("excerpt", boundary, nearest.text)}`]),
  ].join("\n");
}
