import { isInsideCharacter } from "./blocks.ts";

/** Where text is best divided, best first: between paragraphs, lines, sentences, words. */
const SEAMS = ["\n\n", "\n", ". ", " "];

/** The best place to divide within the first `length` characters; not so early that much room is wasted, if that can be helped. */
function seamWithin(text: string, length: number): number {
  for (const seam of SEAMS) {
    const at = text.lastIndexOf(seam, length - seam.length);
    if (at >= length / 2) return at + seam.length;
  }
  return isInsideCharacter(text, length) ? length - 1 : length;
}

/** Divides text into pieces of at most `length` characters, at sensible places. Nothing but space at the seams is lost. */
export function splitText(text: string, length: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > length) {
    const at = seamWithin(rest, length);
    pieces.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).replace(/^\n+/, "");
  }
  if (rest !== "" || pieces.length === 0) pieces.push(rest);
  return pieces.filter((piece, index) => piece !== "" || (index === 0 && pieces.length === 1));
}

/** Divides code between lines; only a line longer than a whole piece is broken. */
export function splitLines(code: string, length: number): string[] {
  const pieces: string[] = [];
  let piece: string[] = [];
  let size = 0;
  const finish = () => {
    if (piece.length > 0) pieces.push(piece.join("\n"));
    piece = [];
    size = 0;
  };
  for (const line of code.split("\n").flatMap((each) => chunks(each, length))) {
    if (size + line.length + 1 > length) finish();
    piece.push(line);
    size += line.length + 1;
  }
  finish();
  return pieces;
}

function chunks(line: string, length: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < line.length || at === 0;) {
    const end = Math.min(at + length, line.length);
    const next = end < line.length && isInsideCharacter(line, end) ? end - 1 : end;
    parts.push(line.slice(at, next));
    at = Math.max(next, at + 1);
  }
  return parts;
}
