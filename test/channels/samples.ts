import type { NormalizedResponse } from "#core/delivery.ts";
import type { Block } from "#core/response.ts";

const many = (count: number, each: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => each(n)).join("\n");

const HOSTILE = [
  "@here @channel @everyone <!here> <!channel|all> <!everyone> <!subteam^S012345> <@U012345> <#C012345>",
  "``` word1\n<!here>\n``` `a` ` *b* _c_ ~d~ **@here**",
  "</b> & &lt;!here&gt; &amp;lt; <https://example.com|<!here>> [click](javascript:alert(1)) [ok](https://example.com/<!here>)",
  "\u202ereversed\u202c \u0000\u0007 \ud800 word2",
].join("\n");

/** Responses that every channel must be able to show; words like `word7` must be readable in what it shows. */
export const SAMPLES: Record<string, Block[]> = {
  text: [{ type: "text", text: "word1 and `word2`, **word3**; see https://example.com/word4." }],
  markdown: [
    {
      type: "text",
      text: "# word1\n\nSome word2:\n\n- word3\n- word4\n  - word5\n\n1. word6\n2. word7\n\n> word8\n\n```ts\nconst word9 = 1;\n```\n\n| a | b |\n|---|---|\n| word10 | word11 |",
    },
  ],
  fields: [
    {
      type: "fields",
      fields: [
        { label: "word1", value: "word2" },
        { label: "word3", value: "" },
      ],
    },
  ],
  code: [{ type: "code", code: "const word1 = `x`;\n```\nword2", language: "ts" }],
  diff: [{ type: "diff", diff: "--- a/word1\n+++ b/word1\n@@ -1 +1 @@\n-word2\n+word3" }],
  link: [{ type: "link", url: "https://github.com/acme/shop/pull/7", label: "word1 #7" }],
  image: [{ type: "image", url: "https://example.com/chart.png", alt: "word1" }],
  buttons: [
    {
      type: "actions",
      actions: [
        { name: "approve", label: "Approve", value: "approve dp-7k2m9qxw", style: "primary" },
        { name: "reject", label: "Reject", value: "reject dp-7k2m9qxw", style: "danger" },
      ],
    },
  ],
  "everything at once": [
    { type: "text", text: "word1" },
    { type: "divider" },
    { type: "fields", fields: [{ label: "word2", value: "`word3`" }] },
    { type: "code", code: "word4", language: null },
    { type: "link", url: "https://example.com/", label: "word5" },
    { type: "actions", actions: [{ name: "x", label: "word6", value: "stop", style: "plain" }] },
  ],
  nothing: [],
  "empty texts": [
    { type: "text", text: "" },
    { type: "code", code: "\n\n", language: null },
    { type: "fields", fields: [] },
    { type: "actions", actions: [] },
  ],
  "a long text": [{ type: "text", text: many(60, (n) => `Paragraph word${n} ${"goes on ".repeat(20)}.\n`) }],
  "a long line": [{ type: "text", text: `word1 ${"x".repeat(9000)} word2` }],
  "long code": [{ type: "code", code: many(300, (n) => `const word${n} = ${n};`), language: "ts" }],
  "output far too long": [
    { type: "text", text: "word1" },
    { type: "code", code: many(4000, (n) => `line ${n} of what the tests said`), language: null },
    { type: "actions", actions: [{ name: "x", label: "word2", value: "stop", style: "plain" }] },
  ],
  "hostile text": [
    { type: "text", text: HOSTILE },
    { type: "code", code: HOSTILE, language: "<!here>" },
    { type: "diff", diff: HOSTILE },
    { type: "fields", fields: [{ label: HOSTILE, value: HOSTILE }] },
    { type: "link", url: "javascript:alert(1)", label: HOSTILE },
    { type: "link", url: "https://example.com/|<!here>", label: "<!here>" },
    { type: "image", url: "file:///etc/passwd", alt: HOSTILE },
    { type: "actions", actions: [{ name: HOSTILE, label: HOSTILE, value: "status", style: "plain" }] },
  ],
  "nothing but marks": [{ type: "text", text: "`a` **b** ~~c~~ ".repeat(2000) }],
  "addresses that grow when they are written out": [
    { type: "text", text: `[word1](https://example.com/${"é".repeat(400)}) `.repeat(20) },
  ],
  "many buttons": [
    {
      type: "actions",
      actions: Array.from({ length: 60 }, (_, n) => ({
        name: "pick",
        label: `Pick word${n}`,
        value: `pick ${n}`,
        style: "plain" as const,
      })),
    },
  ],
  "a button with too much to carry": [
    { type: "actions", actions: [{ name: "x", label: "word1", value: `say ${"y".repeat(3000)}`, style: "plain" }] },
  ],
};

/** A final response to somebody, unless said otherwise. */
export const response = (of: Partial<NormalizedResponse>): NormalizedResponse => ({
  id: "reply-1",
  revision: 1,
  kind: "final",
  ok: true,
  inReplyTo: "delivery-1",
  target: { channel: "terminal", conversation: { workspace: "w", id: "ada:shop", thread: null }, replyTo: null },
  blocks: [],
  ...of,
});
