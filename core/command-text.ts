/**
 * How a message's text is read before it is matched. Characters that nobody sees are taken out, because what a person
 * approves, what the audit shows and what a model reads must be the same text: bidirectional controls make words stand in another
 * order than they are, zero-width characters and tags hide words or make two different texts look alike.
 * (The price: emoji joined by a zero-width joiner fall apart.)
 */

/** Printable ASCII, tab and line feed only: nothing to clean. Most messages are this. */
const NOT_PLAIN = /[^\t\n\x20-\x7e]/;

/** Everything Unicode calls ignorable when displayed, but for the selector that makes emoji colourful; controls; annotations. */
const INVISIBLE = /[[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Bidi_Control}\ufff9-\ufffb]--[\ufe0f\t\n]]/gv;

/**
 * Marks stacked on one character. 30 is Unicode's own limit for streams (UAX #15, "Stream-Safe Text Format"); no writing
 * needs more, and putting thousands of them into order takes quadratic time.
 */
const STACKED_MARKS = /(\p{M}{30})\p{M}+/gu;

/** The text in NFC, well-formed, with line feeds for all line ends and no invisible characters. In linear time. */
export function cleanText(text: string): string {
  if (!NOT_PLAIN.test(text)) return text;
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replace(INVISIBLE, "")
    .replace(STACKED_MARKS, "$1")
    .normalize("NFC");
}

/** Space, tab, line ends, and Unicode's spaces: what separates words, and what String.trim removes. */
function isSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

/** The index of the first character that is no space, at or after `start`. */
export function skipSpaces(text: string, start: number): number {
  let index = start;
  while (index < text.length && isSpace(text.charCodeAt(index))) index += 1;
  return index;
}

/** The index of the first space at or after `start`, or the text's length. */
export function wordEnd(text: string, start: number): number {
  let index = start;
  while (index < text.length && !isSpace(text.charCodeAt(index))) index += 1;
  return index;
}

/** At most `limit` words from the beginning; a text with more of them is told from one that has just as many by `limit` + 1. */
export function firstWords(text: string, limit: number): string[] {
  const words: string[] = [];
  let start = skipSpaces(text, 0);
  while (start < text.length && words.length < limit) {
    const end = wordEnd(text, start);
    words.push(text.slice(start, end));
    start = skipSpaces(text, end);
  }
  return words;
}

/** What follows the first `count` words, trimmed. */
export function afterWords(text: string, count: number): string {
  let index = skipSpaces(text, 0);
  for (let word = 0; word < count; word += 1) index = skipSpaces(text, wordEnd(text, index));
  return text.slice(index).trimEnd();
}

/** The same without punctuation at its end. `marks` are single characters. */
export function withoutTrailing(text: string, marks: string): string {
  let end = text.length;
  while (end > 0 && marks.includes(text.charAt(end - 1))) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

const MENTION = "codespar";
/** Platforms' ids are far shorter; more is no mention. */
const MENTION_LIMIT = 200;

/**
 * The index after a leading mention of the bot (`@codespar`, `codespar`, `<@U123>`, with or without a comma or colon), and
 * the spaces around it. Which bot a platform's `<@…>` means, its adapter has checked.
 */
export function afterMention(text: string): number {
  const start = skipSpaces(text, 0);
  const first = text.charCodeAt(start) | 0x20;
  // "c", "@" and "<" begin mentions; `| 0x20` makes C of c and ` of @.
  if (first !== 0x63 && first !== 0x60 && first !== 0x3c) return start;
  const end = wordEnd(text.slice(start, start + MENTION_LIMIT), 0);
  const word = withoutTrailing(text.slice(start, start + end), ",:").toLowerCase();
  const isMention =
    word === MENTION ||
    word === `@${MENTION}` ||
    (word.startsWith("<@") && word.length > 3 && word.indexOf(">") === word.length - 1);
  return isMention ? skipSpaces(text, start + end) : start;
}
