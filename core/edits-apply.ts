import {
  type EditableText,
  editableText,
  fileText,
  lineAt,
  nearestPlace,
  partialMatches,
  type Place,
  replaced,
  splice,
  wholeLineMatches,
} from "./edits-text.ts";
import type { Block, Edit, Reading } from "./edits.ts";
import { refuseOfPath } from "./repository-paths.ts";

/**
 * A file that exists. `text` is all of it, and null when it is binary. `truncated` says that the model has not seen all of it:
 * shown in part, or not at all. `mode` is git's: 100644, 100755, 120000 (a symbolic link).
 */
export type KnownFile = { text: string | null; truncated: boolean; mode: string };

/** `content` is null for a file that is deleted. What clients/github commits. */
export type EditedFile = { path: string; content: string | null; mode: "100644" | "100755" };

export type EditProblem = {
  path: string;
  kind:
    | "missing"
    | "ambiguous"
    | "empty"
    | "absent"
    | "unread"
    | "truncated"
    | "binary"
    | "link"
    | "folder"
    | "repeated"
    | "outside";
  /** The search text it is about, shortened; null when it is about the whole block. */
  search: string | null;
  /** Where a missing search text was most likely meant for, as the file has it. */
  nearest: Place | null;
  /** For the model that has to repair it, and for people. */
  message: string;
};

export type Applied = { ok: true; changes: EditedFile[] } | { ok: false; problems: EditProblem[] };

const MAX_MATCHES = 10;
/** Of this many missing search texts of a file the nearest place is looked for, which takes a walk through all of it. */
const MAX_NEAREST = 20;

/** The paths of files that must be read before blocks can be applied: those a block touches and that exist. */
export function pathsToRead(blocks: readonly Block[], tree: ReadonlySet<string>): string[] {
  return [...new Set(blocks.map(({ path }) => path))].filter((path) => tree.has(path));
}

/**
 * What the blocks of a reply make of a repository: every file that changes, or every problem there is, and then nothing is changed at
 * all. `files` holds the files the blocks touch (pathsToRead), `tree` the path of everything in the repository that is no folder.
 *
 * A search text has to stand exactly once in its file, as whole lines, or else, where it nowhere does and both it and its replacement
 * are one line, within a line but not within a word. Edits of one file are applied one after the other, each on the result of the one before. Line endings, byte order
 * mark and the end of the last line stay as the file has them. What leaves a file as it is changes nothing.
 */
export function applyBlocks(
  blocks: readonly Block[],
  files: ReadonlyMap<string, KnownFile>,
  tree: ReadonlySet<string> = new Set(files.keys()),
): Applied {
  const byPath = Map.groupBy(blocks, ({ path }) => path);
  const changes: EditedFile[] = [];
  const problems: EditProblem[] = [];
  for (const [path, ofFile] of byPath) {
    const outcome = applyToFile(path, ofFile, files.get(path) ?? null, tree.has(path));
    if (Array.isArray(outcome)) problems.push(...outcome);
    else if (outcome !== null) changes.push(outcome);
  }
  problems.push(...folderProblems(changes, files, tree));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, changes };
}

/** The file after its blocks, null when nothing changes, or what is wrong with them. */
function applyToFile(
  path: string,
  blocks: readonly Block[],
  file: KnownFile | null,
  exists: boolean,
): EditedFile | null | EditProblem[] {
  const refuse = (kind: EditProblem["kind"], message: string): EditProblem[] => [
    { path, kind, search: null, nearest: null, message },
  ];
  const refused = refuseOfPath(path);
  if (refused !== null) return refuse("outside", refused);
  const [block] = blocks;
  if (block === undefined) return null;
  if (blocks.some((other) => other.kind !== block.kind) || (blocks.length > 1 && block.kind !== "edits")) {
    return refuse("repeated", "The file has several blocks. Only edits of one file may stand in more than one.");
  }
  if (file === null && exists) return refuse("unread", "The file exists, and has not been read.");
  if (file !== null && file.mode !== "100644" && file.mode !== "100755") {
    return refuse("link", "This is a symbolic link or a submodule: it is left alone.");
  }
  if (file?.text === null) return refuse("binary", "This is a binary file: it is left alone.");

  const mode = file?.mode === "100755" ? "100755" : "100644";
  const before = file?.text ?? null;
  if (block.kind === "delete") {
    return before === null ? refuse("absent", "There is no such file to delete.") : { path, content: null, mode };
  }
  if (block.kind === "content" && file?.truncated) {
    const message =
      "Only a part of this file was shown, and its whole content would lose the rest. Use <<<SEARCH edits of what was shown.";
    return refuse("truncated", message);
  }
  const edits = blocks.flatMap((each) => (each.kind === "edits" ? each.edits : []));
  const after =
    block.kind === "content"
      ? before === null
        ? block.content
        : replaced(before, block.content)
      : before === null
        ? newFile(path, edits)
        : edited(path, before, edits);
  if (typeof after !== "string") return after;
  if (after.includes("\0") || !after.isWellFormed()) return refuse("binary", "The new content is no text.");
  return after === before ? null : { path, content: after, mode };
}

/** An edit that replaces nothing is another way to write a new file. */
function newFile(path: string, edits: readonly Edit[]): string | EditProblem[] {
  const [only] = edits;
  if (edits.length === 1 && only !== undefined && isBlank(only.readings[0].search)) return only.readings[0].replace;
  const message = "There is no such file to edit. Check the path, or give the whole content of a new file.";
  return [{ path, kind: "absent", search: shortened(only?.readings[0].search ?? ""), nearest: null, message }];
}

function edited(path: string, before: string, edits: readonly Edit[]): string | EditProblem[] {
  let file = editableText(before);
  const problems: EditProblem[] = [];
  for (const edit of edits) {
    const outcome = applyEdit(file, edit, problems.length < MAX_NEAREST);
    if ("problem" in outcome) problems.push({ path, ...outcome.problem });
    else file = outcome.file;
  }
  return problems.length > 0 ? problems : fileText(file);
}

type Outcome = { file: EditableText } | { problem: Omit<EditProblem, "path"> };

function applyEdit(file: EditableText, edit: Edit, withNearest: boolean): Outcome {
  const reading = readingFor(file.text, edit);
  const search = shortened(reading.search);
  if (isBlank(reading.search)) {
    const message = "The search text is empty. Name the lines that are to be replaced.";
    return { problem: { kind: "empty", search, nearest: null, message } };
  }
  const { positions, length, replacement } = matches(file.text, reading);
  const [position] = positions;
  if (position === undefined) {
    const nearest = withNearest ? nearestPlace(file.text, reading.search) : null;
    const where = nearest ? ` The nearest is at line ${nearest.line}.` : "";
    const message = `The search text is not in the file exactly like this.${where}`;
    return { problem: { kind: "missing", search, nearest, message } };
  }
  if (positions.length > 1) {
    const lines = positions.map((each) => lineAt(file.text, each)).join(", ");
    const more = positions.length === MAX_MATCHES ? " and maybe more" : "";
    const message = `The search text is in the file more than once, at lines ${lines}${more}. Add lines around it until there is one.`;
    return { problem: { kind: "ambiguous", search, nearest: null, message } };
  }
  return { file: splice(file, position, length, replacement) };
}

/** Of several readings the longest search text that is in the file: a shorter one is its beginning, and would match as well. */
function readingFor(text: string, { readings }: Edit): Reading {
  return readings.findLast(({ search }) => wholeLineMatches(text, search, 1).length > 0) ?? readings[0];
}

type Matches = { positions: number[]; length: number; replacement: string };

function matches(text: string, { search, replace }: Reading): Matches {
  const positions = wholeLineMatches(text, search, MAX_MATCHES);
  if (positions.length > 0) return { positions, length: search.length, replacement: replace };
  // More than one line within a line would leave the rest of that line, its indentation for one, around them.
  if (!isOneLine(search) || !isOneLine(replace)) return { positions, length: 0, replacement: replace };
  const part = search.slice(0, -1);
  return {
    positions: partialMatches(text, part, MAX_MATCHES),
    length: part.length,
    replacement: replace.endsWith("\n") ? replace.slice(0, -1) : replace,
  };
}

/** A git tree cannot hold a file and a folder of one name; GitHub would quietly drop the one that was there. */
function folderProblems(
  changes: readonly EditedFile[],
  files: ReadonlyMap<string, KnownFile>,
  tree: ReadonlySet<string>,
): EditProblem[] {
  const written = new Set(changes.flatMap(({ path, content }) => (content === null ? [] : [path])));
  const deleted = new Set(changes.flatMap(({ path, content }) => (content === null ? [path] : [])));
  const isFile = (path: string): boolean => (tree.has(path) && !deleted.has(path)) || written.has(path);
  const problem = (path: string, message: string): EditProblem[] => [
    { path, kind: "folder", search: null, nearest: null, message },
  ];
  return [...written]
    .filter((path) => !tree.has(path) && !files.has(path))
    .flatMap((path) => {
      const parent = parentsOf(path).find(isFile);
      if (parent !== undefined) return problem(path, `${parent} is a file, and cannot be a folder too.`);
      return hasChild(tree, deleted, path) ? problem(path, "There is a folder of this name.") : [];
    });
}

const parentsOf = (path: string): string[] => {
  const names = path.split("/");
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join("/"));
};

function hasChild(tree: ReadonlySet<string>, deleted: ReadonlySet<string>, path: string): boolean {
  for (const other of tree) if (other.startsWith(`${path}/`) && !deleted.has(other)) return true;
  return false;
}

/** Or none at all, which deletes. */
const isOneLine = (text: string): boolean => [-1, text.length - 1].includes(text.indexOf("\n"));

const isBlank = (text: string): boolean => text.trim() === "";

const shortened = (search: string): string => {
  const bare = search.trimEnd();
  return bare.length <= 400 ? bare : `${bare.slice(0, 400)}…`;
};
