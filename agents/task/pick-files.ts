import type { ModelImage, ModelMessage } from "#clients/model-types.ts";
import { isGenerated, rankPaths } from "#core/file-ranking.ts";
import { refuseOfPath } from "#core/repository-paths.ts";
import { array, type infer as Infer, object, string } from "zod";
import { delimited, delimitedMessages, MAX_SHOWN_FILES, type Said, textBlock } from "./prompt-parts.ts";
import { treeForPrompt } from "./tree-text.ts";

/** The small model's answer, as structured output. How many paths it names is checked by chosenPaths. */
export const PickedFiles = object({ paths: array(string()) });
export type PickedFiles = Infer<typeof PickedFiles>;

/** An entry of the repository's tree. `size` is in bytes, null when GitHub does not say; `mode` is git's. */
export type TreeFile = { path: string; size: number | null; mode: string };

/** A file that is larger is data, or made by a program: its first 20 KB tell little, and no edit of it is asked for in a chat. */
const MAX_FILE_BYTES = 512 * 1024;
const MAX_TREE_CHARACTERS = 60_000;
const MAX_INSTRUCTION = 20_000;
/** Ranking compares each word with each path. */
const MAX_RANKED = 2000;
/** From about here on the tree may not fit, and paths that have the task's words in them could be among those left out. */
const MANY_PATHS = 1000;
const HINTS = 40;

const BINARY =
  /\.(?:png|jpe?g|gif|webp|avif|bmp|ico|icns|tiff?|psd|pdf|docx?|xlsx?|pptx?|odt|zip|gz|tgz|bz2|xz|zst|7z|rar|jar|war|class|so|dylib|dll|exe|o|a|lib|wasm|pyc|bin|dat|db|sqlite3?|parquet|woff2?|ttf|otf|eot|mp[34]|m4[av]|mov|avi|mkv|webm|wav|ogg|flac|keystore|jks|p12|pfx)$/i;

/** The files a model could read and change: no links or folders, text by their name, not huge, at a path that may be written to. */
export function readableFiles(files: readonly TreeFile[]): string[] {
  return files
    .filter(({ mode }) => mode === "100644" || mode === "100755")
    .filter(({ path, size }) => !BINARY.test(path) && (size ?? 0) <= MAX_FILE_BYTES && refuseOfPath(path) === null)
    .map(({ path }) => path);
}

/**
 * The files an instruction names, in its order: a path from the root or the end of one, also inside a link, with a line number or quotes;
 * a file's name; a quoted name without its ending. What fits more than one file names none.
 */
export function namedPaths(instruction: string, paths: readonly string[]): string[] {
  const all = new Set(paths);
  const byName = Map.groupBy(paths, nameOf);
  const byStem = Map.groupBy(paths, (path) => stemOf(nameOf(path)));
  const unique = (found: readonly string[] | undefined): string | null =>
    found?.length === 1 ? (found[0] ?? null) : null;
  const named = mentions(instruction.slice(0, MAX_INSTRUCTION)).map(({ text, quoted }) => {
    const name = nameOf(text);
    // An ordinary word that is also a file's name says nothing; `Makefile` does.
    const speaks = quoted || /[./\p{Lu}]/u.test(text);
    if (speaks && all.has(text)) return text;
    const candidates = byName.get(name);
    if (text.includes("/")) {
      if (candidates === undefined) return null;
      return endOfLink(text, all) ?? unique(candidates.filter((path) => path.endsWith(`/${text}`)));
    }
    return (speaks ? unique(candidates) : null) ?? (quoted ? unique(byStem.get(name)) : null);
  });
  return [...new Set(named.filter((path) => path !== null))];
}

/** The longest end of a link that is a file; one without folders only where the link shows that it is a file's. */
function endOfLink(text: string, all: ReadonlySet<string>): string | null {
  const isFileLink = text.includes("/blob/");
  for (let rest = text; rest.includes("/");) {
    rest = rest.slice(rest.indexOf("/") + 1);
    if ((isFileLink || rest.includes("/")) && all.has(rest)) return rest;
  }
  return null;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const stemOf = (name: string): string => (name.indexOf(".") > 0 ? name.slice(0, name.indexOf(".")) : name);

type Mention = { text: string; quoted: boolean };

/** Longer than any path that may be written to: no link is longer either. */
const MAX_MENTION = 600;

const QUOTED = /[`'"“„«]([^`'"“”„«»\n]{1,400})[`'"”“»]/g;
const WORD = /[^\s`'"“”„«»<>()[\]{},;|]+/g;
/** Folders are called `[id]` and `(shop)` too. */
const WORD_WITH_BRACKETS = /[^\s`'"“”„«»<>,;|]+/g;

/** What may be a path: everything in quotes, and every word. */
function mentions(instruction: string): Mention[] {
  const all = (pattern: RegExp, quoted: boolean) =>
    [...instruction.matchAll(pattern)].map((match) => ({
      text: bareMention(match[1] ?? match[0]),
      quoted,
      at: match.index,
    }));
  return [...all(QUOTED, true), ...all(WORD_WITH_BRACKETS, false), ...all(WORD, false)]
    .filter(({ text }) => text !== "" && text.length <= MAX_MENTION)
    .toSorted((a, b) => a.at - b.at);
}

/** Without what surrounds a path in prose or in a link: `./`, a line number, an anchor, the sentence's full stop. */
function bareMention(word: string): string {
  let text = word.trim().replace(/^\.?\//, "");
  text = text.replace(/[?#].*$/s, "");
  while (/[.:!?…*_]$/.test(text)) text = text.slice(0, -1);
  return text.replace(/:\d{1,7}(?:[:-]\d{1,7})?$/, "");
}

/** What the small model is asked. */
export function pickMessage(asked: {
  boundary: string;
  instruction: string;
  said: readonly Said[];
  pictures: readonly ModelImage[];
  paths: readonly string[];
}): ModelMessage {
  const { boundary, instruction, said, pictures, paths } = asked;
  const tree = treeForPrompt(paths, MAX_TREE_CHARACTERS);
  const hints = paths.length > MANY_PATHS ? rankPaths(paths, hintText(asked), HINTS) : [];
  const parts = [
    "The repository's file tree:",
    delimited("tree", boundary, tree),
    ...(hints.length === 0
      ? []
      : ["Files in it whose paths have words of the task in them:", delimited("tree", boundary, hints.join("\n"))]),
    delimited("task", boundary, instruction.slice(0, MAX_INSTRUCTION)),
    ...(said.length === 0 ? [] : ["Since then people of the team said:", delimitedMessages(boundary, said)]),
    "Which files?",
  ];
  return { role: "user", content: [...pictures, textBlock(parts.join("\n\n"))] };
}

const hintText = ({ instruction, said }: { instruction: string; said: readonly Said[] }): string =>
  [instruction, ...said.map(({ text }) => text)].join("\n").slice(0, MAX_RANKED);

/** The paths of a model's answer that are in the tree, at most five; null when it named some and none of them is. */
export function chosenPaths(answer: PickedFiles, paths: readonly string[]): string[] | null {
  const all = new Set(paths);
  const cleaned = answer.paths.map((path) => path.trim().replace(/^\.?\//, ""));
  const chosen = [...new Set(cleaned)].filter((path) => all.has(path)).slice(0, MAX_SHOWN_FILES);
  return chosen.length === 0 && answer.paths.length > 0 ? null : chosen;
}

export type Sources = {
  /** What people asked for: the instruction, and follow-ups. */
  instruction: string;
  /** Every file that could be read: readableFiles. */
  paths: readonly string[];
  /** What the small model chose; null when it could not be asked, or answered nonsense. An empty choice is a choice. */
  chosen: readonly string[] | null;
  /** What code search found, best first; null when it was not asked, or failed. */
  searched: readonly string[] | null;
};

/**
 * The files to show the model that does the task, at most five: those the instruction names, then those the small model chose; without its
 * choice those code search found, and without these either those whose paths have words of the instruction in them. Files that
 * programs make are shown only when they are named.
 */
export function pickFiles({ instruction, paths, chosen, searched }: Sources): string[] {
  const all = new Set(paths);
  const known = (found: readonly string[]): string[] => found.filter((path) => all.has(path) && !isGenerated(path));
  const found = known(searched ?? []);
  const further =
    chosen === null
      ? found.length > 0
        ? found
        : rankPaths(paths, instruction.slice(0, MAX_RANKED), MAX_SHOWN_FILES)
      : known(chosen);
  return [...new Set([...namedPaths(instruction, paths), ...further])].slice(0, MAX_SHOWN_FILES);
}
