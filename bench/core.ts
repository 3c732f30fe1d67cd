import { createHash } from "node:crypto";
import { verifyChain } from "#core/audit-chain.ts";
import { GENESIS_HASH, sealEntry } from "#core/audit.ts";
import { parseCommand } from "#core/commands.ts";
import { DEFAULT_POLICIES } from "#core/policies.ts";
import { decide, type PolicyInput } from "#core/policy.ts";

export type Measure = { name: string; value: number; unit: string; goal: string; note: string };

const ROUNDS = 9;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const at = <Item>(items: readonly Item[], index: number): Item => {
  const item = items[index % items.length];
  if (item === undefined) throw new Error("There is nothing to measure with.");
  return item;
};

/** Nanoseconds per call in one round. */
function round(calls: number, run: (index: number) => unknown): number {
  // What is computed must be used, or the engine may leave it out.
  let used = 0;
  const start = process.hrtime.bigint();
  for (let index = 0; index < calls; index += 1) if (run(index) !== null) used += 1;
  const elapsed = Number(process.hrtime.bigint() - start) / calls;
  return used === 0 ? Number.NaN : elapsed;
}

/** Nanoseconds per call: the median of several rounds, after one to warm up. */
function nanosecondsPerCall(calls: number, run: (index: number) => unknown): number {
  round(calls, run);
  return median(Array.from({ length: ROUNDS }, () => round(calls, run)));
}

/** How many times as long `run` takes as `base`, measured in turns: whatever else slows the machine slows both. */
export function timesAsLong(calls: number, run: () => unknown, base: () => unknown): number {
  round(calls, run);
  round(calls, base);
  return median(Array.from({ length: ROUNDS }, () => round(calls, run) / round(calls, base)));
}

const KNOWN = [
  "status",
  "fix the login timeout",
  "@codespar merge PR #12 squash",
  "help fix",
  "logs 20",
  "autonomy L2",
];

function grammar(): Measure[] {
  const known = nanosecondsPerCall(200_000, (index) => parseCommand(at(KNOWN, index)));
  // The slowest path of each kind: prose, free text, and text that has to be cleaned.
  const unit = ["the stop ", "fix é\u200b ", "é\u0301\u0323\u202e "];
  const ratios = unit.map((piece) => {
    const long = `fix ${piece.repeat(Math.ceil(100_000 / piece.length))}`.slice(0, 100_000);
    const short = long.slice(0, 10_000);
    const tenShort = (): number => Array.from({ length: 10 }, () => parseCommand(short)).length;
    return timesAsLong(20, () => parseCommand(long), tenShort);
  });
  return [
    { name: "grammar, known commands", value: known, unit: "ns", goal: "< 1000", note: "mean over six messages" },
    {
      name: "grammar, 100,000 against 10 × 10,000 characters",
      value: Math.max(...ratios),
      unit: "×",
      goal: "≤ 1.5",
      note: "the worst of three kinds of text",
    },
  ];
}

function policy(): Measure[] {
  const base: PolicyInput = {
    actor: "someone",
    role: "operator",
    command: "fix",
    risk: "medium",
    guarded: false,
    environment: null,
    autonomy: 1,
    initiatedBy: "person",
    policies: DEFAULT_POLICIES,
    halted: false,
    budgetLeft: 100,
    now: Date.UTC(2026, 0, 1),
  };
  const inputs: PolicyInput[] = [
    base,
    { ...base, command: "status", risk: "low", role: "read-only" },
    { ...base, command: "deploy", risk: "high", environment: "production" },
    { ...base, command: "deploy", risk: "high", environment: "prod-eu-west", autonomy: 5 },
    { ...base, command: "merge", guarded: true, role: "reviewer" },
    { ...base, command: "investigate", risk: "low", initiatedBy: "agent", role: null, autonomy: 3 },
  ];
  const value = nanosecondsPerCall(200_000, (index) => decide(at(inputs, index)));
  return [{ name: "decide", value, unit: "ns", goal: "< 2000", note: "mean over six inputs" }];
}

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

function audit(): Measure[] {
  let previousHash = GENESIS_HASH;
  const rows = Array.from({ length: 5000 }, (_, index) => {
    const sealed = sealEntry(
      {
        chain: "project:default/shop",
        sequence: index + 1,
        at: "2026-01-01T12:00:00.000Z",
        actor: { kind: "person", id: "identity-7k2m9qxw", name: "Anna Smith" },
        action: "command",
        subject: "fix",
        details: {
          text: `fix the login timeout ${index}`,
          channel: "terminal",
          decision: { effect: "allow", reason: "…" },
          cost: 0.25,
        },
      },
      previousHash,
      sha256,
    );
    previousHash = sealed.hash;
    return { sequence: index + 1, ...sealed };
  });
  const hashing = (): number => rows.map(({ text }) => sha256(text)).length;
  const verifying = (): number => {
    const result = verifyChain(rows, { sha256, chain: "project:default/shop" });
    if (!result.ok) throw new Error(result.reason);
    return result.entries;
  };
  const note = `${Math.round(nanosecondsPerCall(1, verifying) / rows.length)} ns an entry`;
  return [
    {
      name: "audit verify against hashing only",
      value: timesAsLong(1, verifying, hashing),
      unit: "×",
      goal: "≤ 5",
      note,
    },
  ];
}

/** How fast the pure domain is. Nothing is awaited; the promise is for the runner of all benchmarks. */
export async function coreBench(): Promise<Measure[]> {
  return [...grammar(), ...policy(), ...audit()];
}

if (import.meta.main) console.table(await coreBench());
