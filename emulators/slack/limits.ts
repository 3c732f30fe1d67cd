/**
 * Slack's documented limits on what an app posts, and the error codes it answers with (docs.slack.dev, "Block Kit",
 * "chat.postMessage", "chat.update"). `detail` is what Slack puts into `response_metadata.messages`.
 */
export type Refused = { error: string; detail?: string };

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown, most: number): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= most;
const isList = (value: unknown, most: number): value is unknown[] =>
  Array.isArray(value) && value.length > 0 && value.length <= most;

/** Undocumented: Slack refuses blocks from about this much JSON on. */
const MAX_BLOCKS_JSON = 13_200;

const plainText = (value: unknown, most: number): boolean =>
  isObject(value) && value["type"] === "plain_text" && isText(value["text"], most);
const anyText = (value: unknown, most: number): boolean =>
  isObject(value) && (value["type"] === "plain_text" || value["type"] === "mrkdwn") && isText(value["text"], most);
const isAddress = (value: unknown): boolean => isText(value, 3000) && /^(https?|mailto|slack):/.test(value);
/** Slack fetches pictures itself, so one on a private host is refused. */
const isPicture = (value: unknown): boolean =>
  isText(value, 3000) &&
  /^https?:\/\/(?!localhost|127\.|10\.|\[)[^/]+\.[a-z]+(:\d+)?\//i.test(value) &&
  !value.includes(".invalid/");

function button(value: unknown): boolean {
  if (!isObject(value) || value["type"] !== "button") return false;
  const { text, value: carried, style, url, action_id: id } = value;
  return (
    plainText(text, 75) &&
    (id === undefined || isText(id, 255)) &&
    (carried === undefined || (typeof carried === "string" && carried.length <= 2000)) &&
    (style === undefined || style === "primary" || style === "danger") &&
    (url === undefined || isAddress(url))
  );
}

function uniqueIds(elements: readonly unknown[]): boolean {
  const ids = elements.map((element) => (isObject(element) ? element["action_id"] : undefined)).filter(Boolean);
  return new Set(ids).size === ids.length;
}

const STYLES = new Set(["bold", "italic", "strike", "code"]);

function inline(value: unknown): boolean {
  if (!isObject(value)) return false;
  const style = value["style"];
  if (style !== undefined && !(isObject(style) && Object.keys(style).every((key) => STYLES.has(key)))) return false;
  switch (value["type"]) {
    case "text":
      return isText(value["text"], Number.POSITIVE_INFINITY);
    case "link":
      return isAddress(value["url"]) && (value["text"] === undefined || typeof value["text"] === "string");
    case "user":
      return isText(value["user_id"], 100);
    case "broadcast":
      return ["here", "channel", "everyone"].includes(String(value["range"]));
    case "channel":
      return isText(value["channel_id"], 100);
    case "emoji":
      return isText(value["name"], 100);
    default:
      return false;
  }
}

function richText(value: unknown): boolean {
  if (!isObject(value) || !isList(value["elements"], Number.POSITIVE_INFINITY)) return false;
  const elements: unknown[] = value["elements"];
  switch (value["type"]) {
    case "rich_text_section":
    case "rich_text_quote":
      return elements.every(inline);
    case "rich_text_preformatted":
      return elements.every(
        (element) => inline(element) && isObject(element) && ["text", "link"].includes(String(element["type"])),
      );
    case "rich_text_list": {
      const indent = value["indent"] ?? 0;
      const placed = typeof indent === "number" && indent >= 0 && indent <= 8;
      return placed && ["bullet", "ordered"].includes(String(value["style"])) && elements.every(richText);
    }
    default:
      return false;
  }
}

function block(value: unknown): boolean {
  if (!isObject(value) || (value["block_id"] !== undefined && !isText(value["block_id"], 255))) return false;
  switch (value["type"]) {
    case "section": {
      const { text, fields } = value;
      if (text === undefined && fields === undefined) return false;
      return (
        (text === undefined || anyText(text, 3000)) &&
        (fields === undefined || (isList(fields, 10) && fields.every((field) => anyText(field, 2000))))
      );
    }
    case "markdown":
      return isText(value["text"], 12_000);
    case "header":
      return plainText(value["text"], 150);
    case "context":
      return isList(value["elements"], 10) && value["elements"].every((element) => anyText(element, 3000));
    case "divider":
      return true;
    case "image":
      return isPicture(value["image_url"]) && isText(value["alt_text"], 2000);
    case "actions":
      return isList(value["elements"], 25) && value["elements"].every(button) && uniqueIds(value["elements"]);
    case "rich_text":
      return isList(value["elements"], Number.POSITIVE_INFINITY) && value["elements"].every(richText);
    default:
      return false;
  }
}

/** Why Slack would refuse these blocks, or null. */
export function refusedBlocks(blocks: unknown): Refused | null {
  if (!Array.isArray(blocks)) return { error: "invalid_blocks_format" };
  if (blocks.length > 50)
    return { error: "invalid_blocks", detail: "[ERROR] no more than 50 items allowed [json-pointer:/blocks]" };
  const wrong = blocks.findIndex((each) => !block(each));
  if (wrong !== -1) {
    return {
      error: "invalid_blocks",
      detail: `[ERROR] failed to match all allowed schemas [json-pointer:/blocks/${wrong}]`,
    };
  }
  return JSON.stringify(blocks).length > MAX_BLOCKS_JSON ? { error: "msg_blocks_too_long" } : null;
}

/** Why Slack would refuse this text: a new message may have 40,000 characters, an edited one 4,000 bytes. */
export function refusedText(text: string, edit: boolean): Refused | null {
  const tooLong = edit ? Buffer.byteLength(text) > 4000 : text.length > 40_000;
  return tooLong ? { error: "msg_too_long" } : null;
}

/** Why Slack would refuse this metadata: a type of letters, digits and underscores, and a flat payload. */
export function refusedMetadata(metadata: unknown): Refused | null {
  if (!isObject(metadata)) return { error: "invalid_metadata_format" };
  const { event_type: type, event_payload: payload } = metadata;
  const flat = (value: unknown) =>
    ["string", "number", "boolean"].includes(typeof value) || isObject(value) || Array.isArray(value);
  if (!isText(type, 255) || !/^\w+$/.test(type) || !isObject(payload) || !Object.values(payload).every(flat)) {
    return { error: "invalid_metadata_format" };
  }
  return JSON.stringify(metadata).length > 16_000 ? { error: "metadata_too_large" } : null;
}

const REFERENCE = /<(?:!(here|channel|everyone)|!(subteam\^\w+)|@([UW]\w+)|#(C\w+))(?:\|[^>]*)?>/g;
const BARE = /(?<![\w`])@(here|channel|everyone)\b/g;

function callsOfText(text: string, parsed: boolean): string[] {
  const named = [...text.matchAll(REFERENCE)].map(
    ([, here, group, user, channel]) => `${channel ? "#" : "@"}${here ?? group ?? user ?? channel}`,
  );
  return parsed ? [...named, ...[...text.matchAll(BARE)].map(([, here]) => `@${here}`)] : named;
}

/** Whom a message calls or points at. In text that Slack still parses, also by a bare name. */
export function callsOf(text: string, blocks: unknown, parse: string): string[] {
  const calls = callsOfText(text, parse === "full" || parse === "client");
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    if (!isObject(value)) return;
    if (value["type"] === "user") calls.push(`@${String(value["user_id"])}`);
    if (value["type"] === "broadcast") calls.push(`@${String(value["range"])}`);
    if (value["type"] === "channel") calls.push(`#${String(value["channel_id"])}`);
    if ((value["type"] === "mrkdwn" || value["type"] === "markdown") && typeof value["text"] === "string") {
      calls.push(...callsOfText(value["text"], value["verbatim"] !== true));
    }
    Object.values(value).forEach(walk);
  };
  walk(blocks);
  return [...new Set(calls)];
}
