/** The parts of Block Kit that CodeSpar sends (docs.slack.dev, "Block Kit"), narrower than the SDK's types. */

type Style = { bold?: true; italic?: true; strike?: true; code?: true };
export type Inline =
  | { type: "text"; text: string; style?: Style }
  | { type: "link"; url: string; text?: string; style?: Style };

export type RichTextElement =
  | { type: "rich_text_section"; elements: Inline[] }
  | { type: "rich_text_quote"; elements: Inline[] }
  | { type: "rich_text_preformatted"; language?: string; elements: Inline[] }
  | {
      type: "rich_text_list";
      style: "bullet" | "ordered";
      indent: number;
      offset?: number;
      elements: { type: "rich_text_section"; elements: Inline[] }[];
    };

type Button = {
  type: "button";
  action_id: string;
  text: { type: "plain_text"; text: string; emoji: false };
  value: string;
  style?: "primary" | "danger";
};

export type SlackBlock =
  | { type: "rich_text"; elements: RichTextElement[] }
  | { type: "image"; image_url: string; alt_text: string }
  | { type: "actions"; elements: Button[] }
  | { type: "divider" };

/** Slack's documented limits, in characters unless they say otherwise; some with room to spare. */
export const LIMITS = {
  blocks: 50,
  /**
   * All blocks of a message as JSON. Not documented: Slack refuses with `msg_blocks_too_long` from about 13,200 on
   * (slackapi/bolt-js#2509).
   */
  blocksJson: 12_000,
  /** The fallback text when a message is edited, in bytes after escaping. */
  textBytes: 4_000,
  buttonText: 75,
  buttonValue: 2_000,
  buttonsInBlock: 25,
  imageUrl: 3_000,
  imageAlt: 2_000,
  linkUrl: 3_000,
} as const;

const UNSHOWN =
  // eslint-disable-next-line no-control-regex -- control characters are the point
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]|[\p{Bidi_Control}\u2060-\u2064\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Without controls, and without marks that reorder or hide text: what is read must be what is there. */
export const shownText = (text: string): string => text.toWellFormed().replace(/\r\n?/g, "\n").replace(UNSHOWN, "");

/** Cut to a number of characters, never inside one. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = length - 1;
  return `${text.slice(0, isInsideCharacter(text, end) ? end - 1 : end)}…`;
}

/** Whether a cut here would part a surrogate pair. */
export const isInsideCharacter = (text: string, at: number): boolean =>
  /[\ud800-\udbff]/.test(text[at - 1] ?? "") && /[\udc00-\udfff]/.test(text[at] ?? "");

/** An address people can be sent to, or null: nothing that runs or reads files. */
export function webAddress(address: string): string | null {
  try {
    const url = new URL(address);
    const known = url.protocol === "https:" || url.protocol === "http:" || url.protocol === "mailto:";
    return known && url.href.length <= LIMITS.linkUrl ? url.href : null;
  } catch {
    return null;
  }
}
