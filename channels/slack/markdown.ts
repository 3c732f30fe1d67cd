import { type Inline, type RichTextElement, webAddress } from "./blocks.ts";
import { splitLines, splitText } from "./split.ts";

/**
 * The Markdown that agents and models write, as Slack's rich text. Rich text is literal: only an element of its own can
 * mention anybody, and none is made here, so text can neither call `@here` nor break out of its formatting.
 */

/** A piece of rich text and the words in it, for the fallback. */
export type Paragraph = { element: RichTextElement; words: string };

/** The most characters of one paragraph; longer ones are divided. */
const MAX_PARAGRAPH = 2_500;

// Each alternative begins with its own mark and excludes it from what it spans, so that reading takes linear time.
const INLINE =
  /`([^`\n]{1,500})`|\*\*([^*\n]{1,500})\*\*|~~([^~\n]{1,500})~~|\[([^[\]\n]{1,300})\]\(([^()\s]{1,1000})\)|(https?:\/\/[^\s<>()[\]"'`*]{1,1000})/g;

const plain = (value: string): Inline => ({ type: "text", text: value });

function linkOr(url: string, label: string | null, otherwise: string): Inline {
  const address = webAddress(url);
  if (address === null) return plain(otherwise);
  return label === null ? { type: "link", url: address } : { type: "link", url: address, text: label };
}

/** One line's or paragraph's text with its code, bold, struck and linked parts. */
export function readInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, code, bold, struck, label, target, bare] = found;
    if (found.index > at) parts.push(plain(text.slice(at, found.index)));
    at = found.index + whole.length;
    if (code !== undefined) parts.push({ type: "text", text: code, style: { code: true } });
    else if (bold !== undefined) parts.push({ type: "text", text: bold, style: { bold: true } });
    else if (struck !== undefined) parts.push({ type: "text", text: struck, style: { strike: true } });
    else if (label !== undefined) parts.push(linkOr(target ?? "", label, whole));
    else {
      // A sentence's end is no part of an address.
      const address = (bare ?? "").replace(/[.,:;!?]+$/, "");
      parts.push(linkOr(address, null, address));
      at = found.index + address.length;
    }
  }
  if (at < text.length) parts.push(plain(text.slice(at)));
  return parts;
}

export const preformatted = (code: string, language: string | null): Paragraph[] =>
  splitLines(code, MAX_PARAGRAPH)
    .filter((piece) => piece.trim() !== "")
    .map((piece) => ({
      element: {
        type: "rich_text_preformatted",
        ...(language !== null && /^[a-z0-9+#-]{1,30}$/i.test(language) ? { language } : {}),
        elements: [plain(piece)],
      },
      words: piece,
    }));

/** The words without their marks, and where links lead. */
const wordsOf = (elements: readonly Inline[]): string =>
  elements
    .map((one) => (one.type === "text" ? one.text : one.text === undefined ? one.url : `${one.text} (${one.url})`))
    .join("");

const section = (elements: Inline[]): Paragraph => ({
  element: { type: "rich_text_section", elements },
  words: wordsOf(elements),
});

const BULLET = /^(\s{0,20})(?:[-*•]|(\d{1,4})[.)])\s+(\S.*)$/;

function readItem(line: string): Paragraph | null {
  const found = BULLET.exec(line);
  if (found === null) return null;
  const [, space = "", number, text = ""] = found;
  const elements = readInline(text);
  return {
    element: {
      type: "rich_text_list",
      style: number === undefined ? "bullet" : "ordered",
      indent: Math.min(Math.floor(space.length / 2), 6),
      // Slack counts from one in each list: said by itself, so that what stands between two items does not start again.
      ...(number === undefined || Number(number) < 2 ? {} : { offset: Number(number) - 1 }),
      elements: [{ type: "rich_text_section", elements }],
    },
    words: `${space}${number === undefined ? "•" : `${number}.`} ${wordsOf(elements)}`,
  };
}

function readParagraph(lines: readonly string[]): Paragraph[] {
  const text = lines.join("\n").trimEnd();
  return text.trim() === "" ? [] : splitText(text, MAX_PARAGRAPH).map((piece) => section(readInline(piece)));
}

/** Reads Markdown into paragraphs, each small enough for any message. Whatever is no Markdown known here stays as it is written. */
export function readMarkdown(source: string): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let lines: string[] = [];
  let fence: { language: string; lines: string[] } | null = null;
  const finish = () => {
    paragraphs.push(...readParagraph(lines));
    lines = [];
  };
  for (const line of source.split("\n")) {
    if (fence !== null) {
      if (/^\s{0,3}```\s*$/.test(line)) {
        paragraphs.push(...preformatted(fence.lines.join("\n"), fence.language));
        fence = null;
      } else fence.lines.push(line);
      continue;
    }
    const opening = /^\s{0,3}```([^\s`]{0,30})[^`]*$/.exec(line);
    const heading = /^#{1,6}\s+(\S.*)$/.exec(line)?.[1];
    const quote = /^>\s?(.*)$/.exec(line)?.[1];
    const item = line.length > MAX_PARAGRAPH ? null : readItem(line);
    if (opening !== null) {
      finish();
      fence = { language: opening[1] ?? "", lines: [] };
    } else if (heading !== undefined && heading.length < MAX_PARAGRAPH) {
      finish();
      paragraphs.push(section([{ type: "text", text: heading, style: { bold: true } }]));
    } else if (quote !== undefined && quote.length < MAX_PARAGRAPH) {
      finish();
      if (quote !== "")
        paragraphs.push({ element: { type: "rich_text_quote", elements: readInline(quote) }, words: quote });
    } else if (item !== null) {
      finish();
      paragraphs.push(item);
    } else if (line.trim() === "") {
      finish();
    } else lines.push(line);
  }
  if (fence !== null) paragraphs.push(...preformatted(fence.lines.join("\n"), fence.language));
  finish();
  return paragraphs;
}

/** Puts one paragraph after another where both are of one kind: in Slack a list's items, a quote's lines and a text's paragraphs (with `gap` between) are one element. */
export function joined(one: RichTextElement, other: RichTextElement, gap: string): RichTextElement | null {
  if (one.type === "rich_text_section" && other.type === "rich_text_section") {
    return { ...one, elements: [...one.elements, plain(gap), ...other.elements] };
  }
  if (one.type === "rich_text_quote" && other.type === "rich_text_quote") {
    return { ...one, elements: [...one.elements, plain("\n"), ...other.elements] };
  }
  if (one.type === "rich_text_list" && other.type === "rich_text_list") {
    const follows = one.style === "bullet" || (other.offset ?? 0) === (one.offset ?? 0) + one.elements.length;
    return one.style === other.style && one.indent === other.indent && follows
      ? { ...one, elements: [...one.elements, ...other.elements] }
      : null;
  }
  return null;
}
