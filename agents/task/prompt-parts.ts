import type { ModelText } from "#clients/model-types.ts";

/** How much of one file a model is shown, in bytes of UTF-8. */
export const MAX_SHOWN_BYTES = 20 * 1024;
/** How many files. */
export const MAX_SHOWN_FILES = 5;

/** A file as a model sees it. `truncated`: `text` is only its beginning, and `note` says how much is left out. */
export type ShownFile = { path: string; text: string; truncated: boolean; note: string | null };

/** A message of a person, in the order they were sent. `from` is whatever that person is called. */
export type Said = { from: string; text: string };

const utf8 = new TextEncoder();
const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0)} KB`;
const linesIn = (text: string): number => text.split("\n").length - (text.endsWith("\n") ? 1 : 0);

/** Cuts a file that is longer than `limit` bytes after its last line that fits, or, where the first is longer, within that. */
export function showFile(path: string, text: string, limit: number = MAX_SHOWN_BYTES): ShownFile {
  // No character takes more than three bytes for each of its UTF-16 units.
  if (text.length * 3 <= limit) return { path, text, truncated: false, note: null };
  const bytes = utf8.encode(text).length;
  if (bytes <= limit) return { path, text, truncated: false, note: null };
  // `encodeInto` never writes half a character.
  const { read, written } = utf8.encodeInto(text, new Uint8Array(limit));
  const end = text.lastIndexOf("\n", read - 1) + 1;
  const shown = text.slice(0, end === 0 ? read : end);
  const left = bytes - (end === 0 ? written : utf8.encode(shown).length);
  const lines = linesIn(text) - linesIn(shown);
  const what = end === 0 ? "the rest of a line that is too long" : `${lines} more ${lines === 1 ? "line" : "lines"}`;
  return { path, text: shown, truncated: true, note: `${what}, ${kilobytes(left)} of ${kilobytes(bytes)}, not shown` };
}

/**
 * Text that is not ours, between tags that nothing inside it can close: their name holds the task's random boundary, and more if
 * even that stands in the text. The text itself stays as it is, since edits have to match it.
 */
export function delimited(name: string, boundary: string, text: string, path: string | null = null): string {
  let unique = boundary;
  while (text.includes(unique)) unique += "x";
  const attribute = path === null ? "" : ` path=${JSON.stringify(path)}`;
  return `<${name}-${unique}${attribute}>\n${text}${text.endsWith("\n") || text === "" ? "" : "\n"}</${name}-${unique}>`;
}

/** A file between its tags, with what is left out said after them, where it cannot be taken for a part of it. */
export function delimitedFile(boundary: string, { path, text, note }: ShownFile): string {
  const file = delimited("file", boundary, text, path);
  return note === null ? file : `${file}\n[${JSON.stringify(path)} goes on: ${note}]`;
}

/** Messages of people, each said to be from whom. Names are whatever somebody typed: one line, and short. */
export function delimitedMessages(boundary: string, said: readonly Said[]): string {
  const text = said.map(({ from, text: words }) => `${oneLineName(from)}: ${words}`).join("\n\n");
  return delimited("messages", boundary, text);
}

const oneLineName = (name: string): string =>
  name
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, 80);

export const textBlock = (text: string): ModelText => ({ type: "text", text });

/**
 * A block up to which the request is kept for five minutes. Writing costs a quarter more than reading anew, reading again a tenth: it
 * pays where more than one request in four or so begins alike within that time.
 */
export const cachedBlock = (text: string): ModelText => ({
  type: "text",
  text,
  cache_control: { type: "ephemeral" },
});
