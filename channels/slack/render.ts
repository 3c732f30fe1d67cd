import type { NormalizedResponse } from "#core/delivery.ts";
import { type Block, toPlainText } from "#core/response.ts";
import { type Inline, LIMITS, type RichTextElement, type SlackBlock, cut, shownText, webAddress } from "./blocks.ts";
import { type Paragraph, joined, preformatted, readInline, readMarkdown } from "./markdown.ts";
import { ACTION_PREFIX } from "./parse.ts";
import { splitText } from "./split.ts";
import { escapeText } from "./text.ts";

/** One message to `chat.postMessage` or `chat.update`. `text` is the fallback for notifications, screen readers and refused blocks. */
export type SlackMessage = { text: string; blocks: SlackBlock[] };
export type SlackFileUpload = { name: string; title: string; content: string };
/** A response as Slack shows it: some messages, one after the other, and all of it as a file when that would be too many. */
export type SlackRendering = { messages: SlackMessage[]; file: SlackFileUpload | null };

/** What stays together: a Slack block of its own, or a paragraph that may share one. */
type Piece = { words: string; /** Right below what comes before. */ tight?: true } & (
  | { element: RichTextElement }
  | { block: SlackBlock }
);

/** More messages than this for one response drown a conversation. */
const MAX_MESSAGES = 3;
/** Of a text that is attached, as much is shown. */
const SHOWN_OF_ATTACHED = 1_200;
/** A paragraph that takes more room than this as JSON (all marks, say) is shown without its formatting. */
const MAX_PARAGRAPH_JSON = 9_000;

/** In bytes: what Slack counts is not said, and of all that it may be this is the most. */
const sizeOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).byteLength;

const line = (words: string, elements: Inline[]): Piece => ({
  words,
  element: { type: "rich_text_section", elements },
});

function paragraphs(of: readonly Paragraph[]): Piece[] {
  return of.flatMap(({ element, words }): Piece[] =>
    sizeOf(element) <= MAX_PARAGRAPH_JSON ? [{ element, words }] : plainPieces(words),
  );
}

function linkPiece(url: string, label: string): Piece {
  const address = webAddress(url);
  const shown = cut(shownText(label).trim() || "link", 300);
  if (address !== null) return line(`${shown}: ${address}`, [{ type: "link", url: address, text: shown }]);
  const words = `${shown}: ${cut(shownText(url), 2_000)}`;
  return line(words, [{ type: "text", text: words }]);
}

function fieldPieces(label: string, value: string): Piece[] {
  const name = cut(shownText(label).trim(), 200);
  const [first = "", ...more] = splitText(shownText(value), 2_000);
  const words = `${name}: ${first}`;
  const elements: Inline[] = [
    { type: "text", text: `${name}:`, style: { bold: true } },
    { type: "text", text: " " },
  ];
  return [
    ...paragraphs([{ words, element: { type: "rich_text_section", elements: [...elements, ...readInline(first)] } }]),
    ...more.map((rest) => line(rest, [{ type: "text", text: rest }])),
  ];
}

type Action = Extract<Block, { type: "actions" }>["actions"][number];

/** Buttons; what no button can carry is said in words, as where there are no buttons at all. */
function actionPieces(actions: readonly Action[]): Piece[] {
  const fits = ({ label, value }: Action) =>
    value !== "" && value.length <= LIMITS.buttonValue && shownText(label).trim() !== "";
  const buttons = actions.filter(fits);
  const pieces: Piece[] = [];
  for (let at = 0; at < buttons.length; at += LIMITS.buttonsInBlock) {
    const some = buttons.slice(at, at + LIMITS.buttonsInBlock);
    // A few thousand characters of values at a time, so that one block always fits into a message.
    for (let from = 0, to = 0; from < some.length; from = to) {
      for (let room = 6_000; to < some.length && (to === from || room > 0); to++) room -= 250 + sizeOf(some[to]);
      const shown = some.slice(from, to);
      pieces.push({
        words: toPlainText([{ type: "actions", actions: shown }]),
        block: {
          type: "actions",
          elements: shown.map(({ name, label, value, style }, index) => ({
            type: "button",
            // Must be unique in its block.
            action_id: `${ACTION_PREFIX}${index}:${name}`.slice(0, 255),
            text: { type: "plain_text", text: cut(shownText(label).trim(), LIMITS.buttonText), emoji: false },
            value,
            ...(style === "plain" ? {} : { style }),
          })),
        },
      });
    }
  }
  const words = toPlainText([{ type: "actions", actions: actions.filter((action) => !fits(action)) }]);
  return words === "" ? pieces : [...pieces, ...plainPieces(words)];
}

const plainPieces = (words: string): Piece[] =>
  splitText(shownText(words), 2_500).map((piece) => line(piece, [{ type: "text", text: piece }]));

function piecesOf(block: Block): Piece[] {
  switch (block.type) {
    case "text":
      return paragraphs(readMarkdown(shownText(block.text)));
    case "fields":
      return block.fields
        .flatMap(({ label, value }) => fieldPieces(label, value))
        .map((piece, index) => (index === 0 ? piece : { ...piece, tight: true }));
    case "code":
      return paragraphs(preformatted(shownText(block.code), block.language));
    case "diff":
      return paragraphs(preformatted(shownText(block.diff), "diff"));
    case "link":
      return [linkPiece(block.url, block.label)];
    case "image": {
      const address = webAddress(block.url);
      const alt = cut(shownText(block.alt).trim() || "picture", LIMITS.imageAlt);
      // Slack fetches the picture itself, from the open web only.
      return address?.startsWith("https:") && address.length <= LIMITS.imageUrl
        ? [{ words: `${alt}: ${address}`, block: { type: "image", image_url: address, alt_text: alt } }]
        : [linkPiece(block.url, alt)];
    }
    case "actions":
      return actionPieces(block.actions);
    case "divider":
      return [{ words: "———", block: { type: "divider" } }];
  }
}

/** Cut so that it fits, escaped, into the bytes that an edit may have. */
function fallbackText(words: string): string {
  const encoder = new TextEncoder();
  const shown = shownText(words);
  const full = escapeText(shown);
  if (encoder.encode(full).byteLength <= LIMITS.textBytes) return full;
  let text = "";
  let bytes = encoder.encode("…").byteLength;
  for (const character of shown) {
    const escaped = escapeText(character);
    bytes += encoder.encode(escaped).byteLength;
    if (bytes > LIMITS.textBytes) break;
    text += escaped;
  }
  return `${text}…`;
}

/** Adds a piece to a message's blocks: into the last one where it belongs to the same text. */
function withPiece(blocks: readonly SlackBlock[], piece: Piece): SlackBlock[] {
  if ("block" in piece) return [...blocks, piece.block];
  const last = blocks.at(-1);
  if (last?.type !== "rich_text") return [...blocks, { type: "rich_text", elements: [piece.element] }];
  const lastElement = last.elements.at(-1);
  const one = lastElement === undefined ? null : joined(lastElement, piece.element, piece.tight ? "\n" : "\n\n");
  const elements = one === null ? [...last.elements, piece.element] : [...last.elements.slice(0, -1), one];
  return [...blocks.slice(0, -1), { type: "rich_text", elements }];
}

function intoMessages(pieces: readonly Piece[]): SlackMessage[] {
  const messages: { blocks: SlackBlock[]; words: string[]; size: number }[] = [];
  for (const piece of pieces) {
    // With the commas and breaks that joining adds.
    const size = sizeOf("block" in piece ? piece.block : piece.element) + 64;
    const current = messages.at(-1);
    if (current && current.size + size <= LIMITS.blocksJson && current.blocks.length < LIMITS.blocks) {
      current.blocks = withPiece(current.blocks, piece);
      current.words.push(piece.words);
      current.size += size;
    } else messages.push({ blocks: withPiece([], piece), words: [piece.words], size });
  }
  return messages.map(({ blocks, words }) => ({ blocks, text: fallbackText(words.join("\n")) }));
}

/** A block without the greater part of its text, when that is attached. */
function shortened(block: Block): Block {
  switch (block.type) {
    case "text":
      return { ...block, text: cut(block.text, SHOWN_OF_ATTACHED) };
    case "code":
      return { ...block, code: cut(block.code, SHOWN_OF_ATTACHED) };
    case "diff":
      return { ...block, diff: cut(block.diff, SHOWN_OF_ATTACHED) };
    case "fields":
      return {
        ...block,
        fields: block.fields.slice(0, 20).map(({ label, value }) => ({ label, value: cut(value, 300) })),
      };
    case "link":
    case "image":
    case "actions":
    case "divider":
      return block;
  }
}

/** People do what buttons say, so these are shown even when the text around them is not. */
const isActions = ({ type }: Block): boolean => type === "actions";

/** A response as Slack messages: within Slack's limits, long text divided at sensible places, very long output attached as a file. */
export function renderForSlack({ id, kind, blocks }: NormalizedResponse): SlackRendering {
  const messages = intoMessages(blocks.flatMap(piecesOf));
  if (messages.length === 0) return { messages: [{ text: "…", blocks: [] }], file: null };
  // Progress is a glance, soon replaced.
  if (kind === "progress") return { messages: messages.slice(0, 1), file: null };
  if (messages.length <= MAX_MESSAGES) return { messages, file: null };

  const name = `codespar-${id.replace(/[^A-Za-z0-9-]/g, "").slice(-40)}.txt`;
  const note: Block = { type: "text", text: `This is the beginning. All of it is in the file \`${name}\`.` };
  const rest = blocks.filter((block) => !isActions(block)).map(shortened);
  const shown = [
    ...intoMessages(rest.flatMap(piecesOf)).slice(0, 1),
    ...intoMessages([note, ...blocks.filter(isActions)].flatMap(piecesOf)).slice(0, MAX_MESSAGES - 1),
  ];
  return { messages: shown, file: { name, title: "All of the output", content: toPlainText(blocks) } };
}
