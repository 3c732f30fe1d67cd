/**
 * Four characters are a token, an image 1,500, a PDF 3,000. No tokenizer counts so; but every test can reckon it in its
 * head, and what is counted is what `max_tokens` cuts.
 */
const CHARACTERS = 4;
const IMAGE = 1_500;
const PDF = 3_000;

export const countTokens = (text: string): number => Math.ceil(Array.from(text).length / CHARACTERS);

/** As much of a text as that many tokens hold. Characters outside the BMP stay whole. */
export const firstTokens = (text: string, tokens: number): string =>
  Array.from(text)
    .slice(0, tokens * CHARACTERS)
    .join("");

/** One block of a request, its nested ones included. Where its cache is marked makes no difference. */
export function countBlock(block: unknown): number {
  let media = 0;
  const rest = JSON.stringify(block, (key, value: unknown) => {
    if (key === "cache_control") return undefined;
    const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
    if (type !== "image" && !(type === "document" && isPdf(value))) return value;
    media += type === "image" ? IMAGE : PDF;
    return undefined;
  });
  return media + (rest === undefined ? 0 : countTokens(isText(block) ? block.text : rest));
}

function isText(block: unknown): block is { type: "text"; text: string } {
  return typeof block === "object" && block !== null && "type" in block && block.type === "text";
}

function isPdf(value: unknown): boolean {
  const { source } = value as { source?: { type?: unknown; media_type?: unknown } };
  return source?.type !== "text" && source?.type !== "content";
}
