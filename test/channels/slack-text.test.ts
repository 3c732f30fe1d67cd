import { describe, expect, it } from "vitest";
import { readInline, readMarkdown } from "#channels/slack/markdown.ts";
import { splitLines, splitText } from "#channels/slack/split.ts";
import { escapeText, readText } from "#channels/slack/text.ts";

const BOT = "U0LAN0Z89";

describe("what a person wrote in Slack", () => {
  it.each([
    ["<@U0LAN0Z89> fix it", "fix it"],
    ["<@U0LAN0Z89>, fix it", "fix it"],
    ["hey <@U0LAN0Z89>: fix it", "hey fix it"],
    ["fix it <@U0LAN0Z89>", "fix it"],
    ["<@U0LAN0Z89|codespar> status", "status"],
    ["<@U0LAN0Z89>\nfix\n  this", "fix\n  this"],
  ])("is read without the mention of the bot: %s", (encoded, text) => {
    expect(readText(encoded, BOT)).toEqual({ text, mentionsBot: true, mentions: [] });
  });

  it.each([
    ["&lt;b&gt; &amp;amp;", "<b> &amp;"],
    ["role <@U061F7AUR> maintainer", "role @U061F7AUR maintainer"],
    ["in <#C024BE7LR|general> and <#C024BE7LR>", "in #general and #C024BE7LR"],
    ["<https://example.com/a?b=1&amp;c=2>", "https://example.com/a?b=1&c=2"],
    ["<http://example.com|example.com>", "example.com"],
    ["<https://example.com/log|the log>", "the log (https://example.com/log)"],
    ["<mailto:a@example.com|a@example.com>", "a@example.com"],
    ["<!here> <!subteam^S061|@devs> <!date^1392734382^{date}|2014>", "@here @devs 2014"],
    ["a < b and <unclosed", "a < b and <unclosed"],
    ["", ""],
  ])("is decoded: %s", (encoded, text) => {
    expect(readText(encoded, BOT)).toMatchObject({ text, mentionsBot: false });
  });

  it("names the other people who are mentioned", () => {
    expect(readText("<@U061F7AUR> <@W012A3CDE> <@U061F7AUR>", BOT).mentions).toEqual(["U061F7AUR", "W012A3CDE"]);
  });

  it("comes back as it was, escaped and decoded", () => {
    const text = "a < b && c > d &lt; <!here>";
    expect(readText(escapeText(text), BOT).text).toBe(text);
  });
});

describe("Markdown for Slack", () => {
  it("has code, bold, struck and linked parts", () => {
    expect(readInline("`a` **b** ~~c~~ [d](https://example.com/) https://example.com/e.")).toEqual([
      { type: "text", text: "a", style: { code: true } },
      { type: "text", text: " " },
      { type: "text", text: "b", style: { bold: true } },
      { type: "text", text: " " },
      { type: "text", text: "c", style: { strike: true } },
      { type: "text", text: " " },
      { type: "link", url: "https://example.com/", text: "d" },
      { type: "text", text: " " },
      { type: "link", url: "https://example.com/e" },
      { type: "text", text: "." },
    ]);
  });

  it("does not link what would run", () => {
    expect(readInline("[a](javascript:alert)")).toEqual([{ type: "text", text: "[a](javascript:alert)" }]);
  });

  it("has headings, lists, quotes and code", () => {
    const kinds = readMarkdown("# A\n\ntext\n\n- one\n  1. two\n> said\n```ts\nlet a;\n```").map(
      ({ element }) => element,
    );
    expect(kinds).toMatchObject([
      { type: "rich_text_section", elements: [{ text: "A", style: { bold: true } }] },
      { type: "rich_text_section", elements: [{ text: "text" }] },
      { type: "rich_text_list", style: "bullet", indent: 0 },
      { type: "rich_text_list", style: "ordered", indent: 1 },
      { type: "rich_text_quote" },
      { type: "rich_text_preformatted", language: "ts", elements: [{ type: "text", text: "let a;" }] },
    ]);
  });

  it("keeps code whose end is missing", () => {
    expect(readMarkdown("```\nlet a;")).toMatchObject([{ words: "let a;" }]);
  });
});

describe("long text", () => {
  it("is divided between paragraphs, else lines, else sentences, else words", () => {
    expect(splitText("aaaa aaaa\n\nbbbb bbbb", 14)).toEqual(["aaaa aaaa", "bbbb bbbb"]);
    expect(splitText("aaaa aaaa\nbbbb bbbb", 14)).toEqual(["aaaa aaaa", "bbbb bbbb"]);
    expect(splitText("Aaaa aaaa. Bbbb bbbb", 14)).toEqual(["Aaaa aaaa.", "Bbbb bbbb"]);
    expect(splitText("aaaa aaaa bbbb bbbb", 12)).toEqual(["aaaa aaaa", "bbbb bbbb"]);
  });

  it("is divided anywhere but inside a character when there is no better place", () => {
    expect(splitText("😀".repeat(10), 7)).toEqual(["😀😀😀", "😀😀😀", "😀😀😀", "😀"]);
  });

  it("keeps all lines of code", () => {
    const code = Array.from({ length: 50 }, (_, n) => `${" ".repeat(n % 4)}line ${n}`).join("\n");
    expect(splitLines(code, 100).join("\n")).toBe(code);
    expect(Math.max(...splitLines(code, 100).map(({ length }) => length))).toBeLessThanOrEqual(100);
  });
});
