import { auditAppendBench } from "./audit-append.ts";
import { bundleBench } from "./bundle.ts";
import { type Measure, coreBench } from "./core.ts";
import { editsBench } from "./edits.ts";
import { messagesBench } from "./messages.ts";
import { slackBench } from "./slack.ts";
import { openStage } from "./stage.ts";
import { startingBench } from "./starting.ts";

/**
 * `npm run bench`: how CodeSpar compares with the least that its work can cost, on this machine, now. Every floor is measured in the
 * same run. A goal that is missed is shown, and no failure: machines differ. What is wrong (a message lost, a reply
 * twice) is one.
 */

function meets({ value, goal }: Measure): boolean {
  const [, comparison, limit] = /^([<≤]) ([\d.]+)$/.exec(goal) ?? [];
  if (limit === undefined) throw new Error(`This is no goal: ${goal}`);
  return comparison === "<" ? value < Number(limit) : value <= Number(limit);
}

function table(measures: Measure[]): string {
  const rows = measures.map((measure) => [
    meets(measure) ? "✓" : "✗",
    measure.name,
    `${measure.value.toFixed(measure.unit === "ns" ? 0 : 2)} ${measure.unit}`,
    measure.goal,
    measure.note,
  ]);
  const all = [["", "measure", "value", "goal", "note"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

async function staged<T>(run: (stage: ReturnType<typeof openStage>) => Promise<T>): Promise<T> {
  const stage = openStage();
  try {
    return await run(stage);
  } finally {
    await stage.close();
  }
}

// One after the other: they would compete for the machine.
const starting = await staged(({ folder }) => startingBench(folder));
const messages = await staged(messagesBench);
const slack = await staged(slackBench);
const audit = await staged(auditAppendBench);
const core = await coreBench();
const edits = await editsBench();
const bundle = await staged(({ folder }) => bundleBench(folder));

const measures = [...messages.measures, ...slack.measures, ...core, ...edits, ...audit, ...bundle, ...starting];
console.log(`\n${table(measures)}`);
console.log("\n× is a ratio to a floor of the same run: medians over rounds in which floor and product took turns.");
const wrong = [...messages.wrong, ...slack.wrong];
if (wrong.length > 0) {
  console.error(`\nWRONG:\n${wrong.join("\n")}`);
  process.exitCode = 1;
}
