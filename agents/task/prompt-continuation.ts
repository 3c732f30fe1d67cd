import type { ModelMessage } from "#clients/model-types.ts";
import { textBlock } from "./prompt-parts.ts";

/** Lines that are repeated at the seam, blank ones not counted. */
const SEAM = 3;
/** How far into a continuation its seam is looked for: behind a fence, or a word of introduction. */
const LOOKED_AT = 10;

export type Continuation = {
  /** The answer so far up to its last whole line. Give it to `joinContinuation`. */
  kept: string;
  /** To be added to the conversation for the next call. None when there was not one whole line: then just ask again. */
  messages: ModelMessage[];
};

/**
 * How to go on with an answer that was cut at `max_tokens`. Current models continue no half answer of their own, so the conversation
 * has to end with a request; where the answer was cut within a line, that line is given up, and the model repeats the last whole
 * ones, so that the seam can be found.
 */
export function continuationOf(cut: string): Continuation {
  const kept = cut.slice(0, cut.lastIndexOf("\n") + 1);
  const seam = seamOf(kept);
  if (seam.length === 0) return { kept: "", messages: [] };
  const request = [
    `Your answer was cut off because it is long. It is kept up to its last whole line. Go on from there: begin by repeating exactly these \
last ${seam.length} lines of it, so that the two parts can be joined, and then write what follows. Repeat nothing else; no introduction, \
no code fence.`,
    seam.join("\n"),
  ];
  return {
    kept,
    messages: [
      { role: "assistant", content: kept.trimEnd() },
      { role: "user", content: [textBlock(request.join("\n\n"))] },
    ],
  };
}

/** The whole answer: what was kept of the first part, and what follows the repeated lines in the second. */
export function joinContinuation(kept: string, continuation: string): string {
  const seam = seamOf(kept);
  const lines = continuation.split("\n");
  for (let length = seam.length; length > 0; length -= 1) {
    const repeated = seam.slice(seam.length - length);
    // A single bracket may as well be the line that follows.
    if (length < seam.length && repeated.join("").replaceAll(/\s/g, "").length < 12) break;
    const start = indexOfLines(lines, repeated);
    if (start !== -1) return kept + lines.slice(start + length).join("\n");
  }
  return kept + continuation;
}

function seamOf(kept: string): string[] {
  if (kept.trim() === "") return [];
  const lines = kept.slice(0, -1).split("\n");
  let start = lines.length;
  for (let found = 0; start > 0 && found < SEAM && lines.length - start < LOOKED_AT; start -= 1) {
    if (lines[start - 1]?.trim() !== "") found += 1;
  }
  return lines.slice(start);
}

function indexOfLines(lines: readonly string[], sought: readonly string[]): number {
  for (let start = 0; start < Math.min(lines.length, LOOKED_AT); start += 1) {
    if (sought.every((line, offset) => lines[start + offset]?.trimEnd() === line.trimEnd())) return start;
  }
  return -1;
}
