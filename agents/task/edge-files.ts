import type { GitHub, TreeEntry } from "#clients/github.ts";
import { InvalidInputError, NotFoundError, UpstreamError } from "#core/errors.ts";
import { keywordsOf } from "#core/file-ranking.ts";
import type { EdgeSetup } from "./edge.ts";
import { chosenPaths, namedPaths, PickedFiles, pickFiles, pickMessage, readableFiles } from "./pick-files.ts";
import { MAX_SHOWN_FILES, showFile, type ShownFile } from "./prompt-parts.ts";
import { pickSystem } from "./prompt-system.ts";
import { LONG_WORK, type Staged, type StageTools } from "./stages.ts";
import { treeForPrompt } from "./tree-text.ts";

const MAX_PICK_TOKENS = 1000;
const MAX_TREE_CHARACTERS = 8000;
/** GitHub wants every word of a search in the file. */
const MAX_SEARCH_WORDS = 5;

/** `boundary` is random: what marks the material of this task in prompts. */
export type Picked = { boundary: string; paths: string[]; tree: string };

export async function entriesOf({
  spec,
  base,
  github,
}: EdgeSetup): Promise<{ entries: TreeEntry[]; truncated: boolean }> {
  const { entries, truncated } = await github.tree(spec.repository, base.treeSha);
  return { entries: entries.filter(({ type }) => type !== "tree"), truncated };
}

/** The files to show: named ones, then the small model's choice; without it, what code search finds, or paths that sound like the task. */
export async function pick(setup: EdgeSetup): Promise<Staged<Picked>> {
  const progress = "choosing the files that matter";
  const picked = await setup.stages.run("pick", progress, (tools) => pickAsking(setup, tools), LONG_WORK);
  if (picked.status !== "failed") return picked;
  // The small model is a help, not a condition.
  return setup.stages.run("search", "searching the code", async (tools) => {
    const paths = await readablePathsOf(setup);
    return settle(setup, paths, null, tools);
  });
}

async function readablePathsOf(setup: EdgeSetup): Promise<string[]> {
  const { entries } = await entriesOf(setup);
  return readableFiles(entries.filter(({ type }) => type === "blob"));
}

async function pickAsking(setup: EdgeSetup, tools: StageTools): Promise<Picked> {
  const { spec, asker, models } = setup;
  const { instruction } = spec;
  const paths = await readablePathsOf(setup);
  // Five named files leave nothing to choose.
  if (paths.length === 0 || namedPaths(instruction, paths).length >= MAX_SHOWN_FILES)
    return settle(setup, paths, [], tools);
  const boundary = newBoundary();
  const request = {
    model: models.nlu,
    system: pickSystem(),
    messages: [pickMessage({ boundary, instruction, said: [], pictures: [], paths })],
    maxTokens: MAX_PICK_TOKENS,
    schema: PickedFiles,
    name: "files",
  };
  const answer = await asker.structured("pick", "file picking", request, tools);
  return settle(setup, paths, answer.ok ? chosenPaths(answer.value, paths) : null, tools);
}

async function settle(
  setup: EdgeSetup,
  paths: string[],
  chosen: string[] | null,
  { used }: StageTools,
): Promise<Picked> {
  const { instruction } = setup.spec;
  const searched = chosen === null ? await search(setup) : null;
  const found = pickFiles({ instruction, paths, chosen, searched });
  used("files.pick", found.join(", ") || "none");
  return { boundary: newBoundary(), paths: found, tree: treeForPrompt(paths, MAX_TREE_CHARACTERS) };
}

const newBoundary = (): string => crypto.randomUUID().replaceAll("-", "");

/** What code search finds; null when it cannot be asked. */
async function search({ spec, github }: EdgeSetup): Promise<string[] | null> {
  try {
    const words = keywordsOf(spec.instruction).slice(0, MAX_SEARCH_WORDS);
    return await github.searchCode(spec.repository, words, MAX_SHOWN_FILES);
  } catch (error) {
    // Some servers and tokens have no code search, and its limits are narrow: there are paths to go by.
    const isExpected =
      error instanceof UpstreamError || error instanceof InvalidInputError || error instanceof NotFoundError;
    if (isExpected) return null;
    throw error;
  }
}

export const readFile = ({ spec, base, github }: EdgeSetup, path: string): ReturnType<GitHub["file"]> =>
  github.file(spec.repository, path, base.commitSha);

/** The files as the model is shown them; binary ones are left alone. */
export async function shown(setup: EdgeSetup, paths: readonly string[]): Promise<ShownFile[]> {
  const files = await Promise.all(paths.map((path) => readFile(setup, path)));
  return files.flatMap((file, index) => {
    const text = file?.text ?? null;
    return text === null ? [] : [showFile(paths[index] ?? "", text)];
  });
}
