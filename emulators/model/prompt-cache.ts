import { createHash } from "node:crypto";
import type { CountRequest } from "./request-schema.ts";
import { countBlock, countTokens } from "./tokens.ts";

/** One piece of a prompt, in the order the model reads them: tools, system, messages. */
type Part = { content: string; tokens: number; marked: boolean };

export type PromptUsage = { input: number; write: number; read: number };

/** How far before a mark an earlier prefix is looked for. */
const LOOK_BACK = 20;
const MAX_PREFIXES = 10_000;

export function partsOf(request: CountRequest): Part[] {
  const part = (block: object, role: string): Part => ({
    content: `${role} ${JSON.stringify({ ...block, cache_control: undefined })}`,
    tokens: countBlock(block),
    marked: "cache_control" in block && Boolean(block.cache_control),
  });
  const plain = (text: string, role: string): Part => part({ type: "text", text }, role);
  const inside = (content: string | readonly object[], role: string): Part[] =>
    typeof content === "string" ? [plain(content, role)] : content.map((block) => part(block, role));
  const format = request.output_config?.format;
  const parts = [
    ...(request.tools ?? []).map((tool) => part(tool, "tool")),
    ...(format
      ? [{ content: JSON.stringify(format), tokens: countTokens(JSON.stringify(format)), marked: false }]
      : []),
    ...(request.system === undefined || request.system === "" ? [] : inside(request.system, "system")),
    ...request.messages.flatMap(({ role, content }) => inside(content, role)),
  ];
  const last = parts.at(-1);
  if (request.cache_control && last) last.marked = true;
  return parts;
}

export const promptTokens = (request: CountRequest): number =>
  partsOf(request).reduce((sum, { tokens }) => sum + tokens, 0);

/** Remembers prefixes up to marks of `cache_control`. Nothing expires. */
export class PromptCache {
  readonly #prefixes = new Set<string>();

  /** How the prompt is charged: read where it begins as one before did, written up to its last mark, plain behind. */
  take(scope: string, parts: readonly Part[], minTokens: number): PromptUsage {
    const hash = createHash("sha256").update(scope);
    let sum = 0;
    const prefixes = parts.map(({ content, tokens, marked }) => {
      sum += tokens;
      hash.update(`\n${content}`);
      return { key: hash.copy().digest("hex"), tokens: sum, marked: marked && sum >= minTokens };
    });
    const last = prefixes.findLastIndex(({ marked }) => marked);
    if (last === -1) return { input: sum, write: 0, read: 0 };

    const near = (index: number) =>
      prefixes.some(({ marked }, mark) => marked && mark >= index && mark - index < LOOK_BACK);
    const hit = prefixes.findLast(({ key }, index) => index <= last && near(index) && this.#prefixes.has(key));
    const read = hit?.tokens ?? 0;
    const written = prefixes[last]?.tokens ?? 0;
    for (const { key, marked } of prefixes) if (marked) this.#remember(key);
    return { input: sum - written, write: written - read, read };
  }

  #remember(key: string): void {
    this.#prefixes.add(key);
    if (this.#prefixes.size <= MAX_PREFIXES) return;
    for (const oldest of this.#prefixes) {
      this.#prefixes.delete(oldest);
      return;
    }
  }
}
