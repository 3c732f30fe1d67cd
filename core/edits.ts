import { isEnd, isReplaceEnd, isSearchStart, isSeparator, literalLine, readFileMarker } from "./edits-markers.ts";

/** Lines as text: each ends with a line feed. No lines at all are "". */
export type Reading = { search: string; replace: string };

/** `line` is where it starts in the reply, from 1. Readings are one, unless more than one line could be the separator. */
export type Edit = { line: number; readings: [Reading, ...Reading[]] };

export type Block =
  | { kind: "content"; path: string; content: string }
  | { kind: "edits"; path: string; edits: Edit[] }
  | { kind: "delete"; path: string };

export type ReplyProblem = {
  /** Null when it belongs to no block. */
  path: string | null;
  kind: "unclosed" | "stray" | "separator";
  /** What the problem is about, in short. */
  excerpt: string;
  /** For the model that has to repair it, and for people. */
  message: string;
};

export type ParsedReply = {
  /** What stands outside blocks. */
  summary: string;
  /** The blocks that were read completely, in their order. */
  blocks: Block[];
  /** Whether the reply ends inside a block, which is then left out: it was cut, or its `===END===` was forgotten. */
  incomplete: boolean;
  /** The path of the block that the reply ends in; null when it ends in none, or before its path was read. */
  openPath: string | null;
  problems: ReplyProblem[];
};

/** More separators in one edit than this are a mistake, not a text with lines of equals signs. */
const MAX_READINGS = 8;

/**
 * Reads what a model answers to a task. Markers stand alone on a line, at its very start; spaces after one do not count:
 *
 *     reply   = { text | block | delete }
 *     block   = "===FILE: path===" ( content | edit+ ) "===END==="
 *     delete  = "===DELETE: path==="
 *     edit    = "<<<SEARCH" lines "=======" lines ">>>REPLACE"
 *
 * A block whose first line that is not blank is `<<<SEARCH` holds edits, any other the whole file. A line of a file that is itself a
 * marker is written with a backslash before it, and with one more if it has some already; in whole content, only `===END===`,
 * `===FILE:` and `===DELETE:` need it. An edit with several `=======` lines is kept with each possible reading, for the file
 * to decide. Code fences around blocks or inside them are taken off, and so is the CR of a CRLF.
 *
 * Never throws, and takes time linear in the text.
 */
export function parseReply(text: string): ParsedReply {
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  // A text that ends with a line break has no further line.
  if (lines.at(-1) === "") lines.pop();
  return new ReplyReader(lines).read();
}

/**
 * The blocks after a repair turn. What the model sent again for a path replaces all it had sent for it; what it had sent for a path
 * that `failed` goes in any case, since the path itself may have been what was wrong. The rest stays.
 */
export function withRepairs(
  blocks: readonly Block[],
  failed: ReadonlySet<string>,
  repaired: readonly Block[],
): Block[] {
  const again = new Set(repaired.map(({ path }) => path));
  return [...blocks.filter(({ path }) => !again.has(path) && !failed.has(path)), ...repaired];
}

const isFence = (line: string): boolean => line.startsWith("```") || line.startsWith("~~~");
const isBareFence = (line: string): boolean => {
  const bare = line.trimEnd();
  return bare === "```" || bare === "~~~";
};
const isMarkdown = (path: string): boolean => /\.(?:md|mdx|markdown)$/i.test(path);
const joined = (lines: readonly string[]): string => lines.map((line) => `${literalLine(line)}\n`).join("");

class ReplyReader {
  readonly #lines: readonly string[];
  readonly #summary: string[] = [];
  readonly #blocks: Block[] = [];
  readonly #problems: ReplyProblem[] = [];
  #at = 0;
  #incomplete = false;
  #openPath: string | null = null;
  /** Whether a fence stands open around blocks. */
  #fenced = false;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  read(): ParsedReply {
    while (this.#at < this.#lines.length && !this.#incomplete) this.#outside();
    return {
      summary: this.#summary.join("\n").trim(),
      blocks: this.#blocks,
      incomplete: this.#incomplete,
      openPath: this.#openPath,
      problems: this.#problems,
    };
  }

  #outside(): void {
    const line = this.#line();
    const marker = readFileMarker(line);
    this.#at += 1;
    if (marker?.kind === "file") this.#file(marker.path);
    else if (marker?.kind === "delete") this.#blocks.push({ kind: "delete", path: marker.path });
    else if (isSearchStart(line)) this.#strayEdit();
    else if (isEnd(line)) return;
    else if (this.#fenced && isBareFence(line)) this.#fenced = false;
    else if (isFence(line) && readFileMarker(this.#lines[this.#afterBlanks(this.#at)] ?? "")) this.#fenced = true;
    else if (this.#isCutMarker(line)) this.#incomplete = true;
    else this.#summary.push(line);
  }

  /** The last line of a reply that was cut in the middle of `===FILE: …`. */
  #isCutMarker(line: string): boolean {
    return this.#at === this.#lines.length && (line.startsWith("===FILE:") || line.startsWith("===DELETE:"));
  }

  /** An edit without a `===FILE:` line before it is passed over whole. */
  #strayEdit(): void {
    this.#problem(null, "stray", this.#line(), "An edit stands outside a ===FILE: path=== block.");
    while (this.#at < this.#lines.length) {
      const line = this.#line();
      if (readFileMarker(line)) return;
      this.#at += 1;
      if (isReplaceEnd(line) || isEnd(line)) return;
    }
    this.#incomplete = true;
  }

  #file(path: string): void {
    const first = this.#afterBlanks(this.#at);
    const afterFence = isFence(this.#lines[first] ?? "") ? this.#afterBlanks(first + 1) : first;
    if (isSearchStart(this.#lines[afterFence] ?? "")) {
      this.#at = afterFence;
      this.#edits(path);
    } else this.#content(path);
  }

  #content(path: string): void {
    const start = this.#at;
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#line();
      if (readFileMarker(line)) return this.#unclosed(path);
      if (!isEnd(line)) continue;
      const content = joined(withoutFence(this.#lines.slice(start, this.#at), path));
      this.#blocks.push({ kind: "content", path, content });
      this.#at += 1;
      return;
    }
    this.#open(path);
  }

  #edits(path: string): void {
    const edits: Edit[] = [];
    const problems = this.#problems.length;
    while (this.#at < this.#lines.length) {
      const line = this.#line();
      if (readFileMarker(line)) return this.#unclosed(path);
      // The very last line may be a marker that was cut: it is no text then.
      this.#at += 1;
      if (isEnd(line)) {
        // A block with a problem is not applied by half: the model sends it again.
        if (this.#problems.length === problems) this.#blocks.push({ kind: "edits", path, edits });
        return;
      }
      if (isSearchStart(line)) {
        const edit = this.#edit(path);
        if (edit) edits.push(edit);
      } else if (line.trim() !== "" && !isFence(line) && this.#at < this.#lines.length) {
        this.#problem(path, "stray", line, "Between the edits of a block stands text that belongs to none of them.");
      }
    }
    this.#open(path);
  }

  /** One edit, from the line after `<<<SEARCH` to `>>>REPLACE`. Another marker on the way shows that its end was forgotten. */
  #edit(path: string): Edit | null {
    const start = this.#at;
    const separators: number[] = [];
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#line();
      if (isSeparator(line)) separators.push(this.#at);
      else if (isSearchStart(line) || isEnd(line) || readFileMarker(line)) {
        this.#problem(path, "unclosed", this.#lines[start] ?? "", "An edit has no >>>REPLACE line at its end.");
        return null;
      } else if (isReplaceEnd(line)) {
        const end = this.#at;
        this.#at += 1;
        return this.#readings(path, start, end, separators);
      }
    }
    return null;
  }

  #readings(path: string, start: number, end: number, separators: readonly number[]): Edit | null {
    const [first, ...others] = separators.map((separator) => ({
      search: joined(this.#lines.slice(start, separator)),
      replace: joined(this.#lines.slice(separator + 1, end)),
    }));
    if (first !== undefined && separators.length <= MAX_READINGS) return { line: start, readings: [first, ...others] };
    const how = first === undefined ? "no" : "too many";
    const message = `An edit has ${how} ======= lines between search and replacement. One that belongs to the file is written \\=======.`;
    this.#problem(path, "separator", this.#lines[start] ?? "", message);
    return null;
  }

  /** The reply ends within the block of this path. */
  #open(path: string): void {
    this.#incomplete = true;
    this.#openPath = path;
  }

  #unclosed(path: string): void {
    this.#problem(path, "unclosed", path, "The block has no ===END=== line before the next one starts.");
  }

  #problem(path: string | null, kind: ReplyProblem["kind"], excerpt: string, message: string): void {
    this.#problems.push({ path, kind, excerpt: excerpt.trim().slice(0, 200), message });
  }

  #line(): string {
    return this.#lines[this.#at] ?? "";
  }

  #afterBlanks(from: number): number {
    let index = from;
    while (index < this.#lines.length && this.#lines[index]?.trim() === "") index += 1;
    return index;
  }
}

/** Models like to fence what they write. Markdown may well begin and end with a fence of its own. */
function withoutFence(lines: readonly string[], path: string): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "");
  const last = lines.findLastIndex((line) => line.trim() !== "");
  const isWrapped = first < last && isFence(lines[first] ?? "") && isBareFence(lines[last] ?? "");
  return isWrapped && !isMarkdown(path) ? lines.slice(first + 1, last) : lines;
}
