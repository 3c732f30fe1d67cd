import fc from "fast-check";
import type { Block } from "#core/response.ts";

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.constantFrom(
    "@here",
    "<!channel>",
    "```\n",
    "**",
    "&lt;",
    "\u202e",
    "> ",
    "- a\n",
    "[a](javascript:b)",
    "\ud800",
    "\u0000",
  ),
);
const long = fc.array(text, { maxLength: 40 }).map((parts) => parts.join(" "));
const style = fc.constantFrom("primary" as const, "danger" as const, "plain" as const);
const action = fc.record({
  name: fc.string({ maxLength: 100 }),
  label: text,
  value: fc.string({ maxLength: 2500 }),
  style,
});
const field = fc.record({ label: text, value: long });
const url = fc.oneof(fc.webUrl(), text);

/** Any block, as likely hostile as not. */
export const anyBlock: fc.Arbitrary<Block> = fc.oneof(
  long.map((value): Block => ({ type: "text", text: value })),
  fc.array(field, { maxLength: 15 }).map((fields): Block => ({ type: "fields", fields })),
  fc
    .tuple(long, fc.option(fc.string({ maxLength: 20 })))
    .map(([code, language]): Block => ({ type: "code", code, language })),
  long.map((diff): Block => ({ type: "diff", diff })),
  fc.tuple(url, text).map(([address, label]): Block => ({ type: "link", url: address, label })),
  fc.tuple(url, text).map(([address, alt]): Block => ({ type: "image", url: address, alt })),
  fc.array(action, { maxLength: 30 }).map((actions): Block => ({ type: "actions", actions })),
  fc.constant<Block>({ type: "divider" }),
);
