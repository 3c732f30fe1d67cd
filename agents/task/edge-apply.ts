import { applyBlocks, type EditProblem, type KnownFile } from "#core/edits-apply.ts";
import { type ParsedReply, withRepairs } from "#core/edits.ts";
import { InvalidInputError } from "#core/errors.ts";
import { refuseOfPath } from "#core/repository-paths.ts";
import { entriesOf, readFile } from "./edge-files.ts";
import type { EdgeOutcome, EdgeSetup } from "./edge.ts";
import { MAX_SHOWN_FILES, showFile } from "./prompt-parts.ts";

/** What a reply came to: an outcome, or what is wrong with its edits. */
export type Applied = EdgeOutcome | { kind: "broken"; problems: EditProblem[] };

/** A step's result stays under 1 MiB, with what goes around it. */
const MAX_OUTCOME_BYTES = 900_000;

/** Applies a reply to the repository as it was when the task began. `seen` are the files the model was shown. */
export async function apply(setup: EdgeSetup, seen: readonly string[], parsed: ParsedReply): Promise<Applied> {
  const { blocks, problems, incomplete, summary } = parsed;
  const isReadable = !incomplete && problems.length === 0;
  if (blocks.length === 0 && isReadable)
    return { kind: "answered", answer: summary || "The model had nothing to say." };
  const { files, tree } = await touchedFiles(setup, seen, parsed);
  const applied = applyBlocks(blocks, files, tree);
  // Also when the reply could not be read to its end: the one repair turn is for everything.
  if (!applied.ok) return fitting({ kind: "broken", problems: applied.problems });
  if (!isReadable) return { kind: "broken", problems: [] };
  if (applied.changes.length === 0)
    return { kind: "answered", answer: summary || "The files are already as the task wants them." };
  return fitting({ kind: "changed", summary, files: applied.changes });
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

/** Throws InvalidInputError for what is too large for a step's result. */
function fitting<T extends Applied>(outcome: T): T {
  const bytes = serialisedBytes(outcome);
  if (bytes <= MAX_OUTCOME_BYTES) return outcome;
  throw new InvalidInputError(
    `The changes take ${Math.ceil(bytes / 1024)} KB together, which is more than one task can write without a machine. Ask for less at a time.`,
  );
}

/**
 * What a value takes at most, in bytes: as JSON, where each escape takes two characters or more, or as the engine copies it, where a
 * string with a single character beyond Latin-1 takes two bytes for each UTF-16 unit.
 */
function serialisedBytes(value: Applied): number {
  let copied = 0;
  const json = JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "string") copied += each.length * (/[\u0100-\uffff]/.test(each) ? 2 : 1);
    return each;
  });
  return Math.max(new TextEncoder().encode(json).length, copied);
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
  const awaited = awaitedOf(first, problems);
  const unanswered = awaited.find(({ path }) => !again.has(path));
  if (unanswered) return { ok: false, missing: `${unanswered.path}: ${unanswered.message}` };
  const lost = lostIn(first);
  if (lost !== null) {
    // Nobody can tell which file it was for: what came again has to be whole, and more than what was asked for by its path.
    const [unread] = second.problems;
    if (second.incomplete || unread) return { ok: false, missing: unread?.message ?? CUT };
    const asked = new Set(awaited.map(({ path }) => path));
    if (second.blocks.every(({ path }) => asked.has(path))) return { ok: false, missing: lost };
  }
  const elsewhere = problems.find(({ kind }) => kind === "absent" || kind === "folder");
  if (second.blocks.length === 0 && elsewhere) return { ok: false, missing: `${elsewhere.path}: ${elsewhere.message}` };
  const failed = new Set([...problems, ...first.problems].flatMap(({ path }) => path ?? []));
  const blocks = withRepairs(first.blocks, failed, second.blocks);
  const [problem] = problems;
  if (blocks.length === 0 && problem) return { ok: false, missing: `${problem.path}: ${problem.message}` };
  return { ok: true, reply: { ...second, summary: first.summary || second.summary, blocks } };
}

const CUT = "The answer ended in the middle of a file.";

/** What a repair has to send again, by path. */
function awaitedOf(first: ParsedReply, problems: readonly EditProblem[]): { path: string; message: string }[] {
  return [
    ...problems.filter(({ kind }) => HAS_TO_COME_AGAIN.has(kind)),
    ...first.problems.flatMap(({ path, message }) => (path === null ? [] : [{ path, message }])),
    ...(first.openPath === null ? [] : [{ path: first.openPath, message: CUT }]),
  ];
}

/** In words what a reply lost of files it does not name: an edit outside of blocks, or a block cut before its path was read. */
function lostIn({ problems, incomplete, openPath }: ParsedReply): string | null {
  const stray = problems.find(({ path }) => path === null);
  return stray?.message ?? (incomplete && openPath === null ? CUT : null);
}
