import type { Measure } from "./core.ts";
import { type Run, type Server, Terminals, linkConversations, median, postMessages } from "./load.ts";
import type { Stage } from "./stage.ts";

/** Messages each round sends, by the number of connections; and what must be true whatever the speed. */
const LOADS = [
  { connections: 1, messages: 300 },
  { connections: 10, messages: 1000 },
  { connections: 50, messages: 1500 },
];
/** One to warm up, and these. Floor and product take turns, so that what else the machine does meets both. */
const ROUNDS = 3;

type Subject = { name: string; run: (connections: number, messages: number, prefix: string) => Promise<Run> };
type Sample = { p50: number; perSecond: number };

export type Checked = { measures: Measure[]; wrong: string[] };

async function rowsOf(url: string): Promise<number> {
  return ((await (await fetch(url)).json()) as { rows: number }).rows;
}

async function sample(
  { run }: Subject,
  load: (typeof LOADS)[number],
  prefix: string,
): Promise<Sample & { done: number }> {
  const { latencies, elapsedMs, done } = await run(load.connections, load.messages, prefix);
  return { p50: median(latencies), perSecond: (done / elapsedMs) * 1000, done };
}

function ratios(
  subject: string,
  goal: string,
  load: (typeof LOADS)[number],
  floor: Sample[],
  product: Sample[],
): Measure[] {
  const of = (samples: Sample[], what: keyof Sample): number => median(samples.map((one) => one[what]));
  const at = `${subject}, ${load.connections} ${load.connections === 1 ? "connection" : "connections"}`;
  const p50 = { floor: of(floor, "p50"), product: of(product, "p50") };
  const rate = { floor: of(floor, "perSecond"), product: of(product, "perSecond") };
  return [
    {
      name: `${at}: p50`,
      value: p50.product / p50.floor,
      unit: "×",
      goal,
      note: `${p50.product.toFixed(2)} ms, floor ${p50.floor.toFixed(2)} ms`,
    },
    {
      name: `${at}: throughput`,
      value: rate.floor / rate.product,
      unit: "×",
      goal,
      note: `${Math.round(rate.product)}/s, floor ${Math.round(rate.floor)}/s`,
    },
  ];
}

/**
 * Accepting messages, and answering them, against a bare Worker that only inserts the same row (worker-floor.ts). All three run in
 * workerd with their Durable Objects on disk; every message goes to one object, each connection is a conversation of its own.
 */
export async function messagesBench(stage: Stage): Promise<Checked> {
  const floor = await stage.start("worker-floor.ts");
  const undrained = await stage.start("worker-undrained.ts");
  const product = await stage.start();
  const widest = Math.max(...LOADS.map(({ connections }) => connections));
  for (const server of [undrained, product]) await linkConversations(server, widest);
  const terminals = new Terminals(product);
  await terminals.open(widest);

  const posting = (name: string, server: Server): Subject => ({
    name,
    run: (...load) => postMessages(server, ...load),
  });
  const subjects = [
    posting("floor", floor),
    posting("accepting", undrained),
    { name: "answering, sent on its WebSocket", run: (...load) => terminals.ask(...load) },
    { name: "answering, posted like the floor's", run: (...load) => terminals.postAndWait(...load) },
  ] satisfies Subject[];
  const sent = new Map(subjects.map(({ name }) => [name, 0]));
  const measures = new Map<string, Measure[]>();

  try {
    for (const load of LOADS) {
      const samples = new Map(subjects.map(({ name }): [string, Sample[]] => [name, []]));
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const subject of subjects) {
          const { done, ...measured } = await sample(
            subject,
            load,
            `${subject.name.replaceAll(/\W+/g, "-")}-${load.connections}-${round}`,
          );
          sent.set(subject.name, (sent.get(subject.name) ?? 0) + done);
          if (round > 0) samples.get(subject.name)?.push(measured);
        }
      }
      for (const { name } of subjects.slice(1)) {
        const compared = ratios(
          name,
          name === "accepting" ? "≤ 1.5" : "≤ 2.5",
          load,
          samples.get("floor") ?? [],
          samples.get(name) ?? [],
        );
        measures.set(name, [...(measures.get(name) ?? []), ...compared]);
      }
    }
    await terminals.settle();
    const answered = [...sent]
      .filter(([name]) => name.startsWith("answering"))
      .reduce((sum, [, count]) => sum + count, 0);
    const checks = [
      same("the floor's accepted messages", sent.get("floor") ?? 0, "its rows", await rowsOf(floor.url)),
      same(
        "accepted messages",
        sent.get("accepting") ?? 0,
        "durable rows",
        await rowsOf(`${undrained.url}/bench/rows`),
      ),
      same("messages asked", answered, "of them answered", terminals.finals.size),
      same(
        "final replies that came more than once",
        [...terminals.finals.values()].filter((times) => times !== 1).length,
        "expected",
        0,
      ),
      same("refused messages", terminals.problems.length, "expected", 0),
    ];
    return { measures: [...measures.values()].flat(), wrong: checks.flatMap((check) => check ?? []) };
  } finally {
    terminals.close();
  }
}

/** Prints both counts; returns what is wrong when they differ. */
function same(what: string, first: number, other: string, second: number): string | null {
  const counted = `${what}: ${first}, ${other}: ${second}`;
  console.log(counted);
  return first === second ? null : counted;
}
