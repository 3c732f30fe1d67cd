import { conversationKey } from "#core/message.ts";
import { text } from "#core/response.ts";
import { taskIdFrom } from "#core/task-id.ts";
import { targetOf } from "#core/delivery.ts";
import type { TaskSpec } from "#core/task.ts";
import { type Answer, type Context, done, notDone } from "./handler.ts";

/** A task's text goes into a commit, a pull request and a model's prompt: a description, not an attachment. */
const MAX_INSTRUCTION = 20_000;

/** Records the task in the transaction of its decision. Its Workflow is created afterwards. */
export function startTask(kind: TaskSpec["kind"], instruction: string, context: Context): Answer {
  const { organisation, project, message, standing, audit, tasks, replyId, decisionSequence, now, mode } = context;
  if (instruction.length > MAX_INSTRUCTION) {
    return notDone(
      text(
        `That is ${instruction.length.toLocaleString("en")} characters; a task takes up to ${MAX_INSTRUCTION.toLocaleString("en")}. ` +
          "Put the details into a file of the repository and name it in the task.",
      ),
    );
  }
  const taskId = taskIdFrom(crypto.getRandomValues(new Uint8Array(16)));
  const spec: TaskSpec = {
    taskId,
    organisation,
    project: project.name,
    kind,
    instruction,
    repository: project.repository,
    requestedBy: { identity: standing.identity, name: standing.name, githubLogin: null },
    requestedAt: new Date(Math.floor(now() / 1000) * 1000).toISOString(),
    mode,
    auditReference: `${audit.chain}, entry ${decisionSequence}`,
  };
  tasks.add(spec, { replyId, inReplyTo: message.id, target: targetOf(message), decisionSequence });
  return null;
}

/** Ends a task. Without an id: the one unfinished task of this conversation, or else of the project. */
export function stop(taskId: string | null, { tasks, message, standing, stopTask }: Context): Answer {
  const unfinished = tasks.unfinished();
  if (taskId !== null) {
    const task = tasks.find(taskId);
    if (!task) return notDone(text(`There is no ${taskId} in this project. \`agents\` lists what runs.`));
    if (task.status === "ended") return notDone(text(`${taskId} has ended already: ${task.outcome}.`));
  }
  const { thread } = message.conversation;
  const here = conversationKey(message.channel, message.conversation);
  const ofHere = unfinished.filter(({ target }) => conversationKey(target.channel, target.conversation) === here);
  const ofThread = ofHere.filter(({ target }) => target.conversation.thread === thread);
  // In a thread `stop` means what was begun there, and nothing else.
  const meant = thread !== null ? ofThread : ofHere.length > 0 ? ofHere : unfinished;
  const candidates = taskId !== null ? unfinished.filter(({ id }) => id === taskId) : meant;
  const [task] = candidates;
  if (!task) {
    const elsewhere = unfinished.map(({ id }) => `\`stop ${id}\``).join(", ");
    return notDone(text(`Nothing is running here.${elsewhere === "" ? "" : ` Elsewhere: ${elsewhere}.`}`));
  }
  if (candidates.length > 1) {
    return notDone(text(`Which one? ${candidates.map(({ id }) => `\`stop ${id}\``).join(", ")}`));
  }
  const left =
    task.status === "queued"
      ? "It had not begun."
      : `What it was just writing may still appear on GitHub, as branch codespar/${task.id} or its pull request; nothing comes after that.`;
  stopTask(task.id, [text(`■ ${task.id} was stopped by ${standing.name}. ${left}`)]);
  return done(text(`Stopped ${task.id}.`));
}
