/** Slack's own three entities: nothing else is encoded in what it sends, or decoded in what it shows. */
const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/** Once: `&amp;lt;` is somebody's `&lt;`. */
const decodeEntities = (text: string): string =>
  text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity] ?? entity);

/** So that no `<…>` is left in it for Slack to read as a mention, channel or link. */
export const escapeText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The text of one `<…>`, without the brackets (docs.slack.dev, "Formatting message text"). */
function referenceText(reference: string): string {
  const bar = reference.indexOf("|");
  const target = bar === -1 ? reference : reference.slice(0, bar);
  const label = bar === -1 ? "" : reference.slice(bar + 1);
  // An account stays an id: that is what roles are given to, and a name can be anybody's.
  if (target.startsWith("@")) return target;
  if (target.startsWith("#")) return label === "" ? target : `#${label}`;
  if (target.startsWith("!")) return label === "" ? `@${target.slice(1).split("^", 1)[0]}` : label;
  if (label === "") return target;
  // Slack labels what looks like an address with what was typed; a label that says something else hides the address.
  return target.endsWith(label) || target.startsWith(label) || target === `mailto:${label}`
    ? label
    : `${label} (${target})`;
}

export type ReadText = { text: string; mentionsBot: boolean; mentions: string[] };

/**
 * What a person wrote, from Slack's encoding of it: mentions of the bot taken out, other references as words, entities
 * decoded. `mentions` are the other accounts mentioned.
 */
export function readText(encoded: string, botUser: string | null): ReadText {
  const mentions = new Set<string>();
  let mentionsBot = false;
  const words = encoded.replace(/<([^<>]*)>([:,](?=\s))?( ?)/g, (_, reference: string, mark = "", space = "") => {
    const account = /^@([UW][A-Z0-9]+)(?:\||$)/.exec(reference)?.[1];
    if (account !== undefined && account === botUser) {
      mentionsBot = true;
      return "";
    }
    if (account !== undefined) mentions.add(account);
    return `${referenceText(reference)}${mark}${space}`;
  });
  return { text: decodeEntities(words).trim(), mentionsBot, mentions: [...mentions] };
}
