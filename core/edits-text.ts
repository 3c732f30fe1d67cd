/**
 * A text file as edits see it: lines joined by line feeds, with what that leaves out kept beside it, so that an edit changes the lines
 * it names and nothing else.
 */
export type EditableText = {
  /** With a line feed after each line, also after the last. */
  text: string;
  bom: boolean;
  /** What ended each line in the file, in order; null when it was a line feed for all of them. */
  endings: string[] | null;
  /** What most lines end with. */
  usual: "\n" | "\r\n";
  /** Whether the file itself had an ending after its last line. */
  endsWithNewline: boolean;
};

const BOM = "\ufeff";

export function editableText(file: string): EditableText {
  const bom = file.startsWith(BOM);
  const body = bom ? file.slice(1) : file;
  const endings = body.includes("\r\n") ? [...(body.match(/\r?\n/g) ?? [])] : null;
  const crlf = endings?.filter((ending) => ending !== "\n").length ?? 0;
  const text = endings === null ? body : body.replaceAll("\r\n", "\n");
  const endsWithNewline = text === "" || text.endsWith("\n");
  return {
    text: endsWithNewline ? text : `${text}\n`,
    bom,
    endings,
    usual: crlf * 2 > (endings?.length ?? 0) ? "\r\n" : "\n",
    endsWithNewline,
  };
}

/** The file again, as bytes would have it. */
export function fileText({ text, bom, endings, usual, endsWithNewline }: EditableText): string {
  const whole = endsWithNewline || !text.endsWith("\n") ? text : text.slice(0, -1);
  let line = 0;
  const body = endings === null ? whole : whole.replaceAll("\n", () => endings[line++] ?? usual);
  return bom ? BOM + body : body;
}

const countLines = (text: string): number => {
  let count = 0;
  for (let index = text.indexOf("\n"); index !== -1; index = text.indexOf("\n", index + 1)) count += 1;
  return count;
};

/** The line a position is in, from 1. */
export const lineAt = (text: string, position: number): number => countLines(text.slice(0, position)) + 1;

/** With `length` characters at `position` replaced. New lines end as those they replace did, further ones as is usual in the file. */
export function splice(file: EditableText, position: number, length: number, replacement: string): EditableText {
  const text = file.text.slice(0, position) + replacement + file.text.slice(position + length);
  if (file.endings === null) return { ...file, text };
  const first = lineAt(file.text, position) - 1;
  const removed = countLines(file.text.slice(position, position + length));
  const old = file.endings.slice(first, first + removed);
  const added = Array.from({ length: countLines(replacement) }, (_, index) => old[index] ?? file.usual);
  return { ...file, text, endings: file.endings.toSpliced(first, removed, ...added) };
}

/** A whole new content for a file, kept in the file's own form: its line endings, its byte order mark, its last line's end. */
export function replaced(file: string, content: string): string {
  const { bom, usual, endsWithNewline } = editableText(file);
  const written = editableText(content);
  const endings = usual === "\n" ? null : [];
  return fileText({ ...written, bom: bom || written.bom, endings, usual, endsWithNewline });
}

const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character);

/** Where `search` (whole lines) stands in `text` as whole lines: at most `limit` positions. */
export function wholeLineMatches(text: string, search: string, limit: number): number[] {
  const found: number[] = [];
  for (
    let index = text.indexOf(search);
    index !== -1 && found.length < limit;
    index = text.indexOf(search, index + 1)
  ) {
    if (index === 0 || text[index - 1] === "\n") found.push(index);
  }
  return found;
}

/** Where `search` stands within lines, never in the middle of a word: `80` is not found in `8080`. */
export function partialMatches(text: string, search: string, limit: number): number[] {
  const found: number[] = [];
  const startsInWord = isWord(search[0]);
  const endsInWord = isWord(search.at(-1));
  let index = text.indexOf(search);
  while (index !== -1 && found.length < limit) {
    const isCut = (startsInWord && isWord(text[index - 1])) || (endsInWord && isWord(text[index + search.length]));
    if (!isCut) found.push(index);
    let next = index + 1;
    // Within this word it cannot start again; one long word is not searched from each of its letters.
    if (startsInWord) while (isWord(text[next])) next += 1;
    index = text.indexOf(search, next);
  }
  return found;
}

export type Place = { line: number; text: string };

/** Lines that stand in a file more often than this say nothing about where a search text was meant. */
const COMMON = 20;
const SHOWN_LINES = 20;

/**
 * The place in `text` that a search text without a match was most likely meant for: where most of its lines stand in their order, indentation
 * aside; else the line that shares most words with it. Null when nothing is alike. Linear in both.
 */
export function nearestPlace(text: string, search: string): Place | null {
  const lines = text.split("\n");
  const wanted = search
    .trimEnd()
    .split("\n")
    .map((line) => line.trim());
  const start = placeByLines(lines, wanted) ?? placeByWords(lines, wanted);
  if (start === null) return null;
  const shown = lines.slice(start, start + Math.min(wanted.length, SHOWN_LINES));
  return { line: start + 1, text: shown.join("\n").trimEnd().slice(0, 2000) };
}

function placeByLines(lines: readonly string[], wanted: readonly string[]): number | null {
  const sought = new Set(wanted);
  const positions = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const bare = line.trim();
    if (bare === "" || !sought.has(bare)) continue;
    const at = positions.get(bare);
    if (at === undefined) positions.set(bare, [index]);
    else if (at.length <= COMMON) at.push(index);
  }
  const votes = new Map<number, number>();
  for (const [offset, line] of wanted.entries()) {
    const at = positions.get(line) ?? [];
    if (at.length > COMMON) continue;
    // A bracket alone is a weak sign.
    const weight = Math.min(line.length, 40);
    for (const index of at) {
      const start = Math.max(0, index - offset);
      votes.set(start, (votes.get(start) ?? 0) + weight);
    }
  }
  return best(votes);
}

const wordsOf = (line: string): string[] => line.match(/[\p{L}\p{N}_]{3,}/gu) ?? [];

function placeByWords(lines: readonly string[], wanted: readonly string[]): number | null {
  const words = new Set(wanted.flatMap(wordsOf));
  if (words.size === 0) return null;
  const votes = new Map<number, number>();
  for (const [index, line] of lines.entries()) {
    const shared = new Set(wordsOf(line).filter((word) => words.has(word))).size;
    if (shared > 0) votes.set(index, shared);
  }
  return best(votes);
}

function best(votes: ReadonlyMap<number, number>): number | null {
  let winner: number | null = null;
  let most = 0;
  for (const [place, count] of votes) {
    if (count > most) [winner, most] = [place, count];
  }
  return winner;
}
