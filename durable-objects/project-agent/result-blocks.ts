import { dollars } from "#core/prices.ts";
import { type Block, fields, link, text } from "#core/response.ts";
import type { TaskResult } from "#core/task.ts";

/** What a task says when it ends, in the conversation it came from. */
export function resultBlocks(taskId: string, result: TaskResult, costUsd: number): Block[] {
  const cost = costUsd > 0 ? { Cost: dollars(costUsd) } : {};
  switch (result.outcome) {
    case "failed":
      return [text(`✗ ${taskId} failed. ${result.reason}`), ...(costUsd > 0 ? [fields(cost)] : [])];
    case "answered":
      return [text(result.answer), fields({ Task: `${taskId}, no change was made`, ...cost })];
    case "completed":
      return [
        text(`✓ ${result.simulated ? "Simulated: " : ""}${result.summary}`),
        fields({
          "Pull request": `#${result.pullRequest.number} on ${result.pullRequest.branch}`,
          Files: result.files.join(", "),
          Risk: result.risk,
          Task: taskId,
          ...cost,
        }),
        link(result.pullRequest.url, "See it"),
      ];
  }
}
