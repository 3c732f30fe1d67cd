import { applyBlocks, type EditedFile, type EditProblem, type KnownFile } from "#core/edits-apply.ts";
import { type ParsedReply, withRepairs } from "#core/edits.ts";
import { InvalidInputError } from "#core/errors.ts";
import { refuseOfPath } from "#core/repository-paths.ts";
import { entriesOf, readFile } from "./edge-files.ts";
import type { EdgeOutcome, EdgeSetup } from "./edge.ts";
import { MAX_SHOWN_FILES, showFile } from "./prompt-parts.ts";

/** What a reply came to: an outcome, or what is wrong with its edits. */
export type Applied = EdgeOutcome | { kind: "broken"; problems: EditProblem[] };

/** A step's result stays under 1 MiB. */
const MAX_CHANGE_BYTES = 900_000;

/** Applies a reply to the repository as it was when the task began. `seen` are the files the model was shown. */
export async function apply(setup: EdgeSetup, seen: readonly string[], parsed: ParsedReply): Promise<Applied> {
  const { blocks, problems, incomplete, summary } = parsed;
  const isReadable = !incomplete && problems.length === 0;
  if (blocks.length === 0 && isReadable)
    return { kind: "answered", answer: summary || "The model had nothing to say." };
  const { files, tree } = await touchedFiles(setup, seen, parsed);
  const applied = applyBlocks(blocks, files, tree);
  // Also when the reply could not be read to its end: the one repair turn is for everything.
  if (!applied.ok) return { kind: "broken", problems: applied.problems };
  if (!isReadable) return { kind: "broken", problems: [] };
  if (applied.changes.length === 0)
    return { kind: "answered", answer: summary || "The files are already as the task wants them." };
  refuseLarge(applied.changes);
  return { kind: "changed", summary, files: applied.changes };
}

/** The files that a reply touches, and everything that is in the repository. */
async function touchedFiles(
  setup: EdgeSetup,
  seen: readonly string[],
  { blocks }: ParsedReply,
): Promise<{ files: Map<string, KnownFile>; tree: Set<string> }> {
  const { entries, truncated: isPartOfTree } = await entriesOf(setup);
  const modes = new Map(entries.map(({ path, mode }) => [path, mode]));
  const touched = [...new Set(blocks.map(({ path }) => path))].filter(
    // GitHub leaves files out of very long listings: what is not in it may be there all the same.
    (path) => modes.has(path) || (isPartOfTree && refuseOfPath(path) === null),
  );
  const known = await Promise.all(
    touched.map(async (path): Promise<[string, KnownFile][]> => {
      const mode = modes.get(path) ?? "100644";
      if (!mode.startsWith("100")) return [[path, { text: null, truncated: false, mode }]];
      const file = await readFile(setup, path);
      if (!file) return [];
      // What was not shown to its end may be edited, but not written anew: the rest would be lost.
      const truncated = file.text !== null && (!seen.includes(path) || showFile(path, file.text).truncated);
      return [[path, { text: file.text, truncated, mode }]];
    }),
  );
  const files = new Map(known.flat());
  return { files, tree: new Set([...modes.keys(), ...files.keys()]) };
}

function refuseLarge(changes: readonly EditedFile[]): void {
  const utf8 = new TextEncoder();
  const bytes = changes.reduce((sum, { content }) => sum + utf8.encode(content ?? "").length, 0);
  if (bytes <= MAX_CHANGE_BYTES) return;
  throw new InvalidInputError(
    `The changed files have ${Math.ceil(bytes / 1024)} KB together, which is more than one task can write without a machine. Ask for less at a time.`,
  );
}

/** Their problems are solved by sending the file's blocks again; of the others it may be better to leave the file alone. */
const HAS_TO_COME_AGAIN = new Set<EditProblem["kind"]>([
  "missing",
  "ambiguous",
  "empty",
  "truncated",
  "repeated",
  "unread",
]);

/** Files that edits failed on and that the model has not seen yet: it is shown them when it is asked to repair. */
export const unseenPaths = (problems: readonly EditProblem[], seen: readonly string[]): string[] =>
  [...new Set(problems.filter(({ kind }) => HAS_TO_COME_AGAIN.has(kind)).map(({ path }) => path))]
    .filter((path) => !seen.includes(path))
    .slice(0, MAX_SHOWN_FILES);

/**
 * The first reply with what its repair sent again in place of what failed. In words what is missing, when the repair leaves out
 * something it was asked for: going on would make half a change.
 */
export function mended(
  first: ParsedReply,
  problems: readonly EditProblem[],
  second: ParsedReply,
): { ok: true; reply: ParsedReply } | { ok: false; missing: string } {
  const again = new Set(second.blocks.map(({ path }) => path));
  const awaited = [
    ...problems.filter(({ kind }) => HAS_TO_COME_AGAIN.has(kind)),
    ...first.problems.filter((problem) => problem.path !== null),
  ];
  const unanswered = awaited.find(({ path }) => path !== null && !again.has(path));
  if (unanswered) return { ok: false, missing: `${unanswered.path}: ${unanswered.message}` };
  const lost = first.problems.find(({ path }) => path === null)?.message;
  const elsewhere = problems.find(({ kind }) => kind === "absent" || kind === "folder");
  if (second.blocks.length === 0) {
    if (first.incomplete) return { ok: false, missing: "The answer ended in the middle of a file." };
    if (lost !== undefined) return { ok: false, missing: lost };
    if (elsewhere) return { ok: false, missing: `${elsewhere.path}: ${elsewhere.message}` };
  }
  const failed = new Set([...problems, ...first.problems].flatMap(({ path }) => path ?? []));
  const blocks = withRepairs(first.blocks, failed, second.blocks);
  const [problem] = problems;
  if (blocks.length === 0 && problem) return { ok: false, missing: `${problem.path}: ${problem.message}` };
  return { ok: true, reply: { ...second, summary: first.summary || second.summary, blocks } };
}
