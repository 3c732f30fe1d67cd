import { readdirSync, readFileSync } from "node:fs";
import { applyBlocks } from "#core/edits-apply.ts";
import { writeContent } from "#core/edits-markers.ts";
import { parseReply } from "#core/edits.ts";
import { type Measure, timesAsLong } from "./core.ts";

/**
 * Edits of this project's own history. Their replies were made from the diffs, not by a model: each hunk with one line around it, and
 * more until it is unique. So the ratio is what the format allows; a model that quotes more than it has to pays for it.
 */
const RECORDED = new URL("../test/fixtures/edits/", import.meta.url);

/** Four characters a token: both sides are the same kind of text, so their ratio does not depend on it. */
const tokens = (text: string): number => text.length / 4;

type Edit = { name: string; edits: number; whole: number };

/** The output of one recorded edit as search/replace and as the whole file, with the same words around both. */
function recorded(name: string): Edit {
  const read = (file: string): string => readFileSync(new URL(`${name}/${file}.txt`, RECORDED), "utf8");
  const reply = read("reply");
  const { blocks, summary } = parseReply(reply);
  const [block] = blocks;
  if (block === undefined) throw new Error(`The recorded reply ${name} has no block.`);
  const { path } = block;
  const applied = applyBlocks(blocks, new Map([[path, { text: read("before"), truncated: false, mode: "100644" }]]));
  // A cheap answer that does not do the edit is worth nothing.
  if (!applied.ok || applied.changes[0]?.content !== read("after")) throw new Error(`${name} does not apply.`);
  return { name, edits: tokens(reply), whole: tokens(`${summary}\n\n${writeContent(path, read("after"))}`) };
}

function outputTokens(): Measure {
  const all = readdirSync(RECORDED).toSorted().map(recorded);
  const sum = (of: (edit: Edit) => number): number => all.reduce((total, edit) => total + of(edit), 0);
  const worst = Math.max(...all.map(({ edits, whole }) => edits / whole));
  const totals = `${Math.round(sum(({ edits }) => edits))} against ${Math.round(sum(({ whole }) => whole))} tokens`;
  return {
    name: `search/replace against whole files, ${all.length} recorded edits`,
    value: sum(({ edits }) => edits) / sum(({ whole }) => whole),
    unit: "×",
    goal: "≤ 0.4",
    note: `${totals}, the worst of them ${worst.toFixed(2)} ×`,
  };
}

/** What takes most reading: prose, edits, one endless file, fences and blanks, separators, and a block that never ends. */
const KINDS = [
  "Some words about it.\n",
  "===FILE: a.ts===\n<<<SEARCH\n  old();\n=======\n  new();\n>>>REPLACE\n===END===\n",
  "  const line = of(code);\n",
  "```\n\n\n\n",
  "<<<SEARCH\n=======\n",
  "===FILE: a.ts===\n",
  "\\".repeat(100),
];

function reading(): Measure {
  const ratios = KINDS.map((kind, index) => {
    const start = index === 2 ? "===FILE: a.ts===\n" : "";
    const long = (start + kind.repeat(Math.ceil(1_000_000 / kind.length))).slice(0, 1_000_000);
    const short = long.slice(0, 100_000);
    const tenShort = (): number => Array.from({ length: 10 }, () => parseReply(short)).length;
    return timesAsLong(3, () => parseReply(long), tenShort);
  });
  return {
    name: "parseReply, 1,000,000 against 10 × 100,000 characters",
    value: Math.max(...ratios),
    unit: "×",
    goal: "≤ 1.5",
    note: `the worst of ${KINDS.length} kinds of text`,
  };
}

/** What edits save, and what reading them costs. Nothing is awaited; the promise is for the runner of all benchmarks. */
export async function editsBench(): Promise<Measure[]> {
  return [outputTokens(), reading()];
}

if (import.meta.main) console.table(await editsBench());
