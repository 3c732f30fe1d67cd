import type { Completion, ModelMessage } from "#clients/model-types.ts";
import { InvalidInputError } from "#core/errors.ts";
import type { EdgeSetup } from "./edge.ts";
import { continuationOf, joinContinuation } from "./prompt-continuation.ts";
import { taskSystem } from "./prompt-system.ts";
import { type Failed, LONG_WORK, type Staged } from "./stages.ts";

const MAX_OUTPUT_TOKENS = 16_000;
/** How often an answer that is too long for one call is continued. */
const MAX_CONTINUATIONS = 4;

/**
 * One answer, put together from as many calls as its length takes. Each call is a stage of its own, so that none is paid for again when
 * a later one fails. `messages` reads what the conversation begins with: the same at each call.
 */
export async function converse(
  { asker, models, stages }: EdgeSetup,
  call: string,
  progress: string,
  messages: () => Promise<ModelMessage[]>,
): Promise<Staged<string>> {
  let kept = "";
  let following: ModelMessage[] = [];
  for (let part = 1; part <= 1 + MAX_CONTINUATIONS; part += 1) {
    const name = part === 1 ? call : `${call}, part ${part}`;
    const next = following;
    const asked = await stages.run(
      name,
      part === 1 ? progress : `the answer is long: asking for part ${part}`,
      async (tools) => {
        const request = {
          model: models.task,
          system: taskSystem(),
          messages: [...(await messages()), ...next],
          maxTokens: MAX_OUTPUT_TOKENS,
        };
        const answer = await asker.complete(name, name, request, tools);
        refuseUseless(answer);
        return { text: answer.text, isCut: answer.stopReason === "max_tokens" };
      },
      LONG_WORK,
    );
    if (asked.status !== "done") return asked;
    const text = part === 1 ? asked.value.text : joinContinuation(kept, asked.value.text);
    if (!asked.value.isCut) return { status: "done", value: text };
    ({ kept, messages: following } = continuationOf(text));
  }
  return failed("The model's answer does not come to an end, and nothing was changed. Ask for less at a time.");
}

export const failed = (reason: string): Failed => ({ status: "failed", reason, retryable: false, retryAfterMs: null });

function refuseUseless({ stopReason, refusal }: Completion): void {
  if (stopReason === "refusal") {
    const why = refusal?.trim() ? ` It says: ${refusal.trim()}` : "";
    throw new InvalidInputError(`The model declined this task, so nothing was changed.${why}`);
  }
  if (stopReason === "model_context_window_exceeded")
    throw new InvalidInputError("This is more than the model can hold at once. Ask for less at a time.");
}
