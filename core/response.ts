import { array, discriminatedUnion, enum as enumOf, type infer as Infer, literal, nullable, object, string } from "zod";

const Text = object({ type: literal("text"), text: string() });
const Fields = object({ type: literal("fields"), fields: array(object({ label: string(), value: string() })) });
const Code = object({ type: literal("code"), code: string(), language: nullable(string()) });
const Diff = object({ type: literal("diff"), diff: string() });
const Link = object({ type: literal("link"), url: string(), label: string() });
const Image = object({ type: literal("image"), url: string(), alt: string() });
const Actions = object({
  type: literal("actions"),
  actions: array(
    object({ name: string(), label: string(), value: string(), style: enumOf(["primary", "danger", "plain"]) }),
  ),
});
const Divider = object({ type: literal("divider") });

/** One piece of a reply. Adapters render each with one exhaustive switch. */
export const Block = discriminatedUnion("type", [Text, Fields, Code, Diff, Link, Image, Actions, Divider]);
export type Block = Infer<typeof Block>;

export const text = (value: string): Block => ({ type: "text", text: value });
export const code = (value: string, language: string | null = null): Block => ({ type: "code", code: value, language });
export const link = (url: string, label: string): Block => ({ type: "link", url, label });
export const fields = (values: Record<string, string>): Block => ({
  type: "fields",
  fields: Object.entries(values).map(([label, value]) => ({ label, value })),
});

function blockToPlainText(block: Block): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "fields":
      return block.fields.map(({ label, value }) => `${label}: ${value}`).join("\n");
    case "code":
      return block.code;
    case "diff":
      return block.diff;
    case "link":
      return `${block.label}: ${block.url}`;
    case "image":
      return `${block.alt}: ${block.url}`;
    case "actions":
      return block.actions.map(({ label, value }) => `${label}: reply “${value}”`).join("\n");
    case "divider":
      return "———";
  }
}

/** The fallback every platform can show: the blocks as text, one under the other. */
export const toPlainText = (blocks: readonly Block[]): string => blocks.map(blockToPlainText).join("\n");
