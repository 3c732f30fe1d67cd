import type { Measure } from "./core.ts";
import { median } from "./load.ts";
import type { Stage } from "./stage.ts";

const SHORT = 1000;
const LONG = 100_000;
const FILL = 2500;
/** Appends per request. Time stands still inside workerd while code runs, so it is taken out here, of many at once. */
const APPENDS = 250;
const ROUNDS = 15;

/** Appending to a long audit chain against appending to a short one: the real AuditLog, in Durable Objects on disk. */
export async function auditAppendBench(stage: Stage): Promise<Measure[]> {
  const { url } = await stage.start("worker-audit.ts");
  const append = async (chain: string, entries: number): Promise<number> => {
    const response = await fetch(`${url}/${chain}/${entries}`, { method: "POST" });
    return ((await response.json()) as { entries: number }).entries;
  };
  const timed = async (chain: string): Promise<number> => {
    const start = performance.now();
    await append(chain, APPENDS);
    return ((performance.now() - start) / APPENDS) * 1000;
  };
  for (let entries = 0; entries < LONG;) entries = await append("long", FILL);
  const times: Record<"short" | "long", number[]> = { short: [], long: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    // A new chain each time: it must not grow long under the measurement.
    await append(`short${round}`, SHORT);
    const [short, long] = [await timed(`short${round}`), await timed("long")];
    if (round > 0) {
      times.short.push(short);
      times.long.push(long);
    }
  }
  const [short, long] = [median(times.short), median(times.long)];
  const note = `${long.toFixed(0)} µs an entry, ${short.toFixed(0)} µs at ${SHORT.toLocaleString("en")}`;
  return [
    {
      name: `audit append at ${LONG.toLocaleString("en")} entries`,
      value: long / short,
      unit: "×",
      goal: "≤ 1.2",
      note,
    },
  ];
}
